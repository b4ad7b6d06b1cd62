"""The vocabulary: which entries of the teacher's Unigram tokenizer stay, and the GB2312 characters that it lacks."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from corpus import HAN, language

SIZE = 20_000
_PRIOR = 0.5
_SEEN = 3
_NEIGHBOURS = 8
_NOISE = 0.35


@dataclass(frozen=True)
class Vocabulary:
    """tokenizer: the JSON of the new tokenizer; origin: (entries,) the teacher's id of each entry, -1 where added."""

    tokenizer: dict[str, Any]
    origin: np.ndarray
    added: tuple[str, ...]


def gb2312_characters() -> list[str]:
    """The 6,763 Chinese characters of GB 2312-80 (rows 16 to 87)."""
    cells = (bytes((row + 0xA0, cell + 0xA0)) for row in range(16, 88) for cell in range(1, 95))
    return [text for text in (cell.decode("gb2312", "ignore") for cell in cells) if text]


def build(old: dict[str, Any], counts: dict[str, Counter[int]], size: int = SIZE) -> Vocabulary:
    """Special tokens, all single characters, the missing GB2312 characters, then the most frequent entries.

    old: the teacher's tokenizer.json. counts: for each source, how often each of the teacher's ids occurs in it.
    The frequency of an entry is the mean over the sources of one language of its share there, smoothed with the
    tokenizer's own Unigram probability (half of the weight), so that everyday words which law and novels lack stay.
    Half of the free places go to Chinese, half to English; an English entry has to be seen in the texts.
    """
    entries: list[list[Any]] = old["model"]["vocab"]
    special = {token["id"] for token in old["added_tokens"]}
    known = {text for text, _ in entries}
    added = tuple(char for char in gb2312_characters() if char not in known)
    single = {i for i, (text, _) in enumerate(entries) if len(text.removeprefix("▁") or "▁") == 1}
    kept = special | single
    free = size - len(kept) - len(added)
    for kind, places in (("zh", free // 2), ("en", free - free // 2)):
        ranked = _rank(entries, counts, kind, kept)
        kept |= set(ranked[:places])
    order = sorted(kept)
    mask = order.pop() if order[-1] in special else None
    floor = min(score for _, score in entries)
    vocab = [entries[i] for i in order] + [[char, floor] for char in added]
    origin = order + [-1] * len(added)
    if mask is not None:
        vocab.append(entries[mask])
        origin.append(mask)
    place = {text: i for i, (text, _) in enumerate(vocab)}
    new: dict[str, Any] = json.loads(json.dumps({**old, "model": {**old["model"], "vocab": []}}))
    new["model"]["vocab"] = vocab
    new["model"]["unk_id"] = place[entries[old["model"]["unk_id"]][0]]
    for token in new["added_tokens"]:
        token["id"] = place[token["content"]]
    for token in new["post_processor"]["special_tokens"].values():
        token["ids"] = [place[text] for text in token["tokens"]]
    return Vocabulary(new, np.asarray(origin, dtype=np.int64), added)


def _rank(entries: list[list[Any]], counts: dict[str, Counter[int]], kind: str, taken: set[int]) -> list[int]:
    pool = [i for i, (text, _) in enumerate(entries) if i not in taken and (language(text) == kind)]
    sources = [count for name, count in counts.items() if name.endswith(kind)]
    totals = [max(1, sum(count.values())) for count in sources]
    seen = {i: sum(count[i] for count in sources) for i in pool}
    if kind == "en":
        pool = [i for i in pool if seen[i] >= _SEEN]
    prior_total = sum(math.exp(entries[i][1]) for i in pool)

    def share(i: int) -> float:
        counted = sum(count[i] / total for count, total in zip(sources, totals, strict=True)) / max(1, len(sources))
        return (1 - _PRIOR) * counted + _PRIOR * math.exp(entries[i][1]) / prior_total

    return sorted(pool, key=lambda i: (-share(i), i))


def embeddings(old: np.ndarray, vocabulary: Vocabulary, seed: int = 0) -> np.ndarray:
    """Rows of the new embedding matrix, (entries, hidden) float32.

    A kept entry has its old row. An added character has the mean of the eight nearest code points that are known
    (Unicode orders them by radical, so most share it) plus seeded noise, so that no two are alike.
    """
    draw = np.random.default_rng(seed)
    rows = old[np.maximum(vocabulary.origin, 0)].astype(np.float32)
    texts = [text for text, _ in vocabulary.tokenizer["model"]["vocab"]]
    known = [i for i, text in enumerate(texts) if vocabulary.origin[i] >= 0 and len(text) == 1 and HAN.match(text)]
    points = np.asarray([ord(texts[i]) for i in known])
    spread = rows[known].std(axis=0)
    for i in np.flatnonzero(vocabulary.origin < 0):
        near = np.argsort(np.abs(points - ord(texts[i])), kind="stable")[:_NEIGHBOURS]
        rows[i] = rows[np.asarray(known)[near]].mean(axis=0) + _NOISE * spread * draw.standard_normal(rows.shape[1])
    return rows


def write(folder: Path, vocabulary: Vocabulary) -> None:
    """tokenizer.json and tokenizer_config.json."""
    text = json.dumps(vocabulary.tokenizer, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    config = {
        "backend": "tokenizers", "bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>",
        "model_max_length": 512, "pad_token": "<pad>", "sep_token": "</s>",
        "tokenizer_class": "TokenizersBackend", "unk_token": "<unk>",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
