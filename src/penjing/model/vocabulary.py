"""A smaller vocabulary: entries removed from a tokenizer.json, with their rows in an encoder's embeddings."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.core.errors import UsageError

_PIECE_MARKS = ("▁", "##")
_PADS = ("[PAD]", "<pad>")


def single_characters(tokenizer: Tokenizer) -> set[int]:
    """Ids of the entries that are one character, with or without the mark of a word's beginning or middle."""
    found = set()
    for piece, place in tokenizer.get_vocab(with_added_tokens=False).items():
        for mark in _PIECE_MARKS:
            piece = piece.removeprefix(mark)
        if len(piece) <= 1:
            found.add(place)
    return found


def check_kind(tokenizer: Tokenizer) -> dict[str, Any]:
    """The tokenizer as a tree. Raises UsageError for a kind whose entries are built from each other."""
    tree: dict[str, Any] = json.loads(tokenizer.to_str())
    kind = tree["model"]["type"]
    if kind not in {"Unigram", "WordPiece", "WordLevel"}:
        raise UsageError(
            f"the entries of a tokenizer of kind {kind} cannot be taken out one by one",
            fix="leave `compress.vocabulary` out, or start from a base with a Unigram or WordPiece tokenizer",
        )
    return tree


def cut_tokenizer(tokenizer: Tokenizer, keep: Iterable[int]) -> tuple[Tokenizer, list[int]]:
    """A tokenizer with only these entries and the special and added ones, and the old id of each new one.

    A text whose pieces are all kept is tokenized as before: the best sequence of pieces stays the best one.
    Raises UsageError for a kind of tokenizer whose pieces are built from each other (BPE).
    """
    tree = check_kind(tokenizer)
    model = tree["model"]
    needed = {int(token["id"]) for token in tree["added_tokens"]} | _template_ids(tree.get("post_processor"))
    needed |= {found for pad in _PADS if (found := tokenizer.token_to_id(pad)) is not None}
    unknown = model.get("unk_id") if model["type"] == "Unigram" else tokenizer.token_to_id(model["unk_token"])
    order = sorted({*keep, *needed, *([] if unknown is None else [int(unknown)])})
    place = {old: new for new, old in enumerate(order)}
    if model["type"] == "Unigram":
        model["vocab"] = [entry for old, entry in enumerate(model["vocab"]) if old in place]
        model["unk_id"] = None if unknown is None else place[int(unknown)]
    else:
        model["vocab"] = {piece: place[old] for piece, old in model["vocab"].items() if old in place}
    for token in tree["added_tokens"]:
        token["id"] = place[int(token["id"])]
    _renumber(tree.get("post_processor"), place)
    return Tokenizer.from_str(json.dumps(tree)), order


def cut_embeddings(encoder: nn.Module, order: list[int]) -> nn.Module:
    """A copy of the encoder with the embeddings of these old ids, in this order, and its special ids renumbered."""
    config = copy.deepcopy(encoder.config)
    place = {old: new for new, old in enumerate(order)}
    for name, old in vars(config).items():
        if name.endswith("_token_id") and isinstance(old, int):
            setattr(config, name, place.get(old))
    before = encoder.get_input_embeddings()  # type: ignore[operator]
    padding: int | None = config.pad_token_id  # type: ignore[union-attr, assignment]
    after = nn.Embedding(len(order), before.weight.shape[1], padding_idx=padding)
    with torch.no_grad():
        after.weight.copy_(before.weight[order])
    small = copy.deepcopy(encoder)
    config.vocab_size = len(order)  # type: ignore[union-attr]
    small.config = config
    small.set_input_embeddings(after)  # type: ignore[operator]
    return small


def _template_ids(part: Any) -> set[int]:
    """The ids that a post-processor puts around a text."""
    if not isinstance(part, dict):
        return set()
    found = {int(part[name][1]) for name in ("sep", "cls") if name in part}
    for token in (part.get("special_tokens") or {}).values():
        found |= set(map(int, token["ids"]))
    return found.union(*(_template_ids(inner) for inner in part.get("processors", ())))


def _renumber(part: Any, place: dict[int, int]) -> None:
    """Give the ids within a post-processor their new numbers, in place."""
    if not isinstance(part, dict):
        return
    for inner in part.get("processors", ()):
        _renumber(inner, place)
    for token in (part.get("special_tokens") or {}).values():
        token["ids"] = [place[old] for old in token["ids"]]
    for name in ("sep", "cls"):
        if name in part:
            part[name][1] = place[part[name][1]]
