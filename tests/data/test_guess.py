"""What `penjing init` sees in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.guess import guess, has_header


def write(folder: Path, name: str, lines: list[str], encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


ROWS = [(f"{word} and what came of it, number {i}", ["up", "down"][i % 2]) for i, word in enumerate("abcdefgh" * 5)]


def test_headers() -> None:
    assert has_header([["label", "text"], ["1", "a"]])
    assert has_header([["投诉", "归口"], ["水管坏了", "水务"], ["路灯不亮", "电力"]])
    assert not has_header([["ham", "Ok lar"], ["spam", "Win"], ["ham", "Yes"]])
    assert not has_header([["1", "some text"], ["0", "other"]])


def test_columns_by_what_is_in_them(tmp_path: Path) -> None:
    lines = ["nr;what;where", *(f"{i};{text};{label}" for i, (text, label) in enumerate(ROWS))]
    found = guess(write(tmp_path, "a.csv", lines))
    assert (found.text, found.label, found.columns) == ("what", "where", None)


def test_without_a_header_the_columns_get_names(tmp_path: Path) -> None:
    found = guess(write(tmp_path, "a.tsv", [f"{label}\t{text}" for text, label in ROWS]))
    assert (found.text, found.label, found.columns) == ("text", "label", ("label", "text"))
    assert "no header" in found.notes[0]
    plain = guess(write(tmp_path, "a.txt", [f"{text}\t{label}" for text, label in ROWS]))
    assert plain.columns == ("text", "label")


def test_western_files_are_read_as_cp1252_with_a_note(tmp_path: Path) -> None:
    lines = ["text,label", *(f'"Mäkinen {text}",{label}' for text, label in ROWS)]
    found = guess(write(tmp_path, "a.csv", lines, "cp1252"))
    assert found.encoding == "cp1252"
    assert "line 2 is neither UTF-8 nor GB18030" in found.notes[0]


def test_names_that_are_given_are_taken_or_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", ["text,other,label", *(f'"{text}",{text[:1]},{label}' for text, label in ROWS)])
    assert guess(path, label="other").label == "other"
    with pytest.raises(UsageError, match="did you mean `label`"):
        guess(path, label="lable")


def test_what_cannot_be_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one column only"):
        guess(write(tmp_path, "a.txt", ["just", "lines"]))
    with pytest.raises(DataError, match="no column looks like labels"):
        guess(write(tmp_path, "a.csv", ["one,two", *(f"{i} a,{i} b" for i in range(50))]))
    with pytest.raises(DataError, match="no rows"):
        guess(write(tmp_path, "b.csv", ["text,label"]))


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [
        ("en-spam-sms/sms.tsv", "text", "label"),
        ("zh-medical-dialogue/sample_internal_medicine_5000-6000.csv.gz", "ask", "department"),
        ("en-intent-banking77/train.csv", "text", "category"),
        ("en-finance-phrasebank/all-data.csv", "news", "label"),
        ("zh-finance-news-sentiment/news_seed.xlsx", "标题", "正/负面"),
        ("zh-sentiment-reviews/waimai_10k.csv", "review", "label"),
        ("zh-sentiment-chnsenticorp/train.tsv.gz", "text_a", "label"),
        ("zh-news-thucnews-titles/dev.txt", "text", "label"),
    ],
)
def test_real_data(name: str, text: str, label: str) -> None:
    folder = os.environ.get("PENJING_DATA")
    if not folder:
        pytest.skip("PENJING_DATA is not set: the folder of the public data sets")
    found = guess(Path(folder) / name)
    assert (found.text, found.label) == (text, label)
