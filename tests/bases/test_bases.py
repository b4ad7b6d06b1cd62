"""How the bases are grown: free texts, composed phrases, entries, cuts, stored states, and what a folder holds."""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from penjing.model.base import open_base
from penjing.model.encoder import load_encoder

Part = Callable[[str], ModuleType]
GROWING = Path(__file__).parents[2] / "bases"
NAMES = {path.stem for path in GROWING.glob("*.py")}


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    """Import a file of bases/, which is run as a script and so finds its neighbours by their bare names."""
    for name in NAMES:
        sys.modules.pop(name, None)
    monkeypatch.syspath_prepend(str(GROWING))
    yield import_module
    for name in NAMES:
        sys.modules.pop(name, None)


def unigram() -> dict[str, Any]:
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


def test_composed_phrases_deny_and_grade_and_never_repeat_the_order(part: Part) -> None:
    phrases = part("phrases")
    texts = list(phrases.sentences(400))
    assert texts == list(phrases.sentences(400)) and texts != list(phrases.sentences(400, seed=1))
    assert len(set(texts)) > 380
    for pattern in ("不太", "没那么|没有想象中那么", "很|非常|特别", "但是|不过|可是", "怎么|如何", "%|亿"):
        assert sum(bool(re.search(pattern, text)) for text in texts) >= 4, pattern
    # An adjective that is denied twice would say the opposite of its clause.
    assert not [text for text in texts if "不不" in text]


def test_a_clause_of_one_mood_says_it_either_way(part: Part) -> None:
    phrases = part("phrases")
    aspect = ("房间", ("干净", "脏"))
    good = {phrases.clause(random.Random(seed), aspect, good=True) for seed in range(60)}
    for text in good:
        denied = any(word in text for word in ("不", "没", "算不上", "谈不上"))
        assert ("脏" in text) == denied and ("干净" in text) != denied


def test_crops_are_whole_sentences_that_follow_each_other(part: Part, tmp_path: Path) -> None:
    texts = part("texts")
    folder = tmp_path / "raw-zh-recipes"
    folder.mkdir()
    lines = [f"第{number}步：把第{number}个鸡蛋放进锅里，加水煮熟以后捞出来。" for number in range(300)]
    (folder / "howtocook.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    found = texts.crops(tmp_path, "recipes")
    assert found == texts.crops(tmp_path, "recipes") and len(found) > 60
    joined = "".join(lines)
    assert all(crop in joined and crop.endswith("。") and crop.startswith("第") for crop in found)
    assert len({crop.count("。") for crop in found}) > 2  # of one sentence and of several


def test_sources_with_a_doubt_and_evaluation_sets_are_not_read(part: Part) -> None:
    texts = part("texts")
    code = (GROWING / "texts.py").read_text(encoding="utf-8").split('"""', 2)[2]
    for name in (
        "lctt",
        "smilechat",
        "cluecorpus",
        "zh-instructions",
        "oi-wiki",
        "dialogsum",
        "chnsenticorp",
        "review_",
    ):
        assert name not in code.lower()
    shares = {name: source.share for name, source in texts.SOURCES.items()}
    total = sum(shares.values())
    assert shares["laws"] / total <= 0.10 and shares["classics"] / total <= 0.03


def test_entries_keep_chinese_and_add_characters_and_bytes(part: Part) -> None:
    entries = part("entries")
    old = unigram()
    names = [text for text, _ in old["model"]["vocab"]]
    counts = {"web": Counter({names.index("▁bad"): 90, names.index("▁book"): 4})}
    added = 6763 - 4
    made = entries.build(old, counts, size=len(names) - 2 + added + 256)  # two of three English entries have to go
    vocab = [text for text, _ in made.tokenizer["model"]["vocab"]]
    assert "▁bad" in vocab and "好书" in vocab and "坏书" in vocab
    assert len({"▁book", "que"} & set(vocab)) == 0
    assert len(vocab) == len(made.origin) and vocab[-1] == "<mask>"
    for text, origin in zip(vocab, made.origin, strict=True):
        assert origin == -1 or names[origin] == text
    new, before = Tokenizer.from_str(json.dumps(made.tokenizer)), Tokenizer.from_str(json.dumps(old))
    assert new.encode("好书 bad").tokens == before.encode("好书 bad").tokens
    assert new.encode("卡").tokens[-2] == "卡"
    bytes_of = new.encode("好🫠").tokens[-5:-1]
    assert bytes_of == ["<0xF0>", "<0x9F>", "<0xAB>", "<0xA0>"]
    assert new.decode(new.encode("好书🫠 bad").ids) == "好书🫠 bad"
    assert new.token_to_id("<mask>") == len(vocab) - 1
    assert new.encode("好").ids[0] == 0 and new.encode("好").ids[-1] == 2


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


def teacher_of(layers: int = 3) -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=40, hidden_size=96, num_hidden_layers=layers, num_attention_heads=3, intermediate_size=384,
        max_position_embeddings=80, pad_token_id=1,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False).eval()


def test_lower_layers_and_upper_ones_stack_to_the_encoder_they_are_cut_from(part: Part) -> None:
    cut = part("cut")
    teacher, ids = teacher_of(), torch.randint(4, 40, (2, 7), generator=torch.Generator().manual_seed(0))
    words = teacher.embeddings.word_embeddings.weight.detach()
    lower, upper = cut.deep(teacher, (0,), words), cut.deep(teacher, (1, 2), words)
    whole = cut.stacked(lower.state_dict(), cut.without_embeddings(upper).state_dict(), 1)
    assert {name: tensor.shape for name, tensor in whole.items()} == {
        name: tensor.shape for name, tensor in teacher.state_dict().items()
    }
    assert cut.above(whole, 1).keys() == upper.state_dict().keys()
    assert all(torch.equal(tensor, upper.state_dict()[name]) for name, tensor in cut.above(whole, 1).items())
    with torch.no_grad():
        wanted = teacher(ids).last_hidden_state
        below = lower(ids).last_hidden_state
        assert torch.allclose(upper(inputs_embeds=below).last_hidden_state, wanted, atol=1e-5)


def test_a_narrow_cut_knows_more_than_a_random_network(part: Part) -> None:
    cut = part("cut")
    teacher = teacher_of(1)
    with torch.no_grad():
        teacher.embeddings.word_embeddings.weight.mul_(30)
    importance = [layer.output.dense.weight.norm(dim=0) for layer in teacher.encoder.layer]
    small = cut.narrow(teacher, 64, np.arange(40) + 1.0, importance)
    assert small.config.hidden_size == 64 and small.config.num_attention_heads == 2
    assert small.config.intermediate_size == 256
    ids = torch.arange(4, 40).view(4, 9)
    torch.manual_seed(0)
    random_one = type(small)(small.config, add_pooling_layer=False).eval()
    with torch.no_grad():
        wanted = teacher(ids).last_hidden_state.flatten(0, 1)
        left = []
        for encoder in (small.eval(), random_one):
            given = encoder(ids).last_hidden_state.flatten(0, 1)
            # What two principal components of the student's states cannot know of the teacher's similarities.
            cosine = [torch.corrcoef(each)[0] for each in (given, wanted)]
            left.append(float((cosine[0] - cosine[1]).square().mean()))
    assert left[0] < left[1]


def test_added_entries_get_rows_of_their_own(part: Part) -> None:
    cut = part("cut")
    words = torch.randn(6, 8, generator=torch.Generator().manual_seed(1))
    vocabulary = ["<s>", "好", "妈", "书", "奶", "<0x41>"]
    rows = cut.embed_rows(words, np.array([0, 1, 2, 3, -1, -1]), vocabulary)
    assert torch.equal(rows[:4], words[:4])
    assert torch.isfinite(rows).all() and len({tuple(row.tolist()) for row in rows}) == 6


def test_a_written_folder_opens_with_nearly_the_same_weights(part: Part, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    ship = part("ship")
    teacher = teacher_of()
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    (tokens / "tokenizer.json").write_text(json.dumps(unigram()))
    (tokens / "tokenizer_config.json").write_text("{}")
    save_file(teacher.state_dict(), tmp_path / "weights")
    sizes = []
    for matrices in (False, True):
        folder = tmp_path / str(matrices)
        config = ship.plain_config(teacher.config.to_dict())
        ship.write(tmp_path / "weights", config, tokens, folder, matrices=matrices)
        encoder = load_encoder(open_base(str(folder), folder))
        ids = torch.tensor([[0, 5, 6, 7, 2]])
        with torch.no_grad():
            given, wanted = encoder(ids).last_hidden_state, teacher(ids).last_hidden_state
        assert torch.cosine_similarity(given, wanted, dim=2).min() > 0.999
        sizes.append((folder / "model.safetensors").stat().st_size)
    assert sizes[1] < 0.65 * sizes[0]


class Drifting:
    """States that depend on all texts of the batch, as those of an INT8 model with dynamic scales do."""

    def __init__(self) -> None:
        self.calls = 0

    def states(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        self.calls += 1
        real = (ids * mask)[..., None, None] * np.ones((1, 1, 3, 384))
        return (real + (ids * mask).sum() / 1000).astype(np.float16)


def test_a_stored_state_does_not_depend_on_when_it_was_computed(part: Part, tmp_path: Path) -> None:
    teacher = part("teacher")
    draw = np.random.default_rng(0)
    ids = [draw.integers(5, 90, size=draw.integers(3, 9)).astype(np.int32) for _ in range(40)]
    origin = np.arange(100)[::-1].copy()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = (teacher.Store(tmp_path / name, ids, origin, Drifting(), rows=4) for name in "ab")
    for rows in np.array_split(draw.permutation(40), 7):
        one.states(rows, 0)
    two.states(np.arange(5), 0)
    again = teacher.Store(tmp_path / "b", ids, origin, Drifting(), rows=4)  # after a kill
    again.states(np.arange(40), 0)
    assert np.array_equal(one.flat, again.flat) and one.known.all() and again.known.all()
    assert one.teacher.calls == 10 and again.teacher.calls < 10  # every text once
    found = one.states(np.array([7, 3]), 2)
    assert found.shape == (2, max(len(ids[7]), len(ids[3])), 384)
    shift = found[0, 0, 0] - origin[ids[7][0]]
    assert torch.allclose(found[0, : len(ids[7]), 0] - shift, torch.from_numpy(origin[ids[7]]).float(), atol=0.1)
    assert not found[1, len(ids[3]) :].any()
