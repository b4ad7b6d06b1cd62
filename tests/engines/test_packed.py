"""Packed files come back whole, have the same bytes every time, and a damaged one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DamageError
from penjing.engines.packed import copy_unpacked, pack, unpacked


def test_content_comes_back_and_the_packing_is_the_same(tmp_path: Path) -> None:
    content = bytes(10_000) + b"weights"
    packings = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model").write_bytes(content)
        assert unpacked(folder, "model") is None
        pack(folder, "model")
        assert [path.name for path in folder.iterdir()] == ["model.gz"]
        assert unpacked(folder, "model") == content
        packings.append((folder / "model.gz").read_bytes())
    assert packings[0] == packings[1] and len(packings[0]) < 100
    copy_unpacked(tmp_path / "a", "model", tmp_path)
    assert (tmp_path / "model").read_bytes() == content
    copy_unpacked(tmp_path, "model", tmp_path / "a")
    assert (tmp_path / "a" / "model").read_bytes() == content


@pytest.mark.parametrize("damage", [b"no gzip", b"short"])
def test_a_damaged_file_is_told(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "model").write_bytes(bytes(100))
    pack(tmp_path, "model")
    path = tmp_path / "model.gz"
    path.write_bytes(path.read_bytes()[:12] if damage == b"short" else damage)
    with pytest.raises(DamageError, match=r"model\.gz cannot be unpacked"):
        unpacked(tmp_path, "model")
