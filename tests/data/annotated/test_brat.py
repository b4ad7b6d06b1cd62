"""Brat standoff in folders and archives; faults name file and line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.annotated.brat import read
from penjing.data.annotated.document import AnnotatedText, LabelledRelation, LabelledSpan
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault

TEXT = "👍 北京的\r\ncafé is open"
ANN = "T2\tTHING 7 11\tcafé\nT1\tPLACE 2 4\t北京\nR1\tIn Arg1:T2 Arg2:T1\t\nA1\tSure T1\n#1\tAnnotatorNotes T1\tgood\n"


def reading(path: Path) -> tuple[list[AnnotatedText | Fault], list[str]]:
    given = Given(path, "utf-8")
    return list(read(given)), given.notes


def pair(folder: Path, name: str, text: str, ann: str | None) -> None:
    (folder / f"{name}.txt").write_bytes(text.encode())
    if ann is not None:
        (folder / f"{name}.ann").write_bytes(ann.encode())


@pytest.mark.parametrize("packed", [False, True])
def test_a_pair_is_one_text(tmp_path: Path, packed: bool) -> None:
    pair(tmp_path, "b", TEXT, ANN)
    pair(tmp_path, "a", "nothing here", "")
    path = tmp_path
    if packed:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for each in sorted(tmp_path.glob("?.*")):
                if each.suffix != ".zip":
                    archive.write(each, f"inner/{each.name}")
    found, notes = reading(path)
    assert isinstance(found[0], AnnotatedText) and (found[0].row, found[0].spans) == (1, ())
    assert isinstance(found[1], AnnotatedText)
    assert found[1].text == TEXT and found[1].id == ("inner/b" if packed else "b")
    assert found[1].spans == (LabelledSpan(8 - 1, 11, "THING"), LabelledSpan(2, 4, "PLACE"))
    assert found[1].relations == (LabelledRelation(0, 1, "In"),)
    assert notes == ["lines of other kinds in the annotations, not read: `#` 1, `A` 1"]


def test_a_line_end_inside_a_span_is_a_blank_in_the_annotation(tmp_path: Path) -> None:
    pair(tmp_path, "a", TEXT, "T1\tLONG 2 11\t北京的  café\n")
    found, _ = reading(tmp_path)
    assert isinstance(found[0], AnnotatedText) and found[0].spans[0].surface == "北京的\r\ncafé"


@pytest.mark.parametrize(
    ("ann", "said"),
    [
        ("\nT1\tPLACE 2 3;4 5\t北 的\n", "`a.ann`, line 2: the span `T1` has several pieces (2 3;4 5)"),
        ("T1\tPLACE 2 4\t上海\n", "`a.ann`, line 1: the span 2..4 (`PLACE`) is `北京` in the text, but `上海`"),
        ("T1\tPLACE 3 5\t北京\n", "the places fit if UTF-16 units are counted"),
        ("T1\tPLACE 2 99\t北京\n", "is not within the text"),
        ("R1\tIn Arg1:T1 Arg2:T2\n", "`a.ann`, line 1: the relation names `T1`, which is not there"),
        ("T1\tPLACE 2 4\t北京\nT1\tTHING 7 11\tcafé\n", "`a.ann`, line 2: two spans have the id `T1`"),
        ("T1 PLACE 2 4 北京\n", "line 1: `T1 PLACE 2 4 北京` is no annotation"),
        (None, "`a.txt` has no `a.ann`"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, ann: str | None, said: str) -> None:
    pair(tmp_path, "a", TEXT, ann)
    pair(tmp_path, "b", TEXT, ANN)
    found, _ = reading(tmp_path)
    assert isinstance(found[0], Fault) and found[0].row == 1 and said in found[0].what
    assert isinstance(found[1], AnnotatedText)


def test_what_is_not_of_brat_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no `\.txt` file is in it"):
        reading(tmp_path)
    (tmp_path / "a.ann").write_text("")
    with pytest.raises(UsageError, match="brat writes pairs of files"):
        reading(tmp_path / "a.ann")
    with pytest.raises(UsageError):
        reading(tmp_path / "absent")
    pair(tmp_path, "b", "ab", "")
    assert reading(tmp_path)[1] == ["`a.ann` has no text beside it: not read"]


@pytest.mark.parametrize("packed", [False, True])
def test_hidden_files_are_no_texts(tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "a"
    (folder / "__MACOSX").mkdir(parents=True)
    pair(folder, "a", "ab", "")
    pair(folder, "._a", "\0\5\x16\7", "\0\5\x16\7")
    pair(folder / "__MACOSX", "a", "\0\5\x16\7", "\0\5\x16\7")
    path = folder
    if packed:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for each in sorted(folder.rglob("*.*")):
                archive.write(each, each.relative_to(folder))
    assert reading(path) == ([AnnotatedText(1, "ab", id="a")], [])


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "some words " * 90)
    whole = bytearray(path.read_bytes())
    for place in range(30 + len("a.txt"), len(whole) - 80):  # the packed bytes of the file
        path.write_bytes(bytes(whole[:place]) + bytes([whole[place] ^ 0xFF]) + bytes(whole[place + 1 :]))
        with pytest.raises(DataError, match="a damaged zip archive"):
            reading(path)
