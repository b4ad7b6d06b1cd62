"""Bytes to text: a line in another encoding than the rest, text that was encoded twice, what no tokenizer takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from penjing.data.encoding import decode_line

_BROKEN = re.compile("[\0\ud800-\udfff]")
_REPLACED = "\ufffd"
_MOST_REPLACED = 0.002  # share of characters: beyond it the text was read or converted wrongly
# Characters that cp1252 has for bytes from 0x80 to 0x9F.
_HIGH = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
# A character of UTF-8 whose bytes were read as cp1252 or Latin-1: a first byte and those that follow it.
_TWICE = re.compile(f"(?:[Â-ß][\x80-¿{_HIGH}]|[à-ï][\x80-¿{_HIGH}]{{2}}|ð[\x80-¿{_HIGH}]{{3}})+")


@dataclass
class Changes:
    """What was changed in a document, by kind; faults: why it cannot be used."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, times: int = 1) -> None:
        """Count a change."""
        if times:
            self.counts[kind] = self.counts.get(kind, 0) + times


def decode(data: bytes, encoding: str, changes: Changes) -> str | None:
    """The text of a document. A line in another encoding is read in that one, a line in none of them is cut out.

    None where most lines cannot be read.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        kept, lost = [], 0
        for line in data.split(b"\n"):
            found = decode_line(line, encoding)
            if found is None:
                lost += len(line)
                changes.add("line_not_decoded")
                continue
            changes.add("line_in_another_encoding", int(found[1]))
            kept.append(found[0])
        if 2 * lost > len(data):
            return None
        text = "\n".join(kept)
    return text.removeprefix("\ufeff")


def repair(text: str, changes: Changes) -> str | None:
    """The text without NUL and lone surrogates, and with what was encoded twice put right.

    None where too much of it was lost in an earlier conversion.
    """
    if _BROKEN.search(text):
        text = _BROKEN.sub("", text)
        changes.add("character_removed")
    if text.count(_REPLACED) > _MOST_REPLACED * len(text):
        return None
    if not text.isascii() and _TWICE.search(text):
        fixed = _TWICE.sub(_once, text)
        changes.add("encoded_twice", int(fixed != text))
        return fixed
    return text


def _once(found: re.Match[str]) -> str:
    """The characters that were meant; those that are no UTF-8 stay."""
    raw = bytearray()
    for character in found.group():
        raw += character.encode("cp1252") if character in _HIGH else bytes((ord(character),))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return found.group()
