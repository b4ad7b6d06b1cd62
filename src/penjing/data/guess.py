"""What a file seems to hold: header or none, the column of the texts, the column of the labels, the encoding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from penjing.core.errors import DataError, UsageError
from penjing.core.options import nearest
from penjing.data.encoding import WesternError
from penjing.data.layout import Layout, find_layout, open_text, suffix_of
from penjing.data.read import column_names, parse, records
from penjing.data.table import any_rows, is_sheet

_SAMPLE = 3000
_LABEL_NAMES = (
    "label", "labels", "标签", "category", "class", "intent", "sentiment", "类别", "分类", "意图", "情感", "正/负面",
    "正负面", "department", "科室", "部门", "target", "topic", "type", "tag", "cat", "y",
)  # fmt: skip
_TEXT_NAMES = ("text", "text_a", "content", "sentence", "文本", "内容", "正文")
_TEXTUAL = (
    "review", "comment", "message", "news", "question", "query", "title", "body", "utterance", "ask", "评论", "标题",
    "留言", "问题", "描述", "诉求", "review_body", "description",
)  # fmt: skip
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,:/\-年月日 ]*")


@dataclass(frozen=True)
class Guess:
    """A file as `penjing init` will write it into the recipe; `notes` say in words what was not certain."""

    text: str
    label: str
    encoding: str
    columns: tuple[str, ...] | None
    notes: tuple[str, ...]


def guess(path: Path, *, text: str | None = None, label: str | None = None, encoding: str = "auto") -> Guess:
    """Look at the first 3,000 rows. What is given is taken as it is.

    Raises UsageError (no such file, an unknown column name) or DataError (no text or no label column to be seen).
    """
    notes: list[str] = []
    header, rows = None, []
    if is_sheet(path):
        rows = [dict(cells) for _, cells in islice(any_rows(path, "auto", None), _SAMPLE)]
    else:
        layout, encoding = _layout(path, encoding, notes)
        header, rows = _sample(path, layout)
    if not rows:
        raise DataError("the file has no rows", where=str(path), fix="name a file with texts and labels")
    names = list(rows[0])
    if len(names) == 1:
        fix = "write a CSV with a column of texts and a column of labels"
        raise DataError("there is one column only, so no labels", where=str(path), fix=fix)
    for role, name in (("text", text), ("label", label)):
        if name is not None and name not in names:
            listed = ", ".join(f"`{column}`" for column in names[:30])
            raise UsageError(
                f"there is no column `{name}` for --{role}; the columns are {listed}",
                where=str(path),
                fix=nearest(name, names),
            )
    values = {name: [row.get(name, "") for row in rows] for name in names}
    if label is None:
        label = _label_column(values, text)
        if label is None:
            raise _no_label(path, names)
    if text is None:
        text = _text_column(values, label)
        if text is None:
            raise DataError("no column looks like texts", where=str(path), fix="name it: --text COLUMN")
    columns = None
    if header is not None:
        renamed = {text: "text", label: "label"} if text != label else {}
        columns = tuple(renamed.get(name, name) for name in header)
        text, label = renamed.get(text, text), renamed.get(label, label)
        notes.append("no header: the columns were named " + ", ".join(columns))
    return Guess(text, label, encoding, columns, tuple(notes))


def _layout(path: Path, encoding: str, notes: list[str]) -> tuple[Layout, str]:
    try:
        layout = find_layout(path, encoding)
    except WesternError as error:
        layout, encoding = find_layout(path, "cp1252"), "cp1252"
        notes.append(f"{error.what}; read as cp1252 (Western European): look whether that line is right")
    if layout.kind == "lines":
        with open_text(path, layout.encoding) as lines:
            head = [line for line in islice(lines, 50) if line.strip()]
        tabs = {line.count("\t") for line in head}
        if len(tabs) == 1 and tabs != {0}:
            return Layout("cells", layout.encoding, "\t", quoted=False), encoding
    return layout, encoding


def _sample(path: Path, layout: Layout) -> tuple[list[str] | None, list[dict[str, str]]]:
    """(names made up for a file without a header, or None; the first rows)."""
    with open_text(path, layout.encoding) as lines:
        if layout.kind != "cells":
            return None, [row for _, row in islice(parse(lines, layout, str(path), faults=[]), _SAMPLE)]
        cells = [found for _, found in islice(records(lines, layout, str(path), []), _SAMPLE)]
    if not cells:
        return None, []
    first = [cell.strip() for cell in cells[0]]
    if suffix_of(path) not in ("", ".txt") and has_header(cells):
        names, made = column_names(first, str(path)), None
    else:
        names = [f"column_{place}" for place in range(1, len(first) + 1)]
        made = names
    body = cells if made else cells[1:]
    return made, [dict(zip(names, row, strict=True)) for row in body if len(row) == len(names)]


def has_header(cells: Sequence[Sequence[str]]) -> bool:
    """Whether the first of the rows names the columns: short distinct words that do not come again below."""
    first = [cell.strip() for cell in cells[0]]
    lowered = [name.lower() for name in first]
    if any(name in _LABEL_NAMES or name in _TEXT_NAMES or name in _TEXTUAL for name in lowered):
        return True
    named = [name for name in first if name]
    if len(set(named)) != len(named) or any(len(name) > 40 or _NUMBER.fullmatch(name) for name in named):
        return False
    for place, name in enumerate(first):
        below = [row[place].strip() for row in cells[1:] if len(row) == len(first)]
        if name and name in below:
            return False
    return True


def _label_column(values: dict[str, list[str]], text: str | None) -> str | None:
    """The column with a label's name, else the one with the fewest values, of those with few and short values."""
    found = []
    for place, (name, column) in enumerate(values.items()):
        filled = [value for value in column if value.strip()]
        distinct = len(set(filled))
        few = distinct <= max(2, min(500, len(filled) // 3)) and (distinct > 1 or name.lower() in _LABEL_NAMES)
        if name != text and filled and few and max(map(len, filled)) <= 100:
            rank = _LABEL_NAMES.index(name.lower()) if name.lower() in _LABEL_NAMES else len(_LABEL_NAMES)
            found.append((rank, distinct, place, name))
    named = [name for word in _LABEL_NAMES for name in values if name.lower() == word and name != text]
    return min(found)[3] if found else named[0] if named else None


def _text_column(values: dict[str, list[str]], label: str) -> str | None:
    """The column with a text's name, else the one with the longest texts."""
    found = []
    for place, (name, column) in enumerate(values.items()):
        filled = [value for value in column if value.strip()]
        lowered = name.lower()
        if name == label or (not filled and lowered not in _TEXT_NAMES):
            continue
        rank = 0 if lowered in _TEXT_NAMES else 1 if lowered in _TEXTUAL else 2
        numeric = sum(_NUMBER.fullmatch(value.strip()) is not None for value in filled) > len(filled) / 2
        found.append((numeric, not filled, rank, -sum(map(len, filled)) / max(1, len(filled)), place, name))
    return min(found)[5] if found else None


def _no_label(path: Path, names: list[str]) -> DataError:
    listed = ", ".join(f"`{name}`" for name in names[:30])
    what = f"no column looks like labels; the columns are {listed}"
    return DataError(what, where=str(path), fix="name it: --label COLUMN")
