"""What an unfinished run has measured: killed, it goes on with the same figures, and so on the same way.

Times are of one machine in one state of it. They are forgotten when a run has ended, and the next one measures anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penjing.core.canon import canonical_json, digest
from penjing.core.folder import write_whole


@dataclass(frozen=True)
class Measured:
    """A folder of figures, one file each; `about` is all that they depend on besides what was measured."""

    folder: Path
    about: str

    def once(self, what: list[str], measure: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What was measured of `what`, now or before this run was killed."""
        found = self.find(what)
        return found if found is not None else self.keep(what, measure())

    def find(self, what: list[str]) -> dict[str, Any] | None:
        """What is kept of `what`; None where nothing is, or nothing that can be read."""
        try:
            found = json.loads(self._path(what).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def keep(self, what: list[str], value: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a value of `what`, and return it as it is read again."""
        raw = canonical_json(dict(value))
        write_whole(self._path(what), raw)
        made: dict[str, Any] = json.loads(raw)
        return made

    def _path(self, what: list[str]) -> Path:
        return self.folder / f"{digest([self.about, *what])[:32]}.json"

    def forget(self) -> None:
        """Remove all figures: the run has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
