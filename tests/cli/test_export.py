"""`penjing export decisions`: by the name of the file, whole or not at all, and words for what it cannot do."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest


@pytest.fixture
def decided(penjing, tiny_release, tmp_path: Path) -> list[dict]:
    (tmp_path / "in.csv").write_text("no,text,teller\nC-1,win cash now,=1\nC-2,明天开会,\n", encoding="utf-8")
    return penjing("decide", tiny_release.folder, "in.csv", "--ref", "no", "--keep", "teller").lines


def test_decisions_are_exported_with_the_callers_columns(penjing, decided, tmp_path: Path) -> None:
    ran = penjing("export", "decisions", "out.csv")
    assert ran.code == 0, ran.err
    assert ran.lines == [{"exported": 2, "file": "out.csv", "format": "csv"}]
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8-sig", newline="")))
    assert [(row["id"], row["ref"], row["teller"]) for row in rows] == [
        (decided[0]["id"], "C-1", "'=1"),
        (decided[1]["id"], "C-2", ""),
    ]
    assert penjing("export", "decisions", "x", "--format", "jsonl", "--since", "2026/1/5").lines[0]["exported"] == 2
    assert json.loads((tmp_path / "x").read_text(encoding="utf-8").splitlines()[0])["keep"] == {"teller": "=1"}
    assert penjing("export", "decisions", "x.jsonl", "--until", "2026-01-05").lines[0]["exported"] == 0
    assert not list(tmp_path.glob(".*export*"))


def test_the_heading_is_in_chinese_and_is_read_back(penjing, decided, tmp_path: Path) -> None:
    assert penjing("--lang", "zh", "export", "decisions", "out.csv").code == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8-sig", newline="")))
    assert (rows[0]["编号"], rows[0]["抽中概率"], rows[0]["teller"]) == (decided[0]["id"], rows[0]["抽中概率"], "'=1")
    assert penjing("review", "import", "out.csv").lines[0]["without_verdict"] == 2
    lines = penjing("--lang", "zh", "export", "decisions", "-", "--format", "jsonl").lines
    assert [line["id"] for line in lines] == [each["id"] for each in decided]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("out.doc",), "there is no export as `doc`"),
        (("out.csv", "--since", "yesterday"), "--since `yesterday` is no date"),
        (("none/out.csv",), "nothing was exported"),
    ],
)
@pytest.mark.usefixtures("decided")
def test_what_cannot_be_exported_is_said(penjing, arguments, said: str) -> None:
    ran = penjing("export", "decisions", *arguments)
    assert ran.code == 2 and said in ran.err
