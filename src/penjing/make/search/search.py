"""The search for the smallest model that keeps every promise on this machine: chains of compressions, tried in turn.

The model without layers is tried first, because it is the smallest. A form is not made if it cannot become smaller
than one that already holds every promise, the linear model included (`bound.py`). Then the teacher's layers are halved
until one is left. Each depth is healed by the teacher and measured in float32 and in INT8, on the faster engine for
this kind of processor. If the recipe leaves the engine open, INT8 on ONNX Runtime is measured too; its scales are
computed from each text. A form that does not hold every promise on the score is tried with an n-gram branch too
(`compress.ngrams`). If a depth in float32 breaks `keep` on validation rows with and without one, no smaller depth is
tried.

If the model without layers does not hold every promise, two more forms are tried. The first is the smallest INT8 form
that holds every promise except its size, with its embeddings in four bits. The second is a cascade: the model without
layers answers first, and the smallest form that keeps every promise except those on time answers the rest, as many
texts as the promised times allow. That form is healed for the cascade if necessary: a deeper one if a shallower one
does not keep the score.

Time does not depend on the values of the weights. If a form was too slow, the next depth is timed before it is healed.
It is healed only if it is fast enough or if the cascade needs it. In the cascade, too, a form is timed before it is
healed. If the healed form is still too slow, a shallower one is healed. Every step is cached, and every measured time
is stored until the run ends: a kill loses only the work in progress.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from penjing.core.errors import UsageError
from penjing.core.methods import Done, Step, check_heads, check_pairs
from penjing.core.nouns import Artifact, Progress
from penjing.make.plan import single_step
from penjing.make.search.bound import least_mb
from penjing.make.search.chains import (
    AGREEMENTS,
    BRANCH,
    Chain,
    behind_static,
    beside_ngrams,
    healed_by,
    with_small_embeddings,
)
from penjing.make.search.heal import METHOD, Healing
from penjing.prove.gates import TIMES
from penjing.report.contract import Note
from penjing.report.found import ChosenVariant, Variant
from penjing.report.verdict import metric_name, note_of
from penjing.tasks import task_of

# The promises that a lower agreement helps. The slowest texts are those of the second stage, even if they are few.
SHORTENED = ("p50_ms", "mean_ms", "times_faster")
# The promises that an n-gram branch helps.
SCORES = ("keep", "macro_f1", "score")
INT8 = "compress.int8"


@dataclass(frozen=True)
class TriedChain:
    """A chain with the result of each step, and the measured variant of the last one."""

    chain: Chain
    done: tuple[Done, ...]
    variant: Variant

    @property
    def names(self) -> list[str]:
        """The names of its steps."""
        return [one.name for one in self.chain.steps]


@dataclass
class Search:
    """Chains tried in their order, with their results.

    step: makes an artifact or takes it from the cache. judge: measures an artifact and its gates under a title.
    fastest: returns the fastest of some variants, timed in turn; the times of `judge` are minutes apart and cannot be
    compared. trials: most other sets of healing options for a student that is not proven to keep the score.
    proven: variants measured before, such as the linear model. skipped: receives the forms not tried, with reasons.
    """

    teacher: Artifact
    every: Sequence[Chain]
    step: Callable[[Step, Artifact], Done]
    judge: Callable[[str, Artifact], Variant]
    fastest: Callable[[Sequence[Variant]], Variant]
    progress: Progress
    trials: int = 0
    seed: int = 0
    proven: Sequence[Variant] = ()
    skipped: list[Note] = field(default_factory=list)
    tried: list[TriedChain] = field(default_factory=list, init=False)
    # Forms that were too slow before healing, with their times; and whether each is fast enough in a cascade.
    waiting: list[tuple[Chain, Variant]] = field(default_factory=list, init=False)
    judged: dict[str, bool] = field(default_factory=dict, init=False)

    def run(self) -> list[TriedChain]:
        """Try all chains in the order that the module describes."""
        self._try_depths()
        if smallest_held([each.variant for each in self.tried if not each.chain.layers]):
            return self.tried
        cascades = self._serves(single_step("compress.cascade"))
        if cascades:
            self._heal_for_the_cascade()
        self._heal_otherwise()
        self._shrink_embeddings()
        if cascades:
            self._try_cascades()
        return self.tried

    def _serves(self, step: Step) -> bool:
        """Whether a step can serve the task of the model."""
        try:
            task = task_of(self.teacher.card)
            check_heads(step.name, step.method.heads, step.method.losses, task)
            check_pairs(step.method, task)
        except UsageError:
            return False
        return True

    def _try_depths(self) -> None:
        too_few = 0
        too_slow: dict[tuple[str, object], bool] = {}
        for number, chain in enumerate(self.every, start=1):
            if 0 < chain.layers <= too_few:
                self._skip(note_of("skipped_layers", title=chain.title, layers=str(too_few + 1)))
                continue
            if self._is_beaten(chain):
                continue
            self.progress.say(f"search: {chain.title} ({number} of {len(self.every) + 1})")
            if chain.layers and too_slow.get(chain.form):
                timed = self._unhealed(chain)
                if _broke(timed, *TIMES):
                    reason = f"not healed, because p50 {timed.latency.p50_ms:.2f} ms is too slow"
                    self.progress.say(f"{chain.title}: {reason}")
                    self.waiting.append((chain, timed))
                    continue
            made = self._attempt(chain)
            too_slow[chain.form] = _broke(made.variant, *TIMES)
            best = self._with_branch(made)
            if _broke(best.variant, "keep") and chain.form[0] == "compress.export":
                too_few = chain.layers

    def _heal_for_the_cascade(self) -> None:
        """Heal forms that are too slow alone: the deepest that is fast enough as a second stage and keeps the score."""
        deeper = [each for each in self.waiting if not self._is_beaten(behind_static(each[0], min(AGREEMENTS)))]
        while deeper:
            healed = self._with_branch(self._heal(deeper))
            if not _broke(healed.variant, "keep"):
                break
            deeper = [each for each in deeper if each[0].layers > healed.chain.layers]

    def _heal_otherwise(self) -> None:
        students = [each for each in self.tried if METHOD in each.names]
        best = max(
            (each for each in students if not _broke(each.variant, "keep")),
            key=lambda each: _keep_bound(each.variant),
            default=None,
        )
        if not self.trials or best is None or self._is_beaten(best.chain):
            return
        healing, chain = Healing(self.seed), best.chain
        for number in range(1, self.trials + 1):
            if _holds(best.variant, "keep"):
                break
            self.progress.say(f"search: {chain.title}, healed with other options ({number} of at most {self.trials})")
            last = self._attempt(healed_by(chain, healing.ask(), number))
            healing.tell(_keep_bound(last.variant))
            best = max(best, last, key=lambda each: _keep_bound(each.variant))

    def _shrink_embeddings(self) -> None:
        whole = to_shrink(self.tried)
        if whole is None:
            return
        chain = with_small_embeddings(whole.chain)
        if not self._is_beaten(chain):
            self.progress.say(f"search: {chain.title}")
            self._attempt(chain, whole.done[: whole.names.index(INT8)])

    def _try_cascades(self) -> None:
        second = second_stage(self.tried)
        if second is not None and self._is_beaten(behind_static(second.chain, min(AGREEMENTS))):
            second = None
        while second is not None:
            last = self._try_agreements(second)
            depths = {each.chain.layers for each in self.tried}
            shallower = [each for each in self.waiting if each[0].layers < second.chain.layers]
            shallower = [each for each in shallower if each[0].layers not in depths]
            if not shallower or _holds(last.variant, *TIMES):
                break
            second = self._with_branch(self._heal(shallower))
            if _broke(second.variant, "keep"):
                break

    def _try_agreements(self, second: TriedChain) -> TriedChain:
        for agreement in AGREEMENTS:
            chain = behind_static(second.chain, agreement)
            self.progress.say(f"search: {chain.title} ({len(self.every) + 1} of {len(self.every) + 1})")
            last = self._attempt(chain, second.done)
            # A lower agreement keeps less of the score and is faster.
            if _holds(last.variant, *SHORTENED) or _broke(last.variant, "keep"):
                break
        return last

    def _heal(self, waiting: Sequence[tuple[Chain, Variant]]) -> TriedChain:
        chain = worth_healing(waiting, self._is_in_time, self.fastest)
        self.progress.say(f"search: {chain.title}, for the cascade")
        return self._attempt(chain)

    def _is_in_time(self, chain: Chain, timed: Variant) -> bool:
        """Whether it is fast enough as the second stage of a cascade with the lowest agreement."""
        if chain.title not in self.judged:
            last = behind_static(chain, min(AGREEMENTS))
            self.progress.say(f"search: {last.title}, not healed")
            cascade = self.step(last.steps[-1], timed.artifact).artifact
            self.judged[chain.title] = not _broke(self.judge(f"{last.title}, not healed", cascade), *TIMES)
        return self.judged[chain.title]

    def _is_beaten(self, chain: Chain) -> bool:
        """Whether a form that holds every promise is already as small as this chain can become."""
        best = self._best()
        least = least_mb(chain.steps, chain.layers, self.teacher)
        if best is None or least < best.size_mb:
            return False
        sizes = {"least": f"{least:.1f}", "best": best.name, "size": f"{best.size_mb:.1f}"}
        self._skip(note_of("skipped_size", title=chain.title, **sizes))
        return True

    def _skip(self, note: Note) -> None:
        self.skipped.append(note)
        self.progress.say(note.text)

    def _attempt(self, chain: Chain, before: Sequence[Done] = ()) -> TriedChain:
        done = list(before)
        for one in chain.steps[len(done) :]:
            done.append(self.step(one, done[-1].artifact if done else self.teacher))
        made = TriedChain(chain, tuple(done), self.judge(chain.title, done[-1].artifact))
        self.tried.append(made)
        best = self._best()
        self.progress.say(f"{_summary(made.variant)}; best so far: {best.name if best else 'none'}")
        return made

    def _with_branch(self, made: TriedChain) -> TriedChain:
        """The same encoder with an n-gram branch, where it does not hold every promise on the score; else itself.

        It needs no healing, and it takes some tens of microseconds. The encoder stays where the branch does not help.
        """
        if not made.chain.layers or _holds(made.variant, *SCORES) or not self._serves(single_step(BRANCH)):
            return made
        chain = beside_ngrams(made.chain)
        if self._is_beaten(chain):
            return made
        self.progress.say(f"search: {chain.title}")
        return max((made, self._attempt(chain, made.done)), key=lambda each: _keep_bound(each.variant))

    def _unhealed(self, chain: Chain) -> Variant:
        first = self.step(chain.steps[0], self.teacher)
        return self.judge(f"{chain.title}, not healed", self.step(chain.steps[-1], first.artifact).artifact)

    def _best(self) -> Variant | None:
        return smallest_held([*self.proven, *(each.variant for each in self.tried)])


def worth_healing(
    waiting: Sequence[tuple[Chain, Variant]],
    in_time: Callable[[Chain, Variant], bool],
    fastest: Callable[[Sequence[Variant]], Variant],
) -> Chain:
    """Of the forms that are too slow alone, the deepest that is fast enough as a second stage; else the fastest.

    A deeper form keeps more of the score on hard texts, which are the texts of a second stage. At the same depth the
    smaller form is chosen, and of several with about the same size the fastest.
    """
    for layers in sorted({chain.layers for chain, _ in waiting}, reverse=True):
        alike = [each for each in waiting if each[0].layers == layers]
        room = 1.1 * min(timed.size_mb for _, timed in alike)
        small = [each for each in alike if each[1].size_mb <= room]
        winner = fastest([timed for _, timed in small])
        chain = next(chain for chain, timed in small if timed is winner)
        if in_time(chain, winner):
            return chain
    return min(waiting, key=lambda each: each[1].latency.p50_ms)[0]


def to_shrink(tried: Sequence[TriedChain]) -> TriedChain | None:
    """The smallest encoder in INT8 on ONNX Runtime that holds every gate, or every gate except size; else None."""
    good = [
        each
        for each in tried
        if INT8 in each.names
        and each.done[each.names.index(INT8)].artifact.card.form == "onnx"
        and all(gate.state == "held" or gate.name == "size_mb" for gate in each.variant.gates)
    ]
    return min(good, key=lambda each: each.variant.size_mb, default=None)


def second_stage(tried: Sequence[TriedChain]) -> TriedChain | None:
    """The smallest encoder that holds every gate except those on time; else the most likely one to keep the score.

    If all break p99, the fastest, because the slowest texts of the second stage determine the p99 of a cascade. None
    if every encoder breaks `keep`.
    """
    encoders = [each for each in tried if each.chain.layers and not _broke(each.variant, "keep")]
    in_time = [each for each in encoders if not _broke(each.variant, "p99_ms")]
    if encoders and not in_time:
        return min(encoders, key=lambda each: each.variant.latency.p99_ms)
    held = [each for each in in_time if all(g.state == "held" or g.name in TIMES for g in each.variant.gates)]
    if held:
        return min(held, key=lambda each: each.variant.size_mb)
    return max(in_time, key=lambda each: _keep_bound(each.variant), default=None)


def smallest_held(variants: Sequence[Variant]) -> Variant | None:
    """The smallest variant that holds every gate on validation rows; of two with equal size the faster."""
    held = [variant for variant in variants if all(gate.state == "held" for gate in variant.gates)]
    return min(held, key=lambda variant: (variant.size_mb, variant.latency.p50_ms), default=None)


def choose_smallest(variants: Sequence[Variant], linear: Variant) -> ChosenVariant | None:
    """The smallest variant, the linear model included, that holds every gate on validation rows.

    If none holds all, only variants that no gate refuses count: the one that holds the most gates, then the most likely
    one to keep the score, then the smaller. None if all are refused.
    """
    every = [*variants, linear]
    best = smallest_held(every)
    if best is not None:
        return ChosenVariant(best, False, note_of("why_smallest", forms=str(len(every))))
    passed = [variant for variant in every if not variant.refused]
    if not passed:
        return None
    likeliest = max(passed, key=lambda each: (_held(each), _keep_bound(each), -each.size_mb))
    return ChosenVariant(likeliest, False, note_of("why_likeliest", forms=str(len(passed))))


def _keep_bound(variant: Variant) -> float:
    return next((gate.bound for gate in variant.gates if gate.name == "keep"), variant.score.low)


def _broke(variant: Variant, *gates: str) -> bool:
    return any(gate.name in gates and gate.state == "broken" for gate in variant.gates)


def _holds(variant: Variant, *gates: str) -> bool:
    return all(gate.state == "held" for gate in variant.gates if gate.name in gates)


def _held(variant: Variant) -> int:
    return sum(gate.state == "held" for gate in variant.gates)


def _summary(variant: Variant) -> str:
    state = f"refused ({variant.refused})" if variant.refused else "passes"
    return (
        f"{variant.name}: {variant.size_mb:.1f} MB, p50 {variant.latency.p50_ms:.2f} ms, "
        f"{metric_name(variant.scored.metrics[0], 'en')} {variant.score.value:.4f}, {state}"
    )
