"""Classes of pairs: direction and several relations are kept, and the heads tell them back."""

from __future__ import annotations

import numpy as np

from penjing.core.task import IGNORED
from penjing.tasks.triples_gold import Graph
from penjing.tasks.triples_pairs import FARTHEST, Pairs, classes_of, reach_of, relations_of

ENTITIES = tuple((3 * place, 3 * place + 2, "x") for place in range(12))


def graph(*relations: tuple[int, str, int]) -> Graph:
    return Graph(ENTITIES, relations)


def test_a_class_has_all_relations_of_a_pair_with_their_directions() -> None:
    relations = [(0, "buys", 2), (2, "of", 0), (0, "likes", 2), (3, "buys", 2)]
    classes = classes_of(graph(*relations))
    assert classes == {(0, 2): ("<of", ">buys", ">likes"), (2, 3): ("<buys",)}
    again = [one for pair, each in classes.items() for one in relations_of(pair, each)]
    assert sorted(again) == sorted(relations)


def test_the_reach_covers_nearly_all_relations() -> None:
    near = [graph((0, "a", 1), (4, "a", 5), (8, "a", 7))] * 100
    assert reach_of(near) == 1
    assert reach_of([*near, *[graph((0, "a", 3))] * 4]) == 3
    assert reach_of([*near, graph((0, "a", 3))]) == 1, "one of 301 is left out"
    assert reach_of([graph((0, "a", 11))]) == FARTHEST


def test_targets_are_at_the_ends_and_give_the_classes_back() -> None:
    pairs = Pairs(((), ("<of",), (">buys",)), 2)
    one = Graph(ENTITIES[:3], ((0, "buys", 1), (2, "of", 0)))
    ends = [(0, 1), (3, 3), (4, 6)]
    targets = pairs.targets(one, ends, 8)
    assert targets["from1"].tolist() == [IGNORED, 2, IGNORED, 0, *[IGNORED] * 4]
    assert targets["to1"].tolist() == [*[IGNORED] * 3, 2, 0, *[IGNORED] * 3]
    assert targets["from2"].tolist() == [IGNORED, 1, *[IGNORED] * 6]
    assert targets["to2"].tolist() == [*[IGNORED] * 4, 1, *[IGNORED] * 3]
    outputs = {name: np.where(each[:, None] == np.arange(3), 9.0, 0.0) for name, each in targets.items()}
    shares = pairs.shares(pairs.tables(outputs, ends), 1.0)
    assert {pair: int(p.argmax()) for pair, p in shares.items()} == {(0, 1): 2, (1, 2): 0, (0, 2): 1}
    assert pairs.share_of(">buys", shares[0, 1]) > 0.99 > pairs.share_of("<of", shares[0, 1])


def test_a_pair_of_an_unknown_class_teaches_nothing() -> None:
    targets = Pairs(((), (">buys",)), 1).targets(Graph(ENTITIES[:2], ((0, "sells", 1),)), [(0, 0), (1, 1)], 2)
    assert targets["from1"].tolist() == targets["to1"].tolist() == [IGNORED, IGNORED]
