"""The tokenizer of an artifact: the base's own, with one token for every mask placeholder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer

from penjing.core.errors import UsageError
from penjing.data.mask import PLACEHOLDERS

TOKENIZER = "tokenizer.json"


@dataclass(frozen=True)
class Tokens:
    """Token ids of texts, special tokens included; `cut` counts the texts that were longer than the limit."""

    ids: list[npt.NDArray[np.int64]]
    cut: int

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text, (n,) int64."""
        return np.fromiter((len(row) for row in self.ids), dtype=np.int64, count=len(self.ids))


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a base or an artifact, padding and truncation off, mask placeholders as special tokens."""
    tokenizer = Tokenizer.from_str(_read(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    known = tokenizer.get_vocab(with_added_tokens=True)
    new = [token for token in PLACEHOLDERS.values() if token not in known]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in new])
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> Tokens:
    """Ids of each text, at most `max_tokens` with its special tokens; a longer text keeps its beginning."""
    tokenizer.enable_truncation(max_length=max_tokens)
    try:
        encodings = tokenizer.encode_batch(list(texts))
    finally:
        tokenizer.no_truncation()
    ids = [np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings]
    return Tokens(ids=ids, cut=sum(bool(encoding.overflowing) for encoding in encodings))


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        model = json.loads(text).get("model")
    except (FileNotFoundError, ValueError, AttributeError, RecursionError) as error:
        raise _unreadable(path, str(error)) from None
    if not isinstance(model, dict):
        raise _unreadable(path, "it holds no model")
    return text


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"tokenizer.json cannot be read: {why}",
        where=str(path),
        fix="save its fast tokenizer: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)",
    )
