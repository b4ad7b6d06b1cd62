"""`penjing init` with several columns of labels: each is a task, and all are learned together."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from penjing.core.errors import UsageError

if TYPE_CHECKING:
    from penjing.core.task import About
    from penjing.data.guessed import Guess

_PLAIN = re.compile(r"[A-Za-z_\u4e00-\u9fff./][\w./-]*")
_RESERVED = {"null", "true", "false", "~", "yes", "no", "on", "off", "."}


def check_labels(labels: Sequence[str], named: About | None) -> About | None:
    """The task that is named for one column of labels; None where each of several columns is a task.

    Raises UsageError where the number of columns does not fit the task.
    """
    if named is not None and named.joint and len(labels) < 2:
        what = f"the task `{named.name}` has a column of labels for each of its tasks"
        raise UsageError(what, where="--label", fix="name each of them: --label COLUMN --label COLUMN")
    if named is not None and not named.joint and len(labels) > 1:
        what = f"the task `{named.name}` has one column of labels, and {len(labels)} are named"
        raise UsageError(what, where="--label", fix="leave --task out: each column is a task of its own then")
    if twice := next((column for place, column in enumerate(labels) if column in labels[:place]), None):
        raise UsageError(f"`{twice[:60]}` is named twice", where="--label", fix="name each column once")
    return None if len(labels) > 1 else named


def with_tasks(
    labels: Sequence[str], guessed: Guess, about: About, other: Callable[[str, str], tuple[Guess, About]]
) -> tuple[Guess, About]:
    """The guess without a column of labels, and several tasks, where several columns are named; else both as they are.

    other: guesses what another column of labels holds, from its name and that of the column of the texts.
    """
    from penjing.tasks import about_task

    if len(labels) < 2:
        return guessed, about
    found = [(guessed, about), *(other(column, guessed.text) for column in labels[1:])]
    names = [name_of(column, place) for place, column in enumerate(labels)]
    each = [
        f"{name}: {{type: {one.name}, label: {scalar(column)}{_separator(own) if one.sets else ''}}}"
        for name, column, (own, one) in zip(names, labels, found, strict=True)
    ]
    epochs = max((one.epochs for _, one in found if one.epochs is not None), default=None)
    line = f"{{type: together, tasks: {{{', '.join(each)}}}}}"
    return replace(guessed, label="", separator=None), replace(about_task("together"), line=line, epochs=epochs)


def with_further(guessed: Guess) -> dict[str, object]:
    """The columns of the texts after the first one, where there are any."""
    found: dict[str, object] = {"other": guessed.other} if guessed.other else {}
    found |= {"question": guessed.question} if guessed.question else {}
    return found | dict(zip(("head", "tail"), guessed.ends or (), strict=False))


def at_a_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def name_of(column: str, place: int) -> str:
    """The name of the task of a column: its own where rules may name facts by it."""
    from penjing.core.options import WrongValueError
    from penjing.tasks.together_options import check_name

    name = re.sub(r"\W+", "_", column).strip("_")
    try:
        check_name(name)
    except WrongValueError:
        return f"task_{place + 1}"
    return name


def scalar(value: str) -> str:
    """A word that YAML reads back unchanged: bare if that is safe, else in JSON quotes."""
    safe = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
    return value if safe else json.dumps(value, ensure_ascii=False)


def _separator(guessed: Guess) -> str:
    """What is between the labels of a cell, where it is not the usual one."""
    between = guessed.separator or ";"
    return "" if between == ";" else f", separator: {json.dumps(between, ensure_ascii=False)}"
