"""Near words by a table of embeddings: the highest cosines of at least a limit, in the case of the word asked for."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel, WordPiece
from tokenizers.pre_tokenizers import Whitespace

from penjing.core.nouns import Artifact
from penjing.train.near_words import LEAST, MOST, near_words, near_words_of

AT = {"rose": (1.0, 0.1), "fell": (1.0, 0.0), "grew": (1.0, -0.1), "sales": (-1.0, 0.1), "profit": (-1.0, 0.0),
      "up": (0.0, 2.0), "once": (1.0, 0.05)}  # fmt: skip
TEXTS = ["Sales rose up", "profit fell up", "sales grew ⟦mobile⟧ 7 7", "profit ROSE grew fell once"]


def words() -> tuple[Tokenizer, np.ndarray]:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, **{word: i for i, word in enumerate(AT, start=1)}}, "[UNK]"))
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer, np.array([(0.0, 0.0), *AT.values()], dtype=np.float32)


def test_the_nearest_come_first_and_rare_words_never() -> None:
    found = near_words(*words(), [text.lower() for text in TEXTS])
    assert set(found("fell")) == {"rose", "grew"} and found("sales") == ("profit",) and list(found("once")) == []
    assert list(found("up")) == [], "nothing is within the limit"
    assert "7" not in found.near and all(len(others) <= MOST for others in found.near.values())
    assert 0 < LEAST < 1
    assert near_words(*words(), ["one two", "three"]).near == {}


def test_near_words_have_the_case_of_the_word() -> None:
    found = near_words(*words(), [text.lower() for text in TEXTS])
    assert found("SALES") == ["PROFIT"] and found("Sales") == ["Profit"] and found("sales") == ("profit",)


def test_a_word_of_several_tokens_is_their_mean() -> None:
    pieces = {"[UNK]": 0, "re": 1, "##fund": 2, "##pay": 3, "bad": 4}
    tokenizer = Tokenizer(WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    table = np.array([(0, 0), (1, 0), (0, 0.5), (0, 0.6), (-3, -1)], dtype=np.float32)
    found = near_words(tokenizer, table, ["refund repay bad"] * 2)
    assert found("refund") == ("repay",) and found("repay") == ("refund",) and list(found("bad")) == []


def test_a_chinese_word_is_not_near_a_part_of_itself() -> None:
    tokenizer = Tokenizer(
        WordPiece({"[UNK]": 0, "酒": 1, "##店": 2, "##客": 3, "##房": 4, "旅": 5, "差": 6}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    table = np.array([(0, 0), (1, 0), (1, 0.1), (1, 0), (1, 0), (1, 0.05), (-5, 1)], dtype=np.float32)
    found = near_words(tokenizer, table, ["酒店 酒店客房 旅店 差"] * 2)
    assert found("酒店") == ("旅店",)


def test_a_tuned_model_and_its_base_have_a_table(torch_artifact: Artifact) -> None:
    found = near_words_of(torch_artifact, ["good bad slow fine late"] * 3)
    assert set(found.near) <= {"good", "bad", "slow", "fine", "late"}
