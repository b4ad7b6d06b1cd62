"""Questions of SQuAD, with several answers, with none, and with wrong places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penjing.core.errors import DataError
from penjing.data.annotated.document import AnnotatedText
from penjing.data.annotated.lines import Given
from penjing.data.annotated.squad import read
from penjing.data.cells import Fault

CONTEXT = "👍 北京的 café"


def reading(tmp_path: Path, value: Any) -> list[AnnotatedText | Fault]:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return list(read(Given(path)))


def passages(*questions: Any) -> dict[str, Any]:
    return {"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": CONTEXT, "qas": list(questions)}]}]}


def test_answers_are_spans_of_the_passage(tmp_path: Path) -> None:
    answers = [{"text": "北京", "answer_start": 2}, {"text": "北京的", "answer_start": 2}]
    twice = {"id": "q1", "question": "where?", "answers": [*answers, answers[0]]}
    none = {"id": "q2", "question": "who?", "is_impossible": True, "answers": [], "plausible_answers": answers}
    found = reading(tmp_path, passages(twice, none))
    assert isinstance(found[0], AnnotatedText) and isinstance(found[1], AnnotatedText)
    assert [CONTEXT[span.start : span.end] for span in found[0].spans] == ["北京", "北京的"]
    assert (found[0].row, found[0].id, found[0].more["question"]) == (1, "q1", "where?")
    assert (found[1].row, found[1].spans) == (2, ())


def test_an_answer_without_a_place_is_left_out_where_another_has_one(tmp_path: Path) -> None:
    answers = [{"text": "Peking", "answer_start": -1}, {"text": "北京", "answer_start": 2}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(passages({"id": "q", "question": "?", "answers": answers})), encoding="utf-8")
    given = Given(path)
    (found,) = read(given)
    assert isinstance(found, AnnotatedText) and len(found.spans) == 1
    assert given.notes == ["1 answers have no place in their passage (`answer_start: -1`): left out"]
    (refused,) = reading(tmp_path, passages({"id": "q", "question": "?", "answers": answers[:1]}))
    assert isinstance(refused, Fault) and "no answer has a place" in refused.what


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"id": "q", "question": "?", "answers": [{"text": "北京", "answer_start": 3}]}, "question `q`: the span 3..5"),
        ({"id": "q", "question": "?", "answers": ["北京"]}, "question `q`: `北京` is no answer with its place"),
        ({"id": "q", "answers": []}, "question `q`: it has no `question`"),
        ({"id": "q", "question": "?"}, "question `q`: it has no list of `answers`"),
        ({"id": "q", "question": "?", "answers": None}, "question `q`: it has no list of `answers`"),
        ({"id": "q", "question": "?", "is_impossible": False}, "question `q`: it has no list of `answers`"),
        (
            {"id": "q", "question": "?", "is_impossible": "false", "answers": []},
            "question `q`: `is_impossible` is `false`",
        ),
        (
            {"id": "q", "question": "?", "is_impossible": True, "answers": [{"text": "北京", "answer_start": 2}]},
            "question `q`: it has answers, and `is_impossible`",
        ),
        ({"question": "?", "is_impossible": True, "answers": 5}, "question `1`: it has no list of `answers`"),
        ({"id": None, "answers": []}, "question `1`: it has no `question`"),
        (4, "question `1`: it has no `question`"),
    ],
)
def test_a_wrong_question_is_refused_by_its_id(tmp_path: Path, question: Any, said: str) -> None:
    (found,) = reading(tmp_path, passages(question))
    assert isinstance(found, Fault) and said in found.what


@pytest.mark.parametrize("value", [{"rows": []}, [{"text": "a"}], {"data": [{"paragraphs": [{"context": 4}]}]}])
def test_other_json_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(DataError, match="no passages with their questions"):
        reading(tmp_path, value)
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        list(read(Given(tmp_path / "b.json")))
