"""The time zone that `penjing init` proposes: that of the machine, or that of most texts in the language."""

from __future__ import annotations

import os
from pathlib import Path

from penjing.core.zone import find_zone

_UTC = {"UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "GMT", "UCT", "Universal", "Zulu", "Etc/Universal", "Etc/Zulu"}
_LINK, _WRITTEN = Path("/etc/localtime"), Path("/etc/timezone")


def proposed_zone(*, chinese: bool) -> str:
    """A name of the IANA zone database. Where the machine is in UTC, as containers are, the language decides.

    chinese: whether the texts are Chinese.
    """
    for name in (os.environ.get("TZ", "").removeprefix(":"), _linked(), _written()):
        if name and name not in _UTC and _is_known(name):
            return name
    return "Asia/Shanghai" if chinese else "Europe/Berlin"


def _linked() -> str:
    target = _LINK.resolve().as_posix() if _LINK.exists() else ""
    return target.partition("/zoneinfo/")[2]


def _written() -> str:
    try:
        return _WRITTEN.read_text(encoding="utf-8").strip()[:80]
    except (OSError, UnicodeDecodeError):
        return ""


def _is_known(name: str) -> bool:
    try:
        find_zone(name)
    except (KeyError, ValueError):
        return False
    return True
