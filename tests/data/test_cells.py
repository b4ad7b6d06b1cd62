"""What values become as cells."""

from __future__ import annotations

import datetime

import pytest

from penjing.data.cells import UnreadableCell, as_list, json_cell, parquet_cell, refuse_unreadable, sheet_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (1.0, "1"), (2.5, "2.5"), (0.1 + 0.2, "0.3"), (True, "true"), (None, ""), ("002756", "002756"),
        (datetime.datetime(2026, 1, 15), "2026-01-15"), (datetime.datetime(2026, 1, 15, 9, 30), "2026-01-15 09:30:00"),
        (datetime.date(2026, 1, 15), "2026-01-15"), (datetime.time(9, 5), "09:05:00"),
    ],
)  # fmt: skip
def test_cells_of_a_sheet(value: object, cell: str) -> None:
    assert sheet_cell(value) == cell


def test_cells_of_json_and_parquet() -> None:
    values = ["a", 1, 1.0, None, float("nan"), [], ["退款"]]
    assert [json_cell(value) for value in values] == ["a", "1", "1", "", "", "", "退款"]
    assert json_cell({"choices": ["退款"]}) == "退款"
    assert parquet_cell(datetime.datetime(2026, 1, 15)) == "2026-01-15"
    zone = datetime.timezone(datetime.timedelta(hours=8))
    assert parquet_cell(datetime.datetime(2026, 1, 5, 10, 30, tzinfo=zone)) == "2026-01-05 10:30:00+08:00"
    assert parquet_cell(datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)) == "2026-01-05 00:00:00+00:00"
    assert parquet_cell(float("nan")) == ""


def test_lists_and_objects_are_refused_where_they_are_needed() -> None:
    cells = {"text": "a", "label": json_cell(["退款", "物流"]), "meta": json_cell({"id": 1})}
    assert cells["meta"] == '{"id": 1}'
    assert isinstance(cells["label"], UnreadableCell)
    assert refuse_unreadable(cells, ("text",), 7) is None
    fault = refuse_unreadable(cells, ("text", "label"), 7)
    assert fault is not None
    assert (fault.row, fault.what) == (7, "`label` is a list of 2 values (退款, 物流), not one value")
    assert "one value" in fault.fix
    fault = refuse_unreadable(cells, ("meta",), 1)
    assert fault is not None and fault.what == "`meta` is an object with `id`, not a plain value"


def test_entities_and_relations_are_read_as_an_object_and_other_objects_are_not() -> None:
    graph = json_cell({"entities": [], "relations": []})
    assert as_list(graph) == '{"entities": [], "relations": []}' and type(as_list(graph)) is str
    assert isinstance(as_list(json_cell({"id": 1})), UnreadableCell)
