"""A smaller vocabulary: entries removed from a tokenizer.json, with their rows in an encoder's embeddings."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.text.pieces import byte_entries, surfaces, tree_of, unknown_entry

_PADS = ("[PAD]", "<pad>")


def single_characters(tokenizer: Tokenizer) -> set[int]:
    """Ids of the entries that are one character, with or without the mark of a word's beginning or middle."""
    return {place for place, text in surfaces(tree_of(tokenizer)).items() if len(text.removeprefix(" ")) <= 1}


def cut_tokenizer(tokenizer: Tokenizer, keep: Iterable[int]) -> tuple[Tokenizer, list[int]]:
    """A tokenizer with only these entries, the special and added ones and the bytes, and the old id of each new one.

    A text whose pieces are all kept is tokenized as before: the best sequence of pieces stays the best one, and of BPE
    all pieces stay that a kept one is joined from.
    """
    tree = tree_of(tokenizer)
    model = tree["model"]
    needed = {int(token["id"]) for token in tree["added_tokens"]} | _template_ids(tree.get("post_processor"))
    needed |= {found for pad in _PADS if (found := tokenizer.token_to_id(pad)) is not None}
    unknown = unknown_entry(tree)
    keep = {*keep, *needed, *byte_entries(tree), *([] if unknown is None else [unknown])}
    if model["type"] == "BPE":
        keep, model["merges"] = _joined_from(model, keep)
    order = sorted(keep)
    place = {old: new for new, old in enumerate(order)}
    if model["type"] == "Unigram":
        model["vocab"] = [entry for old, entry in enumerate(model["vocab"]) if old in place]
        model["unk_id"] = None if unknown is None else place[unknown]
    else:
        model["vocab"] = {piece: place[old] for piece, old in model["vocab"].items() if old in place}
    for token in tree["added_tokens"]:
        token["id"] = place[int(token["id"])]
    _renumber(tree.get("post_processor"), place)
    return Tokenizer.from_str(json.dumps(tree)), order


def _joined_from(model: dict[str, Any], keep: set[int]) -> tuple[set[int], list[list[str]]]:
    """The entries with all that they are joined from, and the joins between these, in their order."""
    entries: dict[str, int] = model["vocab"]
    prefix = str(model.get("continuing_subword_prefix") or "")
    joins = [(one, two, entries[one + two.removeprefix(prefix)]) for one, two in model["merges"]]
    keep = set(keep)
    # A piece is joined after its parts: backwards, every kept piece is seen before them.
    for one, two, whole in reversed(joins):
        if whole in keep:
            keep |= {entries[one], entries[two]}
    return keep, [[one, two] for one, two, whole in joins if whole in keep]


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
