"""Places in the verdict of a person: they count the recorded text, and not one that was changed in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penjing.core.errors import DataError
from penjing.core.task import Task
from penjing.data.offsets import OffsetMap
from penjing.data.pair_text import shown_pair

_LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True)
class AsRecorded:
    """A recorded text, which is masked already: the places of a verdict are its own."""

    text: str

    @property
    def offsets(self) -> OffsetMap:
        return OffsetMap(len(self.text), len(self.text))


def check_places(task: Task, read: str, text: str, given: str) -> None:
    """Raise DataError where a verdict has a place behind the first change that the file has in its text.

    read: the verdict as the release writes its outcomes; text: as it is recorded; given: the text of the file, without
    the apostrophe before a formula. Who counts in a changed text means other words than the release reads.
    """
    shown, written = shown_pair(text), _LINE_END.sub("\n", given)
    same = max(_alike(shown, form) for form in (written, "'" + written))
    if same >= len(text.rstrip()):
        return
    try:
        task.read(read, AsRecorded(text[:same]))
    except DataError:
        raise DataError(
            f"the text differs from the exported one from character {same} on, and the verdict has a place there "
            "(export the case again; or count in the exported text, and take the column of the text out)"
        ) from None


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (own, given) in pairs if own != given), min(len(one), len(other)))
