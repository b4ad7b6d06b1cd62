"""What every version of the masking gives: the masked text, how often each kind of number occurs in it, and the offset
map to the text that was masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from penjing.data.offsets import Edits, OffsetMap

KINDS = ("id_card", "mobile", "landline", "bank_card", "email", "plate", "ip")
PLACEHOLDERS = {kind: f"⟦{kind}⟧" for kind in KINDS}
_NONE = dict.fromkeys(KINDS, 0)


@dataclass(frozen=True)
class Masked:
    """A masked text and how often each kind occurs in it (all kinds, zeros too).

    passes: what cleaning and masking replaced, pass by pass; it holds places only, nothing of the raw text.
    """

    text: str
    counts: dict[str, int]
    passes: tuple[Edits, ...] = field(default=(), compare=False, repr=False)

    @cached_property
    def offsets(self) -> OffsetMap:
        """The map from places in the raw text to places in the masked text; built at its first use."""
        return OffsetMap.of(self.passes, len(self.text))


def counted(text: str, passes: Sequence[Edits] = ()) -> Masked:
    """A masked text with the placeholders in it counted; nothing is masked here."""
    if "⟦" not in text:
        return Masked(text, _NONE.copy(), tuple(passes))
    return Masked(text, {kind: text.count(token) for kind, token in PLACEHOLDERS.items()}, tuple(passes))
