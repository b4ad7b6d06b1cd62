"""What the entries of any tokenizer.json stand for: a piece of text, a byte, or neither."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from penjing.text.tokenizer_parts import SPACE, byte_letters

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BYTE = re.compile("<0x[0-9A-F]{2}>")


def tree_of(tokenizer: Tokenizer) -> dict[str, Any]:
    """The content of tokenizer.json."""
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


def byte_entries(tree: dict[str, Any]) -> set[int]:
    """Ids of the entries that are one byte: a character without an entry is written with them."""
    entries = _entries(tree)
    if cuts_bytes(tree):
        letters = set(byte_letters().values())
        return {place for piece, place in entries.items() if piece in letters}
    if tree["model"].get("byte_fallback"):
        return {place for piece, place in entries.items() if _BYTE.fullmatch(piece)}
    return set()


def surfaces(tree: dict[str, Any]) -> dict[int, str]:
    """The text of every entry that is neither special nor a part of a character; a space before a word is a space."""
    special = {int(token["id"]) for token in tree["added_tokens"]} | {unknown_entry(tree)}
    prefix = str(tree["model"].get("continuing_subword_prefix") or "")
    fallback = byte_entries(tree)
    values = {letter: value for value, letter in byte_letters().items()} if cuts_bytes(tree) else {}
    found: dict[int, str] = {}
    for piece, place in _entries(tree).items():
        if place in special or (not values and place in fallback):
            continue
        text = piece.removeprefix(prefix)
        if values:
            try:
                text = bytes(values[letter] for letter in text).decode()
            except (KeyError, UnicodeDecodeError):  # a part of a character, or a name such as [UNK]
                continue
        found[place] = text.replace(SPACE, " ")
    return found


def cuts_bytes(tree: dict[str, Any]) -> bool:
    """Whether the pieces are sequences of letters that stand for bytes."""
    part = tree.get("pre_tokenizer") or {}
    return any(each.get("type") == "ByteLevel" for each in (part, *part.get("pretokenizers", ())))


def unknown_entry(tree: dict[str, Any]) -> int | None:
    """The id that a character without an entry gets where there are no bytes for it."""
    model = tree["model"]
    if model["type"] == "Unigram":
        return None if model["unk_id"] is None else int(model["unk_id"])
    return _entries(tree).get(str(model.get("unk_token")))


def _entries(tree: dict[str, Any]) -> dict[str, int]:
    vocabulary = tree["model"]["vocab"]
    if isinstance(vocabulary, dict):
        return {str(piece): int(place) for piece, place in vocabulary.items()}
    return {str(piece): place for place, (piece, _) in enumerate(vocabulary)}
