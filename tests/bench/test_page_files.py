"""The command of the pages: it reads the results it is given and writes each file, into a folder that it makes."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"
PAGES = {
    "claim_page": ("speed.md",),
    "pretrain_page": ("pretrain.md",),
    "speed_page": ("search.md",),
    "spine_page": ("spine.md", "spine.svg"),
}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("page_files")


def call(monkeypatch: pytest.MonkeyPatch, *given: object) -> None:
    monkeypatch.setattr(sys, "argv", ["page.py", *map(str, given)])


def test_every_file_is_written_from_the_results_that_are_named(
    files: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, usual, other = tmp_path / "a" / "b", tmp_path / "usual.jsonl", tmp_path / "other.jsonl"
    call(monkeypatch, "--out", out)
    files.write_pages("doc", usual, lambda path: {"一.md": f"{path.name} 表\n", "two.svg": "<svg/>"})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "一.md": "usual.jsonl 表\n".encode(),
        "two.svg": b"<svg/>",
    }
    call(monkeypatch, "--results", other, "--out", out)
    files.write_pages("doc", usual, lambda path: {"一.md": path.name})
    assert (out / "一.md").read_text(encoding="utf-8") == "other.jsonl" and (out / "two.svg").is_file()


def test_the_help_is_the_docstring_with_its_lines(
    files: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call(monkeypatch, "--help")
    with pytest.raises(SystemExit):
        files.write_pages("A page.\n\n  python it.py\n", tmp_path, lambda _: pytest.fail("made"))
    assert "A page.\n\n  python it.py\n" in capsys.readouterr().out


def test_pages_are_written_to_the_docs_where_nothing_else_is_said(
    files: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert BENCH.parent / "docs" / "bench" == files.DOCS and files.DOCS.is_dir()
    monkeypatch.setattr(files, "DOCS", tmp_path / "docs")
    call(monkeypatch)
    files.write_pages(None, tmp_path, lambda _: {"a.md": "a"})
    assert (tmp_path / "docs" / "a.md").read_text(encoding="utf-8") == "a"


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_pages_are_those_of_the_committed_results(
    files: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    call(monkeypatch, "--out", tmp_path / "out")
    import_module(name).main()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(PAGES[name])
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (files.DOCS / path.name).read_bytes(), f"run bench/{name}.py again"


@pytest.mark.parametrize("name", PAGES)
def test_other_results_than_the_committed_ones_are_read(
    files: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    call(monkeypatch, "--results", tmp_path / "none", "--out", tmp_path / "out")
    import_module(name).main()
    committed = (files.DOCS / PAGES[name][0]).read_bytes()
    measured = import_module(name).RESULTS.is_file()
    assert ((tmp_path / "out" / PAGES[name][0]).read_bytes() != committed) == measured
