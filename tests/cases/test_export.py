"""An export has every decision once, with what was recorded beside it; a spreadsheet runs nothing of it."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import polars
import pytest

from penjing.cases.export import CHINESE_COLUMNS, COLUMNS, FORMATS, export_decisions
from penjing.cases.rule_reasons import RuleReasons
from penjing.core.answers import Choice
from penjing.core.artifact import open_release
from penjing.core.errors import MissingPackageError
from penjing.core.nouns import Decision, Prediction
from penjing.serve.lookups import describe
from penjing.store import reviews
from penjing.store.case_data import CaseData
from penjing.store.database import Store, open_store
from penjing.store.exported import ExportPeriod
from penjing.store.records import Record, get_record, make_record, prepare_record, write_prepared
from penjing.store.releases import put_in_service
from penjing.store.reviews import import_verdicts
from penjing.store.waiting import WaitingText

GOLDEN = Path(__file__).parents[1] / "golden"


def _record(number: int) -> Record:
    facts = {"label": "spam", "p": 0.875, "fields": {"amount": 3.5, "channel": "网"}}
    route = "review" if number % 2 else "automatic"
    decision = Decision(f"id-{number}", "a" * 64, "spam", route, "rule", False, "rule_review", facts, ("vip", "b"))
    text = ("=1+1", "免费\n领奖", '"quoted", and', None)[number % 4]
    made = make_record(decision, Prediction("b" * 64, Choice(("ham", "spam"), (0.125, 0.875))), text, {"engine": "x"})
    return replace(made, created=f"2026-01-0{1 + number % 9}T00:00:00.000000Z")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'penjing.db'}")
    with opened.write() as connection:
        cases = [
            CaseData("C-1", {"支行": "杭州", "id": "+7", "n": 5}),
            CaseData(None, {"late": True}),
            CaseData(),
            CaseData("-"),
        ]
        records = [_record(number) for number in range(4)]
        write_prepared(
            connection,
            [
                prepare_record(one, WaitingText("held")).with_case(case)
                for one, case in zip(records, cases, strict=True)
            ],
        )
    yield opened
    opened.close()


def _read(file: Path) -> list[dict[str, str]]:
    if file.suffix == ".csv":
        return list(csv.DictReader(file.open(encoding="utf-8-sig", newline="")))
    if file.suffix == ".xlsx":
        header, *rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
        return [dict(zip(header, ["" if cell is None else cell for cell in row], strict=True)) for row in rows]
    return polars.read_parquet(file).to_dicts()


def _rows(file: Path) -> list[dict[str, object]]:
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [dict(row) for row in _read(file)]


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_the_heading_of_a_spreadsheet_may_be_chinese(store: Store, tmp_path: Path, form) -> None:
    english, chinese = tmp_path / f"en.{form}", tmp_path / f"zh.{form}"
    export_decisions(store, english, form)
    assert export_decisions(store, chinese, form, columns=CHINESE_COLUMNS) == 4
    heading = COLUMNS if form == "parquet" else CHINESE_COLUMNS
    assert list(_read(chinese)[0]) == [*heading, "keep.id", "n", "支行", "late"]
    assert [list(row.values()) for row in _read(chinese)] == [list(row.values()) for row in _read(english)]
    shared = dict(zip(reviews.COLUMNS, reviews.CHINESE_COLUMNS, strict=True))
    pairs = dict(zip(COLUMNS, CHINESE_COLUMNS, strict=True))
    assert all(pairs[name] == shared[name] for name in pairs.keys() & shared.keys())


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_table_has_a_row_a_decision_and_a_column_for_each_kept_name(store: Store, tmp_path: Path, form) -> None:
    file = tmp_path / f"out.{form}"
    assert export_decisions(store, file, form) == 4
    rows = _read(file)
    assert list(rows[0]) == [*COLUMNS, "keep.id", "n", "支行", "late"]
    safe = form != "parquet"
    assert [row["text"] for row in rows] == ["'=1+1" if safe else "=1+1", "免费\n领奖", '"quoted", and', "held"]
    assert [row["ref"] for row in rows] == ["C-1", "", "", "'-" if safe else "-"]
    assert [row["keep.id"] for row in rows] == ["'+7" if safe else "+7", "", "", ""]
    assert (rows[0]["n"], rows[1]["late"], rows[0]["rules"]) == ("5", "true", "vip, b")
    assert json.loads(rows[0]["fields"]) == {"amount": 3.5, "channel": "网"}
    assert rows[0]["p"] == ("0.875" if safe else 0.875)


def test_lines_have_lists_and_objects(store: Store, tmp_path: Path) -> None:
    assert export_decisions(store, tmp_path / "x", "jsonl") == 4
    rows = [json.loads(line) for line in (tmp_path / "x").read_text(encoding="utf-8").splitlines()]
    assert list(rows[0]) == [*COLUMNS, "keep"]
    assert rows[0]["keep"] == {"支行": "杭州", "id": "+7", "n": 5} and rows[0]["rules"] == ["vip", "b"]
    assert rows[3]["text"] == "held" and rows[2]["keep"] == {} and rows[1]["ref"] is None


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["third/rules-2", "sixth/by-label", "sixth/by-item"])
def test_the_reason_of_the_rule_and_what_was_left_open_are_as_the_service_says_them(tmp_path: Path, name, form) -> None:
    for file in (GOLDEN / name).parent.glob("store.sqlite*"):
        hidden = "." if file.suffix in (".key", ".head") else ""
        shutil.copyfile(file, tmp_path / f"{hidden}{file.name}").chmod(0o600)
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    period = ExportPeriod(release=open_release(GOLDEN / name).id)
    gone, file = tmp_path / f"gone.{form}", tmp_path / f"x.{form}"
    export_decisions(store, gone, form, period)
    put_in_service(store, open_release(GOLDEN / name))
    export_decisions(store, file, form, period)
    named, reasons = 0, RuleReasons(store)
    for before, row in zip(_rows(gone), _rows(file), strict=True):
        record = get_record(store, str(row["id"]))
        assert record is not None
        shown = describe(store, reasons, record)
        why, doubts = shown.get("rule_why"), shown.get("doubts", {})
        named += bool(why or doubts)
        if form == "jsonl":
            assert (row["rule_why"], row["doubts"]) == (why, doubts)
            assert (before["rule_why"], before["doubts"]) == (None, {})
        else:
            assert (row["rule_why"], row["doubts"]) == (why or "", json.dumps(doubts) if doubts else "")
            assert before["rule_why"] == before["doubts"] == ""
    assert named > 4
    store.close()


def test_a_verdict_is_in_its_row(store: Store, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id,verdict,reviewer,note\nid-1,ham,王芳,=x\n", encoding="utf-8")
    import_verdicts(store, tmp_path / "v.csv")
    export_decisions(store, tmp_path / "x", "jsonl")
    row = json.loads((tmp_path / "x").read_text(encoding="utf-8").splitlines()[1])
    assert (row["verdict"], row["reviewer"], row["note"]) == ("ham", "王芳", "=x") and row["closed"]


@pytest.mark.parametrize(
    ("period", "ids"),
    [
        (ExportPeriod("2026-01-02"), [1, 2, 3]),
        (ExportPeriod("2026-01-02", "2026-01-03"), [1]),
        (ExportPeriod("2026-01-02T00:00:01"), [2, 3]),
        (ExportPeriod(release="a" * 12), [0, 1, 2, 3]),
        (ExportPeriod(release="b"), []),
        (ExportPeriod(release="_"), []),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_a_span_is_half_open(store: Store, tmp_path: Path, period: ExportPeriod, ids: list[int], form) -> None:
    assert export_decisions(store, tmp_path / f"x.{form}", form, period) == len(ids)
    if form == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [row["id"] for row in rows] == [f"id-{number}" for number in ids]
    elif form == "parquet":
        assert polars.read_parquet(tmp_path / "x.parquet").columns[:2] == ["id", "ref"]


def test_a_record_that_was_changed_is_left_out_and_named(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE decisions SET decision = '{' WHERE id = 'id-2'")
    bad: list[str] = []
    assert export_decisions(store, tmp_path / "x", "csv", None, bad) == 3
    assert bad == ["id-2"]


def test_very_many_kept_names_are_one_column(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        made = [replace(_record(0), id=f"many-{n}", created=f"2026-02-01T00:00:00.{n:06}Z") for n in range(11)]
        cases = [CaseData(None, {f"c{n}-{m}": n for m in range(10)}) for n in range(11)]
        write_prepared(connection, [prepare_record(one).with_case(case) for one, case in zip(made, cases, strict=True)])
    export_decisions(store, tmp_path / "x.csv", "csv")
    rows = _read(tmp_path / "x.csv")
    assert list(rows[0]) == [*COLUMNS, "keep"] and json.loads(rows[-1]["keep"])["c10-0"] == 10


def test_parquet_without_its_package_says_what_to_do(store: Store, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingPackageError, match="need the package polars"):
        export_decisions(store, tmp_path / "x.parquet", "parquet")


@pytest.mark.whole
def test_the_memory_does_not_grow_with_the_rows(store: Store, tmp_path: Path) -> None:
    import tracemalloc

    with store.write() as connection:
        for start in range(0, 6000, 500):
            write_prepared(
                connection, [prepare_record(replace(_record(2), id=f"m-{start + n:05}")) for n in range(500)]
            )
    peaks = []
    for period in (ExportPeriod(until="2026-01-03"), ExportPeriod()):
        tracemalloc.start()
        export_decisions(store, tmp_path / "x.csv", "csv", period)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 12_000_000  # 6,000 rows take 20 MB if they are kept
