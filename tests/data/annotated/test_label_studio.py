"""Exports of Label Studio: JSON and JSON-MIN, offsets as a browser counts them, relations, choices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penjing.core.chinese import chinese
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan, checked
from penjing.data.annotated.label_studio import read
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault


def span(start: int, end: int, text: str, label: str, id: str = "a") -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"id": id, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def task(text: str, *results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 5, "data": {"text": text, "shop": "x"}, "annotations": [{"result": list(results)}], **more}


def reading(tmp_path: Path, *tasks: Any) -> tuple[list[AnnotatedText | Fault], list[str]]:
    path = tmp_path / "project.json"
    path.write_text(json.dumps(list(tasks), indent=1), encoding="utf-8")
    given = Given(path)
    return list(read(given)), given.notes


@pytest.mark.parametrize(("start", "converted"), [(3, True), (2, False)])
def test_places_of_a_browser_are_read_as_characters(tmp_path: Path, start: int, converted: bool) -> None:
    (found,), notes = reading(tmp_path, task("👍 北京", span(start, start + 2, "北京", "PLACE")))
    assert isinstance(found, AnnotatedText) and found.spans == (LabelledSpan(2, 4, "PLACE"),)
    assert (found.id, found.more["shop"]) == ("5", "x")
    assert any("UTF-16 units" in note for note in notes) is converted


@pytest.mark.parametrize(("start", "read_as"), [(3, 2), (2, 2)])
def test_places_that_fit_in_both_ways_follow_the_other_texts(tmp_path: Path, start: int, read_as: int) -> None:
    plain = task("👍 北京", span(start, start + 2, "北京", "PLACE"))
    both = task("👍aaa", span(2, 3, "a", "X"))
    found, _ = reading(tmp_path, both, plain)
    assert isinstance(found[0], AnnotatedText) and isinstance(found[1], AnnotatedText)
    assert found[0].spans[0].start == (1 if start == 3 else 2)
    assert found[1].spans[0].start == read_as


@pytest.mark.parametrize(
    ("direction", "wanted"),
    [("right", [(0, 1)]), ("left", [(1, 0)]), ("bi", [(0, 1), (1, 0)])],
)
def test_relations_and_choices(tmp_path: Path, direction: str, wanted: list[tuple[int, int]]) -> None:
    link = {"from_id": "a", "to_id": "b", "type": "relation", "direction": direction, "labels": ["owns"]}
    choice = {"id": "c", "from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": ["news"]}}
    given = task("ab cd", span(0, 2, "ab", "A", "a"), span(3, 5, "cd", "B", "b"), link, choice)
    (found,), _ = reading(tmp_path, given)
    assert isinstance(found, AnnotatedText)
    assert found.relations == tuple(LabelledRelation(*pair, "owns") for pair in wanted)
    assert found.labels == ("news",)


BARE = {"start": 3, "end": 5, "text": "cd"}


@pytest.mark.parametrize("labels", [{}, {"labels": []}, {"labels": [""]}, {"labels": [None]}, {"labels": [" "]}])
def test_regions_without_a_label_are_counted_and_named(tmp_path: Path, labels: dict[str, Any]) -> None:
    """An annotator marked them and gave no label, so the text is not one without entities."""
    bare = {"id": "b", "from_name": "label", "to_name": "text", "type": "labels", "value": {**BARE, **labels}}
    score = {"id": "a", "from_name": "sure", "type": "rating", "value": {"start": 0, "end": 2, "rating": 3}}
    rows = [
        task("ab cd", span(0, 2, "ab", "A"), score, bare, {**bare, "id": "c"}),
        task("ab cd", span(0, 2, "ab", "A"), score),
        {
            "id": 3,
            "text": "ab cd",
            "label": [{**BARE, **labels}, {"start": 0, "end": 2, "text": "ab", "labels": ["A"]}],
        },
    ]
    found, notes = reading(tmp_path, *rows)
    spans = [each.spans for each in found if isinstance(each, AnnotatedText)]
    assert [[(one.start, one.label) for one in each] for each in spans] == [[(0, "A")]] * 3
    last = len(json.dumps(rows[:2], indent=1).splitlines()) + 1
    said = f"3 marked pieces have no label, in row 2, {last - 1}: left out; label or delete them"
    assert notes == [said] and "个标出的片段没有标签" in chinese(said)


def test_a_blank_choice_is_no_label(tmp_path: Path) -> None:
    choice = {"type": "choices", "value": {"choices": [None, "", "spam"]}}
    ((found,), _) = reading(tmp_path, task("ab cd", choice))
    assert isinstance(found, AnnotatedText) and found.labels == ("spam",)


def test_json_min(tmp_path: Path) -> None:
    row = {
        "text": "ab cd",
        "id": 3,
        "label": [{"start": 0, "end": 2, "text": "ab", "labels": ["A", "B"]}],
        "kind": {"choices": ["x", "y"]},
        "created_at": "2026-01-05",
    }
    (found,), _ = reading(tmp_path, row)
    assert isinstance(found, AnnotatedText)
    assert found.spans == (LabelledSpan(0, 2, "A"), LabelledSpan(0, 2, "B")) and found.labels == ("x", "y")


def test_one_annotation_a_task_counts(tmp_path: Path) -> None:
    one, other = {"result": [span(0, 2, "ab", "A")]}, {"result": [span(3, 5, "cd", "A")]}
    skipped = {**other, "was_cancelled": True}
    found, _ = reading(
        tmp_path,
        {"data": {"text": "ab cd"}, "annotations": [one, one, skipped]},
        {"data": {"text": "ab cd"}, "annotations": [one, other]},
        {"data": {"text": "ab cd"}, "annotations": []},
    )
    assert isinstance(found[0], AnnotatedText) and len(found[0].spans) == 1
    assert isinstance(found[1], Fault) and found[1].what == "annotated 2 times, not alike"
    assert isinstance(found[2], AnnotatedText) and found[2].spans == ()


def test_a_text_that_was_edited_afterwards_is_refused(tmp_path: Path) -> None:
    (found,), _ = reading(tmp_path, task("👍 Peking is far", span(2, 4, "北京", "PLACE")))
    assert isinstance(found, AnnotatedText)
    fault = checked(found)
    assert isinstance(fault, Fault) and "the text was changed after it was annotated" in fault.what


def test_annotations_of_html_are_refused(tmp_path: Path) -> None:
    html = {"value": {"start": "/p[1]", "end": "/p[1]", "startOffset": 0, "endOffset": 2, "hypertextlabels": ["A"]}}
    found, _ = reading(tmp_path, task("<p>ab</p>", html), 4)
    assert isinstance(found[0], Fault) and "is not of a plain text" in found[0].what
    assert isinstance(found[1], Fault) and found[1].what == "not a task of Label Studio"


def test_the_column_of_the_text(tmp_path: Path) -> None:
    found, _ = reading(
        tmp_path,
        {"data": {"body": "ab"}, "annotations": []},
        {"data": {"one": "ab", "two": "cd"}, "annotations": []},
    )
    assert isinstance(found[0], AnnotatedText) and found[0].text == "ab"
    assert isinstance(found[1], Fault) and "no `text` in this task, which has `one`, `two`" in found[1].what


def test_two_who_agree_may_have_marked_in_another_order(tmp_path: Path) -> None:
    one, other = span(0, 2, "ab", "A", "a"), span(3, 5, "cd", "B", "b")
    link = {"from_id": "a", "to_id": "b", "type": "relation", "labels": ["owns"]}
    back = {"from_id": "b", "to_id": "a", "type": "relation", "labels": ["owns"]}
    choices = [{"value": {"choices": each}} for each in (["x", "y"], ["y", "x"])]
    first = {"result": [one, other, link, choices[0]]}
    found, _ = reading(
        tmp_path,
        {"data": {"text": "ab cd"}, "annotations": [first, {"result": [choices[1], link, other, one]}]},
        {"data": {"text": "ab cd"}, "annotations": [first, {"result": [choices[1], back, other, one]}]},
    )
    assert isinstance(found[0], AnnotatedText) and found[0].labels == ("x", "y")
    assert isinstance(found[1], Fault) and found[1].what == "annotated 2 times, not alike"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"annotations": 5}, "`annotations` is `5`, not a list"),
        ({"annotations": [{"result": 5}]}, "`result` is `5`, not a list"),
        ({"annotations": [{"result": [{"type": "relation", "labels": "owns"}]}]}, "`labels` is `owns`, not a list"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    (found,), _ = reading(tmp_path, {"data": {"text": "ab"}, **given})
    assert isinstance(found, Fault) and found.what == said
