"""Which encoding a file is in: a BOM, strict UTF-8, strict GB18030, or an error that shows the line."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Iterable, Iterator

from penjing.core.errors import DataError, UsageError

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Where a Western text happens to decode as GB18030, an accented letter and the ASCII letter after it become one lone
# character outside GB2312; in Chinese, characters stand in runs or at least in GB2312 (both bytes from 0xA1 up).
_CHINESE_SHARE = 0.5
_ENOUGH = 5000  # characters that settle that share
_NAMES = ("utf-8", "gb18030", "gbk", "big5", "cp1252", "latin-1", "utf-16", "shift_jis", "euc_kr")


class WesternError(DataError):
    """Neither UTF-8 nor GB18030, so perhaps a Western code page: which one, the file does not say."""


def check_encoding(name: str) -> str:
    """The name of a text encoding as Python knows it. Raises UsageError for an unknown one."""
    try:
        info = codecs.lookup(name)
    except LookupError:
        close = difflib.get_close_matches(name.lower(), _NAMES, n=1)
        fix = f"did you mean `{close[0]}`?" if close else "use one of " + ", ".join(_NAMES)
        raise UsageError(f"unknown encoding `{name}`", fix=fix) from None
    if not info._is_text_encoding:
        raise UsageError(f"`{name}` is not an encoding of text", fix="use one of " + ", ".join(_NAMES))
    return info.name


def find_encoding(lines: Iterable[bytes], where: str, requested: str = "auto") -> str:
    """The encoding of a whole file, given as its lines of bytes.

    Raises DataError with the number of the first line that does not decode and what it looks like.
    """
    if requested != "auto":
        return _prove(lines, where, check_encoding(requested))
    good, bad, looks, wide, decodes = 0, 0, 0, 0, True
    first: tuple[int, bytes] | None = None
    for number, line in enumerate(lines, start=1):
        if number == 1:
            for mark, name in BOMS:
                if line.startswith(mark):
                    return name if name == "utf-16" else _prove(_chain(line, lines), where, name)
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
            first = first or (number, line)
            try:
                text = line.decode("gb18030")
            except UnicodeDecodeError:
                decodes = False
                continue
            if wide < _ENOUGH:
                found, all_found = _chinese(text)
                looks, wide = looks + found, wide + all_found
    if first is None:
        return "utf-8"
    if decodes and good <= bad and looks >= _CHINESE_SHARE * wide:
        return "gb18030"
    raise _refusal(first, where, good, bad)


def decode_stream(lines: Iterable[bytes], where: str, requested: str = "auto") -> Iterator[str]:
    """Lines of a stream that cannot be read twice: the first line that is not ASCII settles the encoding."""
    encoding = "utf-8" if requested == "auto" else check_encoding(requested)
    settled = requested != "auto"
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            line = line[len(codecs.BOM_UTF8) :]
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            if settled:
                raise _refusal((number, line), where, 1, 1) from None
            encoding = "gb18030"
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                raise _refusal((number, line), where, 0, 1) from error
        settled = settled or not line.isascii()
        yield text


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _prove(lines: Iterable[bytes], where: str, name: str) -> str:
    if name.startswith(("utf-16", "utf-32")):
        return name
    for number, line in enumerate(lines, start=1):
        try:
            line.decode(name)
        except UnicodeDecodeError as error:
            raise DataError(
                f"line {number} is not {name}: {_show(line, error.start)}",
                where=f"{where}:{number}",
                fix="name the encoding that the file was saved in, or save the file as UTF-8",
            ) from None
    return name


def _chinese(text: str) -> tuple[int, int]:
    """(characters that look Chinese, all characters that are not ASCII) of a line decoded as GB18030."""
    looks, wide, before = 0, 0, False
    for place, character in enumerate(text):
        if character <= "\x7f":
            before = False
            continue
        wide += 1
        if before or text[place + 1 : place + 2] > "\x7f":
            looks += 1
        else:
            raw = character.encode("gb18030")
            looks += len(raw) == 2 and raw[0] >= 0xA1 and raw[1] >= 0xA1
        before = True
    return looks, wide


def _refusal(first: tuple[int, bytes], where: str, good: int, bad: int) -> DataError:
    number, line = first
    try:
        line.decode("utf-8")
        start = 0
    except UnicodeDecodeError as error:
        start = error.start
    shown = _show(line, start)
    if good > bad:
        shown = _show(line, start, "utf-8")
        return DataError(
            f"line {number} is not UTF-8, though {good} other lines are: {shown}",
            where=f"{where}:{number}",
            fix="repair that line (it was probably pasted from a file in another encoding)",
        )
    return WesternError(
        f"line {number} is neither UTF-8 nor GB18030: {shown}",
        where=f"{where}:{number}",
        fix="add `encoding: cp1252` under `data:` if these are Western letters, or save the file as UTF-8",
    )


def _show(line: bytes, start: int, reading: str = "cp1252") -> str:
    """Some 60 bytes around a byte that does not decode, in the likeliest reading."""
    low = max(0, start - 30)
    shown = line[low : start + 30].decode(reading, "replace").strip("\ufffd").strip()
    return ("…" if low else "") + f"`{shown}`" + ("…" if start + 30 < len(line) else "")
