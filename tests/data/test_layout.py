"""Layouts: format, delimiter and quotes are found before a row is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.layout import cut, find_layout


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_quotes_in_a_tsv_are_text_unless_only_the_other_reading_fits(tmp_path: Path) -> None:
    raw = write(tmp_path, "a.tsv", 'label\ttext\n1\t"He said\n0\tno"\n')
    assert not find_layout(raw).quoted
    enclosing = write(tmp_path, "b.tsv", 'label\ttext\n1\t"two\nlines"\n0\tb\n')
    assert find_layout(enclosing).quoted


def test_quotes_in_a_csv_enclose_unless_only_the_other_reading_fits(tmp_path: Path) -> None:
    assert find_layout(write(tmp_path, "a.csv", 'text,label\n"a, b",1\n')).quoted
    assert not find_layout(write(tmp_path, "b.csv", 'text,label\n"never closed,1\nb,0\n')).quoted


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_cuts_the_header(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path, "a.csv", f"text{mark}label\na{mark}1\n")
    assert find_layout(path).delimiter == mark


def test_formats_follow_the_suffix_also_under_gz(tmp_path: Path) -> None:
    assert find_layout(write(tmp_path, "a.jsonl", "{}\n")).kind == "jsonl"
    assert find_layout(write(tmp_path, "a.txt", "a,b\n")).kind == "lines"
    assert find_layout(write(tmp_path, "b.txt", "a\tb\n"), columns=["x", "y"]).delimiter == "\t"
    packed = tmp_path / "a.tsv.gz"
    packed.write_bytes(gzip.compress(b"a\tb\n1\t2\n"))
    assert find_layout(packed).delimiter == "\t"


def test_cut_frees_cells_that_a_program_quoted() -> None:
    assert cut('"a ""b"""\t"c" d\t"\n', "\t") == ['a "b"', '"c" d', '"']


def test_what_is_not_text_is_named(tmp_path: Path) -> None:
    fake = tmp_path / "a.csv"
    fake.write_bytes(b"PK\x03\x04...")
    with pytest.raises(DataError, match="zip or Excel file"):
        find_layout(fake)
    torn = tmp_path / "a.csv.gz"
    torn.write_bytes(gzip.compress(b"text,label\n" * 1000)[:-12])
    with pytest.raises(DataError, match="damaged gzip"):
        find_layout(torn)
    with pytest.raises(UsageError, match="did you mean"):
        find_layout(tmp_path / "b.csv")
    with pytest.raises(UsageError, match="folder"):
        find_layout(tmp_path)
    with pytest.raises(UsageError, match="workshop"):
        find_layout(tmp_path / "a.xlsx")
