"""What counts as the same text: foldings of characters side by side; a release keeps the one that it was made with.

Version 1 folds upper and lower case. Version 2 folds width and composition too (NFKC): `ＶＩＰ` is `vip`. New data,
deduplication and the certificate's ledger use the newest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from penjing.core.errors import UsageError

_BLANK = re.compile(r"[\W_]+")


def _case(text: str) -> str:
    return text.casefold()


def _case_and_width(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _letters_1(text: str) -> str:
    """Letters and digits of a text, its case folded; of a text without any, the text itself."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def _letters_2(text: str) -> str:
    folded = _case_and_width(text)
    return _BLANK.sub("", folded) or folded.strip()


Folding = Callable[[str], str]
_FOLDINGS: dict[str, Folding] = {"1": _case, "2": _case_and_width}
_LETTERS: dict[str, Folding] = {"1": _letters_1, "2": _letters_2}
VERSIONS = tuple(_FOLDINGS)
FIRST, VERSION = VERSIONS[0], VERSIONS[-1]


def open_folding(version: str, where: str | None = None) -> Folding:
    """The folding of this version, in which phrases and texts are compared. Raises UsageError."""
    known = _FOLDINGS.get(version)
    if known is None:
        raise UsageError(
            f"the texts are folded by version {version!r}; this installation knows {', '.join(VERSIONS)}",
            where=where,
            fix="install the version of penjing that made it, or a newer one",
        )
    return known


def fold(text: str, version: str = VERSION) -> str:
    """A text without what makes no difference: width and composition, case, punctuation, white space.

    Two texts are the same where this is equal. A text of nothing but punctuation keeps it.
    """
    return _LETTERS[version](text)


def words_of(text: str) -> str:
    """A folded text with one space for each stretch of punctuation and white space; "" where nothing else is there."""
    return _BLANK.sub(" ", _case_and_width(text)).strip()
