"""All versions of the masking: texts for a release are always masked by the version that it was made with.

Each personal number becomes one stable token before any other step, in training and in serving alike.
New data is masked by the newest version; a release by the one that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penjing.core.errors import UsageError
from penjing.data import mask_v1, mask_v2
from penjing.data.clean import clean_with_edits
from penjing.data.masked import KINDS, PLACEHOLDERS, Masked

__all__ = ["FIRST", "KINDS", "PLACEHOLDERS", "VERSION", "VERSIONS", "Masked", "Masking", "mask", "open_masking"]


@dataclass(frozen=True)
class Masking:
    """One version: a text with every personal number replaced by the placeholder of its kind.

    Idempotent in text and counts, and linear in the length of the text. It is opened once and passed to
    all code that masks.
    """

    version: str
    kinds: tuple[str, ...]
    run: Callable[[str], Masked]

    def __call__(self, text: str) -> Masked:
        """The masked text with its counts; its offsets lead to the text as given here."""
        return self.run(text)

    def prepare(self, raw: str) -> Masked:
        """A raw text cleaned, then masked; its offsets lead to the raw text.

        Raises RequestError for NUL or a lone surrogate.
        """
        text, passes = clean_with_edits(raw)
        masked = self.run(text)
        return Masked(masked.text, masked.counts, (*passes, *masked.passes)) if passes else masked


_TABLE = {"1": Masking("1", KINDS, mask_v1.mask), "2": Masking("2", KINDS, mask_v2.mask)}
VERSIONS = tuple(_TABLE)
FIRST, VERSION = VERSIONS[0], VERSIONS[-1]


def open_masking(version: str, where: str | None = None) -> Masking:
    """The masking of this version; "" is the first, for artifacts older than the versions. Raises UsageError."""
    known = _TABLE.get(version or FIRST)
    if known is None:
        raise UsageError(
            f"the texts are masked by version {version!r}; this installation knows {', '.join(VERSIONS)}",
            where=where,
            fix="install the version of penjing that made it, or a newer one",
        )
    return known


def mask(text: str) -> Masked:
    """Mask by the newest version."""
    return _TABLE[VERSION](text)
