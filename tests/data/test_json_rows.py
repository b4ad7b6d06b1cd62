"""Rows of JSON in the forms that tools write."""

from __future__ import annotations

import json

import pytest

from penjing.core.errors import DataError
from penjing.data.cells import Fault, UnreadableCell
from penjing.data.json_rows import begins_json, json_rows


def rows(text: str) -> tuple[list[tuple[int, dict[str, str] | Fault]], list[str]]:
    notes: list[str] = []
    return list(json_rows(text.splitlines(keepends=True), "a.json", notes)), notes


@pytest.mark.parametrize(
    ("first", "json_begins"),
    [('{"text": "a"}\n', True), ("[\n", True), ('[{"a": 1}]', True), ("{not json}", False), ("[1] a footnote", False)],
)
def test_beginnings(first: str, json_begins: bool) -> None:
    assert begins_json(first) is json_begins


def test_a_list_is_read_with_the_lines_of_its_rows() -> None:
    value = [{"text": "a", "label": 1}, {"text": "b", "label": None}]
    assert rows(json.dumps(value, indent=2)) == (
        [(2, {"text": "a", "label": "1"}), (6, {"text": "b", "label": ""})],
        [],
    )


@pytest.mark.parametrize("between", [", ", ",", ",\n", "\n,", ",{},\n"])
def test_no_two_rows_of_a_list_have_one_number(between: str) -> None:
    value = [json.dumps({"text": text}) for text in "abc"]
    found, notes = rows(f"[{between.join(value)}]")
    numbers = [row for row, _ in found]
    assert len(set(numbers)) == len(numbers)
    assert [cells["text"] for _, cells in found if isinstance(cells, dict) and cells] == ["a", "b", "c"]
    if "\n" not in between:
        assert numbers == [1, 2, 3]
        assert "numbered from 1" in notes[0]


def test_a_row_may_be_written_as_a_request_of_the_service() -> None:
    row = {"text": "a", "fields": {"channel": "web", "vip": True}}
    assert rows(json.dumps(row) + "\n" + json.dumps(row))[0][1] == (2, {"text": "a", "channel": "web", "vip": "true"})
    clash = rows(json.dumps({"text": "a", "fields": {"text": "b"}}))[0][0][1]
    assert isinstance(clash, dict) and clash["text"] == "a" and isinstance(clash["fields"], UnreadableCell)
    twice = rows('{"text": "a", "fields": {"vip": 1, "vip": 2}}')[0][0][1]
    assert isinstance(twice, Fault) and "`vip` occurs twice" in twice.what
    deep = rows('{"text": "a", "list": [{"end": 1, "end": 2}]}\n{"text": "b"}')[0][0][1]
    assert isinstance(deep, Fault) and "`end` occurs twice" in deep.what


def test_one_object_around_the_rows() -> None:
    found, notes = rows(json.dumps({"total": 1, "data": [{"text": "a"}]}))
    assert found == [(1, {"text": "a"})]
    assert "the list `data`" in notes[0]
    with pytest.raises(DataError, match="one JSON object with `text`, `label`, not rows") as caught:
        rows(json.dumps({"text": {"0": "a"}, "label": {"0": "x"}}))
    assert caught.value.fix is not None and "lines=True" in caught.value.fix


def test_a_key_twice_is_refused_with_its_line() -> None:
    found, _ = rows('{"text": "a", "label": 1}\n{"text": "b", "label": 1, "label": 2}\n')
    assert found[0] == (1, {"text": "a", "label": "1"})
    fault = found[1][1]
    assert isinstance(fault, Fault)
    assert (fault.row, fault.what) == (2, "the key `label` occurs twice in this row")
    listed, _ = rows('[{"text": "a", "text": "b"}]')
    assert isinstance(listed[0][1], Fault)


def task(text: str, *choices: list[str], name: str | None = None, **more: object) -> dict[str, object]:
    results = [{"value": {"choices": each}} | ({"from_name": name} if name else {}) for each in choices]
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": [result]} for result in results], **more}


def test_an_export_of_label_studio() -> None:
    tasks = [task("a", ["退款"]), task("b"), task("c", ["退款"], ["退款"])]
    found, notes = rows("\n".join(json.dumps(each) for each in tasks))
    assert [cells for _, cells in found] == [
        {"text": "a", "label": "退款"},
        {"text": "b", "label": ""},
        {"text": "c", "label": "退款"},
    ]
    assert notes == ["read as a Label Studio export: texts from `data`, labels from the choices of `annotations`"]
    named, _ = rows(json.dumps([task("a", ["x"], name="topic")]))
    assert named[0][1] == {"text": "a", "topic": "x"}


def test_annotations_that_are_no_single_label() -> None:
    found, _ = rows(json.dumps([task("a", ["x", "y"]), task("b", ["x"], ["y"])]))
    several, differing = (cells["label"] for _, cells in found if not isinstance(cells, Fault))
    assert isinstance(several, UnreadableCell) and "a list of 2 values (x, y)" in several.what
    assert isinstance(differing, UnreadableCell) and differing.what == "annotated differently (x; y)"
    ((_, alike),), _ = rows(json.dumps([task("a", ["x", "y"], ["y", "x"])]))
    assert isinstance(alike, dict) and alike["label"] == '["x", "y"]'


def test_what_is_no_list_of_annotations_says_nothing() -> None:
    for given in ({"annotations": 5, "predictions": []}, {"annotations": [{"result": 5}]}):
        assert rows(json.dumps([{"data": {"text": "a"}, **given}]))[0] == [(1, {"text": "a", "label": ""})]


CHAT = [{"role": "user", "content": "it is late"}, {"role": "assistant", "content": "shipping"}]


def test_a_conversation_is_no_row_and_no_text() -> None:
    with pytest.raises(DataError, match=r"one conversation \(`messages`: 2 messages of user, assistant\)") as caught:
        rows(json.dumps({"messages": CHAT}))
    assert "write one text a row" in str(caught.value.fix)
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": "c"}]
    for spoken, who in ((CHAT, "user, assistant"), (turns, "human, gpt")):
        found, _ = rows("\n".join(json.dumps({"messages": spoken, "label": "x"}) for _ in range(2)))
        cell = found[0][1]["messages"]  # type: ignore[index]
        assert (
            isinstance(cell, UnreadableCell)
            and cell.what == f"a conversation of {len(spoken)} messages ({who}), not one text"
        )
