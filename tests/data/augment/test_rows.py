"""Copies of train rows: how many, of what, whose gold and group; none is a held-out text or there twice."""

from __future__ import annotations

import json
from functools import partial

from penjing.core.nouns import Table
from penjing.data.augment.altered import Free, rewritten
from penjing.data.augment.deletion import deletion
from penjing.data.augment.rows import Augmentation, augmented, text_digest
from penjing.data.augment.swap import swap
from penjing.tasks.classify import ClassifyReader
from penjing.tasks.tag import TagReader
from penjing.text.words import word_spans

TABLE = Table(
    texts=["the room was clean and very quiet", "the food was cold and the soup too", "short"],
    labels=["good", "bad", "bad"],
    rows=[4, 5, 9],
    groups=["guest 1", "", ""],
    fields={"nights": [1, 2, 3]},
)
KINDS = {"swap": partial(lambda free, source, share: swap(free, share, source), share=0.3),
         "deletion": partial(lambda free, source, share: deletion(free, share, source), share=0.3)}  # fmt: skip


def test_copies_have_gold_fields_row_and_group_of_their_row() -> None:
    found = augmented(TABLE, ClassifyReader(), Augmentation(KINDS, word_spans, copies=3, seed=1))
    table = found.table
    assert list(table.texts[:3]) == list(TABLE.texts) and len(table) == 9
    assert found.made["swap"] + found.made["deletion"] == 6 and min(found.made.values()) > 0
    assert found.left_out == {"unaltered": 3}, "a text of one word has nothing to exchange or to leave out"
    assert list(table.labels or ()) == ["good", "bad", "bad", *["good"] * 3, *["bad"] * 3]
    assert list(table.rows) == [4, 5, 9, 4, 4, 4, 5, 5, 5] and table.fields["nights"][3:] == [1, 1, 1, 2, 2, 2]
    # Rows without a group stay together with their copies in every fold.
    assert table.units[0] == table.units[3] == "guest 1" and table.units[1] == table.units[6] != table.units[2]
    assert len(set(table.texts)) == 9


def test_the_same_rows_and_seed_give_the_same_copies_whatever_else_is_in_the_table() -> None:
    how = Augmentation(KINDS, word_spans, copies=2, seed=1)
    first, again = augmented(TABLE, ClassifyReader(), how), augmented(TABLE, ClassifyReader(), how)
    assert first.table.texts == again.table.texts
    alone = augmented(TABLE.take([1]), ClassifyReader(), how)
    assert alone.table.texts[1:] == first.table.texts[5:7]
    other = augmented(TABLE, ClassifyReader(), Augmentation(KINDS, word_spans, copies=2, seed=2))
    assert other.table.texts != first.table.texts


def test_a_held_out_text_never_arises() -> None:
    def always(free: Free, source: object) -> object:  # noqa: ARG001 - draws nothing
        return rewritten(free.text, [(0, len(free.text), "The room: was NOISY!")])

    how = Augmentation({"always": always}, word_spans, held_out={text_digest("the room was noisy")})  # type: ignore[dict-item]
    found = augmented(TABLE, ClassifyReader(), how)
    assert len(found.table) == 3 and found.left_out == {"held_out": 3}
    found = augmented(TABLE, ClassifyReader(), Augmentation({"always": always}, word_spans))  # type: ignore[dict-item]
    assert len(found.table) == 4 and found.left_out == {"repeated": 2}


def test_places_of_gold_are_those_of_the_copy() -> None:
    text = "yesterday Lin came to see the new house of Acme again"
    gold = '[{"start":10,"end":13,"label":"PER"},{"start":43,"end":47,"label":"ORG"}]'
    found = augmented(Table([text], [gold], [1]), TagReader(), Augmentation(KINDS, word_spans, copies=5))
    assert len(found.table) > 3
    for copy, label in zip(found.table.texts, found.table.labels or (), strict=True):
        assert [copy[one["start"] : one["end"]] for one in json.loads(label)] == ["Lin", "Acme"]
