"""`penjing review`: out, filled in, back."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from penjing.decide.policy import load_policy
from penjing.store import audit
from penjing.store.database import open_store


def test_out_filled_in_and_back(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("=1+1 打13812345678\nwin cash 打13912345678\n明天开会\n", encoding="utf-8")
    waiting = [
        line["id"]
        for line in penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines
        if line["route"] == "review"
    ]
    assert len(waiting) >= 2
    ran = penjing("review", "export", "cases.csv")
    assert ran.code == 0, ran.err
    assert ran.lines == [{"exported": len(waiting), "file": "cases.csv"}]
    assert "fill in `verdict` with one of: ham, spam\nthen: penjing review import cases.csv" in ran.err
    with Path("cases.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == waiting
    assert rows[0]["text"].startswith("'=1+1")
    for row in rows[:2]:
        row |= {"verdict": "ham", "reviewer": "Wang"}
    with Path("cases.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    ran = penjing("review", "import", "cases.csv")
    assert ran.lines == [{"imported": 2, "without_verdict": len(waiting) - 2, "known_before": 0}]
    assert penjing("review", "import", "cases.csv").lines[0]["known_before"] == 2
    store = open_store("sqlite:///penjing.db")
    assert [entry["kind"] for entry in audit.entries(store)] == ["release", "reviews imported"]
    audit.verify(store)
    store.close()


def test_a_wrong_label_imports_nothing(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("打13812345678\n", encoding="utf-8")
    one = penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines[0]["id"]
    (tmp_path / "cases.csv").write_text(f"id,verdict\n{one},hamm\n", encoding="utf-8")
    ran = penjing("review", "import", "cases.csv")
    assert ran.code == 3
    assert "row 2: 'hamm' is not a label of this release (did you mean `ham`?); it has ham, spam" in ran.err
    assert penjing("review", "export", "again.csv").lines[0]["exported"] == 1


@pytest.mark.parametrize("form", ["xlsx", "gbk", "utf-16", "semicolon"])
def test_what_a_spreadsheet_saved_is_read(penjing, tiny_release, tmp_path: Path, form: str) -> None:
    (tmp_path / "in.txt").write_text("打13812345678\n", encoding="utf-8")
    one = penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines[0]["id"]
    rows = [["ID", "text", "Verdict", "reviewer"], [one, "打电话", "ham", "王"], ["", "", "", ""]]
    if form == "xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        file = tmp_path / "cases.xlsx"
        book.save(file)
    else:
        mark, encoding = {"gbk": (",", "gbk"), "utf-16": ("\t", "utf-16"), "semicolon": (";", "utf-8-sig")}[form]
        file = tmp_path / "cases.csv"
        file.write_bytes("".join(mark.join(row) + "\r\n" for row in rows).encode(encoding))
    ran = penjing("review", "import", file)
    assert ran.code == 0, ran.err
    assert ran.lines == [{"imported": 1, "without_verdict": 0, "known_before": 0}]


def test_rows_that_cannot_be_read_import_nothing(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("打13812345678\n", encoding="utf-8")
    one = penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines[0]["id"]
    (tmp_path / "cases.csv").write_text(f"id,verdict\n{one},ham\nx,y,z\n", encoding="utf-8")
    ran = penjing("review", "import", "cases.csv")
    assert ran.code == 3
    assert "row 3: 3 cells, but the header has 2" in ran.err
    (tmp_path / "other.csv").write_text("text,label\na,b\n", encoding="utf-8")
    ran = penjing("review", "import", "other.csv")
    assert "the column `id` is missing; the columns are `text`, `label`" in ran.err


def test_an_export_that_cannot_be_written_says_so_and_keeps_the_old_file(penjing, tiny_release, tmp_path) -> None:
    (tmp_path / "in.txt").write_text("打13812345678\n", encoding="utf-8")
    assert penjing("decide", tiny_release.folder, tmp_path / "in.txt").code == 0
    (tmp_path / "folder").mkdir()
    for name, said in (("none/x.csv", "no such file or folder"), ("folder", "this is a folder")):
        ran = penjing("review", "export", tmp_path / name)
        assert ran.code == 2 and said in ran.err and "nothing was exported" in ran.err and name in ran.err
    ran = penjing("review", "export", "中文 'q\".csv")
    assert ran.code == 0 and (tmp_path / "中文 'q\".csv").is_file()
    assert not list(tmp_path.glob(".*partial"))


def test_a_reviewer_sees_the_rule_its_reason_and_the_fields(penjing, tiny_release, tmp_path: Path) -> None:
    moved = tmp_path / "release"
    shutil.copytree(tiny_release.folder, moved)
    (tmp_path / "in.csv").write_text("text,channel,amount\nsee you at lunch,vip,30000\n", encoding="utf-8")
    decided = penjing("decide", moved, tmp_path / "in.csv").lines[0]
    assert decided["route"] == "review" and decided["fired"]
    assert penjing("review", "export", "cases.csv").code == 0
    with Path("cases.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    rules = {rule.name: rule.why for rule in load_policy(tiny_release).rules.rules}
    assert row["rule"] == decided["fired"][0] and row["why"] == rules[row["rule"]] != ""
    assert row["fields"] == "amount: 30000; channel: vip"
    # The rule is in the record; its reason is only in the release.
    shutil.rmtree(moved)
    assert penjing("review", "export", "later.csv").code == 0
    with Path("later.csv").open(encoding="utf-8-sig", newline="") as file:
        (later,) = csv.DictReader(file)
    assert row["because"].startswith(later["because"])
    assert later == row | {"why": "", "because": "the rule `vip` sends the case to a person"}
    assert row["labels"] == "ham, spam"
