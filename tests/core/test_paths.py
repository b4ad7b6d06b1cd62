"""A path is text or a Path, `~` is the home folder, and what is no path says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.core.paths import local_path, no_such_file, path_beside


def test_text_and_paths_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local_path("a b/中文'\".csv") == local_path(Path("a b/中文'\".csv")) == Path("a b/中文'\".csv")
    assert local_path("~/x") == local_path(Path("~/x")) == tmp_path / "x"
    assert local_path("a/~/x") == Path("a/~/x")
    assert local_path("~nobody-has-this-name/x") == Path("~nobody-has-this-name/x")
    assert local_path("../x") == Path("../x"), "as given: messages show it"


@pytest.mark.parametrize(
    ("given", "said"), [("", "is empty"), ("a\0b", "NUL"), (b"x", "not bytes"), (3, "not int"), (None, "not NoneType")]
)
def test_what_is_no_path_says_so(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        local_path(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "what", "fix"),
    [
        ("data\\train.csv", "a backslash does not separate folders", "write `data/train.csv`"),
        ("C:\\Users\\wang\\train.csv", "a backslash does not separate folders", "with `/` between the folders"),
        ("missing/other.csv", "no such file", "check the path"),
    ],
)
def test_a_path_of_another_system_is_named(path: str, what: str, fix: str) -> None:
    error = no_such_file(Path(path))
    assert what in error.what
    assert error.fix is not None and fix in error.fix
    assert "did you mean" not in error.fix


def test_the_nearest_name_is_shown(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text\n", encoding="utf-8")
    assert no_such_file(tmp_path / "trian.csv").fix == f"did you mean `{tmp_path / 'train.csv'}`?"
    assert no_such_file(tmp_path / "TRAIN.CSV").fix == f"did you mean `{tmp_path / 'train.csv'}`?"


def test_a_folder_is_not_said_to_be_missing(tmp_path: Path) -> None:
    error = no_such_file(tmp_path)
    assert "a folder, not a file" in error.what and "did you mean" not in str(error.fix)


def test_a_path_in_a_file_is_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert path_beside(tmp_path / "grow.yaml", "data/../data/texts") == tmp_path.resolve() / "data" / "texts"
    assert path_beside(tmp_path / "grow.yaml", "data\\texts") == tmp_path.resolve() / "data" / "texts", "from Windows"
    (tmp_path / "a\\b").touch()
    assert path_beside(tmp_path / "grow.yaml", "a\\b") == tmp_path.resolve() / "a\\b"
