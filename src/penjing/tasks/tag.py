"""The task `tag`: entities of a text, each a piece with a type; an error is a text with any wrong or missing entity.

    one tag a token (O, B-x, I-x), trained by cross entropy or as a chain;   answer: the most probable allowed sequence
    p of an entity, p of the whole set: their shares of all allowed sequences, each calibrated by Platt scaling

How sequences are weighed: `tasks/tag_decode.py`, `tasks/tag_chain.py`; the form of gold: `tasks/tag_spans.py`. Head:
one output a token, for O and for the beginning and the inside of each type. Certified by the probability that the whole
set is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from penjing.core.abilities import Bounds
from penjing.core.answers import Answer, Span, Spans, as_kind
from penjing.core.errors import DataError
from penjing.core.options import Options as _Options
from penjing.core.options import nearest
from penjing.core.task import ALL, IGNORED, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.tasks.band import half_within
from penjing.tasks.piece_facts import entity_facts, entity_values, piece_bounds
from penjing.tasks.piece_figures import rarest_labels, share_of
from penjing.tasks.platt import fit_platt, platt
from penjing.tasks.tag_chain import chain_temperature
from penjing.tasks.tag_decode import (
    Best,
    Units,
    best_odds,
    cut_inside,
    decode_units,
    located,
    log_odds,
    tags_of,
    units_of,
)
from penjing.tasks.tag_figures import tag_figures
from penjing.tasks.tag_following import fit_sequences
from penjing.tasks.tag_spans import Entity, read_entities, write_entities

Floats = npt.NDArray[np.float64]
HEAD = "tags"
# The stratum of a text without entities.
NONE = "none"
_DIGITS = 6


class Options(_Options):
    """The options of `task: {type: tag}`: none."""


ABOUT = About(
    name="tag",
    gold="the column of the entities, as JSON",
    metric="share of the teacher's F1 over entities",
    line="{type: tag}",
    comment="entities in the text",
    facts=("entities", "p"),
    spans=True,
    epochs=10,
)


def open_reader(options: Options) -> TagReader:  # noqa: ARG001 - there is nothing to choose
    """The reader of entities."""
    return TagReader()


def restore(state: Mapping[str, Any]) -> Tag:
    """The task of an artifact, from its types in their order."""
    return Tag(tuple(state["types"]))


@dataclass(frozen=True)
class TagReader:
    """Reads entities before the set of types is known."""

    golds_are_names = False
    golds_are_lists = True

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The entities of a cell in canonical form, "" for an empty cell. Raises DataError."""
        return write_entities(read_entities(cell, masked)) if cell.strip() else ""

    def names_in(self, gold: str) -> tuple[str, ...]:
        """The types of the entities of a gold."""
        return tuple(sorted({label for _, _, label in read_entities(gold)})) if gold else ()

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The type of each text that the fewest of these texts have; `none` for a text without entities."""
        return rarest_labels([self.names_in(gold) for gold in golds], golds, NONE)

    def learn(self, golds: Sequence[str]) -> Tag:
        """The task of the types, sorted. Raises DataError where no text has an entity."""
        types = sorted({label for gold in golds if gold for _, _, label in read_entities(gold)})
        if not types:
            raise DataError("the train rows have no entities", fix="give rows of texts that have some")
        return Tag(tuple(types))


@dataclass(frozen=True)
class Tag(TagReader):
    """Entities of these types."""

    types: tuple[str, ...]
    # Weights of what follows what, (tags, tags), of a model that learned them; they are in its calibrations.
    following: tuple[tuple[float, ...], ...] = ()

    name = "tag"
    errors = ()
    chains = (HEAD,)

    @property
    def state(self) -> dict[str, Any]:
        return {"types": list(self.types)}

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {HEAD: Head("token", 1 + 2 * len(self.types), "cross_entropy")}

    def chained(self, following: Mapping[str, Floats]) -> Tag:
        """The same types of a model that learned what follows what; weights are kept to 1e-6."""
        return Tag(self.types, tuple(map(tuple, np.round(following[HEAD], _DIGITS).tolist())))

    def with_rows(self, rows: Mapping[str, int]) -> Tag:  # noqa: ARG002 - every entity counts alike
        return self

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """As `TagReader.read`, but of known types only. Raises DataError with the nearest one."""
        gold = super().read(cell, masked)
        for _, _, label in read_entities(gold) if gold else ():
            if label not in self.types:
                raise DataError(f"unknown type `{label}`", fix=nearest(label, self.types))
        return gold

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """{"tags": a tag or IGNORED of each token, n arrays (tokens,) int64}. Raises DataError for an unknown type."""
        return {HEAD: [self._targets(gold, item) for gold, item in zip(golds, items, strict=True)]}

    def _targets(self, gold: str, item: Item) -> npt.NDArray[np.int64]:
        units = units_of(item)
        targets = np.full(len(item.offsets), IGNORED, dtype=np.int64)
        targets[units.tokens] = tags_of(read_entities(self.read(gold)), units, self.types)
        return targets

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """How sequences of tags are weighed, then the scales of the probabilities of entities and of whole texts.

        cut: how many of the entities begin or end inside a token, so that no tags give them, and how many there are.
        """
        scales = self._sequences(outputs, golds, items)
        shares: list[float] = []
        right: list[bool] = []
        whole: list[float] = []
        all_right: list[bool] = []
        cut = [0, 0]
        for table, gold, item in zip(outputs[HEAD], golds, items, strict=True):
            units, found = self._decoded(table, item, scales)
            said, meant = self._placed(units, found), set(read_entities(gold))
            cut = [cut[0] + cut_inside(sorted(meant), units), cut[1] + len(meant)]
            shares += found.shares
            right += [one in meant for one in said]
            whole.append(found.share)
            all_right.append(set(said) == meant)
        return {
            **scales,
            "entity": list(fit_platt(shares, right)),
            "text": list(fit_platt(whole, all_right)),
            "cut": cut,
        }

    def _sequences(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """How sequences are weighed: the temperature, and what follows what of a model that learned it, or where these
        rows teach it (`tasks/tag_following.py`)."""
        targets = self.encode(golds, items)[HEAD]
        kept = [target != IGNORED for target in targets]
        tables = [np.asarray(table)[mask] for table, mask in zip(outputs[HEAD], kept, strict=True)]
        truth = [target[mask] for target, mask in zip(targets, kept, strict=True)]
        if self.following:
            return {"temperature": chain_temperature(tables, truth, self.following), **self._weights}
        found = fit_sequences([*tables, np.zeros((0, self.heads[HEAD].size))], [*truth, np.zeros(0, dtype=np.int64)])
        return found.named("temperature")

    @property
    def _weights(self) -> dict[str, Any]:
        return {"following": [list(row) for row in self.following]} if self.following else {}

    def plain(self) -> dict[str, Any]:
        return {"temperature": 1.0, "entity": [1.0, 0.0], "text": [1.0, 0.0], **self._weights}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        """Spans an item, with places in the masked text."""
        entity, text = tuple(calibration["entity"]), tuple(calibration["text"])
        answers: list[Answer] = []
        for table, item in zip(outputs[HEAD], items, strict=True):
            units, found = self._decoded(table, item, calibration)
            each = platt(found.shares, entity).round(_DIGITS).tolist()
            spans = tuple(Span(*one, p) for one, p in zip(self._placed(units, found), each, strict=True))
            answers.append(Spans(spans, round(float(platt([found.share], text)[0]), _DIGITS)))
        return answers

    def _decoded(self, table: Any, item: Item, scales: Mapping[str, Any]) -> tuple[Units, Best]:
        units = units_of(item)
        weights = scales.get("following", ())
        return units, decode_units(np.asarray(table)[units.tokens], scales["temperature"], weights)

    def _placed(self, units: Units, found: Best) -> list[Entity]:
        return [
            (int(units.starts[first]), int(units.ends[last]), self.types[kind]) for first, last, kind in found.entities
        ]

    def kinds(self) -> dict[str, FactKind]:
        counts: dict[str, FactKind] = {f"entity.{label}.count": "count" for label in self.types}
        return {"entities": "count", "p": "unit", **counts}

    def facts(self, answer: Answer) -> dict[str, Any]:
        """How many entities, of all types and of each; p of the whole set; the places and types, without any text."""
        one = as_kind(answer, Spans)
        found = Counter(span.label for span in one.spans)
        return {
            "entities": len(one.spans),
            "p": one.p,
            **{f"entity.{label}.count": found[label] for label in self.types},
            "spans": [[span.start, span.end, span.label] for span in one.spans],
        }

    def quoted(self) -> dict[str, FactKind]:
        """Of each type the text of its first entity, and the smallest and the largest number in its entities."""
        return entity_facts(self.types)

    def quotes(self, answer: Answer, text: str) -> dict[str, str | float | None]:
        """None for a type without an entity, and for numbers where its entities have none."""
        return entity_values(as_kind(answer, Spans).spans, text, self.types)

    def bounds(self) -> Bounds:
        """No number without an entity of its type; the smallest one is at most the largest one."""
        return piece_bounds(self.types)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (ALL,)

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all texts
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return write_entities([(start, end, label) for start, end, label in facts["spans"]])

    def pieces(self, outcome: str) -> list[Entity]:
        """The entities of an outcome or of gold, as the report marks them."""
        return read_entities(outcome)

    def support(
        self,
        outputs: Outputs,
        items: Sequence[Item],
        pieces: Sequence[Sequence[Entity | None]],
        calibration: Mapping[str, Any],
    ) -> Floats:
        """The log-odds of each entity at its place in its item, (n, k), before Platt scaling; NaN for None."""
        found = []
        for table, item, own in zip(outputs[HEAD], items, pieces, strict=True):
            units = units_of(item)
            placed = [None if one is None else located(one, units, self.types) for one in own]
            scores, weights = np.asarray(table)[units.tokens], calibration.get("following", ())
            found.append(log_odds(scores, calibration["temperature"], placed, weights))
        return np.array(found, dtype=np.float64)

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """A set that is more probable than all others together, by more than the band, stays the answer."""
        return half_within(facts, band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a probability; 1 for another set of entities."""
        if not (isinstance(one, Spans) and isinstance(other, Spans)) or _set(one) != _set(other):
            return 1.0
        pairs = zip(one.spans, other.spans, strict=True)
        return round(max([abs(one.p - other.p), *(abs(a.p - b.p) for a, b in pairs)]), _DIGITS)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The sum over the entities of the answer of the best log-odds of its type against O among the tokens; without
        entities the least log-odds of O against all types."""
        temperature = calibration["temperature"]
        begins = [1 + 2 * self.types.index(span.label) for span in as_kind(answer, Spans).spans]
        return lambda outputs: np.array([best_odds(table, temperature, begins) for table in outputs[HEAD]])

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 5): entities that are right, said, meant; rows, and those that are right as a whole."""
        rows = []
        for answer, gold in zip(answers, golds, strict=True):
            said, meant = _set(as_kind(answer, Spans)), set(read_entities(gold))
            rows.append((len(said & meant), len(said), len(meant), 1.0, said == meant))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 5)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """entity_f1 (place and type exact), precision, recall, and the share of texts without an error (texts_right).

        Where nothing is said or meant, the share that would divide by it is 1.
        """
        hits, said, meant, rows, right = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        return {
            "entity_f1": share_of(2 * hits, said + meant),
            "precision": share_of(hits, said),
            "recall": share_of(hits, meant),
            "texts_right": right / np.maximum(rows, 1.0),
        }

    def wrong(self, outcome: str, gold: str) -> bool:
        return set(read_entities(outcome)) != set(read_entities(gold))

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {"en": "a text with any wrong or missing entity", "zh": "有任何实体标错或漏标的文本"}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the whole set of a text."""
        outcome = self.outcome(facts)
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """F1 of each type, kinds of errors, and how often entities are right by their probability."""
        said = [as_kind(answer, Spans).spans for answer in answers]
        return tag_figures(said, [read_entities(gold) for gold in golds], self.types)

    def fitted_figures(
        self, answers: Sequence[Answer], golds: Sequence[str], calibration: Mapping[str, Any]
    ) -> tuple[Section, ...]:
        """The same; with the errors how many entities of the validation rows no tags can give."""
        cut, entities = calibration.get("cut", (0, 0))
        if not cut:
            return self.figures(answers, golds)
        note: dict[Literal["en", "zh"], str] = {
            "en": f"{cut:,} of {entities:,} entities of validation rows begin or end inside a token: no tags give them",
            "zh": f"验证行的 {entities:,} 个实体中，有 {cut:,} 个的边界落在词元内部，任何标记都给不出",
        }
        found = self.figures(answers, golds)
        return tuple(replace(each, note=note) if each.name == "entity_errors" else each for each in found)


def _set(answer: Spans) -> set[Entity]:
    return {(span.start, span.end, span.label) for span in answer.spans}
