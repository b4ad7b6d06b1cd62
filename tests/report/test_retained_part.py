"""The blocks on what was forgotten: figures, both languages, and no texts where none are to be shown."""

from __future__ import annotations

from penjing.measure.evaluate import Interval
from penjing.prove.retained import EARLIER, RELEASES, TEST, Retained
from penjing.report.retained_part import retained_blocks

HALF = Interval(0.5, 0.4, 0.6)


def found(*, earlier: bool = True) -> Retained:
    rows = (EARLIER, TEST) if earlier else (TEST,)
    matrix = tuple((release, name, HALF) for release in RELEASES for name in rows)
    return Retained("id", 200, (3, 7), (("a text", "good", "bad"), ("another", "bad", "good")), matrix)


def test_the_matrix_and_the_lost_cases_are_shown() -> None:
    matrix, lost = retained_blocks(found())
    assert matrix.rows[0] == (RELEASES[0], EARLIER, "50.0% (40.0% – 60.0%)")
    assert len(matrix.rows) == 4
    assert "answers 2 wrongly" in matrix.note["en"] and "答错其中 2 个" in matrix.note["zh"]
    assert lost.rows == (("a text", "good", "bad"), ("another", "bad", "good"))


def test_without_the_earlier_recipe_it_says_what_is_missing() -> None:
    matrix = retained_blocks(found(earlier=False))[0]
    assert "no earlier test rows" in matrix.note["en"] and "没有先前的测试数据" in matrix.note["zh"]


def test_a_release_that_goes_on_from_none_has_no_block() -> None:
    assert retained_blocks(None) == ()
