"""How a line is read: an option once, `~` as the home folder, near misses named, help in every form."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import penjing as package
from penjing.core.nouns import Release


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "x", "--json", "--json"], "Option '--json' is given twice"),
        (["make", "x", "--out", "a", "--out=b"], "Option '--out' is given twice"),
        (["make", "x", "--texts", "--no-texts"], "Option '--texts' is given twice"),
        (["maek"], "No such command 'maek'; did you mean `make`?"),
        (["frobnicate"], "known are: `demo`, `init`"),
        (["review", "exprt"], "did you mean `export`?"),
        (["show", "x", "--jsn"], "Possible options: --json"),
        (["help", "maek"], "did you mean `make`?"),
        (["decide", "x", "y", "--threads", "-1"], "it must be greater than or equal to 0"),
    ],
)
def test_a_mistake_is_named(penjing: Callable[..., Any], arguments: list[str], said: str) -> None:
    ran = penjing(*arguments)
    assert ran.code == 2 and said in ran.err and "Usage: penjing" in ran.err and ran.out == ""


def test_an_option_that_may_be_repeated_may_be(penjing: Callable[..., Any]) -> None:
    ran = penjing("keys", "create", "--name", "a", "--scope", "read", "--scope", "decide")
    assert ran.code == 0 and ran.lines[0]["scopes"] == ["decide", "read"]


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version(penjing: Callable[..., Any], option: str) -> None:
    ran = penjing(option)
    assert (ran.code, ran.out) == (0, f"penjing {package.__version__}, Python {platform.python_version()}\n")


def test_help_in_every_form(penjing: Callable[..., Any]) -> None:
    whole = penjing("--help")
    assert whole.code == 0 and "decide" in whole.out
    assert penjing("help") == whole and penjing() == whole
    assert penjing("help", "make") == penjing("make", "--help")
    assert penjing("help", "keys", "create") == penjing("keys", "create", "--help")
    assert penjing("keys").code == 2


def test_the_home_folder(
    penjing: Callable[..., Any], tiny_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(tiny_release.folder, tmp_path / "my" / "release")
    assert penjing("show", "~/my/release").code == 0
    ran = penjing("show", "~/my")
    assert ran.code == 2 and "did you mean" in ran.err and "my/release" in ran.err
