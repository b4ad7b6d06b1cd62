"""What a file seems to hold: header or none, the column of the texts, the column of the labels, the encoding."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

from penjing.core.errors import DataError, UsageError
from penjing.core.options import nearest
from penjing.data.cells import Fault, UnreadableCell, as_list
from penjing.data.choice import ChoiceError
from penjing.data.couples import couples
from penjing.data.dates import parse_date
from penjing.data.fields import parse_number
from penjing.data.guess_annotated import guess_form
from penjing.data.guess_scores import has_decimals, label_score, mean_length, number_score, text_score
from penjing.data.guessed import Guess
from penjing.data.header import has_header
from penjing.data.names import role_of
from penjing.data.questions import questions_of
from penjing.data.read import Opened, Reading, open_table
from penjing.data.relations import ends_of
from penjing.data.sets import find_separator, words_of_list

Score = Callable[[str, Sequence[str], int], float | None]
_SAMPLE = 3000
_NEAR = 1.5  # columns whose scores differ by less fit equally well, and a person chooses
_DOUBTFUL = 3.5  # the same where the best is a level: 3.0 for its name, and 0.0 for a column without a role
_FAR = 5.0
_SHORT = 6  # characters; shorter columns are not offered as texts if there are longer ones
_TIMES = re.compile(r"日期|时间|日$|(^|[^a-z])(date|time|timestamp|datetime|day|at)$|[a-z](Date|Time|At)$")
# So many different whole numbers may be the codes of labels.
_MOST_CODES = 200


def guess(
    path: Path,
    *,
    text: str | None = None,
    label: str | None = None,
    reading: Reading | None = None,
    numbers: bool = False,
    other: str | None = None,
    further: tuple[str, ...] | None = None,
) -> Guess:
    """Examine the first 3,000 rows. Given columns are used as they are.

    numbers: the labels are numbers, of which there may be many. `Guess.numbers` says whether they are: whole ones
    that may be codes of labels, or very many or with decimals. other: the column of the second texts; further: what
    a case has after its first text, `other` or `head` and `tail` (None: by the names of the columns).

    Raises UsageError (no such file, an unknown column name, a form that no task reads), ChoiceError (several columns
    fit alike) or DataError (no text or no label column found).
    """
    reading = reading or Reading()
    if text is None and label is None and (annotated := guess_form(path, further)) is not None:
        return annotated
    opened = open_table(path, reading, [name for name in (text, label) if name])
    notes: list[str] = []
    header = None
    if opened.names is not None and reading.header is None and _is_headless(opened):
        opened = opened.without_header()
        header = list(opened.names or [])
    elif reading.header == 0:
        header = list(opened.names or [])
    values, faults = _values(opened)
    values = {name: _with_lists(column) for name, column in values.items()}
    names = list(values)
    _check_filled(values, faults, str(path))
    _check_given(names, text, label, str(path), other)
    if header is None and further in (None, ("question",)):
        asked = _asked(values, text, label, str(path), wanted=further is not None)
        if asked is not None:
            return _answered(opened, reading, asked, _time(values, asked))
    score = number_score if numbers else label_score
    further = () if further is None and header is not None else further  # names that are made say nothing
    pairs = None if further is None else "other" in further
    ends = _ends(values, None if further is None else "head" in further, str(path)) if header is None else None
    if ends is not None:
        values, pairs = {name: cells for name, cells in values.items() if name not in ends}, False
    text, label, other = _with_second(values, (text, label, other), pairs, str(path), score)
    kind, was = _numbers(values[label]), label
    columns = None
    if header is not None:
        renamed = {text: "text", label: "label"} if text != label else {}
        renamed |= {other: "other"} if other is not None else {}
        columns = tuple(renamed.get(name, name) for name in header)
        text, label, other = renamed.get(text, text), renamed.get(label, label), "other" if other else None
        notes.append("no header: the columns were named " + ", ".join(columns))
    encoding = _encoding(opened, reading)
    kept = None if header is not None else reading.header
    separator = find_separator(values[was]) if kind == "none" else None
    found = Guess(text, label, encoding, columns, (*opened.notes, *notes), reading.sheet, kept, kind, separator)
    time = None if header is not None else _time(values, (text, label, other))
    return replace(found, spans=_are_spans(values[was]), other=other, time=time, ends=ends)


def _encoding(opened: Opened, reading: Reading) -> str:
    """The encoding that a recipe names: one that may be taken for another, or what the caller says."""
    return opened.encoding if opened.encoding in ("cp1252", "big5hkscs") else reading.encoding


def _answered(opened: Opened, reading: Reading, asked: tuple[str, str, str], time: str | None) -> Guess:
    """The guess on a table of passages, questions and answers."""
    passage, question, answer = asked
    notes = tuple(opened.notes)
    found = Guess(passage, answer, _encoding(opened, reading), None, notes, reading.sheet, reading.header)
    return replace(found, question=question, time=time)


def _asked(
    values: Mapping[str, list[str]], text: str | None, label: str | None, where: str, *, wanted: bool
) -> tuple[str, str, str] | None:
    """The columns of passages, questions and answers. Raises UsageError for none where they are wanted."""
    found = questions_of(values, text, label)
    if wanted and found is None:
        listed = ", ".join(f"`{name}`" for name in list(values)[:30])
        what = f"no column is named `question`, with answers that lie in a column of texts; the columns are {listed}"
        raise UsageError(what, where=where, fix="name the column `question`, or write the recipe by hand")
    return found


def _ends(values: Mapping[str, list[str]], related: bool | None, where: str) -> tuple[str, str] | None:
    """The columns of heads and tails. Raises UsageError for none where they are wanted."""
    found = None if related is False else ends_of(values)
    if related and found is None:
        listed = ", ".join(f"`{name}`" for name in list(values)[:30])
        what = f"no two columns are named `head` and `tail` and lie in the text; the columns are {listed}"
        raise UsageError(what, where=where, fix="name the columns `head` and `tail`, or write the recipe by hand")
    return found


def _check_filled(values: Mapping[str, list[str]], faults: Sequence[Fault], where: str) -> None:
    """Raise DataError for a file without rows, or with one column."""
    names = list(values)
    if not names or not any(map(len, values.values())):
        if faults:
            first = faults[0]
            raise DataError(f"no row can be read; row {first.row}: {first.what}", where=where, fix=first.fix)
        raise DataError("the file has no rows", where=where, fix="name a file with texts and labels")
    if len(names) == 1 and not isinstance(values[names[0]][0], UnreadableCell):
        fix = "write a CSV with a column of texts and a column of labels"
        raise DataError("there is one column only, so no labels", where=where, fix=fix)


def _with_second(
    values: dict[str, list[str]],
    given: tuple[str | None, str | None, str | None],
    pairs: bool | None,
    where: str,
    score: Score,
) -> tuple[str, str, str | None]:
    """The columns of texts, labels and second texts (None: there are none), from those that are given.

    Where the names alone say that a case is two texts, the labels must be few words or codes too.
    """
    text, label, other = given
    couple = _couple(values, text, pairs is True, where) if other is None and pairs is not False else None
    first, second = couple or (text, other)
    fitting = {name: column for name, column in values.items() if name != second}
    found = _columns(fitting, first, label, where, score)
    if couple is None or pairs or _is_choice(values[found[1]]):
        return *found, second
    return *_columns(values, text, label, where, score), None


def _couple(values: Mapping[str, list[str]], text: str | None, wanted: bool, where: str) -> tuple[str, str] | None:
    """The columns of the two texts of a case; None where no two, or more than two, belong together.

    Raises UsageError for none where they are wanted.
    """
    texts = _scores(dict(values), text_score, None)
    fitting = texts.keys() - _scores(dict(values), label_score, None).keys()
    found = [couple for couple in couples(list(values)) if set(couple) <= fitting and text in (None, *couple)]
    if len(found) == 1:
        first, second = found[0]
        return (second, first) if text == second else (first, second)
    if wanted:
        listed = ", ".join(f"`{name}`" for name in list(values)[:30])
        what = f"no two columns are named as the two texts of a case; the columns are {listed}"
        raise UsageError(what, where=where, fix="name both: --text COLUMN --other COLUMN")
    return None


def _is_choice(column: Sequence[str]) -> bool:
    """Whether labels are few words or codes, one a case."""
    return _numbers(column) != "many" and find_separator(column) is None and not _are_spans(column)


def _are_spans(column: Sequence[str]) -> bool:
    """Whether all filled cells are lists of JSON, and some list has a piece of the text with its label."""
    lists = [as_list(cell) for cell in column if cell]
    named = any('"start"' in cell and '"end"' in cell and '"label"' in cell for cell in lists)
    return named and all(cell.strip().startswith("[") for cell in lists)


def _is_headless(opened: Opened) -> bool:
    """Whether a table of cells begins with data; JSON and parquet have names, plain lines are no table."""
    if opened.encoding == "parquet" or (opened.layout is not None and opened.layout.kind != "cells"):
        return False
    return bool(opened.first_rows) and not has_header(opened.first_rows)


def _values(opened: Opened) -> tuple[dict[str, list[str]], list[Fault]]:
    faults: list[Fault] = []
    rows = [cells for _, cells in islice(opened.rows(faults), _SAMPLE)]
    names = list(dict.fromkeys(name for cells in rows for name in cells))
    return {name: [cells.get(name, "") for cells in rows] for name in names}, faults


def _with_lists(column: list[str]) -> list[str]:
    """A column of lists of words as their JSON, if they are sets of labels; any other column as it is."""
    lists = [as_list(cell) for cell in column]
    listed = any(words_of_list(cell) is not None for cell in lists) and find_separator(lists) is not None
    return [str(cell) for cell in lists] if listed else column


def _check_given(names: list[str], text: str | None, label: str | None, where: str, other: str | None) -> None:
    for role, name in (("text", text), ("label", label), ("other", other)):
        if name is not None and name not in names:
            listed = ", ".join(f"`{column}`" for column in names[:30])
            what = f"there is no column `{name}` for --{role}; the columns are {listed}"
            raise UsageError(what, where=where, fix=nearest(name, names))


def _columns(
    values: dict[str, list[str]], text: str | None, label: str | None, where: str, label_score: Score
) -> tuple[str, str]:
    """The columns of texts and labels. Both are scored before one is asked for, so that the fix names both."""
    labels = {} if label else _scores(values, label_score, text)
    texts = {} if text else _scores(values, text_score, label)
    if label is None and text is None and labels and texts:
        # The best column of texts is none of the labels, unless there is no other.
        best = max(texts, key=lambda name: texts[name])
        labels = {name: worth for name, worth in labels.items() if name != best} or labels
    found_label = label or _best(labels)
    if found_label is None:
        raise _nothing("labels", "label", values, where)
    texts.pop(found_label, None)
    found_text = text or _best(texts)
    if found_text is None:
        raise _nothing("texts", "text", values, where)
    near_texts = [] if text else [name for name in _near(texts) if mean_length(values[name]) >= _SHORT]
    near_labels = [] if label else _near(labels, _reach(found_label, labels[found_label]))
    fix = f"name both: --text {_word(found_text)} --label {_word(found_label)}"
    if len(near_texts) > 1:
        raise ChoiceError("text", {name: _shown(values[name]) for name in near_texts}, where, fix)
    if len(near_labels) > 1:
        raise ChoiceError("label", {name: _shown(values[name]) for name in near_labels}, where, fix)
    return found_text, found_label


def _scores(values: dict[str, list[str]], score: Score, taken: str | None) -> dict[str, float]:
    found = {}
    for name, column in values.items():
        filled = [cell for cell in column if cell.strip()]
        if name != taken and 2 * _odd(column) < len(column):
            worth = score(name, filled, len(column))
            if worth is not None:
                found[name] = worth
    return found


def _odd(column: Sequence[str]) -> int:
    return sum(isinstance(cell, UnreadableCell) for cell in column)


def _time(values: Mapping[str, Sequence[str]], taken: Collection[str | None]) -> str | None:
    """The first column that is named as a time and whose cells are dates, nine in ten of them filled."""
    for name, column in values.items():
        filled = [cell for cell in column if cell.strip()]
        if name in taken or not _TIMES.search(name.strip()) or len(filled) < 0.9 * len(column) or _odd(column):
            continue
        if all(parse_date(cell) for cell in filled):
            return name
    return None


def _numbers(column: Sequence[str]) -> Literal["none", "few", "many"]:
    """Whether labels are numbers: whole ones that may be codes, or very many or with decimals."""
    distinct = {cell.strip() for cell in column if cell.strip()}
    if len(distinct) < 3 or any(parse_number(cell) is None for cell in distinct):
        return "none"
    return "few" if len(distinct) <= _MOST_CODES and not has_decimals(distinct) else "many"


def _best(scores: Mapping[str, float]) -> str | None:
    return max(scores, key=lambda name: scores[name]) if scores else None


def _near(scores: Mapping[str, float], within: float = _NEAR) -> list[str]:
    """The columns that fit about as well as the best, the best first."""
    ranked = sorted(scores, key=lambda name: -scores[name])
    return [name for name in ranked if scores[name] > scores[ranked[0]] - within]


def _reach(best: str, score: float) -> float:
    """How far below the best label a column may score and still be offered.

    A level is a label only where no other column can be one. Where even the best has an unlikely name, all are offered.
    """
    if score <= -0.5:
        return _FAR
    return _DOUBTFUL if role_of(best) == "level" else _NEAR


def _shown(column: Sequence[str]) -> str:
    """A few values of a column for a person who chooses."""
    distinct = list(dict.fromkeys(cell.strip() for cell in column if cell.strip()))
    shown = ", ".join(value[:24] + "…" * (len(value) > 24) for value in distinct[:3])
    return f"{len(distinct):,} different value{'s' * (len(distinct) != 1)}: {shown}" + ", …" * (len(distinct) > 3)


def _word(name: str) -> str:
    return f'"{name}"' if re.search(r"[\s()&;|<>$`'*?]", name) else name


def _nothing(what: str, option: str, values: Mapping[str, Sequence[str]], where: str) -> DataError:
    listed = ", ".join(f"`{name}`" for name in list(values)[:30])
    nested = {
        name: next((cell for cell in column if isinstance(cell, UnreadableCell)), None)
        for name, column in values.items()
    }
    said = [(f"`{name}` is {cell.what[:120]}", cell.fix) for name, cell in nested.items() if cell is not None]
    if said:
        seen = "; ".join(each for each, _ in said[:3])
        return DataError(f"no column looks like {what}: the columns are {listed}; {seen}", where=where, fix=said[0][1])
    what = f"no column looks like {what}; the columns are {listed}"
    return DataError(what, where=where, fix=f"name it: --{option} COLUMN")
