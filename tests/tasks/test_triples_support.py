"""Entities with their roles, and how far a text supports them: against the formula, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.task import Item, TextPiece
from penjing.tasks.tag_decode import log_odds
from penjing.tasks.triples_gold import Graph
from penjing.tasks.triples_pairs import Pairs
from penjing.tasks.triples_support import pieces_of, support_of

TYPES = ("org", "org · old")
PAIRS = Pairs(((), ("<buys",), (">buys",)), 1)
ITEM = Item("acme buys bolt", np.array([(0, 4), (5, 9), (10, 14)]))
SCALES = {"tags": 1.0, "pairs": 2.0}
MODEL = (TYPES, PAIRS, SCALES)
HEAD, TAIL = (0, 4, "org · buys→"), (10, 14, "org · →buys")
# Tags: outside, then beginning and inside of each type. From the last unit of the earlier entity, to the first of the
# later one.
OWN = {
    "tags": np.array([[0.0, 3.0, 0.0, 1.0, 0.0], [3.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0]]),
    "from1": np.array([[0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    "to1": np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]),
}


def supported(*pieces: TextPiece | None) -> list[float]:
    found: list[float] = support_of(OWN, ITEM, pieces, MODEL).tolist()
    return found


def test_pieces_are_the_related_entities_with_sorted_roles() -> None:
    entities = ((0, 4, "org"), (5, 9, "org"), (10, 14, "org"), (15, 19, "person"))
    graph = Graph(entities, ((0, "buys", 2), (2, "likes", 0), (0, "buys", 3)))
    assert pieces_of(graph) == [
        (0, 4, "org · buys→ · →likes"),
        (10, 14, "org · likes→ · →buys"),
        (15, 19, "person · →buys"),
    ]


def test_support_is_the_entity_times_the_best_probability_of_its_role() -> None:
    z = np.array([1.0, 0.0, 4.0]) / SCALES["pairs"]
    classes = np.exp(z) / np.exp(z).sum()
    alone = log_odds(OWN["tags"], SCALES["tags"], [(0, 0, 0), (2, 2, 0)])
    q = classes[2] / (1 + np.exp(-alone))
    assert supported(HEAD, TAIL) == pytest.approx(np.log(q / (1 - q)).tolist())
    turned = (0, 4, "org · →buys")
    q = classes[1] / (1 + np.exp(-alone[0]))
    assert supported(turned, TAIL)[0] == pytest.approx(np.log(q / (1 - q))), "the role as tail is the other class"


def test_a_piece_without_roles_is_the_entity_and_the_longest_type_is_meant() -> None:
    places = [(0, 0, 1), (2, 2, 0)]
    assert supported((0, 4, "org · old"), (10, 14, "org")) == pytest.approx(log_odds(OWN["tags"], 1.0, places).tolist())


def test_a_role_without_another_piece_has_next_to_no_support() -> None:
    alone, missing = supported(HEAD, None)
    assert alone == pytest.approx(np.log(1e-12), abs=1e-6)
    assert np.isnan(missing)


def test_without_pieces_it_is_the_log_odds_of_no_entities() -> None:
    assert supported() == pytest.approx(log_odds(OWN["tags"], 1.0, []).tolist())
