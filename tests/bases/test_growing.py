"""How the base is grown: vocabulary, INT8 rows, alignment of two tokenizers, overlap with benchmark texts."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tokenizers import Tokenizer

Part = Callable[[str], ModuleType]
GROWING = Path(__file__).parents[2] / "bases" / "mini"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    """Import a file of bases/mini, which is run as a script and so finds its neighbours by their bare names."""
    monkeypatch.syspath_prepend(str(GROWING))

    def load(name: str) -> ModuleType:
        return import_module(name)

    yield load
    for name in [path.stem for path in GROWING.glob("*.py")]:
        sys.modules.pop(name, None)


def tiny_tokenizer() -> dict[str, object]:
    """A tokenizer.json in the teacher's form with a few entries."""
    words = ["的", "好", "书", "坏", "▁", "a", "b", "o", "k", "好书", "坏书", "▁book", "▁bad", "que"]
    vocab = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    vocab += [[word, -5.0 - number] for number, word in enumerate(words)] + [["<mask>", 0.0]]
    special = [(0, "<s>"), (1, "<pad>"), (2, "</s>"), (3, "<unk>"), (len(vocab) - 1, "<mask>")]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    ends = {text: {"id": text, "ids": [number], "tokens": [text]} for number, text in ((0, "<s>"), (2, "</s>"))}
    pieces = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "</s>", "type_id": 0}}]  # fmt: skip
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": {"type": "NFKC"},
        "added_tokens": [{"id": number, "content": text, **plain} for number, text in special],
        "pre_tokenizer": metaspace, "decoder": metaspace,
        "post_processor": {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": ends},
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": False, "vocab": vocab},
    }  # fmt: skip


def test_frequent_entries_stay_and_rare_ones_go(part: Part) -> None:
    vocabulary = part("vocabulary")
    old = tiny_tokenizer()
    texts = [text for text, _ in old["model"]["vocab"]]
    seen = Counter({texts.index("坏书"): 90, texts.index("好书"): 1})
    english = Counter({texts.index("▁bad"): 90, texts.index("▁book"): 4})
    added = 6763 - 4
    made = vocabulary.build(old, {"a-zh": seen, "b-en": english}, size=5 + 9 + added + 2)
    kept = [text for text, _ in made.tokenizer["model"]["vocab"]]
    assert len(kept) == len(set(kept)) == 16 + added
    assert {"坏书", "▁bad", "▁", "a", "好"} <= set(kept)
    assert not {"好书", "▁book", "que"} & set(kept)
    assert kept[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert kept[-1] == "<mask>"
    assert [texts[i] for i in made.origin if i >= 0] == [text for text in kept if text in texts]
    tokenizer = Tokenizer.from_str(json.dumps(made.tokenizer))
    assert tokenizer.encode("蟑螂").tokens == ["<s>", "▁", "蟑", "螂", "</s>"]
    assert tokenizer.encode("<mask>").ids == [0, len(kept) - 1, 2]


def test_an_added_character_starts_among_its_neighbours(part: Part) -> None:
    vocabulary = part("vocabulary")
    made = vocabulary.build(tiny_tokenizer(), {}, size=14 + 6759)
    old = np.random.default_rng(0).standard_normal((19, 8)).astype(np.float32)
    rows = vocabulary.embeddings(old, made)
    assert rows.shape == (len(made.origin), 8)
    assert np.array_equal(rows[made.origin >= 0], old[made.origin[made.origin >= 0]])
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert np.array_equal(rows, vocabulary.embeddings(old, made))


def test_int8_rows_are_within_half_a_step(part: Part) -> None:
    weights = part("weights")
    matrix = np.random.default_rng(1).standard_normal((50, 16)).astype(np.float32)
    matrix[3] = 0
    rows, scale = weights.to_rows(matrix)
    assert rows.dtype == np.int8
    assert np.all(np.abs(weights.from_rows(rows, scale) - matrix) <= scale[:, None] / 2 + 1e-6)


def test_layers_are_taken_and_numbered_from_zero(part: Part) -> None:
    weights = part("weights")
    teacher = {f"encoder.layer.{i}.x": np.full(2, i, np.float16) for i in range(12)} | {"embeddings.y": np.ones(1)}
    taken = weights.take_layers(teacher)
    assert {name: int(tensor[0]) for name, tensor in taken.items()} == {
        "encoder.layer.0.x": 0, "encoder.layer.1.x": 1, "encoder.layer.2.x": 10, "encoder.layer.3.x": 11,
        "embeddings.y": 1,
    }  # fmt: skip


def test_overlap_finds_a_copied_run_and_a_copied_whole_and_nothing_else(part: Part) -> None:
    overlap = part("overlap")
    runs = overlap.Runs(
        {
            "reviews": ["这家酒店的位置非常好，早餐也很丰富，下次还会再来住", "服务很好"],
            "bank": ["I am still waiting on my new card to arrive, what should I do now?"],
        }
    )
    shared = runs.shared(
        [
            "他说：“位置非常好早餐也很丰富下次”",  # 14 characters in a row, other stops between them
            "他说位置非常好，早餐也很丰盛",  # 12 only
            "服务很好！",
            "服务很好吗？",
            "She is STILL waiting on my new card to arrive tomorrow",
            "She is waiting on my new card to be arranged",
            "",
        ]
    )
    assert shared["reviews"].tolist() == [True, False, True, False, False, False, False]
    assert shared["bank"].tolist() == [False, False, False, False, True, False, False]


@pytest.mark.slow
def test_alignment_covers_the_same_characters(part: Part) -> None:
    heal = part("heal")
    base = GROWING.parents[1] / "src" / "penjing" / "bases" / "mini" / "tokenizer.json"
    mini = Tokenizer.from_file(str(base))
    whole = Tokenizer.from_str(json.dumps(tiny_tokenizer()))
    text = "好书 book"
    weights, usable = heal.align([mini.encode(text)], [whole.encode(text)], unknown=3)
    mine, other = mini.encode(text), whole.encode(text)
    assert weights.shape == (1, len(mine.ids), len(other.ids))
    total = weights.sum(-1)[0]
    assert [bool(flag) for flag in usable[0]] == [bool(value > 0.99) for value in total]
    for row, token in enumerate(mine.tokens):
        best = other.tokens[int(weights[0, row].argmax())]
        assert not usable[0, row] or best in (token, "好书", "▁book"), (token, best)
    # What the teacher does not know is no target.
    _, usable = heal.align([mini.encode("好螂")], [whole.encode("好螂")], unknown=3)
    by_token = dict(zip(mini.encode("好螂").tokens, usable[0].tolist(), strict=True))
    assert by_token["好"]
    assert not by_token["螂"]
