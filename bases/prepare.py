"""What all students share: the crops that train and their token ids, the INT8 teacher, the held-out crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import overlap
import texts
from tokenizers import Tokenizer

LONGEST = 96


def choose(data: Path, tokenizer: Tokenizer, tokens: int, scratch: Path) -> dict[str, Any]:
    """Token ids of the training crops (by their source's share of `tokens`) and of 12 held-out crops a source."""
    path = scratch / "chosen.npz"
    if path.is_file():
        return dict(np.load(path, allow_pickle=False))
    runs = overlap.Runs(overlap.benchmark_texts(data))
    total = sum(source.share for source in texts.SOURCES.values())
    rows: list[np.ndarray] = []
    held: list[np.ndarray] = []
    report: dict[str, Any] = {
        "han_run": overlap.HAN_RUN,
        "word_run": overlap.WORD_RUN,
        "runs": runs.sizes(),
        "sources": {},
    }
    for name, source in texts.SOURCES.items():
        found = texts.crops(data, name)
        wanted, have, place = source.share / total * tokens, 0, 0
        mine = 0
        some = found[: int(wanted / 8) + 2000]
        encodings = tokenizer.encode_batch_fast(some)
        enough = np.searchsorted(np.cumsum([len(each.ids) for each in encodings]), 1.1 * wanted) + 700
        some, encodings = some[:enough], encodings[:enough]
        shared = runs.shared(some)
        bad = sum(shared.values()) > 0
        shared_with = {key: int(hit.sum()) for key, hit in shared.items() if hit.any()}
        dropped = int(bad.sum())
        for text, drop, encoding in zip(some, bad, encodings, strict=True):
            ids = np.asarray(encoding.ids[:LONGEST], dtype=np.int32)
            if texts.held_out(text):
                if place < 12 and not drop:
                    held.append(ids)
                    place += 1
            elif not drop and have < wanted and len(ids) > 4:
                rows.append(ids)
                have += len(ids)
                mine += 1
        report["sources"][name] = {
            "crops": len(found),
            "used": mine,
            "tokens": have,
            "dropped": dropped,
            "shared_with": shared_with,
        }
    order = np.random.default_rng(0).permutation(len(rows))
    rows = [rows[place] for place in order]
    result = {
        "ids": np.concatenate(rows), "lengths": np.asarray([len(row) for row in rows]),
        "held_ids": np.concatenate(held), "held_lengths": np.asarray([len(row) for row in held]),
        "report": np.asarray(json.dumps(report)),
    }  # fmt: skip
    np.savez(path, **result)
    return result


def parted(ids: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """The flat ids, text by text."""
    return np.split(ids, np.cumsum(lengths)[:-1])
