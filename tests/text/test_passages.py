"""A question stands before its passage, whole in every window; places are those of the passage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from penjing.core.errors import DamageError
from penjing.core.pair import join_texts
from penjing.text.passages import Passages, by_passage, reads_passages
from penjing.text.tokens import Tokens, encode, open_tokenizer


def tokenizer(*, single: str = "[CLS] $A [SEP]", pair: str = "[CLS] $A [SEP] $B [SEP]") -> Tokenizer:
    known = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "why": 5} | {str(n): 10 + n for n in range(500)}
    made = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    made.add_special_tokens(["[CLS]", "[SEP]"])
    made.pre_tokenizer = WhitespaceSplit()
    special = [("[CLS]", 2), ("[SEP]", 3)]
    made.post_processor = TemplateProcessing(single=single, pair=pair, special_tokens=special)
    return made


def numbers(count: int) -> str:
    return " ".join(map(str, range(count)))


def test_the_mark_stays_in_the_file_and_cuts_nothing(tmp_path: Path) -> None:
    assert not reads_passages(tokenizer())
    (tmp_path / "tokenizer.json").write_text(by_passage(tokenizer()).to_str(), encoding="utf-8")
    again = open_tokenizer(tmp_path)
    assert reads_passages(again) and len(again.encode(numbers(400)).ids) == 402
    assert all(Tokens(again, limit).passages is not None for limit in (16, 32)), "opening it takes no mark away"
    assert Tokens(tokenizer(), 16).passages is None


def test_rows_and_places() -> None:
    tokens = Tokens(by_passage(tokenizer()), 16)
    case = join_texts("1 22 3", "why a")
    assert tokens.encode([case])[0].tolist() == [2, 5, 4, 3, 11, 32, 13, 3]
    places = [[0, 0]] * 4 + [[0, 1], [2, 4], [5, 6], [0, 0]]
    assert tokens.offsets([case])[0].tolist() == places


def test_every_window_has_the_question_and_all_of_the_passage_is_seen() -> None:
    tokens = Tokens(by_passage(tokenizer()), 16)
    case = join_texts(numbers(60), "why a")
    row, places = tokens.encode([case])[0], tokens.offsets([case])[0]
    windows, placed = tokens.windows(row), tokens.windows_of_places(row, places)
    assert all(window.ids[:4].tolist() == [2, 5, 4, 3] and len(window.ids) == 16 for window in windows)
    seen = {one for window in windows for one in window.ids[4:-1].tolist()}
    assert seen == set(range(10, 70)) and sum(window.weight for window in windows) == 60
    for window, own in zip(windows, placed, strict=True):
        assert len(own) == 16 and [case[start:end] for start, end in own[4:-1]] == [
            str(n - 10) for n in window.ids[4:-1]
        ]
    first = tokens.first_window(places)
    assert np.array_equal(first, placed[0])


def test_a_long_question_has_half_of_the_room_and_is_told() -> None:
    tokens = Tokens(by_passage(tokenizer()), 16)
    case = join_texts("1 2", numbers(40))
    assert tokens.encode([case])[0].tolist() == [2, *range(10, 16), 3, 11, 12, 3]
    assert tokens.is_cut(case) and not tokens.is_cut(join_texts(numbers(200), "why"))


def test_a_question_that_writes_the_separator_moves_nothing() -> None:
    tokens = Tokens(by_passage(tokenizer()), 16)
    case = join_texts("1 2", "why [SEP] a")
    row = tokens.encode([case])[0]
    assert row.tolist() == [2, 5, 4, 3, 11, 12, 3] and tokens.frame_of(row) == (4, 1)


def test_a_tokenizer_that_was_made_for_one_text_parts_two_by_its_last_token() -> None:
    made = Passages.of(tokenizer(pair="$A $B"), 16)
    assert made.rows([join_texts("1", "why")])[0].tolist() == [2, 5, 3, 11, 3]


def test_training_by_first_windows_cuts_the_passage() -> None:
    found = encode(by_passage(tokenizer()), [join_texts(numbers(60), "why a"), join_texts("1", "a")], 16)
    assert [len(row) for row in found.ids] == [16, 5] and found.cut == 1
    assert [len(row) for row in found.places] == [16, 5]


def test_a_tokenizer_without_separators_and_a_short_limit_are_refused() -> None:
    with pytest.raises(DamageError, match="nothing between a question and its passage"):
        Passages.of(tokenizer(single="[CLS] $A", pair="[CLS] $A $B"), 16)
    with pytest.raises(DamageError, match="leaves no room"):
        Passages.of(tokenizer(), 4)
