"""A tokenizer for answers about pieces of a text: no token joins a character of Chinese or a sign with its neighbours.

A Unigram vocabulary has pieces such as `另一个` or `》、《`. An entity that begins or ends inside of one could not be
said. The score of such pieces is lowered so far that the others are always taken, so that ids, vectors and the
vocabulary stay as they are. A WordPiece vocabulary parts Chinese characters and signs already; others stay unchanged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penjing.text.tokenizer_parts import SPACE

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Far below the score of any piece: logarithms of probabilities, about -8 to -20.
NEVER = -1e4
_JOINED = (("\u3040", "\u30ff"), ("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"))


def by_character(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer without such pieces; the same one if it has none, or is no Unigram."""
    from tokenizers import Tokenizer

    tree = json.loads(tokenizer.to_str())
    if tree["model"]["type"] != "Unigram":
        return tokenizer
    added = {token["content"] for token in tree["added_tokens"]}
    changed = False
    for place, entry in enumerate(tree["model"]["vocab"]):
        if place == tree["model"].get("unk_id") or entry[0] in added:
            continue
        if joins(entry[0]) and entry[1] > NEVER:
            entry[1] = NEVER
            changed = True
    return Tokenizer.from_str(json.dumps(tree, ensure_ascii=False)) if changed else tokenizer


def joins(piece: str) -> bool:
    """Whether a piece has several characters, one of them Chinese, Japanese or no letter and no digit."""
    body = piece.removeprefix(SPACE)
    is_byte = len(body) == 6 and body.startswith("<0x") and body.endswith(">")
    return len(body) > 1 and not is_byte and any(_stands_alone(character) for character in body)


def _stands_alone(character: str) -> bool:
    return not character.isalnum() or any(low <= character <= high for low, high in _JOINED)
