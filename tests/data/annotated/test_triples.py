"""Triples in columns become relations of one text."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DataError
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, checked
from penjing.data.annotated.lines import Given
from penjing.data.annotated.triples import read
from penjing.data.cells import Fault

ROWS = "东航\t上航\t合并\t👍 东航合并上航\n\n上航\t东航\t被合并\t👍 东航合并上航\n甲\t乙\t无\t甲说甲见乙\n"
NAMES = ("head", "tail", "relation", "text")


def reading(path: Path, content: str, columns: tuple[str, ...] | None = NAMES) -> tuple[list[object], list[str]]:
    path.write_text(content, encoding="utf-8")
    given = Given(path, columns=columns)
    return list(read(given)), given.notes


def test_rows_of_one_text_are_one_text(tmp_path: Path) -> None:
    found, notes = reading(tmp_path / "a.txt", ROWS)
    first, second = found
    assert isinstance(first, AnnotatedText) and isinstance(second, AnnotatedText)
    assert [first.text[span.start : span.end] for span in first.spans] == ["东航", "上航"]
    assert first.relations == (LabelledRelation(0, 1, "合并"), LabelledRelation(1, 0, "被合并"))
    assert (first.row, second.row, second.spans[0].start) == (1, 4, 0)
    assert checked(first) == first
    assert notes == [
        "1 rows in which an entity without a place is in the text several times, the first in row 4: its first free "
        "place is taken"
    ]


def test_a_header_names_the_columns_in_any_order(tmp_path: Path) -> None:
    found, _ = reading(tmp_path / "a.csv", "text,relation,head,tail\nab cd,owns,ab,cd\n", None)
    assert isinstance(found[0], AnnotatedText) and found[0].relations == (LabelledRelation(0, 1, "owns"),)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("东方\t上航\t合并\t东航合并上航", "`东方` is not in the text of its row"),
        ("\t上航\t合并\t东航合并上航", "`` is not in the text of its row"),
        ("东航\t上航\t\t东航合并上航", "a row without a relation"),
        ("东航\t上航\t东航合并上航", "3 cells"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Path, row: str, said: str) -> None:
    found, _ = reading(tmp_path / "a.tsv", f"{ROWS}{row}\n")
    faults = [each for each in found if isinstance(each, Fault)]
    assert [fault.row for fault in faults] == [5] and said in faults[0].what


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no column `tail`"):
        reading(tmp_path / "a.csv", "text,relation,head\nab,owns,ab\n", None)
