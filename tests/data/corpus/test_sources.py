"""Sources by arguments and by a YAML file: names, domains, files; what is not read is counted, loops end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from penjing.core.errors import RecipeError, UsageError
from penjing.data.corpus.sources import CorpusSource, find_files, read_sources, suffix_of


def test_names_and_domains(tmp_path: Path) -> None:
    for name in ("one/texts", "two/texts"):
        (tmp_path / name).mkdir(parents=True)
    given = [str(tmp_path / "one/texts"), str(tmp_path / "two/texts"), "新闻=a.txt.gz", "b/*.jsonl", "-"]
    found = read_sources(given, CorpusSource(path="-", licence="CC0", text=("body",)))
    assert [each.name for each in found] == ["texts", "texts-2", "新闻", "b", "stdin"]
    assert found[2].path == "a.txt.gz" and found[2].domain == "新闻"
    assert {each.licence for each in found} == {"CC0"} and found[0].columns == ("body",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no source is given"),
        (["a=x.txt", "a=y.txt"], "two sources are named `a`"),
        (["-", "-"], "given twice"),
    ],
)
def test_wrong_sources(given: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_sources(given)


def test_a_list_of_sources(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources:\n  - path: texts\n    name: 法规\n    licence: public\n    text: [title, body]\n"
        "  - path: b.txt\n    domain: 法规\n",
        encoding="utf-8",
    )
    first, second = read_sources([str(path)])
    assert first.path == str(tmp_path / "texts") and first.columns == ("title", "body") and first.licence == "public"
    assert (second.name, second.domain) == ("b", "法规")
    path.write_text("sources:\n  - path: texts\n    licence: x\n    licens: y\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"sources\.yaml:4") as caught:
        read_sources([str(path)])
    assert "licence" in str(caught.value)
    path.write_text("sources: [", encoding="utf-8")
    with pytest.raises(RecipeError, match="not valid YAML"):
        read_sources([str(path)])


def test_a_folder_is_read_in_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/b.txt.gz", "c.py", ".hidden.txt", "LICENSE", "notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "SOURCE.md").write_text("# where it is from", encoding="utf-8")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "again.txt").symlink_to(tmp_path / "b.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    found = find_files(CorpusSource(path=str(tmp_path)))
    assert [path.relative_to(tmp_path).as_posix() for path in found.files] == [
        "a/b.txt.gz",
        "a/z.md",
        "again.txt",
        "notes",
    ]
    assert found.skipped == {"link": 3, "other_kind": 1, "hidden": 1, "about": 2, "not_a_file": 1}
    assert found.origin == "# where it is from"


def test_patterns_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert len(find_files(CorpusSource(path=str(tmp_path / "*.txt"))).files) == 1
    with pytest.raises(UsageError, match="no file fits"):
        find_files(CorpusSource(path=str(tmp_path / "*.md")))
    with pytest.raises(UsageError, match=r"did you mean .*a\.txt"):
        find_files(CorpusSource(path=str(tmp_path / "aa.txt")))


def test_suffixes() -> None:
    assert [suffix_of(name) for name in ("a.CSV.gz", "x", "b.txt.zst", "c.tar.gz")] == [".csv", ".txt", ".txt", ".tar"]


def test_what_may_not_be_read_in_a_folder_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in" / "closed").mkdir(parents=True)
    for name in ("a.txt", "SOURCE.md", "closed/b.txt"):
        (tmp_path / "in" / name).write_text("x", encoding="utf-8")
    scan = os.scandir

    def refused(*given: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(given[0]))

    monkeypatch.setattr(os, "scandir", lambda path: refused(path) if str(path).endswith("closed") else scan(path))
    monkeypatch.setattr(Path, "read_text", refused)
    found = find_files(CorpusSource(path=str(tmp_path / "in")))
    assert [path.name for path in found.files] == ["a.txt"] and found.skipped == {"not_allowed": 2}
    assert found.said == ["SOURCE.md: this file may not be read", "closed: this folder may not be read"]
    with pytest.raises(PermissionError):
        find_files(CorpusSource(path=str(tmp_path / "in" / "closed")))
