"""A text as every later step sees it: one kind of space, one kind of line end, nothing invisible, its case kept."""

from __future__ import annotations

import re
import unicodedata

from penjing.core.errors import RequestError

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[^\\S\n]+|[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+")
_AROUND = re.compile(" *\n[ \n]*")
_RUNS = re.compile(" {2,}")
# One look that finds nothing spares nearly every text the rest.
_SUSPECT = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff]|  |^ | $"
)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with white space, line ends and composed characters unified and invisible characters removed.

    Idempotent. Runs of spaces become one, runs of line ends one; other control characters become a space.
    Raises RequestError for NUL and lone surrogates, which no tokenizer and no database takes.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        if not _SUSPECT.search(text):
            return text
    elif not _SUSPECT.search(text):
        composed = unicodedata.normalize("NFC", text)
        if not _SUSPECT.search(composed):
            return composed
    refused = _FORBIDDEN.search(text)
    if refused:
        code = ord(refused.group())
        name = "a NUL character" if code == 0 else f"a lone surrogate (\\u{code:04x})"
        raise RequestError(
            f"the text has {name} at character {refused.start() + 1}",
            fix="remove it; it usually comes from a file that was cut or read in a wrong encoding",
        )
    text = _LINE_END.sub("\n", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))
    text = _RUNS.sub(" ", _SPACES.sub(" ", text))
    return _AROUND.sub("\n", text).strip(" \n")
