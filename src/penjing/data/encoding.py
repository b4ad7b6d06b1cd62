"""Finds the encoding that fits most lines of a text; lines in another encoding are reported."""

from __future__ import annotations

import codecs
import difflib
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Literal

from penjing.core.errors import DataError, UsageError
from penjing.data.other_encodings import refuse_other, wide_without_mark
from penjing.data.plausible import plausibility

Opener = Callable[[], AbstractContextManager[BinaryIO]]

# UTF-32 begins with the mark of UTF-16, so it comes first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CANDIDATES = ("utf-8", "gb18030", "big5hkscs", "cp1252")
_SHOWN = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GB18030", "big5hkscs": "Big5", "cp1252": "cp1252"}
_KNOWN = (
    "utf-8", "gb18030", "gbk", "big5", "cp1252", "latin-1", "utf-16", "shift_jis", "euc_jp", "euc_kr", "cp1251",
    "koi8-r",
)  # fmt: skip
_NAME_IT = "name the encoding that it was saved in (--encoding, or `encoding:` in a recipe), or save it as UTF-8"
_ENOUGH = 20_000  # characters that settle which encoding it is
_CLOSELY = 100_000  # lines that are also tried in the other encodings; beyond them a line must only decode
_LOOK = 60  # bytes outside ASCII of a line that are scored
_SEVERAL = 6  # different characters of two bytes; so many are valid UTF-8 by accident once in a million files
_WIDE = re.compile("[^\x00-\x7f]+")
# Letters and signs of Latin, of Greek, of Russian: two bytes in UTF-8, and Chinese in GB18030.
_ALPHABETS = tuple(map(re.compile, ("[\xa0-\u017f]", "[\u0386-\u03ce]", "[\u0401-\u0451]")))
_LETTERS = re.compile("[\xa0-\u017f\u0386-\u03ce]")
_CELL = re.compile(r"(?:\A|[,;\t\"\r\n])[^\x00-\x7f](?:[,;\t\"\r\n]|\Z)")  # such as a label: it may be a Chinese word
_FEW = 3  # different letters of one alphabet
_AMONG = 20  # characters of ASCII to each letter that is alone
_SHORT = 2000  # bytes of a text without a line end
_BROKEN = -6.0  # plausibility of a byte that does not decode


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text; `odd`: the lines (from 1) that are not in it, each with a message."""

    name: str
    odd: dict[int, str] = field(default_factory=dict)
    note: str | None = None

    @property
    def errors(self) -> str:
        """How bytes that do not decode are kept: their rows are refused, the others are read."""
        return "surrogatepass" if self.name.startswith(("utf-16", "utf-32")) else "surrogateescape"


def check_encoding(name: str) -> str:
    """The name of a text encoding as Python knows it. Raises UsageError for an unknown one."""
    try:
        info = codecs.lookup(name)
    except LookupError:
        close = difflib.get_close_matches(name.lower(), _KNOWN, n=1)
        fix = f"did you mean `{close[0]}`?" if close else "use one of " + ", ".join(_KNOWN)
        raise UsageError(f"unknown encoding `{name}`", fix=fix) from None
    if not info._is_text_encoding:
        raise UsageError(f"`{name}` is not an encoding of text", fix="use one of " + ", ".join(_KNOWN))
    return info.name


def find_encoding(open_bytes: Opener, where: str, requested: str = "auto") -> Encoding:
    """Find the encoding of a text; it is read once or twice.

    Auto: by the byte order mark; UTF-16 by its zero bytes; else the one of UTF-8, GB18030, Big5 and cp1252 in which the
    decoded characters are the most plausible over all lines.
    Raises DataError if no encoding fits most lines, or if the text seems to be in one that is not detected by itself;
    UsageError for an unknown name.
    """
    head = _head(open_bytes)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if requested != "auto":
        name = check_encoding(requested)
        fits = marked == "utf-8-sig" and name == "utf-8"
        return _settle(open_bytes, where, "utf-8-sig" if fits else name, {})
    found = marked or wide_without_mark(head) or _without_mark(head)
    if found is None and _is_utf8(open_bytes):
        if head.isascii():
            refuse_other(head, where)
        return Encoding("utf-8", note=_twice_encoded(head))
    return _settle(open_bytes, where, found, {}) if found else _by_majority(open_bytes, where)


def decode_line(line: bytes, usual: str) -> tuple[str, bool] | None:
    """A line in its usual encoding, or in the most plausible other one (True); None if none of them fits.

    Of a line that decodes in the usual encoding nothing else is tried.
    """
    try:
        return line.decode(usual), False
    except UnicodeDecodeError:
        pass
    scored = [(_score(line, name), name) for name in CANDIDATES if name != usual]
    for score, name in sorted(scored, key=lambda pair: -pair[0]):
        if score <= 0:
            return None
        try:
            return line.decode(name), True
        except UnicodeDecodeError:
            continue
    return None


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: in ASCII and line ends one byte of each pair is zero, always on the same side."""
    zeros = {"utf-16-be": head[0::2].count(0), "utf-16-le": head[1::2].count(0)}
    if sum(zeros.values()) < 2:
        return _all_wide(head)
    name = wide_side(head)
    if name is None:
        return None
    text = head[: len(head) // 2 * 2].decode(name, "replace")
    narrow = sum(character < "\u0100" for character in text)
    plausible, wide = plausibility(text)
    return name if narrow >= zeros[name] * 0.9 and "\x00" not in text and (not wide or plausible > 0) else None


def wide_side(head: bytes) -> Literal["utf-16-le", "utf-16-be"] | None:
    """Which UTF-16 the zero bytes speak for: that of the line ends, else that with twice as many as the other.

    Characters such as 一 (4E00) and 最 (6700) have a zero byte on the other side; 0A00 and 0D00 hardly ever occur.
    """
    pairs = set(zip(head[0::2], head[1::2], strict=False))
    little, big = (not pairs.isdisjoint(ends) for ends in (((10, 0), (13, 0)), ((0, 10), (0, 13))))
    if little != big:
        return "utf-16-le" if little else "utf-16-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) > max(even, odd) // 2:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _all_wide(head: bytes) -> str | None:
    """UTF-16 of a short text without any ASCII, if no other encoding is as plausible."""
    if len(head) % 2 or len(head) > _SHORT or head.isascii():
        return None
    best = max(_score(head, name) for name in CANDIDATES)
    for name in ("utf-16-le", "utf-16-be"):
        plausible, wide = plausibility(head.decode(name, "replace"))
        if wide == len(head) // 2 > 2 and plausible > max(best, 1.0):
            return name
    return None


def _is_utf8(open_bytes: Opener) -> bool:
    """Whether all of it is UTF-8, and not by accident: it has a character of three bytes, several others, or none.

    Few others are letters of one alphabet, or single ones among words in ASCII: Chinese is in runs, or in cells.
    """
    decoder, found = codecs.getincrementaldecoder("utf-8")(), set[str]()
    narrow, wide, alone = 0, 0, True
    with open_bytes() as raw:
        while block := raw.read(1 << 20):
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError:
                return False
            if not text.isascii() and len(found) < _SEVERAL:
                runs = _WIDE.findall(text)
                found.update(*runs)
                wide += sum(map(len, runs))
                alone &= all(len(run) == 1 for run in runs) and not _CELL.search(text)
            narrow += len(text)
    if decoder.getstate()[0]:
        return False
    if not found or len(found) >= _SEVERAL or max(found) > "\u07ff":
        return True
    single = alone and narrow > _AMONG * wide and all(map(_LETTERS.fullmatch, found))
    return single or (len(found) >= _FEW and any(all(map(one.fullmatch, found)) for one in _ALPHABETS))


def _by_majority(open_bytes: Opener, where: str) -> Encoding:
    votes = dict.fromkeys(CANDIDATES, 0.0)
    seen = 0
    with open_bytes() as raw:
        for line in _lines(raw):
            if line.isascii():
                continue
            scored = {name: _score(line, name) for name in CANDIDATES}
            weight = min(_LOOK, sum(byte > 0x7F for byte in line[: 4 * _LOOK]))
            for name, score in scored.items():
                votes[name] += score * weight
            seen += weight
            if seen > _ENOUGH:
                break
    name = max(votes, key=lambda each: votes[each])
    if votes[name] <= 0:
        refuse_other(_head(open_bytes), where)
        raise _unknown(open_bytes, where)
    refuse_other(_head(open_bytes), where, votes[name] / seen)
    return _settle(open_bytes, where, name, votes)


def _head(open_bytes: Opener) -> bytes:
    with open_bytes() as raw:
        return raw.read(1 << 16)


def _twice_encoded(head: bytes) -> str | None:
    """The note for UTF-8 that was read as Latin-1 or cp1252 and saved as UTF-8 again."""
    text = head.decode("utf-8", "ignore")
    odd = [line for line in text.splitlines() if not line.isascii()]
    for line in odd[:_LOOK]:
        for name in ("latin-1", "cp1252"):
            try:
                meant = line.encode(name).decode("utf-8")
            except UnicodeError:
                continue
            if any("\u4e00" <= character <= "\u9fff" for character in meant):
                return f"`{line[:20]}` seems to be `{meant[:12]}`, encoded twice: save the file again from its source"
    return None


def _settle(open_bytes: Opener, where: str, name: str, votes: dict[str, float]) -> Encoding:
    """The encoding with the lines that are not in it. Raises DataError where most lines are not."""
    note = None
    if name in ("big5hkscs", "cp1252") and votes:
        note = f"read as {_SHOWN[name]}, which fits best; check that its letters are right"
    if name.startswith(("utf-16", "utf-32")):
        _prove_wide(open_bytes, where, name)
        return Encoding(name, note=note)
    odd: dict[int, str] = {}
    good = 0
    with open_bytes() as raw:
        for number, line in enumerate(_lines(raw), start=1):
            if line.isascii() and name != "ascii":
                continue
            wrong = _wrong(line, name, bool(votes) and number <= _CLOSELY)
            if wrong is None:
                good += 1
            else:
                odd[number] = wrong
    if len(odd) > good:
        number, shown = next(iter(odd.items()))
        raise DataError(
            f"line {number} is not {_SHOWN.get(name, name)}: {shown}",
            where=f"{where}:{number}",
            fix=_NAME_IT,
        )
    said = _SHOWN.get(name, name)
    named = {number: f"line {number} is not {said}, as the others are: {shown}" for number, shown in odd.items()}
    return Encoding(name, named, note)


def _wrong(line: bytes, name: str, guessed: bool) -> str | None:
    """What to show of a line that is not in the encoding of the others; None for a line that is."""
    start = None
    try:
        line.decode(name)
    except UnicodeDecodeError as error:
        start = error.start
    if start is None and (not guessed or name == "utf-8" or _score(line, name, _LOOK // 2) > -0.5):
        return None
    for other in CANDIDATES[:3]:
        if guessed and other != name and _score(line, other) > 1:
            return f"`{_cut(line, _LOOK).decode(other, 'replace')}` (it is {_SHOWN[other]})"
    return None if start is None else _show(line, start, name)


def _score(line: bytes, name: str, most: int = 4 * _LOOK) -> float:
    """Mean plausibility of the characters outside ASCII in the first part of a line."""
    text = _cut(line, most).decode(name, "surrogateescape")
    if name == "utf-8":
        return _score_utf8(text)
    broken = sum("\udc80" <= character <= "\udcff" for character in text)
    mean, count = plausibility(text)
    # A broken byte was counted as -4 already.
    return mean + broken * (_BROKEN + 4.0) / count if count else 0.0


def _score_utf8(text: str) -> float:
    """Three bytes in the order of UTF-8 are hardly ever an accident, in any language; two sometimes are."""
    total, count = 0.0, 0
    for place, character in enumerate(text):
        if character <= "\x7f":
            continue
        count += 1
        if "\udc80" <= character <= "\udcff":
            total += _BROKEN
        elif character > "\u07ff":
            total += 3.0
        elif "\xc0" <= character < "\u0250":
            before, after = text[place - 1 : place], text[place + 1 : place + 2]
            total += 2.5 if any(each.isascii() and each.isalpha() for each in (before, after)) else 1.0
        else:
            total += 2.0 if "\xa0" <= character < "\xc0" else -1.0
    return total / count if count else 0.0


def _cut(line: bytes, most: int) -> bytes:
    """The part of a line that is scored, cut before an ASCII byte so that no character is split."""
    line = line.rstrip(b"\r\n")
    end = most
    while end < len(line) and (line[end] > 0x7F or line[end - 1] > 0x7F):
        end += 1
    return line[:end]


def _lines(raw: BinaryIO) -> Iterator[bytes]:
    """Lines of bytes that end in \\n, \\r\\n or \\r alone, as a text reader cuts them too."""
    for line in io.TextIOWrapper(raw, encoding="latin-1", newline=""):
        yield line.encode("latin-1")


def _prove_wide(open_bytes: Opener, where: str, name: str) -> None:
    with open_bytes() as raw:
        wrapper = io.TextIOWrapper(raw, encoding=name, errors="surrogatepass", newline="")
        number = 0
        try:
            for number, _ in enumerate(wrapper, start=1):  # noqa: B007 (the last number is wanted)
                pass
        except UnicodeError as error:
            raise DataError(
                f"line {number + 1} is not {name}: {error}",
                where=f"{where}:{number + 1}",
                fix="copy the file again (it may be cut), or name the encoding that it was saved in",
            ) from None


def _unknown(open_bytes: Opener, where: str) -> DataError:
    with open_bytes() as raw:
        numbered = enumerate(islice(_lines(raw), 100_000), start=1)
        number, line = next((pair for pair in numbered if not pair[1].isascii()), (1, b""))
    start = next((place for place, byte in enumerate(line) if byte > 0x7F), 0)
    return DataError(
        f"line {number} is not readable in UTF-8, GB18030, Big5 or cp1252: {_show(line, start, 'cp1252')}",
        where=f"{where}:{number}",
        fix=_NAME_IT,
    )


def _show(line: bytes, start: int, name: str) -> str:
    """Some 60 bytes around a byte that does not decode, in the encoding of the other lines."""
    low = max(0, start - 30)
    while low and line[low - 1] > 0x7F and start - low < 90:  # not within a character
        low -= 1
    shown = line[low : start + 30].decode(name, "replace").rstrip("\r\n").rstrip("\ufffd")
    return ("…" if low else "") + f"`{shown}`" + ("…" if start + 30 < len(line) else "")
