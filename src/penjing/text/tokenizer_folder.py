"""A trained tokenizer as a sealed folder: tokenizer.json, what transformers needs to open it, and what it was made of.

DIR/
  MANIFEST
  tokenizer.json           read by `tokenizers`, transformers and every engine of this project
  tokenizer_config.json    names of the special tokens, for transformers' AutoTokenizer
  tokenizer_card.json      options, sample and sources, versions that the result depends on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penjing.core.canon import canonical_json
from penjing.core.folder import sealed_folder
from penjing.text import tokenizer_parts as parts
from penjing.text.tokenizer_training import Sample, TokenizerOptions
from penjing.text.tokens import TOKENIZER
from penjing.text.words import segmenter_version

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONFIG, TOKENIZER_CARD = "tokenizer_config.json", "tokenizer_card.json"
# Without [UNK]: transformers would read the word in a text as that token, and no character needs it.
_NAMES = {
    "pad_token": parts.PAD,
    "cls_token": parts.CLS,
    "sep_token": parts.SEP,
    "mask_token": parts.MASK,
    "bos_token": parts.CLS,
    "eos_token": parts.SEP,
}


def write_tokenizer(
    target: Path, tokenizer: Tokenizer, options: TokenizerOptions, chosen: Sample, sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Write the folder in one rename and return its card. The same tokenizer gives the same bytes.

    sources: what the texts came from, as the card is to say it. An existing folder of other content is moved aside.
    """
    card = {
        "format": 1,
        **options.model_dump(),
        "entries": tokenizer.get_vocab_size(),
        "asked": options.entries,
        "sample": {
            "texts": len(chosen.texts),
            "given": chosen.given,
            "characters": chosen.characters,
            "digest": chosen.digest,
        },
        "most_characters": options.characters,
        "sources": [dict(source) for source in sources],
        "segmenter": segmenter_version(),
        "libraries": {name: version(name) for name in ("numpy", "tokenizers")},
    }
    del card["characters"]
    with sealed_folder(target) as folder:
        (folder / TOKENIZER).write_text(tokenizer.to_str(), encoding="utf-8", newline="")
        (folder / CONFIG).write_bytes(canonical_json(transformers_config(options.sentinels)))
        (folder / TOKENIZER_CARD).write_bytes(canonical_json(card))
    return card


def transformers_config(sentinels: int = 0) -> dict[str, Any]:
    """The content of tokenizer_config.json."""
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **_NAMES,
    }
    if sentinels:
        config["additional_special_tokens"] = [parts.sentinel(number) for number in range(sentinels)]
    return config
