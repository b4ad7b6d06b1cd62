"""Lines of annotated files: their three ends, encodings, and values of JSON with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.data.annotated.lines import Given, split_lines


def test_lines_end_as_on_the_three_systems_and_nowhere_else() -> None:
    assert split_lines("a\r\nb\nc\rd\u2028e\x0bf") == ["a", "b", "c", "d\u2028e\x0bf"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_is_found_and_the_mark_before_the_text_is_not_in_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("张三在北京的一家公司工作\n第二行".encode(encoding))
    assert Given(file).lines() == ["张三在北京的一家公司工作", "第二行"]


def test_values_of_json_have_the_line_on_which_they_begin(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    assert list(Given(tmp_path / "a.jsonl").values()) == [(1, {"a": 1}), (3, {"a": 2})]


def test_an_empty_file_has_no_text_and_an_absent_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert Given(tmp_path / "empty").content() == ""
    with pytest.raises(UsageError, match="absent"):
        Given(tmp_path / "absent").content()
