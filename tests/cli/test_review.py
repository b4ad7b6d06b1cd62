"""`penjing review`: out, filled in, back."""

from __future__ import annotations

import csv
from pathlib import Path

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
    assert "row 2: 'hamm' is not a label of this release; it has ham, spam" in ran.err
    assert penjing("review", "export", "again.csv").lines[0]["exported"] == 1


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
