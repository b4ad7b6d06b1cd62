"""The task `triples`: entities of a text and the relations between them, from the text alone.

    entities     tags by token, decoded as in `tag`
    relations    a class of each pair of found entities within reach (`tasks/triples_pairs.py`); "no relation" is one
    p of a triple = Platt(P(relation) P(head) P(tail));   p of a case = Platt(P(entities) prod over pairs of P(class))

A triple is head, relation and tail, with the place and the type of both. A case is wrong if its set of triples is not
that of gold, so an entity that was missed is an error where gold relates it. One pass of one model with heads by token:
`tags`, and for each distance d two heads, at the last token of the earlier and the first of the later entity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.abilities import Bounds
from penjing.core.answers import Answer, Link, Links, Span, as_kind
from penjing.core.errors import DataError
from penjing.core.options import Options as _Options
from penjing.core.options import nearest
from penjing.core.task import ALL, IGNORED, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.tasks.band import half_within
from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.piece_facts import end_facts, end_types, end_values, entity_facts, entity_values, piece_bounds
from penjing.tasks.piece_figures import rarest_labels, share_of
from penjing.tasks.platt import fit_platt, platt
from penjing.tasks.tag import HEAD as TAGS
from penjing.tasks.tag import NONE
from penjing.tasks.tag_decode import Units, best_odds, decode_units, located, tags_of, units_of
from penjing.tasks.tag_following import fit_sequences
from penjing.tasks.triples_facts import triple_facts, triple_kinds
from penjing.tasks.triples_figures import entity_of, triple_of, triples_figures
from penjing.tasks.triples_gold import Graph, read_graph, write_graph
from penjing.tasks.triples_pairs import FARTHEST, Class, Pairs, classes_of, reach_of, relations_of
from penjing.tasks.triples_support import pieces_of, support_of

Floats = npt.NDArray[np.float64]
_DIGITS = 6


class Options(_Options):
    """The options of `task: {type: triples}`."""

    reach: Annotated[int, Field(ge=1, le=FARTHEST)] | Literal["auto"] = Field(
        "auto",
        description="how many entities apart two related ones may be; auto: as far as 99 % of the relations, at most 8",
    )
    none: str = Field("", description="the label of relations that mean no relation, which some data write down")


ABOUT = About(
    name="triples",
    gold="the column of the entities and relations, as JSON",
    metric="share of the teacher's F1 over triples",
    line="{type: triples}",
    comment="relations between entities, both found in the text",
    facts=("relations", "p"),
    spans=True,
    column="triples",
    epochs=10,
)


def open_reader(options: Options) -> TriplesReader:
    """The reader of entities and relations."""
    return TriplesReader(None if options.reach == "auto" else options.reach, options.none.strip())


def restore(state: Mapping[str, Any]) -> Triples:
    """The task of an artifact, from its types, its classes of pairs and its reach."""
    pairs = Pairs(tuple(tuple(one) for one in state["classes"]), state["reach"])
    return Triples(pairs.reach, state["none"], tuple(state["types"]), pairs)


@dataclass(frozen=True)
class TriplesReader:
    """Reads entities and relations before their sets are known. reach: None for `auto`.

    none: the label of relations that are left out, or "".
    """

    reach: int | None
    none: str = ""

    golds_are_names = False
    golds_are_lists = True

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The entities and relations of a cell in canonical form, "" for an empty cell. Raises DataError."""
        return write_graph(read_graph(cell, masked).without(self.none)) if cell.strip() else ""

    def names_in(self, gold: str) -> tuple[str, ...]:
        """The relations of a gold."""
        return tuple(sorted({label for _, label, _ in read_graph(gold).relations})) if gold else ()

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The relation of each text that the fewest of these texts have; `none` for a text without relations."""
        return rarest_labels([self.names_in(gold) for gold in golds], golds, NONE)

    def learn(self, golds: Sequence[str]) -> Triples:
        """The task of these types and relations, sorted. Raises DataError where no text has a relation."""
        graphs = [read_graph(gold) for gold in golds if gold]
        types = sorted({label for graph in graphs for _, _, label in graph.entities})
        classes: set[Class] = {one for graph in graphs for one in classes_of(graph).values()}
        if not classes:
            raise DataError("the train rows have no relations", fix="give rows of texts that have some")
        reach = self.reach or reach_of(graphs)
        return Triples(reach, self.none, tuple(types), Pairs(((), *sorted(classes)), reach))


@dataclass(frozen=True)
class _Found:
    """The decoded entities and pairs of a text before Platt scaling: shares of entities, of classes, and of it all."""

    entities: tuple[tuple[int, int, str], ...]
    entity_shares: tuple[float, ...]
    links: tuple[tuple[int, str, int], ...]
    link_shares: tuple[float, ...]
    share: float

    @property
    def graph(self) -> Graph:
        return Graph(self.entities, self.links)


@dataclass(frozen=True)
class Triples(TriplesReader):
    """Entities of these types, and relations as classes of pairs."""

    types: tuple[str, ...] = ()
    pairs: Pairs = field(default_factory=lambda: Pairs(((),), 1))

    name = "triples"
    errors = ()

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """The names of the relations, sorted."""
        return tuple(sorted({each[1:] for one in self.pairs.classes for each in one}))

    @property
    def state(self) -> dict[str, Any]:
        return {
            "types": list(self.types),
            "classes": [list(one) for one in self.pairs.classes],
            "reach": self.pairs.reach,
            "none": self.none,
        }

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        tags = Head("token", 1 + 2 * len(self.types), "cross_entropy")
        pair = Head("token", len(self.pairs.classes), "cross_entropy", round(1 / self.pairs.reach, _DIGITS))
        return {TAGS: tags, **{name: pair for names in self.pairs.names() for name in names}}

    def with_rows(self, rows: Mapping[str, int]) -> Triples:  # noqa: ARG002 - every triple counts alike
        return self

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """As `TriplesReader.read`, but of known types and relations only. Raises DataError with the nearest one."""
        gold = super().read(cell, masked)
        graph = read_graph(gold) if gold else Graph()
        for _, _, label in graph.entities:
            if label not in self.types:
                raise DataError(f"unknown type `{label}`", fix=nearest(label, self.types))
        for _, label, _ in graph.relations:
            if label not in self.relations:
                raise DataError(f"unknown relation `{label}`", fix=nearest(label, self.relations))
        return gold

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """The tag of each token, and of each distance the class of the pair that begins or ends there, n arrays
        (tokens,) int64; IGNORED for all others. Raises DataError for an unknown type or relation."""
        found: dict[str, list[Any]] = {name: [] for name in self.heads}
        for gold, item in zip(golds, items, strict=True):
            units, graph = units_of(item), read_graph(self.read(gold))
            ends = [None if one is None else one[:2] for one in (located(e, units, self.types) for e in graph.entities)]
            pairs = self.pairs.targets(graph, ends, len(units.tokens))
            own = {TAGS: tags_of(graph.entities, units, self.types), **pairs}
            for name, values in own.items():
                found[name].append(np.full(len(item.offsets), IGNORED, dtype=np.int64))
                found[name][-1][units.tokens] = values
        return found

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """The weights of sequences of tags, the temperature of pairs of gold, then the scales of the probabilities."""
        targets = self.encode(golds, items)
        tables, truth = [np.zeros((0, self.heads[TAGS].size))], [np.zeros(0, dtype=np.int64)]
        pair_tables, pair_truth = [np.zeros((0, len(self.pairs.classes)))], [0] * 0
        place = {one: number for number, one in enumerate(self.pairs.classes)}
        for row, (gold, item) in enumerate(zip(golds, items, strict=True)):
            kept = targets[TAGS][row] != IGNORED
            tables.append(np.asarray(outputs[TAGS][row])[kept])
            truth.append(targets[TAGS][row][kept])
            units, graph = units_of(item), read_graph(gold)
            spots = [located(one, units, self.types) for one in graph.entities]
            if None in spots:
                continue
            known = classes_of(graph)
            for pair, table in self.pairs.tables(_by_unit(outputs, row, units), [s[:2] for s in spots if s]).items():
                if (one := place.get(known.get(pair, ()))) is not None:
                    pair_tables.append(table[None, :])
                    pair_truth.append(one)
        scales = {
            **fit_sequences(tables, truth).named("tags"),
            "pairs": fit_temperature(np.concatenate(pair_tables), np.array(pair_truth, dtype=np.int64)),
        }
        found = self._decoded(outputs, items, scales)
        meant = [read_graph(gold) for gold in golds]
        entities = [
            (share, entity in gold.entities)
            for one, gold in zip(found, meant, strict=True)
            for entity, share in zip(one.entities, one.entity_shares, strict=True)
        ]
        links = [
            (share, (one.entities[head], label, one.entities[tail]) in gold.triples)
            for one, gold in zip(found, meant, strict=True)
            for (head, label, tail), share in zip(one.links, one.link_shares, strict=True)
        ]
        texts = [(one.share, one.graph.triples == gold.triples) for one, gold in zip(found, meant, strict=True)]
        fitted = {
            name: list(fit_platt([share for share, _ in each], [right for _, right in each]))
            for name, each in (("entity", entities), ("triple", links), ("text", texts))
        }
        return {**scales, **fitted}

    def plain(self) -> dict[str, Any]:
        return {"tags": 1.0, "pairs": 1.0, "entity": [1.0, 0.0], "triple": [1.0, 0.0], "text": [1.0, 0.0]}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        """Links an item, with places in the masked text."""
        entity, triple, text = (tuple(calibration[name]) for name in ("entity", "triple", "text"))
        answers: list[Answer] = []
        for one in self._decoded(outputs, items, calibration):
            each = platt(one.entity_shares, entity).round(_DIGITS).tolist()
            spans = tuple(Span(*where, p) for where, p in zip(one.entities, each, strict=True))
            shares = platt(one.link_shares, triple).round(_DIGITS).tolist()
            links = tuple(
                Link(spans[head], label, spans[tail], p)
                for (head, label, tail), p in zip(one.links, shares, strict=True)
            )
            answers.append(Links(links, round(float(platt([one.share], text)[0]), _DIGITS), spans))
        return answers

    def _decoded(self, outputs: Outputs, items: Sequence[Item], scales: Mapping[str, Any]) -> list[_Found]:
        return [self._one(_by_unit(outputs, row, units_of(item)), item, scales) for row, item in enumerate(items)]

    def _one(self, own: Mapping[str, Floats], item: Item, scales: Mapping[str, Any]) -> _Found:
        units = units_of(item)
        best = decode_units(own[TAGS], scales["tags"], scales.get("following", ()))
        placed = tuple((int(units.starts[a]), int(units.ends[b]), self.types[kind]) for a, b, kind in best.entities)
        tables = self.pairs.tables(own, [(first, last) for first, last, _ in best.entities])
        share, links = best.share, list[tuple[tuple[int, str, int], float]]()
        for pair, shares in self.pairs.shares(tables, scales["pairs"]).items():
            top = int(shares.argmax())
            share *= float(shares[top])
            both = best.shares[pair[0]] * best.shares[pair[1]]
            for relation, directed in zip(
                relations_of(pair, self.pairs.classes[top]), self.pairs.classes[top], strict=True
            ):
                links.append((relation, both * self.pairs.share_of(directed, shares)))
        links.sort(key=lambda one: (one[0][0], one[0][2], one[0][1]))
        return _Found(placed, best.shares, tuple(one for one, _ in links), tuple(p for _, p in links), share)

    def kinds(self) -> dict[str, FactKind]:
        return triple_kinds(self.types, self.relations)

    def facts(self, answer: Answer) -> dict[str, Any]:
        """How many relations and entities; p of the whole set; places, types and relations, without any text."""
        return triple_facts(as_kind(answer, Links), self.types, self.relations)

    def listed(self) -> Mapping[str, tuple[str, ...]]:
        return end_types(self.relations, self.types)

    def quoted(self) -> dict[str, FactKind]:
        """As of `tag`, and of each relation the text and the type of both ends of its first triple."""
        return entity_facts(self.types) | end_facts(self.relations)

    def quotes(self, answer: Answer, text: str) -> dict[str, str | float | None]:
        one = as_kind(answer, Links)
        return entity_values(one.spans, text, self.types) | end_values(one.links, text, self.relations)

    def bounds(self) -> Bounds:
        return piece_bounds(self.types, self.relations)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (ALL,)

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all texts
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        entities = tuple((start, end, label) for start, end, label in facts["spans"])
        return write_graph(Graph(entities, tuple((head, label, tail) for head, label, tail in facts["links"])))

    def pieces(self, outcome: str) -> list[tuple[int, int, str]]:
        """The entities of an outcome or of gold that have a relation, with their roles, as the report marks them."""
        return pieces_of(read_graph(outcome))

    def support(
        self,
        outputs: Outputs,
        items: Sequence[Item],
        pieces: Sequence[Sequence[tuple[int, int, str] | None]],
        calibration: Mapping[str, Any],
    ) -> Floats:
        """The log-odds that each entity is there and has its roles, (n, k), before Platt scaling; NaN for None."""
        found = [
            support_of(_by_unit(outputs, row, units_of(item)), item, own, (self.types, self.pairs, calibration))
            for row, (item, own) in enumerate(zip(items, pieces, strict=True))
        ]
        return np.array(found, dtype=np.float64)

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """A set that is more probable than all others together, by more than the band, stays the answer."""
        return half_within(facts, band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a probability; 1 for other entities or other triples."""
        if not (isinstance(one, Links) and isinstance(other, Links)) or _shape(one) != _shape(other):
            return 1.0
        here, there = ([each.p, *(x.p for x in each.spans), *(x.p for x in each.links)] for each in (one, other))
        return round(max(abs(a - b) for a, b in zip(here, there, strict=True)), _DIGITS)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The sum over the entities of the answer of the best log-odds of its type against O; `support` tells more."""
        begins = [1 + 2 * self.types.index(span.label) for span in as_kind(answer, Links).spans]
        temperature = calibration["tags"]
        return lambda outputs: np.array([best_odds(table, temperature, begins) for table in outputs[TAGS]])

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 8): right, given and true triples; the same of entities; 1 for the row; 1 if its triples are right."""
        rows = []
        for answer, gold in zip(answers, golds, strict=True):
            one, graph = as_kind(answer, Links), read_graph(gold)
            said, meant = {triple_of(link) for link in one.links}, graph.triples
            found, known = {entity_of(span) for span in one.spans}, set(graph.entities)
            triples = (len(said & meant), len(said), len(meant))
            rows.append((*triples, len(found & known), len(found), len(known), 1.0, said == meant))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 8)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """triple_f1 (both entities, relation and direction exact), its precision and recall, entity_f1, texts_right.

        triple_f1 is micro-F1 over all triples. Where nothing is said or meant, the share that would divide by it is 1.
        """
        hits, said, meant, found, told, known, rows, right = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        return {
            "triple_f1": share_of(2 * hits, said + meant),
            "precision": share_of(hits, said),
            "recall": share_of(hits, meant),
            "entity_f1": share_of(2 * found, told + known),
            "texts_right": right / np.maximum(rows, 1.0),
        }

    def wrong(self, outcome: str, gold: str) -> bool:
        return read_graph(outcome).triples != read_graph(gold).triples

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {"en": "a text with any wrong or missing triple", "zh": "有任何三元组错误或漏掉的文本"}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the whole set of triples of a text."""
        return (Unit(ALL, facts["p"], self.outcome(facts), self.wrong(self.outcome(facts), gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """Scores of each relation, kinds of errors, and how often triples are right by their probability."""
        return triples_figures([as_kind(one, Links) for one in answers], [*map(read_graph, golds)], self.relations)


def _by_unit(outputs: Outputs, row: int, units: Units) -> dict[str, Floats]:
    """The outputs of one text by head, only of the tokens that bear tags."""
    return {name: np.asarray(tables[row])[units.tokens] for name, tables in outputs.items()}


def _shape(answer: Links) -> tuple[list[Any], list[Any]]:
    return [entity_of(span) for span in answer.spans], [triple_of(link) for link in answer.links]
