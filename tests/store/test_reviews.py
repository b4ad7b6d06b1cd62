"""Reviews: safe in a spreadsheet, back whole or not at all, each fault by its row."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from tests.recorded import count_open, write_records

from penjing.core.errors import DataError
from penjing.store import audit
from penjing.store.database import Store
from penjing.store.reviews import CHINESE_COLUMNS, Reads, export_open, import_verdicts, verdicts


@pytest.fixture
def waiting(store: Store, make) -> Store:
    texts = ['免费领奖,\n"打" ⟦mobile⟧', '=HYPERLINK("http://x","y")', "+1", "-1", "@sum", "\ttab", "'quoted", "plain"]
    made = [make(f"id-{number}", route="review", text=text) for number, text in enumerate(texts)]
    with store.write() as connection:
        write_records(connection, [*made, make("automatic"), replace(make("no-text", route="review"), text=None)])
    return store


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def _write(file: Path, rows: list[dict[str, str]], encoding: str = "utf-8-sig") -> None:
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_export_holds_the_open_cases_and_no_formula(waiting: Store, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    assert export_open(waiting, file) == 9
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = _rows(file)
    assert {row["id"] for row in rows} == {f"id-{n}" for n in range(8)} | {"no-text"}
    for row in rows:
        assert not any(str(cell).startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())
    assert rows[0]["text"] == '免费领奖,\n"打" ⟦mobile⟧'
    assert (rows[0]["outcome"], rows[0]["p"], rows[0]["verdict"]) == ("spam", "0.875", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_verdicts_come_back_however_the_spreadsheet_saved_them(waiting: Store, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "cases.csv"
    export_open(waiting, file)
    rows = _rows(file)
    rows[0] |= {"verdict": " ham ", "reviewer": "王芳", "note": "=1+1"}
    rows[1] |= {"verdict": "spam"}
    rows[-1] |= {"verdict": "ham"}
    _write(file, rows, encoding)
    done = import_verdicts(waiting, file)
    assert (done.recorded, done.blank, done.repeated) == (3, 6, 0)
    assert count_open(waiting) == 6
    assert list(verdicts(waiting)) == [(rows[0]["text"], "ham"), ('=HYPERLINK("http://x","y")', "spam")]
    assert import_verdicts(waiting, file).repeated == 3
    assert [entry["kind"] for entry in audit.entries(waiting)] == ["reviews imported"]


def test_a_chinese_heading_is_read_back_and_a_mixed_one_too(waiting: Store, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    assert export_open(waiting, file, columns=CHINESE_COLUMNS) == 9
    rows = _rows(file)
    assert tuple(rows[0]) == CHINESE_COLUMNS
    rows[0] |= {"结论": "ham", "复核人": "王芳"}
    _write(file, rows)
    assert import_verdicts(waiting, file).recorded == 1
    mixed = [{"id": row["编号"], "verdict": row["结论"], "复核人": "李"} for row in rows[1:2]]
    _write(file, [mixed[0] | {"verdict": "spam"}])
    assert import_verdicts(waiting, file).recorded == 1


def test_every_faulty_row_is_named_and_nothing_is_imported(waiting: Store, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    _write(
        file,
        [
            {"id": "id-2", "verdict": "ham"},
            {"id": "nobody", "verdict": "ham"},
            {"id": "id-3", "verdict": "hamm"},
            {"id": "automatic", "verdict": "ham"},
            {"id": "id-4", "verdict": "ham"},
            {"id": "id-4", "verdict": "spam"},
            {"id": "id-5", "verdict": "投诉"},
        ],
    )
    with pytest.raises(DataError) as caught:
        import_verdicts(waiting, file)
    said = str(caught.value)
    assert said.count("ham, spam") == 2 and "known are" not in said and "`spam`" not in said
    for words in (
        "nothing was imported",
        "row 8: '投诉' is not a label of this release; it has ham, spam",
        "row 3: no case 'nobody' was ever sent to review",
        "row 4: 'hamm' is not a label of this release (did you mean `ham`?); it has ham, spam",
        "row 5: no case 'automatic'",
        "row 7: a second verdict for the case id-4",
    ):
        assert words in said
    assert count_open(waiting) == 9
    assert audit.entries(waiting) == []


def test_a_closed_case_keeps_its_verdict(waiting: Store, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    _write(file, [{"id": "id-2", "verdict": "ham"}])
    import_verdicts(waiting, file)
    _write(file, [{"id": "id-2", "verdict": "spam"}])
    with pytest.raises(DataError, match="closed before as 'ham'"):
        import_verdicts(waiting, file)


def test_a_file_without_the_column_says_which(waiting: Store, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    _write(file, [{"id": "id-2", "label": "ham"}])
    with pytest.raises(DataError, match="column `verdict` is missing"):
        import_verdicts(waiting, file)


def test_a_verdict_is_read_as_the_release_reads_labels(
    waiting: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cases.csv"
    export_open(waiting, file)
    rows = _rows(file)
    rows[0] |= {"verdict": "h\u200bam\u3000"}
    rows[1] |= {"verdict": "正常"}
    _write(file, rows)
    with pytest.raises(DataError, match="'正常' is not a label"):
        import_verdicts(waiting, file)
    monkeypatch.setattr(Reads, "of", lambda *_: {"正常": "ham"})
    assert import_verdicts(waiting, file).recorded == 2
    assert [label for _, label in verdicts(waiting)] == ["ham", "ham"]
    assert import_verdicts(waiting, file).repeated == 2
