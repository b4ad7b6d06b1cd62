"""A cascade's folder that cannot be used is refused in words; how it answers is tested in tests/compress."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DamageError
from penjing.runtime.cascade import EXITS, Exits, read_exits


def test_the_threshold_is_read(tmp_path: Path) -> None:
    (tmp_path / EXITS).write_text(Exits(threshold=0.9, audit=0.01).model_dump_json())
    assert read_exits(tmp_path).threshold == 0.9


@pytest.mark.parametrize(
    "raw", ["", "{}", '{"threshold": -1, "audit": 0}', '{"threshold": 1, "audit": 0, "x": 1}', "[" * 9999]
)
def test_a_file_that_is_none_is_damage(raw: str, tmp_path: Path) -> None:
    (tmp_path / EXITS).write_text(raw)
    with pytest.raises(DamageError, match=r"cascade\.json cannot be used"):
        read_exits(tmp_path)


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    with pytest.raises(DamageError, match=r"cascade\.json cannot be used"):
        read_exits(tmp_path)
