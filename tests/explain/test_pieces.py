"""Pieces in changed texts: where they are, what is left of them, and whose support falls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penjing.core.answers import Spans
from penjing.core.errors import UsageError
from penjing.core.task import Item, Outputs
from penjing.explain.evidence import MOST_OF_PIECE, MOST_VARIANTS, PieceSpan, explain, explains, of_whole_texts
from penjing.explain.pieces import PieceSupport, erase, marked, moved
from penjing.tasks import open_task
from penjing.tasks.tag import HEAD, Tag

TEXT = "call Ann, sir Bob"


class Named:
    """A model that knows names by the word before: `sir` makes the next word a name, `call` does so weakly."""

    task = Tag(("name",))
    calibration = task.plain()

    def __init__(self) -> None:
        self.texts = 0

    def items(self, masked: Sequence[str]) -> list[Item]:
        return [Item(text, [one[:2] for one in _words(text)]) for text in masked]

    def outputs(self, masked: Sequence[str]) -> Outputs:
        self.texts += len(masked)
        return {HEAD: [np.array([_row(text, i) for i in range(len(_words(text)))]).reshape(-1, 3) for text in masked]}


def _words(text: str) -> list[tuple[int, int, str]]:
    found, start = [], 0
    for word in text.split(" "):
        if word:
            found.append((start, start + len(word.rstrip(",")), word.rstrip(",")))
        start += len(word) + 1
    return found


def _row(text: str, place: int) -> tuple[float, float, float]:
    before = _words(text)[place - 1][2] if place else ""
    return 0.0, {"sir": 4.0, "call": 1.0}.get(before, -4.0), -9.0


def test_each_entity_rests_on_its_own_words() -> None:
    session = Named()
    found = explain(session, TEXT)
    assert isinstance(found.answer, Spans) and [TEXT[s.start : s.end] for s in found.answer.spans] == ["Ann", "Bob"]
    by = {i: [(one.text, one.weight) for one in found.spans if one.piece == i] for i in (0, 1)}  # type: ignore[attr-defined]
    assert by[0][0] == ("call", pytest.approx(5.0, abs=0.01)) and by[1][0] == ("sir", pytest.approx(8.0, abs=0.01))
    assert session.texts <= MOST_VARIANTS
    assert all(isinstance(one, PieceSpan) for one in found.spans)
    assert all(sum(one.piece == i for one in found.spans) <= MOST_OF_PIECE for i in (0, 1))  # type: ignore[attr-defined]
    assert found.to_json()["spans"][0]["piece"] == 1, "the strongest first"


def test_a_text_without_entities_explains_that_there_are_none() -> None:
    support = PieceSupport(Named(), "to us", " ")
    assert support.pieces == [] and support.whole.shape == (1,) and support.whole[0] > 2
    assert explain(Named(), "").spans == ()


def test_work_that_is_stopped_says_why() -> None:
    found = explain(Named(), "call Ann, sir Bob. " * 300, stop=lambda: "late")
    assert found.cut == "late"


def test_a_lost_piece_has_no_support() -> None:
    support = PieceSupport(Named(), TEXT, " ")
    values, _ = support.of([[(5, 8)], [(10, 13)]])
    assert np.isnan(values).tolist() == [[True, False], [False, False]]
    assert [values[0, 1], values[1, 0]] == pytest.approx([support.whole[1], support.whole[0]])


@given(st.integers(0, 11), st.integers(1, 12), st.sets(st.integers(0, 11)))
def test_a_moved_piece_has_what_is_left_of_it(start: int, length: int, gone: set[int]) -> None:
    text, end = "abcdefghijkl", min(12, start + length)
    spans = [(place, place + 1) for place in sorted(gone)]
    found = moved((start, end, "x"), spans, 1)
    left = "".join(text[i] for i in range(start, end) if i not in gone)
    if found is None:
        assert not left
    else:
        assert erase(text, spans, " ")[found[0] : found[1]].replace(" ", "") == left


def test_whole_texts_and_marked_pieces_have_evidence() -> None:
    classify = open_task("classify", {"labels": ("a", "b")})
    assert explains(classify) and of_whole_texts(classify)
    assert explains(Named.task) and not of_whole_texts(Named.task)


def test_labels_are_no_pieces() -> None:
    with pytest.raises(UsageError, match="no evidence is known"):
        marked(open_task("classify", {"labels": ("a", "b")}))
