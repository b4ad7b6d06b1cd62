"""Files of cases: the same texts in CSV and in a workbook, and verdicts back from both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook
from tests.recorded import write_records

from penjing.core.answers import Choice
from penjing.core.errors import DataError
from penjing.core.nouns import Decision, Prediction
from penjing.data.read import open_table
from penjing.data.workbook import MOST_CHARACTERS
from penjing.store.audits import export_blind
from penjing.store.case_file import is_workbook, open_case_file
from penjing.store.database import Store
from penjing.store.records import Record, make_record
from penjing.store.reviews import CHINESE_COLUMNS, COLUMNS, export_open, import_verdicts, verdicts

TEXTS = ('免费领奖,\n"打"', "=1+1", "＝1+1", "-5 度", "@sum", "'quoted", "x" * (MOST_CHARACTERS + 50))


def table(file: Path) -> list[dict[str, str]]:
    return [dict(cells) for _, cells in open_table(file).rows()]


@pytest.mark.parametrize("columns", [COLUMNS, CHINESE_COLUMNS])
def test_a_workbook_has_the_texts_as_they_are_and_brings_verdicts_back(
    store: Store, make: Callable[..., Record], tmp_path: Path, columns: Sequence[str]
) -> None:
    with store.write() as connection:
        write_records(connection, [make(f"id-{n}", route="review", text=text) for n, text in enumerate(TEXTS)])
    file = tmp_path / "cases.xlsx"
    assert export_open(store, file, columns=columns, workbook=True) == len(TEXTS)
    rows = table(file)
    text, verdict = columns[COLUMNS.index("text")], columns[COLUMNS.index("verdict")]
    assert [row[text] for row in rows[:-1]] == list(TEXTS[:-1])
    assert len(rows[-1][text]) == MOST_CHARACTERS and rows[-1][text].endswith("x […]")
    rows[1][verdict] = "ham"
    with open_case_file(tmp_path / "back.xlsx", workbook=True) as add:
        add(list(rows[0]))
        for row in rows:
            add(list(row.values()))
    assert import_verdicts(store, tmp_path / "back.xlsx").recorded == 1
    assert [label for *_, label in verdicts(store)] == ["ham"]


@pytest.mark.parametrize("columns", [COLUMNS, CHINESE_COLUMNS])
def test_a_verdict_that_is_an_uncomputed_formula_is_refused(
    store: Store, make: Callable[..., Record], tmp_path: Path, columns: Sequence[str]
) -> None:
    """It would be read as no verdict, and the case would stay open without a word."""
    with store.write() as connection:
        write_records(connection, [make("id-0", route="review", text="a"), make("id-1", route="review", text="b")])
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([columns[COLUMNS.index(name)] for name in ("id", "verdict")])
    sheet.append(["id-0", "ham"])
    sheet.append(["id-1", '=IF(TRUE,"ham","spam")'])
    book.save(tmp_path / "cases.xlsx")
    with pytest.raises(DataError, match="row 3"):
        import_verdicts(store, tmp_path / "cases.xlsx")
    assert list(verdicts(store)) == []


def test_audits_are_blind_in_a_workbook_too(store: Store, tmp_path: Path) -> None:
    facts = {"label": "spam", "p": 0.9, "fields": {}, "audit": {"draw": 0.0, "probability": 0.1}}
    decision = Decision("id", "a" * 64, "spam", "review", "model", False, "audit", facts)
    record = make_record(decision, Prediction("b" * 64, Choice(("ham", "spam"), (0.1, 0.9))), "=text", {}, None)
    with store.write() as connection:
        write_records(connection, [record])
    assert export_blind(store, tmp_path / "a.xlsx", workbook=True) == 1
    (row,) = table(tmp_path / "a.xlsx")
    assert row["text"] == "=text" and "0.9" not in row.values()
    assert not {"outcome", "p", "reason", "rule"} & row.keys()


def test_the_name_of_a_file_says_what_it_is() -> None:
    assert is_workbook(Path("a.XLSX")) and not is_workbook(Path("a.csv")) and not is_workbook(Path("-"))
