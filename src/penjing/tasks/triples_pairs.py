"""Relations as classes of pairs of entities, and the outputs by token that tell them.

    z(i, j) = from_d[last token of i] + to_d[first token of j],   j = i + d, 1 <= d <= reach
    P(class | i, j) = softmax(z(i, j) / T);   the answer is the most probable class

i and j are entities in the order of the text, and d counts entities. A class is the set of directed relations that a
pair has: `>r` where the earlier entity is the head of r, `<r` where it is the tail; the empty set is "no relation". So
several relations of one pair are a class too. Distances instead of pairs of tokens, so that heads by token serve, as in
Strzyz, Vilares, Gómez-Rodríguez, Viable Dependency Parsing as Sequence Labeling, 2019.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.task import IGNORED
from penjing.tasks.metrics import softmax
from penjing.tasks.triples_gold import Graph, Relation

Floats = npt.NDArray[np.float64]
# The directed relations of a pair, sorted.
Class = tuple[str, ...]
# The share of the related pairs that `reach: auto` covers, and the farthest that it goes.
COVERED = 0.99
FARTHEST = 8
# (first unit, last unit) of an entity.
Ends = tuple[int, int]


def classes_of(graph: Graph) -> dict[tuple[int, int], Class]:
    """The class of each pair (earlier, later) that has a relation."""
    found: dict[tuple[int, int], set[str]] = {}
    for head, label, tail in graph.relations:
        pair, directed = ((head, tail), f">{label}") if head < tail else ((tail, head), f"<{label}")
        found.setdefault(pair, set()).add(directed)
    return {pair: tuple(sorted(each)) for pair, each in found.items()}


def relations_of(pair: tuple[int, int], one: Class) -> list[Relation]:
    """The relations of a pair (earlier, later) with this class."""
    earlier, later = pair
    return [(earlier, each[1:], later) if each[0] == ">" else (later, each[1:], earlier) for each in one]


def reach_of(graphs: Sequence[Graph]) -> int:
    """The smallest distance within which COVERED of the related pairs are, at most FARTHEST."""
    apart = Counter(later - earlier for graph in graphs for earlier, later in classes_of(graph))
    total, seen = sum(apart.values()), 0
    for distance in range(1, FARTHEST):
        seen += apart[distance]
        if seen >= COVERED * total:
            return distance
    return FARTHEST


@dataclass(frozen=True)
class Pairs:
    """The classes, the first of them "no relation", and how many entities apart two related ones may be."""

    classes: tuple[Class, ...]
    reach: int

    def names(self) -> list[tuple[str, str]]:
        """The heads of each distance, from 1."""
        return [(f"from{distance}", f"to{distance}") for distance in range(1, self.reach + 1)]

    def targets(self, graph: Graph, ends: Sequence[Ends | None], units: int) -> dict[str, npt.NDArray[np.int64]]:
        """The target of each unit by head, (units,); IGNORED for what is no end of a pair, and for an unknown class."""
        place = {one: number for number, one in enumerate(self.classes)}
        known = classes_of(graph)
        found = dict[str, npt.NDArray[np.int64]]()
        for distance, (begin, stop) in enumerate(self.names(), start=1):
            one, other = (np.full(units, IGNORED, dtype=np.int64) for _ in range(2))
            for earlier in range(len(ends) - distance):
                first, second = ends[earlier], ends[earlier + distance]
                target = place.get(known.get((earlier, earlier + distance), ()), IGNORED)
                if first is not None and second is not None:
                    one[first[1]] = other[second[0]] = target
            found |= {begin: one, stop: other}
        return found

    def tables(self, outputs: Mapping[str, Any], ends: Sequence[Ends]) -> dict[tuple[int, int], Floats]:
        """z of each pair within reach, (classes,), from the outputs of the units of a text."""
        return {
            (earlier, earlier + distance): np.asarray(outputs[begin][ends[earlier][1]], dtype=np.float64)
            + np.asarray(outputs[stop][ends[earlier + distance][0]], dtype=np.float64)
            for distance, (begin, stop) in enumerate(self.names(), start=1)
            for earlier in range(len(ends) - distance)
        }

    def shares(self, tables: Mapping[tuple[int, int], Floats], temperature: float) -> dict[tuple[int, int], Floats]:
        """P of each class of each pair."""
        return {pair: softmax(table[None, :], temperature)[0] for pair, table in tables.items()}

    def share_of(self, relation: str, shares: Floats) -> float:
        """P that a pair has a directed relation: the sum over the classes with it."""
        return float(sum(shares[place] for place, one in enumerate(self.classes) if relation in one))
