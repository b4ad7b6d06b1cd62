"""The vocabulary of Penjing's bases: the teacher's Unigram entries without the rarest Latin ones, GB 2312, and bytes.

Every special token, every single character and every entry with a Chinese character stays; the other places go to the
entries that the texts use most. Penalties are kept as they are, so a text whose entries are all kept is cut as before.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from texts import HAN

SIZE = 42_000
# Half of the weight goes to the tokenizer's own probabilities, so that everyday words which the texts lack stay.
_PRIOR = 0.5
# Below the penalty of the rarest entry, so that a byte is taken only where nothing else fits.
_BYTE = 10.0


@dataclass(frozen=True)
class Entries:
    """tokenizer: the tree of the new tokenizer.json; origin: (entries,) the teacher's id of each, -1 where added."""

    tokenizer: dict[str, Any]
    origin: np.ndarray


def gb2312_characters() -> list[str]:
    """The 6,763 Chinese characters of GB 2312-80 (rows 16 to 87)."""
    cells = (bytes((row + 0xA0, cell + 0xA0)) for row in range(16, 88) for cell in range(1, 95))
    return [text for text in (cell.decode("gb2312", "ignore") for cell in cells) if text]


def build(old: dict[str, Any], counts: Mapping[str, Counter[int]], size: int = SIZE) -> Entries:
    """The teacher's tokenizer with at most `size` entries.

    counts: how often each of the teacher's ids occurs in the English texts of each source. The share of an entry is the
    mean over the sources, smoothed with its own probability.
    """
    entries: list[list[Any]] = old["model"]["vocab"]
    special = {token["id"] for token in old["added_tokens"]}
    known = {text for text, _ in entries}
    added = [char for char in gb2312_characters() if char not in known]
    kept = special | {i for i, (text, _) in enumerate(entries) if len(text.removeprefix("▁") or "▁") == 1}
    kept |= {i for i, (text, _) in enumerate(entries) if HAN.search(text)}
    kept |= set(_ranked(entries, counts.values(), kept)[: max(0, size - 256 - len(kept) - len(added))])
    order = sorted(kept)
    mask = order.pop() if order[-1] in special else None
    floor = min(score for _, score in entries)
    vocab = [entries[i] for i in order] + [[char, floor] for char in added]
    vocab += [[f"<0x{byte:02X}>", floor - _BYTE] for byte in range(256)]
    origin = order + [-1] * (len(added) + 256)
    if mask is not None:
        vocab.append(entries[mask])
        origin.append(mask)
    place = {text: i for i, (text, _) in enumerate(vocab)}
    new: dict[str, Any] = json.loads(json.dumps({**old, "model": {**old["model"], "vocab": []}}))
    new["model"] |= {"vocab": vocab, "unk_id": place[entries[old["model"]["unk_id"]][0]], "byte_fallback": True}
    # Bytes become characters again before the marks of spaces become spaces.
    new["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, old["decoder"]]}
    for token in new["added_tokens"]:
        token["id"] = place[token["content"]]
    for token in new["post_processor"]["special_tokens"].values():
        token["ids"] = [place[text] for text in token["tokens"]]
    return Entries(new, np.asarray(origin, dtype=np.int32))


def _ranked(entries: list[list[Any]], counts: Iterable[Counter[int]], taken: set[int]) -> list[int]:
    """The entries that are not taken yet, most used first."""
    sources, pool = list(counts), [i for i in range(len(entries)) if i not in taken]
    totals = [max(1, sum(count.values())) for count in sources]
    prior = sum(math.exp(entries[i][1]) for i in pool)

    def share(i: int) -> float:
        counted = sum(count[i] / total for count, total in zip(sources, totals, strict=True)) / max(1, len(sources))
        return (1 - _PRIOR) * counted + _PRIOR * math.exp(entries[i][1]) / prior

    return sorted(pool, key=lambda i: (-share(i), i))


def write(folder: Path, entries: Entries) -> None:
    """tokenizer.json, tokenizer_config.json, and the teacher's ids as origin.npy."""
    text = json.dumps(entries.tokenizer, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    config = {
        "backend": "tokenizers", "bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>",
        "model_max_length": 512, "pad_token": "<pad>", "sep_token": "</s>",
        "tokenizer_class": "TokenizersBackend", "unk_token": "<unk>",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    np.save(folder / "origin.npy", entries.origin)
