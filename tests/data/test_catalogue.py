"""The entries of a catalogue: how a file is read, and what is refused with its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.catalogue import LONGEST_ENTRY, MOST_ENTRIES, read_catalogue


def written(folder: Path, text: str) -> Path:
    path = folder / "faq.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_ids_and_masked_texts_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = read_catalogue(written(tmp_path, "id,text\nb,call 13912345678\na, how to pay \n"), identity="id")
    assert found.ids == ("b", "a") and found.texts == ("call ⟦mobile⟧", "how to pay")


def test_texts_are_their_own_ids_and_one_column_needs_no_name(tmp_path: Path) -> None:
    found = read_catalogue(written(tmp_path, "问题\n怎么付款\n怎么退款\n"))
    assert found.ids == found.texts == ("怎么付款", "怎么退款")
    path = tmp_path / "faq.jsonl"
    path.write_text('{"text": "a b"}\n{"text": "c d"}\n', encoding="utf-8")
    assert read_catalogue(path).ids == ("a b", "c d")


@pytest.mark.parametrize(
    ("text", "identity", "what", "place"),
    [
        ("id,text\na,one\na,two\n", "id", "`a` is in row 2", ":3"),
        ("id,text\na,one\nb,one\n", "id", "`one` is in row 2", ":3"),
        ("id,text\na,One\nb,ｏｎｅ\n", "id", "row 2 of the catalogue too, but for case, width or", ":3"),
        ("id,text\na,call 13912345678\nb,call 13812345678\n", "id", "row 2 of the catalogue too, but for", ":3"),
        ("id,text\na,one\nb,\n", "id", "without a text", ":3"),
        ("id,text\na,one\n,two\n", "id", "without a text", ":3"),
        ("id,text\na,one\n", "id", "at least two", ""),
        ("id,text\n", "id", "", ""),
        ("id,text\na,one\nb,tw\x00o\n", "id", "NUL", ""),
        (f"id,text\na,one\nb,{'x' * (LONGEST_ENTRY + 1)}\n", "id", "2,001 characters", ":3"),
        (f"id,text\na,one\n{'x' * 201},two\n", "id", "an id of 201", ":3"),
        (f"id,text\na,one\nb,{'x' * 201}\n", "", "an id of 201", ":3"),
        ("id,text\n" + "".join(f"a{i},one {i}\n" for i in range(MOST_ENTRIES + 1)), "id", "more than 50,000", ""),
        ("id,text\n" + "".join(f"a{i},{i:0{LONGEST_ENTRY}}\n" for i in range(10_001)), "id", "20,000,000 char", ""),
        ("id,text\na,one,more\nb,two\n", "id", "", ":2"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_entry_is_refused(tmp_path: Path, text: str, identity: str, what: str, place: str) -> None:
    with pytest.raises(DataError) as error:
        read_catalogue(written(tmp_path, text), identity=identity)
    assert what in error.value.what and place in (error.value.where or "") and error.value.fix


def test_a_file_or_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_catalogue(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="no column `texts`") as error:
        read_catalogue(written(tmp_path, "id,text\na,one\nb,two\n"), "texts")
    assert "did you mean `text`" in (error.value.fix or "")
