"""A corrected copy: the bytes of what is not changed, every layout and encoding, and CSV where nothing else can be."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penjing.core.errors import DataError, UsageError
from penjing.core.recipe import Data
from penjing.data.read import read_rows
from penjing.data.rewrite import rewrite
from penjing.data.workbook import open_workbook


def data(**more: Any) -> Data:
    return Data.model_validate({"files": "rows.csv", **more})


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def out(folder: Path) -> Path:
    made = folder / "fixed"
    made.mkdir()
    return made


QUOTED = '\ufeffid,text,label\r\n1,"a ""b"", c",x\r\n2,"two\r\nlines","x"\r\n3,= 1 +  2,x\r\n4, spaced ,x \r\n5,last,x'


def test_of_a_csv_only_the_changed_cells_differ(tmp_path: Path) -> None:
    source = write(tmp_path, "rows.csv", QUOTED)
    done = rewrite(source, data(), {2: "y", 3: 'q"; z', 6: None, 7: "a,b"}, out(tmp_path))
    assert done.kept_form and done.path == tmp_path / "fixed" / "rows.csv"
    wanted = QUOTED.replace('c",x', 'c",y').replace(',"x"\r', ',"q""; z"\r').replace("4, spaced ,x \r\n", "")
    assert done.path.read_bytes().decode() == wanted.removesuffix("x") + '"a,b"'
    assert source.read_bytes().decode() == QUOTED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_and_the_line_ends_stay(tmp_path: Path, encoding: str) -> None:
    lines = ["text\tlabel", *(f"这家店的服务很好，下次还会再来{i}\t好评" for i in range(40))]
    source = write(tmp_path, "rows.tsv", "\r\n".join(lines).encode(encoding))
    done = rewrite(source, data(), {5: "差评", 9: None}, out(tmp_path))
    lines[4] = lines[4].replace("好评", "差评")
    del lines[8]
    assert done.kept_form and done.path.read_bytes() == "\r\n".join(lines).encode(encoding)


def test_escaped_quotes_and_semicolons(tmp_path: Path) -> None:
    content = 'label;text\nx;"say \\"no\\"; then"\nx;"plain"\n' + "".join(f'x;"row {i}"\n' for i in range(20))
    done = rewrite(write(tmp_path, "rows.csv", content), data(), {2: "y"}, out(tmp_path))
    assert done.kept_form and done.path.read_text(encoding="utf-8") == content.replace("x;", "y;", 1)


def test_a_title_above_the_header_and_a_delimiter_line_stay(tmp_path: Path) -> None:
    content = "sep=;\ntext;label\na;x\nb;x\n"
    done = rewrite(write(tmp_path, "rows.csv", content), data(), {3: "y"}, out(tmp_path))
    assert done.path.read_text(encoding="utf-8") == "sep=;\ntext;label\na;y\nb;x\n"


def test_json_lines_keep_their_lines(tmp_path: Path) -> None:
    rows = ['{"text":"a",  "label": "x", "n": 1.50}', '{"label": ["x"], "text": "b"}', '{"text":"c","label":"x"}']
    source = write(tmp_path, "rows.jsonl", "\n".join(rows) + "\n")
    done = rewrite(source, data(), {2: '["y", "z"]', 3: "y"}, out(tmp_path))
    lines = done.path.read_text(encoding="utf-8").splitlines()
    assert done.kept_form and lines[0] == rows[0]
    assert json.loads(lines[1]) == {"label": ["y", "z"], "text": "b"} and json.loads(lines[2])["label"] == "y"


def test_numbers_stay_numbers_and_fields_are_found(tmp_path: Path) -> None:
    rows = '{"text": "a", "fields": {"label": 1}}\n{"text": "b", "fields": {"label": 2}}\n'
    done = rewrite(write(tmp_path, "rows.jsonl", rows), data(), {1: "2"}, out(tmp_path))
    assert json.loads(done.path.read_text(encoding="utf-8").splitlines()[0]) == {"text": "a", "fields": {"label": 2}}


def test_what_has_another_form_becomes_csv(tmp_path: Path) -> None:
    book = tmp_path / "rows.xlsx"
    with open_workbook(book) as sheet:
        for row in (["text", "label"], ["=1+1", "x"], ["b", "x"], ["c", "x"]):
            sheet.write(row)
    done = rewrite(book, data(), {2: "y", 4: None}, out(tmp_path))
    assert not done.kept_form and done.path.name == "rows.csv"
    assert [cells for _, cells in read_rows(done.path)] == [
        {"text": "=1+1", "label": "y"},
        {"text": "b", "label": "x"},
    ]
    listed = write(tmp_path, "list.json", '[{"text": "a", "label": "x"},\n {"text": "b", "label": "x"}]')
    done = rewrite(listed, data(), {2: "y"}, tmp_path / "fixed")
    assert [cells["label"] for _, cells in read_rows(done.path)] == ["x", "y"] and not done.kept_form


def test_a_packed_file_is_written_unpacked(tmp_path: Path) -> None:
    source = write(tmp_path, "rows.csv.gz", gzip.compress(b"text,label\na,x\nb,x\n"))
    done = rewrite(source, data(), {3: "y"}, out(tmp_path))
    assert done.path.name == "rows.csv" and done.path.read_bytes() == b"text,label\na,x\nb,y\n"


def test_nothing_is_overwritten_and_nothing_is_lost(tmp_path: Path) -> None:
    source = write(tmp_path, "rows.csv", "text,label\na,x\nb,x\n")
    with pytest.raises(UsageError, match="there is such a file already"):
        rewrite(source, data(), {2: "y"}, tmp_path)
    assert source.read_text(encoding="utf-8") == "text,label\na,x\nb,x\n"
    broken = write(tmp_path, "broken.csv", "text,label\na,x\nb,x,z,w\nc,x\nd,x\n")
    with pytest.raises(DataError, match="row 3 cannot be read, so a copy would lose it"):
        rewrite(broken, data(), {2: "y"}, out(tmp_path))
    with pytest.raises(UsageError, match="corrected where they were annotated"):
        rewrite(source, data(format="conll"), {2: "y"}, tmp_path / "fixed")
    assert not list((tmp_path / "fixed").iterdir())


CELL = st.text(st.sampled_from("ab,;\"' \n甲。"), max_size=8)


@given(rows=st.lists(CELL, min_size=3, max_size=6), changed=st.integers(2, 4), label=st.sampled_from(["y", "a,b", '"']))
def test_any_cells(tmp_path_factory: pytest.TempPathFactory, rows: list[str], changed: int, label: str) -> None:
    """Whatever the texts are, the copy reads as its source but for one label."""
    folder, file = tmp_path_factory.mktemp("any"), io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([["text", "label"], *([f"t{place}{text}", "x"] for place, text in enumerate(rows))])
    source = write(folder, "rows.csv", file.getvalue())
    before = [(row, dict(cells)) for row, cells in read_rows(source)]
    row = before[changed - 2][0]
    done = rewrite(source, data(), {row: label}, out(folder))
    after = [cells for _, cells in read_rows(done.path)]
    assert [cells["text"] for cells in after] == [cells["text"] for _, cells in before]
    assert [cells["label"] for cells in after] == [label if number == row else "x" for number, _ in before]
