"""Texts as rows that an encoder is tuned on: of each its first tokens, or the windows of a passage, as they are served.

Every window of a passage that holds the answer is a row. Of the windows without the answer, one for each question is a
row with the target "no answer", so that scores can be compared between windows. The position of the question in the
table, modulo the number of such windows, chooses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from penjing.core.nouns import Progress, Table
from penjing.core.task import Item, Task
from penjing.text.by_character import by_character
from penjing.text.passages import by_passage
from penjing.text.tokens import Encoded, Ids, Tokens, encode, items_of


@dataclass(frozen=True)
class ReadRows:
    """Token ids with their places, the gold and the item of each row, and the text that each row is of.

    encoded.cut: how many texts are longer than a row.
    """

    encoded: Encoded
    golds: Sequence[str]
    items: Sequence[Item]
    owners: Sequence[int]


def fit_tokenizer(tokenizer: Tokenizer, task: Task) -> Tokenizer:
    """The tokenizer as the heads of a task need it: pieces of a text begin and end at tokens."""
    kinds = {head.kind for head in task.heads.values()}
    found = tokenizer if kinds == {"pooled"} else by_character(tokenizer)
    return by_passage(found) if "span" in kinds else found


def read_rows(task: Task, tokenizer: Tokenizer, table: Table, max_tokens: int) -> ReadRows:
    """The rows of a table, at most `max_tokens` tokens each."""
    golds = table.labels or ()
    if any(head.kind == "span" for head in task.heads.values()):
        return _windows(task, Tokens(tokenizer, max_tokens), table.texts, golds)
    encoded = encode(tokenizer, table.texts, max_tokens)
    return ReadRows(encoded, golds, items_of(table.texts, encoded), range(len(table)))


def say_cut(read: ReadRows, rows: int, tokens: int, progress: Progress) -> None:
    """Say how many of the texts are longer than a row, and what that means."""
    cut = read.encoded.cut
    if cut and len(read.owners) == rows:
        progress.say(f"{cut} of {rows} train texts are longer than {tokens} tokens: training sees their beginning")
    elif cut:
        progress.say(f"{cut} of {rows} train texts are longer than {tokens} tokens: they are read in windows")


def _windows(task: Task, tokens: Tokens, texts: Sequence[str], golds: Sequence[str]) -> ReadRows:
    ids: list[Ids] = []
    items: list[Item] = []
    owners: list[int] = []
    cut = 0
    for owner, (text, gold) in enumerate(zip(texts, golds, strict=True)):
        row, places = tokens.encode([text])[0], tokens.offsets([text])[0]
        windows = [each.ids for each in tokens.windows(row)]
        found = [Item(text, each) for each in tokens.windows_of_places(row, places)]
        cut += len(windows) > 1
        for place in _chosen(task, gold, found, owner):
            ids.append(windows[place])
            items.append(found[place])
            owners.append(owner)
    encoded = Encoded(ids, cut, [one.offsets for one in items])
    return ReadRows(encoded, [golds[owner] for owner in owners], items, owners)


def _chosen(task: Task, gold: str, windows: Sequence[Item], owner: int) -> list[int]:
    """The windows with the answer, and one of the others. A target of position 0 stands for no answer."""
    name = next(name for name, head in task.heads.items() if head.kind == "span")
    holds = np.asarray(task.encode([gold] * len(windows), windows)[name])[:, 0] > 0
    with_it, without = np.flatnonzero(holds).tolist(), np.flatnonzero(~holds).tolist()
    return sorted([*with_it, *([without[owner % len(without)]] if without else [])])
