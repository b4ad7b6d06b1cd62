"""One command at a time in a folder of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import UsageError
from penjing.make.lock import locked


def test_a_second_command_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused = pytest.raises(UsageError, match="another `penjing grow` is working")
    with locked(out, "penjing grow"), refused, locked(out, "penjing grow"):
        pass
    with locked(tmp_path / "out", "penjing grow"):
        pass


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="this is a file"), locked(tmp_path / "out", "penjing grow"):
        pass
