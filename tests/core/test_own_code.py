"""Code that a recipe names: read without running it, known by its text, and what is wrong with it said plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.core.own_code import read_own_code


def test_it_is_known_by_its_text_and_its_name(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(
        "raise SystemExit\n\ndef one(a, b):\n    return a\n\n\ntwo = one\n", encoding="utf-8"
    )
    one, two = (read_own_code(f"losses.py:{name}", tmp_path) for name in ("one", "two"))
    assert one.source == two.source and one.id != two.id
    assert read_own_code(f"{tmp_path}/losses.py:one", Path("/")).id == one.id, "its place does not matter"
    (tmp_path / "losses.py").write_text("def one(a, b):\n    return b\n", encoding="utf-8")
    assert read_own_code("losses.py:one", tmp_path).id != one.id


@pytest.mark.parametrize(
    ("content", "written", "what", "fix"),
    [
        (None, "losses.py:one", "there is no file `losses.py`", "relative to the recipe"),
        ("def one(a, b):\n    return a\n", "losses.py:on", "this file defines no `on`", "did you mean `one`?"),
        ("x = 1\n", "losses.py:f", "this file defines no `f`", "x"),
        ("", "losses.py:f", "this file defines no `f`", "define `def f"),
        ("def f(:\n", "losses.py:f", "no Python code", "correct it"),
        (b"\xff\xfe\x00", "losses.py:f", "no Python code", "correct it"),
        (b"x = 1\0", "losses.py:f", "no Python code", "correct it"),
        ("#" * 1_000_001, "losses.py:f", "larger than 1 MB", "a file of Python code"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str | bytes | None, written: str, what: str, fix: str) -> None:
    if content is not None:
        (tmp_path / "losses.py").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UsageError, match=what) as caught:
        read_own_code(written, tmp_path)
    assert fix in (caught.value.fix or "")
    assert str(tmp_path / "losses.py") in (caught.value.where or "")
