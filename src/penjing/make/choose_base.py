"""Which base `base: auto` takes: a rule over the rows, the texts, the promises, the time, and what is installed.

    take the largest base that is installed, whose tuning takes at most an hour on two server cores, and whose
    release is expected to hold the promises on size and time; if there is none, the smallest that is installed

A larger base gives the better score where its cost is no hindrance: on the five sets of `bench/spine.py` twelve layers,
the top three of them trained on all rows, beat TF-IDF by a held bound on three; four layers, on 2,000 rows, on two.
`keep` is a share of the base's own score and so fits every base; a promise on the score itself asks for the largest.
The expected figures are those of earlier runs on two cores without VNNI (`bench/results`: spine, speed, compress), so
that the choice depends on no measurement of this machine: the same recipe, rows and installed bases give the same base
everywhere. With VNNI a decision takes about half as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penjing.core.methods import Step
from penjing.core.recipe import Gates, RecipeFile
from penjing.data.audit import Audit
from penjing.make.few_labels import FewLabels
from penjing.model.base import how_to_install
from penjing.report.contract import Note
from penjing.report.verdict import note_of
from penjing.tune.depth import auto_layers
from penjing.tune.options import TrainingOptions
from penjing.tune.rates import SHARE

AUTO = "auto"
# Tokens a character of Chinese and of English texts, special tokens left out (the card of penjing/mini).
TOKENS_A_CHARACTER = {"zh": 0.74, "en": 0.28, "mixed": 0.74}
SPECIAL_TOKENS = 2
# Longest tuning, in minutes on two server cores, with which a base is still taken.
MOST_MINUTES = 60.0
# What is expected of a release on validation may differ from what is measured: a promise must leave this much room.
ROOM = 1.2
# Without `compress.int8` (speed and compress, in ONNX Runtime); share of the words that `compress.vocabulary` leaves.
FLOAT_SIZE, FLOAT_TIME, VOCABULARY = 1.94, 1.5, 0.6
# 99th percentile of the time of a text, as a multiple of its median.
P99 = 1.5
# Share of the work of a training step that its forward pass is.
FORWARD = 1 / 3
# The release is then made of the base that the step names, not of the one that is chosen.
_STUDENT = "compress.student"
# These make forms whose time cannot be foreseen, or look for a form that holds the promises.
_UNFORESEEN = frozenset(("compress.cascade", "compress.exit", "compress.static", _STUDENT))


@dataclass(frozen=True)
class Tuning:
    """How `penjing init` lets a base be tuned. options: of `tune.full`, as in a recipe; layers, passes: as `Wanted`."""

    options: str = "{}"
    layers: int | str = "auto"
    passes: float = 4.0

    def longer(self, epochs: float | None, max_tokens: int | None) -> Tuning:
        """The same with so many epochs, and inputs of so many tokens."""
        more = [f"epochs: {epochs:g}"] if epochs is not None else []
        more += [f"max_tokens: {max_tokens}"] if max_tokens is not None else []
        options = f"{{{', '.join(filter(None, [self.options[1:-1], *more]))}}}"
        return replace(self, options=options, passes=self.passes if epochs is None else epochs)


@dataclass(frozen=True)
class BaseCost:
    """What a base costs.

    megabytes: of an INT8 release, in its layers and in its words with the tokenizer. fixed_ms, token_ms: a decision in
    INT8 takes fixed_ms + tokens * token_ms. token_seconds: to train one layer on 1,000 tokens once; without training,
    a third of that. tuning: what `penjing init` writes for it.
    """

    name: str
    layers: int
    layers_mb: float
    words_mb: float
    fixed_ms: float
    token_ms: float
    token_seconds: float
    tuning: Tuning = Tuning()


# As twelve layers were measured on the five sets of `bench/spine.py`: a third of the time of `layers: auto`.
TOP_THREE = Tuning("{layers: 3, learning_rate: 3.0e-4}", 3, 3.0)
# From the largest to the smallest. A base that is not in this installation may be named. Sources: sizes and times of
# `penjing/small` from the twelve layers of ChnSentiCorp (speed: 41.9 MB, 1.84 of them a layer; 16.4 ms for about 70
# tokens), of `penjing/mini` from its card and, for six layers, one and a half times what four took (SMS spam, compress:
# 3.6 ms for about 25 tokens; tuning from the five sets, spine); of `penjing/nano` from its card (0.7 ms for 21 tokens).
COSTS = (
    BaseCost("penjing/small", 12, 22.0, 20.0, fixed_ms=0.5, token_ms=0.23, token_seconds=0.18, tuning=TOP_THREE),
    BaseCost("penjing/mini", 6, layers_mb=10.7, words_mb=17.4, fixed_ms=0.8, token_ms=0.165, token_seconds=0.30),
    BaseCost("penjing/nano", 2, layers_mb=1.0, words_mb=10.0, fixed_ms=0.1, token_ms=0.03, token_seconds=0.07),
)


@dataclass(frozen=True)
class Wanted:
    """What the choice depends on.

    rows: train rows. tokens: of the median text and of the longest but 1 %. longest: `max_tokens`, with which training
    cuts a text and serving makes windows. layers: that are trained, as `tune.full` has it. passes: over the train rows,
    with the rates that are tried. keep: number of layers that `compress.layers` keeps, 0 for all. names: of the
    steps after tuning. search: forms are tried until one holds the promises. written: each base is tuned as
    `penjing init` writes it, whatever `layers` and `passes` are.
    """

    rows: int
    tokens: tuple[float, float]
    gates: Gates
    longest: int = 128
    layers: int | str = "auto"
    passes: float = 4.0
    keep: int = 0
    names: frozenset[str] = frozenset()
    search: bool = False
    written: bool = False
    minutes: float = MOST_MINUTES


@dataclass(frozen=True)
class ChosenBase:
    """The name of the base that was taken, why in a sentence, and in a few words for a comment.

    minutes: that tuning it is expected to take on two server cores. tuning: how `penjing init` lets it be tuned. few:
    the step in the place of `tune.full` where labels are few.
    """

    name: str
    note: Note
    comment: Note
    minutes: float
    tuning: Tuning = Tuning()
    few: FewLabels | None = None


def choose_base(wanted: Wanted, installed: Callable[[str], bool], costs: Sequence[BaseCost] = COSTS) -> ChosenBase:
    """The base of `base: auto`. installed: whether a base of that name is in this installation; one must be."""
    refused: tuple[str, str, dict[str, str]] | None = None
    needed = max(wanted.keep + 1, wanted.layers if isinstance(wanted.layers, int) else 0)
    deep = [cost for cost in costs if cost.layers >= needed]
    here = [cost for cost in deep if installed(cost.name)]
    if not here:
        # None that is installed has so many layers; the error of the step says so. A deeper one is named, if there is.
        if deep:
            refused = (deep[0].name, "missing", {"install": how_to_install(deep[0].name)})
        deep = here = [cost for cost in costs if installed(cost.name)]
    for cost in deep:
        against = _against(cost, wanted)
        if against is None and cost in here:
            return _told(cost, wanted, refused)
        # The reason that is given is that of the last larger base.
        refused = (cost.name, *(against or ("missing", {"install": how_to_install(cost.name)})))
    return _told(here[-1], wanted, None, fits=False)


def wanted_of(file: RecipeFile, audit: Audit, steps: Sequence[Step] = ()) -> Wanted:
    """What the choice depends on, of a recipe, the audit of its rows, and its steps; without these: their defaults."""
    recipe = file.recipe
    per_character = TOKENS_A_CHARACTER[audit.language]
    p50, p99 = (SPECIAL_TOKENS + per_character * audit.lengths.get(name, 0) for name in ("p50", "p99"))
    found: dict[str, Any] = {}
    for step in steps:
        options: Any = step.options
        if isinstance(options, TrainingOptions):
            rates = len(options.learning_rate)
            passes = options.epochs * (1 + (rates - 1) * SHARE)
            found |= {"longest": options.max_tokens, "layers": options.layers, "passes": passes}
        elif step.name == _STUDENT:
            break  # later steps work on the student's base
        elif step.name == "compress.layers":
            found["keep"] = options.keep
    return Wanted(
        rows=audit.splits.get("train", 0),
        tokens=(p50, p99),
        gates=recipe.gates,
        names=frozenset(name for name, _ in recipe.step_list()),
        search=recipe.search is not None,
        **found,
    )


def longer(costs: Sequence[BaseCost], epochs: float | None, max_tokens: int | None) -> Sequence[BaseCost]:
    """What bases cost if `penjing init` writes so many epochs, and inputs of so many tokens; None: as they are."""
    if epochs is None and max_tokens is None:
        return costs
    return tuple(replace(cost, tuning=cost.tuning.longer(epochs, max_tokens)) for cost in costs)


def with_base(file: RecipeFile, name: str) -> RecipeFile:
    """The recipe with the base of that name."""
    return file.model_copy(update={"recipe": file.recipe.model_copy(update={"base": name})})


def tuning_minutes(cost: BaseCost, wanted: Wanted) -> float:
    """Expected minutes of `tune.full` on two server cores."""
    layers, passes = (cost.tuning.layers, cost.tuning.passes) if wanted.written else (wanted.layers, wanted.passes)
    trained = auto_layers(cost.layers, wanted.rows) if layers == "auto" else cost.layers
    if isinstance(layers, int):
        trained = min(layers, cost.layers)
    work = passes * trained + (cost.layers - trained) * FORWARD
    tokens = wanted.rows * min(wanted.tokens[0], wanted.longest)
    return tokens / 1000 * cost.token_seconds * work / 60


def release_megabytes(cost: BaseCost, wanted: Wanted) -> float:
    """Expected size of the release, in megabytes."""
    words = cost.words_mb * (VOCABULARY if "compress.vocabulary" in wanted.names else 1.0)
    size = cost.layers_mb * _kept(cost, wanted) + words
    return size * (1.0 if "compress.int8" in wanted.names else FLOAT_SIZE)


def decision_ms(cost: BaseCost, wanted: Wanted, tokens: float) -> float:
    """Expected milliseconds of the decision of a text of so many tokens; a long text is read in windows."""
    slower = 1.0 if "compress.int8" in wanted.names else FLOAT_TIME
    return cost.fixed_ms + tokens * cost.token_ms * _kept(cost, wanted) * slower


def _kept(cost: BaseCost, wanted: Wanted) -> float:
    """The share of the layers that serves."""
    return min(1.0, wanted.keep / cost.layers) if wanted.keep else 1.0


def _against(cost: BaseCost, wanted: Wanted) -> tuple[str, dict[str, str]] | None:
    """The limit that a base is not expected to hold, with its figures; None if it holds every one."""
    minutes = tuning_minutes(cost, wanted)
    if minutes > wanted.minutes:
        return "time", {"value": f"{minutes:.0f}", "limit": f"{wanted.minutes:.0f}"}
    if wanted.search or wanted.names & _UNFORESEEN:
        return None
    gates, middle, long = wanted.gates, *wanted.tokens
    for promised, expected, gate, unit in (
        (gates.size_mb, release_megabytes(cost, wanted), "size_mb", "MB"),
        (gates.p50_ms, decision_ms(cost, wanted, middle), "p50_ms", "ms"),
        (gates.mean_ms, decision_ms(cost, wanted, middle), "mean_ms", "ms"),
        (gates.p99_ms, decision_ms(cost, wanted, long) * P99, "p99_ms", "ms"),
    ):
        room = ROOM if unit == "ms" else 1.0
        if promised is not None and expected * room > promised:
            return "promise", {"value": f"{expected:.3g} {unit}", "limit": f"{promised:g} {unit}", "gate": gate}
    return None


def _told(
    cost: BaseCost, wanted: Wanted, refused: tuple[str, str, dict[str, str]] | None, *, fits: bool = True
) -> ChosenBase:
    minutes = max(1.0, tuning_minutes(cost, wanted))
    values = {"name": cost.name, "rows": f"{wanted.rows:,}", "minutes": f"{minutes:.0f}"}
    key = "largest" if fits else "smallest"
    if refused is not None:
        larger, key, figures = refused
        values |= {"larger": larger, **figures}
    note, comment = note_of(f"base_{key}", **values), note_of(f"base_{key}_short", **values)
    return ChosenBase(cost.name, note, comment, minutes, cost.tuning)
