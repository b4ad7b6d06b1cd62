"""The blocks of the report of triples: every count and share by hand."""

from __future__ import annotations

from penjing.core.answers import Link, Links, Span
from penjing.tasks.triples_figures import entity_of, triple_of, triples_figures
from penjing.tasks.triples_gold import Graph

A, B, C = (0, 4, "org"), (5, 9, "org"), (10, 14, "person")
SHIFTED = (11, 14, "person")


def link(head: tuple[int, int, str], relation: str, tail: tuple[int, int, str], p: float) -> Link:
    return Link(Span(*head, 0.9), relation, Span(*tail, 0.9), p)


def answer(*links: Link, more: tuple[tuple[int, int, str], ...] = ()) -> Links:
    spans = {one for each in links for one in (each.head, each.tail)} | {Span(*one, 0.9) for one in more}
    return Links(links, 0.5, tuple(sorted(spans, key=lambda one: one.start)))


SAID = [
    answer(link(A, "buys", B, 0.96), link(A, "likes", C, 0.55)),
    answer(link(B, "buys", A, 0.97), link(A, "buys", SHIFTED, 0.2)),
    answer(link(A, "buys", B, 0.52), more=(C,)),
]
MEANT = [
    Graph((A, B, C), ((0, "buys", 1), (0, "hires", 2))),
    Graph((A, B, C), ((0, "buys", 1), (0, "buys", 2))),
    Graph((A, B, C), ((1, "hires", 2),)),
]


def test_spans_and_links_without_their_probabilities() -> None:
    one = link(A, "buys", B, 0.3)
    assert entity_of(one.head) == A
    assert triple_of(one) == (A, "buys", B)


def test_scores_of_each_relation_also_of_one_that_was_not_learned() -> None:
    by_relation, _, _ = triples_figures(SAID, MEANT, ("buys", "likes"))
    assert by_relation.rows == (
        ("buys", 2.0, 3.0, 0.25, 0.3333, 0.2857),
        ("hires", 2.0, 2.0, 0.0, 0.0, 0.0),
        ("likes", 0.0, 0.0, 0.0, 0.0, 0.0),
    )


def test_each_error_is_counted_once_by_its_kind() -> None:
    _, errors, _ = triples_figures(SAID, MEANT, ("buys",))
    assert dict(errors.rows) == {
        "right": 1.0,
        "another relation": 1.0,
        "other direction": 1.0,
        "no relation": 1.0,
        "entity wrong": 1.0,
        "entity missed": 1.0,
        "relation missed": 3.0,
    }


def test_triples_by_probability_with_their_mean_and_the_share_that_is_right() -> None:
    _, _, bins = triples_figures(SAID, MEANT, ("buys",))
    assert bins.rows == (
        ("0 to 0.5", 1.0, 0.2, 0.0),
        ("0.5 to 0.7", 2.0, 0.535, 0.0),
        ("0.95 to 0.99", 2.0, 0.965, 0.5),
    )
    assert triples_figures([answer()], [Graph()], ())[2].rows == ()
