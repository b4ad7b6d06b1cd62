"""JSON with spans, as the programs that people annotate with write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as over
from hypothesis import strategies as st

from penjing.core.chinese import chinese
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan, as_cells, checked
from penjing.data.annotated.json_spans import read
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault

TEXT = "👍 北京的 café"
PLACE = LabelledSpan(2, 4, "PLACE")


def reading(tmp_path: Path, *rows: Any, end: str = "\n", whole: str | None = None) -> list[AnnotatedText | Fault]:
    path = tmp_path / "a.jsonl"
    content = whole if whole is not None else end.join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes(content.encode())
    return list(read(Given(path, "utf-8")))  # which a few odd characters alone do not show


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": [[2, 4, "PLACE"]]},
        {"text": TEXT, "labels": [[2, 4, "PLACE"]]},
        {"data": TEXT, "label": [[2, 4, "PLACE"]]},
        {"text": TEXT, "spans": [{"start": 2, "end": 4, "label": "PLACE"}], "_session": "a"},
        {"text": TEXT, "entities": [{"start_offset": 2, "end_offset": 4, "label": "PLACE", "id": 4}], "relations": []},
        {"text": TEXT, "entities": [{"start_idx": 2, "end_idx": 4, "type": "PLACE", "entity": "北京"}]},
        {"text": TEXT, "label": {"PLACE": {"北京": [[2, 3]]}}},
        {"text": TEXT, "tokens": ["👍", "北京", "的", "café"], "entities": [{"start": 1, "end": 2, "type": "PLACE"}]},
    ],
)
def test_the_common_forms_say_the_same(tmp_path: Path, row: dict[str, Any]) -> None:
    found = reading(tmp_path, {"text": "none", "label": []}, row, end="\r\n")
    assert isinstance(found[0], AnnotatedText) and found[0].spans == ()
    assert isinstance(found[1], AnnotatedText)
    assert (found[1].row, found[1].text, found[1].spans) == (2, TEXT, (PLACE,))
    assert checked(found[1]) == found[1]


def test_pretty_objects_have_the_lines_on_which_they_begin(tmp_path: Path) -> None:
    row = json.dumps({"text": TEXT, "label": {"PLACE": {"北京": [[2, 3]]}}}, indent=2)
    assert [each.row for each in reading(tmp_path, whole=f"{row}\n{row}\n")] == [1, row.count("\n") + 2]


def test_relations_by_id_and_by_number(tmp_path: Path) -> None:
    entities = [
        {"id": 7, "label": "A", "start_offset": 0, "end_offset": 1},
        {"id": 9, "label": "B", "start_offset": 2, "end_offset": 4},
    ]
    by_id = {"text": TEXT, "entities": entities, "relations": [{"id": 1, "from_id": 9, "to_id": 7, "type": "r"}]}
    tokens = {
        "tokens": ["a", "b"],
        "entities": [{"type": "A", "start": 0, "end": 1}, {"type": "B", "start": 1, "end": 2}],
        "relations": [{"type": "r", "head": 1, "tail": 0}],
    }
    lost = {**by_id, "relations": [{"from_id": 8, "to_id": 7, "type": "r"}]}
    found = reading(tmp_path, by_id, tokens, lost)
    for each in found[:2]:
        assert isinstance(each, AnnotatedText) and each.relations == (LabelledRelation(1, 0, "r"),)
    assert isinstance(found[1], AnnotatedText) and found[1].text == "a b"
    assert isinstance(found[2], AnnotatedText) and isinstance(checked(found[2]), Fault)


def test_labels_of_the_text_and_other_columns_are_kept(tmp_path: Path) -> None:
    (found,) = reading(tmp_path, {"id": 3, "text": "a", "label": ["good", "late"], "shop": "x"})
    assert isinstance(found, AnnotatedText)
    cells = as_cells(found)
    assert (cells["classes"], cells["shop"], cells["id"], cells["label"]) == ("good, late", "x", "3", "[]")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"spans": []}, "no text in this row, which has `spans`"),
        ({"text": "a", "label": [[0, 1]]}, "which is no span"),
        ({"text": "a", "label": [["0", 1, "X"]]}, "without a start, an end or a label"),
        ({"text": "a", "spans": [{"start": 0, "label": "X"}]}, "without a start, an end or a label"),
        ({"text": "a", "spans": 4}, "`spans` is `4`, not a list"),
        ({"text": "a", "label": {"X": [0, 1]}}, "`X` holds no surfaces"),
        ({"text": "a", "label": {"X": {"a": [0, 1]}}}, "`a` holds no [start, last]"),
        ({"text": "a b", "tokens": ["a", "c"], "spans": []}, "the token `c` is not in the text"),
        ({"tokens": ["a"], "spans": [{"start": 0, "end": 2, "label": "X"}]}, "is not within the 1 tokens"),
        ({"text": "a", "relations": ["r"]}, "which is no relation"),
        ([1], "not an object"),
    ],
)
def test_a_row_of_another_form_is_refused_with_its_line(tmp_path: Path, row: Any, said: str) -> None:
    found = reading(tmp_path, {"text": "a", "label": []}, row)
    assert isinstance(found[1], Fault) and found[1].row == 2 and said in found[1].what


def test_a_broken_line_is_a_fault_of_its_own(tmp_path: Path) -> None:
    found = reading(tmp_path, whole='{"text": "a\u2028b", "label": []}\n{"text": \n{"text": "c"}\n')
    assert [isinstance(each, Fault) for each in found] == [False, True, False]
    assert isinstance(found[0], AnnotatedText) and found[0].text == "a\u2028b"


ANY = st.text("ab 👍é́的\U0001f468\u200d\U0001f469，1", min_size=1, max_size=30)


@over(text=ANY, data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_span_comes_back(tmp_path: Path, text: str, data: st.DataObject) -> None:
    ends = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda pair: pair[0] < pair[1])
    wanted = sorted(set(data.draw(st.lists(ends, max_size=4))))
    found = reading(tmp_path, {"text": text, "label": [[*pair, "X"] for pair in reversed(wanted)]}, {"text": "z"})[0]
    assert isinstance(found, AnnotatedText)
    kept = checked(found)
    assert isinstance(kept, AnnotatedText)
    assert [(span.start, span.end) for span in kept.spans] == wanted


def test_a_row_may_have_no_id(tmp_path: Path) -> None:
    found = reading(tmp_path, {"text": "a", "label": [], "id": None}, {"text": "b", "label": [], "id": 3.0})
    assert [each.id for each in found if isinstance(each, AnnotatedText)] == ["", "3"]


def test_a_broken_first_line_moves_no_other(tmp_path: Path) -> None:
    found = reading(tmp_path, whole='{"text": \n{"text": "a\u2028b", "label": [[0, 3, "X"]]}\r\n{"text": "c"}\n')
    assert [isinstance(each, Fault) for each in found] == [True, False, False]
    assert [each.row for each in found] == [1, 2, 3]
    assert isinstance(found[1], AnnotatedText) and found[1].text == "a\u2028b"


@pytest.mark.parametrize(
    "value",
    [
        {"text": "ab cd", "label": {"": {"ab": [[0, 1]]}}},
        {"text": "ab cd", "spans": [[0, 2, " "]]},
        {"text": "ab cd", "label": [[0, 2, None]]},
        {"text": "ab cd", "tokens": ["ab", "cd"], "spans": [{"start": 0, "end": 1}], "answer": "accept"},
    ],
)
def test_a_span_without_a_label_is_refused(tmp_path: Path, value: dict[str, Any]) -> None:
    """As doccano, Prodigy and CLUENER would write it; a label that is missing is none that a model should learn."""
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps(value) + "\n") * 2, encoding="utf-8")
    first, second = list(read(Given(path)))
    assert isinstance(first, Fault) and isinstance(second, Fault) and "without" in first.what and "label" in first.what


@pytest.mark.parametrize("key", ["label", "labels", "spans", "entities"])
def test_a_cell_with_the_text_of_json_is_what_it_says(tmp_path: Path, key: str) -> None:
    """Gold of a table that was written as JSONL is no name of a class, which it was read as once."""
    listed = [{"start": 0, "end": 2, "label": "A"}]
    rows = [
        {"text": "ab cd", key: json.dumps(listed)},
        {"text": "ab cd", key: " [] "},
        {"text": "ab cd", key: json.dumps({"B": {"cd": [[3, 4]]}})},
        {"text": "ab cd", key: '["spam", "late"]'},
        {"text": "ab cd", key: "[urgent]"},
        {"text": "ab cd", key: '[{"start": 0, "end": 2'},
        {"text": "ab cd", key: '[{"start": 0, "start": 1, "end": 2, "label": "A"}]'},
        {"text": "ab cd", key: "{n}"},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    *found, names, cut, twice, braces = list(read(Given(path)))
    spans = [each.spans for each in found if isinstance(each, AnnotatedText)]
    assert spans == [(LabelledSpan(0, 2, "A"),), (), (LabelledSpan(3, 5, "B"),), ()]
    assert [each.labels for each in (*found, names, braces) if isinstance(each, AnnotatedText)] == [
        *[()] * 3, ("spam", "late"), ("[urgent]",), ("{n}",)
    ]  # fmt: skip
    assert isinstance(cut, Fault) and "begins as JSON and is none" in cut.what and "JSON" in chinese(cut.what)
    assert isinstance(twice, Fault) and "occurs twice" in twice.what


def test_relations_as_the_text_of_json(tmp_path: Path) -> None:
    row = {
        "text": "ab cd",
        "spans": json.dumps([[0, 2, "A"], [3, 5, "B"]]),
        "relations": json.dumps([{"head": 0, "tail": 1, "label": "r"}]),
    }
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps(row) + "\n") * 2, encoding="utf-8")
    for each in read(Given(path)):
        assert isinstance(each, AnnotatedText) and each.relations == (LabelledRelation(0, 1, "r"),)
