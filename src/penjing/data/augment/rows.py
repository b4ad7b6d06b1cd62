"""Rows with altered copies behind them, each with the gold of its row: of train rows only, and never a held-out text.

A copy is altered by one kind, drawn by the text, the number of the copy and the seed, or by the next one that can alter
this text. It is left out where it is a train text already, a held-out text (apart from case, width, spaces and signs),
or where the gold has no place in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from penjing.core.canon import digest_lines
from penjing.core.nouns import Table
from penjing.core.task import Reader
from penjing.data.augment.altered import Free, Words, free_words, gold_places, moved_gold, named_places
from penjing.data.fold import fold
from penjing.data.masked import Masked

Alter = Callable[[Free, Random], Masked | None]


@dataclass(frozen=True, eq=False)
class Augmentation:
    """How rows are augmented: the kinds by name, copies a row, seed, and the digests of texts that may not arise."""

    kinds: Mapping[str, Alter]
    words: Words
    copies: int = 1
    seed: int = 0
    held_out: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class Augmented:
    """The table with its copies behind the rows, how many each kind made, and how many were left out, and why.

    left_out: `unaltered` (no kind could alter the text), `repeated` (a text of the table), `held_out`, `gold` (the gold
    has no place in the altered text).
    """

    table: Table
    made: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)


def text_digest(text: str) -> str:
    """What a text is compared by with held-out ones: 16 hexadecimal digits of its letters and digits, folded."""
    return digest_lines([fold(text)])[:16]


def augmented(table: Table, reader: Reader, how: Augmentation) -> Augmented:
    """The rows of a table and their copies. A copy has the row number, the fields and the group of its row.

    A row without a group becomes a group of its own with its copies, so that folds of a cross-validation keep them
    together.
    """
    golds = table.labels or [""] * len(table)
    seen = {fold(text) for text in table.texts}
    made, left = Counter(dict.fromkeys(how.kinds, 0)), Counter[str]()
    rows: list[int] = []
    texts: list[str] = []
    labels: list[str] = []
    for row, (text, gold) in enumerate(zip(table.texts, golds, strict=True)):
        free = free_words(text, how.words, [*gold_places(reader, text, gold), *named_places(reader, text)])
        for copy in range(how.copies):
            name, found = _altered(free, how, copy)
            new = None if found is None else moved_gold(reader, gold, text, found)
            reason = _refused(found, new, seen, how.held_out)
            if found is None or new is None or reason:
                left[reason] += 1
                continue
            seen.add(fold(found.text))
            made[name] += 1
            rows.append(row)
            texts.append(found.text)
            labels.append(new)
    return Augmented(_with_copies(table, rows, texts, labels), made, left)


def drawn_kind(kinds: int, seed: int, copy: int, text: str) -> int:
    """Which of so many kinds is tried first for a copy of a text."""
    return Random(digest_lines([f"{seed}", f"{copy}", text])).randrange(kinds) if kinds else 0


def _altered(free: Free, how: Augmentation, copy: int) -> tuple[str, Masked | None]:
    names = list(how.kinds)
    first = drawn_kind(len(names), how.seed, copy, free.text)
    for turn in range(len(names)):
        name = names[(first + turn) % len(names)]
        found = how.kinds[name](free, Random(digest_lines([f"{how.seed}", name, f"{copy}", free.text])))
        if found is not None and found.text != free.text:
            return name, found
    return "", None


def _refused(found: Masked | None, gold: str | None, seen: Collection[str], held_out: Collection[str]) -> str:
    """Why a copy is left out; "" where it is not."""
    if found is None:
        return "unaltered"
    if gold is None:
        return "gold"
    if fold(found.text) in seen:
        return "repeated"
    return "held_out" if text_digest(found.text) in held_out else ""


def _with_copies(table: Table, rows: Sequence[int], texts: Sequence[str], labels: Sequence[str]) -> Table:
    behind = table.take(rows)
    units = table.units
    return Table(
        texts=[*table.texts, *texts],
        labels=None if table.labels is None else [*table.labels, *labels],
        rows=[*table.rows, *behind.rows],
        groups=[*units, *(units[row] for row in rows)],
        fields={name: [*column, *behind.fields[name]] for name, column in table.fields.items()},
    )
