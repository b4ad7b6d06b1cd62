"""`penjing predict`: probabilities a row, nothing on record."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_a_line_a_row_and_no_record(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\nwin cash now 免费领奖\n明天开会 收到谢谢\n", encoding="utf-8")
    ran = penjing("predict", tiny_release.folder, tmp_path / "in.csv")
    assert ran.code == 0, ran.err
    assert [(line["row"], line["label"]) for line in ran.lines] == [(2, "spam"), (3, "ham")]
    for line in ran.lines:
        assert set(line) == {"row", "label", "p", "probabilities", "too_long"}
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert line["p"] == max(line["probabilities"].values())
    assert not (tmp_path / "penjing.db").exists()


def test_it_agrees_with_decide(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("win cash now\n明天开会\ncall me later\n", encoding="utf-8")
    predicted = penjing("predict", tiny_release.folder, tmp_path / "in.txt").lines
    decided = penjing("decide", tiny_release.folder, tmp_path / "in.txt").lines
    assert [line["probabilities"] for line in predicted] == [line["facts"]["probabilities"] for line in decided]


def test_a_bad_row_is_told(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "ok"}\n{"text": "\\ud800"}\n{"text": "ok"}\n', encoding="utf-8")
    ran = penjing("predict", tiny_release.folder, tmp_path / "in.jsonl")
    assert ran.code == 3
    assert ["error" in line for line in ran.lines] == [False, True, False]
    assert "1 row could not be predicted" in ran.err


def test_the_same_files_as_in_training_are_read(penjing, tiny_release, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    texts = ["win cash now 免费领奖", "明天开会 收到谢谢"]
    book = openpyxl.Workbook()
    for row in (["10月明细"], ["id", "text"], *([place, text] for place, text in enumerate(texts))):
        book.active.append(row)
    book.save(tmp_path / "in.xlsx")
    table = "id,text\n" + "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    encodings = {"gbk.csv": "gbk", "utf16.csv": "utf-16", "bom.csv": "utf-8-sig", "le.csv": "utf-16-le"}
    for name, encoding in encodings.items():
        (tmp_path / name).write_bytes(table.encode(encoding))
    answers = {}
    for name in ("in.xlsx", *encodings):
        ran = penjing("predict", tiny_release.folder, tmp_path / name)
        assert ran.code == 0, ran.err
        answers[name] = [line["probabilities"] for line in ran.lines]
    assert len({str(answer) for answer in answers.values()}) == 1
    assert "row 1 above the header (`10月明细`): skipped" in penjing("predict", tiny_release.folder, "in.xlsx").err
    western = tmp_path / "cp1252.csv"
    western.write_bytes("text\nMäkinen won a prize\n".encode("cp1252"))
    ran = penjing("predict", tiny_release.folder, western)
    assert (ran.code, len(ran.lines)) == (0, 1)
    assert "read as cp1252" in ran.err


def test_an_empty_text_is_an_error_of_its_row_as_in_decide(penjing, tiny_release, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('text,channel\nwin cash now,web\n"  ",web\ncall me,web\n', encoding="utf-8")
    errors = []
    for command in ("predict", "decide"):
        ran = penjing(command, tiny_release.folder, tmp_path / "in.csv")
        assert ran.code == 3
        assert [line["row"] for line in ran.lines] == [2, 3, 4]
        errors.append(ran.lines[1]["error"])
    assert errors[0] == errors[1]
    assert errors[0]["message"] == "the text is empty"


def test_rows_that_cannot_be_read_get_a_line_in_their_place(penjing, tiny_release, tmp_path: Path) -> None:
    lines = ['{"text": "ok"}', '{"text": "a", "text": "b"}', '{"text": "ok"}', "{"]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for command in ("predict", "decide"):
        ran = penjing(command, tiny_release.folder, tmp_path / "in.jsonl")
        assert ran.code == 3
        assert [(line["row"], "error" in line) for line in ran.lines] == [(1, False), (2, True), (3, False), (4, True)]
        assert ran.lines[1]["error"]["message"] == "the key `text` occurs twice in this row"


def test_sheets_are_asked_for_and_named(penjing, tiny_release, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for title, text in (("Jan", "win cash now"), ("Feb", "call me later")):
        sheet = book.create_sheet(title)
        sheet.append(["text"])
        sheet.append([text])
    book.save(tmp_path / "in.xlsx")
    ran = penjing("predict", tiny_release.folder, tmp_path / "in.xlsx")
    assert ran.code == 2
    assert "several sheets" in ran.err and "--sheet" in ran.err
    assert len(penjing("predict", tiny_release.folder, tmp_path / "in.xlsx", "--sheet", "Feb").lines) == 1


def test_a_path_of_windows_is_named(penjing, tiny_release) -> None:
    ran = penjing("predict", tiny_release.folder, "data\\train.csv")
    assert ran.code == 2
    assert "write `data/train.csv`" in ran.err
