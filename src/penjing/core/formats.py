"""Files whose format is not known here: they are no damage, a newer Penjing wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penjing.core.errors import PenjingError, UsageError

NEWER = "install the version of penjing that made it, or a newer one"


def refuse_newer(
    written: bytes | str | Mapping[str, Any],
    last: int,
    name: str,
    where: str | None = None,
    kind: type[PenjingError] = UsageError,
) -> None:
    """Raise an error of this kind if a JSON file has a format above `last`, the newest one that is known here.

    written: the content of the file, or what was read from it; name: of the file, for the message. Content that is no
    JSON object, or that has no whole number as `format`, is left to the reader of the file.
    """
    if not isinstance(written, Mapping):
        try:
            written = json.loads(written)
        except (ValueError, RecursionError):
            return
    found = written.get("format") if isinstance(written, Mapping) else None
    if type(found) is int and found > last:
        raise kind(
            f"{name} has the format {found}, and this installation reads formats up to {last}: "
            "a newer version of penjing wrote it",
            where=where,
            fix=NEWER,
        )
