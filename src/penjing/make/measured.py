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
    """A folder of figures, one file each; `about` is all that they hang on besides what was measured."""

    folder: Path
    about: str

    def once(self, what: list[str], measure: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What was measured of `what`, now or before this run was killed."""
        path = self.folder / f"{digest([self.about, *what])[:32]}.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            found = None
        if isinstance(found, dict):
            return found
        raw = canonical_json(dict(measure()))
        write_whole(path, raw)
        made: dict[str, Any] = json.loads(raw)
        return made

    def forget(self) -> None:
        """Remove all figures: the run has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)
