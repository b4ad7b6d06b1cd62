"""Words are replaced by near ones of the same texts; numbers, marks and masks stay; the same comes out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split, Whitespace

from penjing.compress.distill import Options, apply
from penjing.compress.parts.near_tokens import NEAR, NearTokens, near_tokens, replaced
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run

AT: Mapping[str, tuple[float, float]] = {
    "rose": (1.0, 0.1), "fell": (1.0, 0.0), "grew": (1.0, -0.1),
    "sales": (-1.0, 0.1), "profit": (-1.0, 0.0), "income": (-1.0, -0.1),
    "once": (1.0, 0.05), "7": (1.0, 0.0), "!": (1.0, 0.0),
}  # fmt: skip
TEXTS = ["sales rose 7 !", "profit fell 7 !", "income grew 7 !", "profit rose", "sales fell", "income grew once"]


def near(texts: list[str]) -> NearTokens:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, **{word: i for i, word in enumerate(AT, start=1)}}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["[UNK]", "⟦phone⟧"])
    return near_tokens(tokenizer, np.array([(0.0, 0.0), *AT.values()], dtype=np.float32), texts)


def test_the_nearest_come_first_and_what_is_no_word_or_is_rare_is_left_out() -> None:
    found = near(TEXTS)
    names = dict(enumerate(AT, start=1))
    words = {names[token]: others for token, others in found.near.items()}
    assert set(words) == {"rose", "fell", "grew", "sales", "profit", "income"}, "`once` occurs once"
    assert set(words["fell"][:2]) == {"rose", "grew"}
    assert words["sales"][:2] == ("profit", "income")
    assert all(len(others) <= NEAR and word not in others for word, others in words.items())


def test_new_texts_differ_in_words_alone_and_come_out_the_same_again() -> None:
    made = near(TEXTS).replace(TEXTS, 3, seed=0)
    assert made and len(made) == len(set(made)) and not set(made) & set(TEXTS)
    assert made == near(TEXTS).replace(TEXTS, 3, seed=0) != near(TEXTS).replace(TEXTS, 3, seed=1)
    known = set(AT) - {"once"}
    for text in made:
        words = text.split()
        assert len(words) in (2, 3, 4) and set(words) - {"once"} <= known
        assert len(words) < 4 or words[2:] == ["7", "!"]


def test_spaces_marks_and_masks_stay_in_their_places() -> None:
    texts = ["sales  rose,\n7!", "⟦phone⟧ sales rose", "unheard profit fell 7"] * 2
    made = near(texts).replace(texts, 4, seed=0)
    assert made
    for text in made:
        first, _, rest = text.partition("  ")
        assert text.startswith(("⟦phone⟧ ", "unheard ")) or (first.isalpha() and rest.endswith(",\n7!"))


def test_a_part_of_a_word_stands_only_for_a_part_of_a_word() -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "好": 1, "差": 2, "ok": 3}, "[UNK]"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    places = np.array([(0, 0), (1, 0), (1, 0.1), (1, 0.05)], dtype=np.float32)
    found = near_tokens(tokenizer, places, ["好差好差", "差好"])
    assert found.near.get(1) == ("差",) and found.near.get(2) == ("好",)


def test_words_are_those_of_the_texts_and_of_the_teachers_table(inputs: Inputs) -> None:
    assert inputs.parent is not None
    texts = list(inputs.train.texts)[:40]
    made = replaced(inputs.parent, texts, 2, seed=0)
    assert len(texts) < len(made) <= 2 * len(texts)
    assert {word for text in made for word in text.split()} <= {word for text in texts for word in text.split()}
    assert replaced(inputs.parent, texts, 0, seed=0) == replaced(inputs.parent, [], 2, seed=0) == []


def test_only_a_teacher_in_torch_has_a_table(inputs: Inputs) -> None:
    assert inputs.parent is not None
    card = inputs.parent.card.model_copy(update={"form": "onnx"})
    with pytest.raises(UsageError):
        replaced(Artifact(inputs.parent.folder, inputs.parent.id, card), ["a text"], 1, seed=0)


def test_a_student_learns_from_them(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    few = replace(inputs, train=inputs.train.take(range(40)), teachers={"tuned": inputs.parent})

    def texts_of(count: int) -> str:
        options = Options(copies=0, replaced=count, epochs=1)
        return apply(few, options, Run(out=tmp_path / f"{count}", scratch=tmp_path / f"s{count}", threads=1)).id

    assert texts_of(0) != texts_of(2)
