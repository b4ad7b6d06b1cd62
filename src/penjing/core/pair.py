"""Several texts of a case as one: with a separator between them that no cleaned text has, so that all else handles one.

The texts are masked one by one, and recorded, replayed and erased as one text is. Only what reads the words looks at
the parts: two texts that are compared, a sentence with head and tail of a relation, a passage and a question about it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

# The names of the texts after the first one, in the order in which they are joined.
FURTHER = ("other", "head", "tail", "question")
# U+001F, the unit separator of ASCII. Cleaning makes a space of it, so it is in no text of a user.
SEPARATOR = "\x1f"


def join_texts(*texts: str) -> str:
    """Texts of any characters as one; a separator inside one of them becomes a space."""
    return SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)


def split_texts(text: str) -> tuple[str, ...]:
    """The texts of a case; one, where it is not several."""
    return tuple(text.split(SEPARATOR))


def split_pair(text: str) -> tuple[str, str] | None:
    """The first text of a case and the rest; None where it is one text."""
    if SEPARATOR not in text:
        return None
    first, _, second = text.partition(SEPARATOR)
    return first, second


def write_further(texts: Sequence[str]) -> str:
    """The texts after the first one as one cell of a table: itself, or a list of JSON of several."""
    return texts[0] if len(texts) == 1 else json.dumps(list(texts), ensure_ascii=False)


def read_further(cell: str, count: int) -> list[str]:
    """`count` texts from a cell that `write_further` wrote; fewer where it is no such list."""
    if count == 1:
        return [cell]
    try:
        found = json.loads(cell)
    except ValueError:
        return []
    return [str(one) for one in found] if isinstance(found, list) and len(found) == count else []
