"""Sets of labels as people write them in a cell: labels with a separator between them, or a list of JSON."""

from __future__ import annotations

import json

from penjing.core.errors import DataError, RequestError, shown
from penjing.core.json_signs import is_list_in_odd_signs, with_odd_sign
from penjing.data.labels import LONGEST_LABEL, read_label

# Each separator, with the other width in which keyboards write it.
_WIDTHS = {";": ";；", "；": ";；", "|": "|｜", "｜": "|｜", ",": ",，", "，": ",，", "/": "/／", "／": "/／"}
# Separators that hardly any label holds: where they are not the declared one, the wrong one is declared.
_USUAL = ";；|｜"
_MOST_IN_CELL = 1000
_SHOWN = 60


def widths(separator: str) -> str:
    """The characters that are read as this separator."""
    return _WIDTHS.get(separator, separator)


def split_cell(cell: str, separator: str) -> tuple[str, ...]:
    """The labels of a cell as they are written, cleaned. Raises DataError that says what is no set of labels."""
    written = cell.strip()
    listed = written.startswith("[") or is_list_in_odd_signs(written)
    parts = _of_json(written) if listed else _of_text(written, separator)
    if len(parts) > _MOST_IN_CELL:
        raise DataError(
            f"{len(parts):,} labels in one cell; {_MOST_IN_CELL:,} are the most", fix="is `label:` the right column?"
        )
    found = tuple(_label(part, separator) for part in parts)
    for place, label in enumerate(found):
        if label in found[:place]:
            raise DataError(f"the label `{shown(label, _SHOWN)}` is twice in one cell", fix="write each label once")
    return found


def _of_text(written: str, separator: str) -> list[str]:
    known = widths(separator)
    for other in _USUAL:
        if other not in known and other in written and not any(each in written for each in known):
            raise DataError(
                f"the cell has `{other}`, and the separator is `{separator}`",
                fix=f'write `separator: "{other}"` under `data:`, or one form in every row',
            )
    for each in known[1:]:
        written = written.replace(each, known[0])
    parts = written.split(known[0])
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()  # a separator at the end, as some programs write it
    return parts


def _of_json(written: str) -> list[str]:
    fix = 'write `["a", "b"]`, or the labels with the separator between them'
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        what = f"the cell begins like a list of JSON and is none: `{shown(written, _SHOWN)}`"
        raise DataError(with_odd_sign(what, written), fix=fix) from None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise DataError(f"the list `{shown(written, _SHOWN)}` has values that are no labels", fix=fix)
    return found


def _label(part: str, separator: str) -> str:
    try:
        label = read_label(part).strip()
    except RequestError as error:
        raise DataError(error.what, fix=error.fix) from None
    if not label:
        raise DataError(
            "an empty label between two separators",
            fix="take the second separator out, or write the label that is missing",
        )
    if len(label) > LONGEST_LABEL:
        raise DataError(f"a label of {len(label)} characters", fix="is `label:` the right column?")
    if any(each in label for each in widths(separator)):
        raise DataError(
            f"the label `{shown(label, _SHOWN)}` has the separator `{separator}` in it",
            fix="declare a `separator` under `data:` that no label has",
        )
    if label.startswith("["):
        raise DataError(f"the label `{shown(label, _SHOWN)}` begins with `[`", fix="write it without the bracket")
    return label
