"""Two texts as one: with a separator between them that no cleaned text has, so that all else handles one text.

A pair is masked text by masked text, recorded, replayed and erased as one text is. Only what reads the words looks at
the two parts.
"""

from __future__ import annotations

# U+001F, the unit separator of ASCII. Cleaning makes a space of it, so it is in no text of a user.
SEPARATOR = "\x1f"


def join_pair(first: str, second: str) -> str:
    """Two texts of any characters as one pair; a separator inside one of them becomes a space."""
    return f"{first.replace(SEPARATOR, ' ')}{SEPARATOR}{second.replace(SEPARATOR, ' ')}"


def split_pair(text: str) -> tuple[str, str] | None:
    """The two texts of a pair; None where it is none."""
    if SEPARATOR not in text:
        return None
    first, _, second = text.partition(SEPARATOR)
    return first, second
