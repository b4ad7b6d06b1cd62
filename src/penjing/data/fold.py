"""Which texts and which names count as the same: all foldings of characters that the project uses.

Texts are folded by version, and a release keeps the one that it was made with. Version 1 folds upper and lower case.
Version 2 folds width and composition too (NFKC): `ＶＩＰ` is `vip`. Version 3 folds white space too: each run of it
is one space, and there is none at the ends. New data, deduplication and the certificate's ledger use the newest. Names
of columns, labels and values lose width, case and spaces only: `①` stays another name
than `1`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from penjing.core.errors import UsageError

_BLANK = re.compile(r"[\W_]+")
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")


def _case(text: str) -> str:
    return text.casefold()


def _case_and_width(text: str) -> str:
    return compose(text).casefold()


def _case_width_and_space(text: str) -> str:
    # Composed again, because a character whose case is folded may not be composed any more.
    return " ".join(compose(_case_and_width(text)).split())


def _letters_1(text: str) -> str:
    """Letters and digits of a text, its case folded; of a text without any, the text itself."""
    return "".join(character for character in text.casefold() if character.isalnum()) or text


def _letters_2(text: str) -> str:
    folded = _case_and_width(text)
    return _BLANK.sub("", folded) or folded.strip()


Folding = Callable[[str], str]
_FOLDINGS: dict[str, Folding] = {"1": _case, "2": _case_and_width, "3": _case_width_and_space}
_LETTERS: dict[str, Folding] = {"1": _letters_1, "2": _letters_2, "3": _letters_2}
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
    """A folded text with one space for each run of punctuation and white space; "" if there is nothing else."""
    return _BLANK.sub(" ", _case_and_width(text)).strip()


def compose(text: str) -> str:
    """A text with width and composition folded (NFKC), its case kept: `ＶＩＰ①` is `VIP1`."""
    return unicodedata.normalize("NFKC", text)


def fold_width(text: str) -> str:
    """A text with full-width letters, digits, signs and spaces in their usual width; nothing else is changed."""
    if text.isascii():
        return text
    return "".join(_narrow(character) for character in text)


def fold_name(name: str) -> str:
    """The form in which names are compared: without width, case and spaces."""
    return _UNSEEN.sub("", fold_width(name)).casefold()


def _narrow(character: str) -> str:
    tag, _, code = unicodedata.decomposition(character).partition(" ")
    return chr(int(code, 16)) if tag in ("<wide>", "<narrow>") and " " not in code else character
