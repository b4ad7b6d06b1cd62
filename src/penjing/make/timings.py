"""Measurements of an unfinished run: after a kill, the next call uses the same figures and takes the same decisions.

Times depend on the machine and its present load. They are removed when a run ends, and the next run measures again.
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
    """A folder of figures, one file each. `about`: what they depend on, apart from the measured object."""

    folder: Path
    about: str

    def once(self, what: list[str], measure: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """The measurement of `what`: the stored one of the killed run, or a new one."""
        found = self.find(what)
        return found if found is not None else self.keep(what, measure())

    def find(self, what: list[str]) -> dict[str, Any] | None:
        """The stored value of `what`; None if there is none, or if it cannot be read."""
        try:
            found = json.loads(self._path(what).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def keep(self, what: list[str], value: Mapping[str, Any]) -> dict[str, Any]:
        """Store a value of `what`, and return it as it will be read back."""
        raw = canonical_json(dict(value))
        write_whole(self._path(what), raw)
        made: dict[str, Any] = json.loads(raw)
        return made

    def _path(self, what: list[str]) -> Path:
        return self.folder / f"{digest([self.about, *what])[:32]}.json"

    def forget(self) -> None:
        """Remove all figures, at the end of the run."""
        shutil.rmtree(self.folder, ignore_errors=True)
