"""A path is text or a Path, `~` is the home folder, and what is no path says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.core.paths import local_path


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
