"""What every version of the masking gives: the masked text, and how often each kind of number occurs in it."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("id_card", "mobile", "landline", "bank_card", "email", "plate", "ip")
PLACEHOLDERS = {kind: f"⟦{kind}⟧" for kind in KINDS}


@dataclass(frozen=True)
class Masked:
    """A masked text and how often each kind occurs in it (all kinds, zeros too)."""

    text: str
    counts: dict[str, int]


def counted(text: str) -> Masked:
    """A masked text with the placeholders in it counted."""
    if "⟦" not in text:
        return Masked(text, dict.fromkeys(KINDS, 0))
    return Masked(text, {kind: text.count(token) for kind, token in PLACEHOLDERS.items()})
