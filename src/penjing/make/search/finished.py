"""The result of a search, stored in the run's folder: a second run with the same content makes only the sealed form.

A search also depends on measured times, so a second search could end differently. Everything else that it depends on
is in the key: tuned model, recipe, rows, machine, and the source of the search and of all compressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from penjing.compress import METHODS
from penjing.core.canon import digest
from penjing.core.errors import RecipeError
from penjing.core.methods import Step, source_hash
from penjing.make.cache import library_versions
from penjing.make.plan import single_step
from penjing.make.timings import Measured
from penjing.report.contract import Note, VariantRow


@dataclass(frozen=True)
class Finished:
    """The sealed form with its steps after the tuned model (no steps: the linear model), and the forms tried.

    rows: report rows of every measured form. skipped: forms that were not made, with the reasons.
    """

    title: str
    steps: tuple[Step, ...]
    rows: tuple[VariantRow, ...]
    skipped: tuple[Note, ...]


def read_finished(kept: Measured, tuned: str) -> Finished | None:
    """The result of an earlier run with the same content; None if there is none."""
    found = kept.find(_key(tuned))
    if found is None:
        return None
    try:
        return Finished(
            title=str(found["title"]),
            steps=tuple(single_step(str(name), dict(options)) for name, options in found["steps"]),
            rows=tuple(VariantRow.model_validate(row) for row in found["rows"]),
            skipped=tuple(Note.model_validate(note) for note in found["skipped"]),
        )
    except (KeyError, TypeError, ValueError, ValidationError, RecipeError):
        # Another version wrote the file, so the search runs again.
        return None


def keep_finished(kept: Measured, tuned: str, title: str, steps: Sequence[Step], rows: Sequence[VariantRow],
                  skipped: Sequence[Note]) -> None:  # fmt: skip
    """Store the result of a search."""
    kept.keep(
        _key(tuned),
        {
            "title": title,
            "steps": [[one.name, one.options.model_dump(mode="json")] for one in steps],
            "rows": [row.model_dump(mode="json") for row in rows],
            "skipped": [note.model_dump(mode="json") for note in skipped],
        },
    )


def _key(tuned: str) -> list[str]:
    sources = [source_hash(path) for path in ("penjing.make.search.search", *METHODS.values())]
    return ["search", tuned, digest([sources, library_versions()])]
