"""The zone that `init` proposes: of the machine, else by the language."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.cli import time_zone
from penjing.cli.time_zone import proposed_zone


@pytest.mark.parametrize(
    ("environment", "written", "chinese", "expected"),
    [
        ("", "UTC\n", True, "Asia/Shanghai"),
        ("Etc/UTC", "Etc/UTC\n", False, "Europe/Berlin"),
        ("", "America/New_York\n", True, "America/New_York"),
        (":Asia/Tokyo", "America/New_York\n", False, "Asia/Tokyo"),
        ("CST6CDT,M3.2.0,M11.1.0", "no zone", True, "Asia/Shanghai"),
        ("", None, False, "Europe/Berlin"),
    ],
)
def test_the_zone_of_the_machine_else_that_of_the_language(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    written: str | None,
    chinese: bool,
    expected: str,
) -> None:
    monkeypatch.setenv("TZ", environment)
    monkeypatch.setattr(time_zone, "_LINK", tmp_path / "localtime")
    monkeypatch.setattr(time_zone, "_WRITTEN", tmp_path / "timezone")
    if written is not None:
        (tmp_path / "timezone").write_text(written, encoding="utf-8")
    assert proposed_zone(chinese=chinese) == expected


def test_the_link_of_the_clock_names_the_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    target.parent.mkdir(parents=True)
    target.touch()
    (tmp_path / "localtime").symlink_to(target)
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(time_zone, "_LINK", tmp_path / "localtime")
    monkeypatch.setattr(time_zone, "_WRITTEN", tmp_path / "timezone")
    assert proposed_zone(chinese=True) == "Asia/Tokyo"
