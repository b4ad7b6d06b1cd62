"""Paths that are not there: what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.paths import no_such_file


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
