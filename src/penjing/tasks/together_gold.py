"""Gold of the task `together`: JSON by the name of the task, "" where a row has none for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.errors import DataError, shown
from penjing.core.json_signs import with_odd_sign
from penjing.core.options import nearest
from penjing.core.task import MaskedText, Reader


@dataclass(frozen=True)
class JointGold:
    """Reads the gold of several tasks before anything is learned. Canonical gold: JSON by the name of the task.

    "" for a task without gold; "" as a whole where no task has any.
    """

    readers: Mapping[str, Reader]
    weights: Mapping[str, float]

    golds_are_names = False
    golds_are_lists = True

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The gold of a cell of JSON. Raises DataError with the name of the task."""
        if not cell.strip():
            return ""
        found = self._cells(cell)
        golds = {}
        for name, reader in self.readers.items():
            try:
                cell = _as_cell(found.get(name, ""))
                golds[name] = reader.read(cell, masked) if cell.strip() else ""
            except DataError as error:
                raise DataError(f"`{name}`: {error.what}", fix=error.fix) from None
        return write_golds(golds)

    def _cells(self, cell: str) -> dict[str, Any]:
        fix = f'write such as `{{"{next(iter(self.readers))}": …}}`, with an entry for each task'
        try:
            found = json.loads(cell)
        except (ValueError, RecursionError):
            what = f"no answers of several tasks: `{shown(cell, 60)}` is not JSON"
            raise DataError(with_odd_sign(what, cell), fix=fix) from None
        if not isinstance(found, dict):
            raise DataError(f"no answers of several tasks: `{shown(cell, 60)}` is no mapping", fix=fix)
        for name in found:
            if name not in self.readers:
                raise DataError(f"unknown task `{shown(name, 60)}`", fix=nearest(name, list(self.readers)))
        return found

    def golds(self, name: str, golds: Sequence[str]) -> list[str]:
        """The gold of one task in each row; "" for none."""
        return [json.loads(gold)[name] if gold else "" for gold in golds]

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The rarest stratum of each row over all tasks, such as `topic: refund`, so that a split spreads them."""
        columns = [
            [f"{name}: {stratum}" if stratum else "" for stratum in reader.strata(self.golds(name, golds))]
            for name, reader in self.readers.items()
        ]
        counts = Counter(stratum for column in columns for stratum in column if stratum)
        return [
            min((stratum for stratum in row if stratum), key=lambda stratum: (counts[stratum], stratum), default="")
            for row in zip(*columns, strict=True)
        ]


def write_golds(golds: Mapping[str, str]) -> str:
    """Answers by the name of the task as JSON; "" where all are empty."""
    return json.dumps(dict(golds), ensure_ascii=False) if any(golds.values()) else ""


def _as_cell(value: Any) -> str:
    """A value of JSON as a cell: lists and mappings as their JSON, numbers as they are written."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
