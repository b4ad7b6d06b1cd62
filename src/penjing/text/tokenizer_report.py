"""What tokenizers do with texts: tokens a character, unknown characters, characters with entries, entries never used.

All counts are without the special tokens around a text. `bytes` is the share of tokens that are bytes of a character
without an entry, `unknown` the share that stand for characters which are lost. GB 2312 has 3,755 characters of level 1
(the most used ones) and 3,008 of level 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from penjing.core.errors import DataError
from penjing.text.pieces import byte_entries, surfaces, tree_of, unknown_entry
from penjing.text.words import HAN

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_AT_ONCE = 512
_LONGEST = 3
_CHINESE = 0.2  # share of Chinese characters above which a text counts as Chinese, as for the language of messages
_LEVELS = {"gb2312_1": range(0xB0, 0xD8), "gb2312_2": range(0xD8, 0xF8)}


class Text(NamedTuple):
    """A masked text, its domain, and where it came from."""

    text: str
    domain: str
    where: str


@dataclass
class TokenTally:
    """Characters and tokens of some texts."""

    texts: int = 0
    characters: int = 0
    tokens: int = 0

    @property
    def rate(self) -> float:
        """Tokens a character."""
        return round(self.tokens / self.characters, 4) if self.characters else 0.0


@dataclass
class Usage:
    """What one tokenizer made of the texts so far; `add` takes more of them."""

    name: str
    tokenizer: Tokenizer
    languages: dict[str, TokenTally] = field(default_factory=dict)
    domains: dict[str, TokenTally] = field(default_factory=dict)
    used: Counter[int] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    longest: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, texts: list[Text]) -> None:
        """Tokenize these texts and count."""
        encoded = self.tokenizer.encode_batch_fast([each.text for each in texts], add_special_tokens=False)
        for each, encoding in zip(texts, encoded, strict=True):
            ids = encoding.ids
            self.used.update(ids)
            for tallies, key in ((self.languages, language_of(each.text)), (self.domains, each.domain)):
                tally = tallies.setdefault(key, TokenTally())
                tally.texts += 1
                tally.characters += len(each.text)
                tally.tokens += len(ids)
            self.lengths.append(len(ids))
            self.longest.append((len(ids), len(each.text), each.where))
        self.longest = sorted(self.longest, key=lambda item: -item[0])[:_LONGEST]

    def to_json(self, seen: Counter[str]) -> dict[str, Any]:
        """All figures; seen: how often each character occurs in the texts."""
        tree = tree_of(self.tokenizer)
        fallback, unknown = byte_entries(tree), unknown_entry(tree)
        texts = surfaces(tree)
        entries = set(texts)
        total = sum(self.used.values())
        shares = np.quantile(self.lengths, (0.5, 0.95, 0.99)) if self.lengths else np.zeros(3)
        unused = sum(place not in self.used for place in entries)
        lost = self.used[unknown] if unknown is not None else 0
        spent = sum(self.used[place] for place in fallback - entries)
        if entries & fallback:  # letters of bytes: those of ASCII are characters too
            spent += sum(self.used[place] for place in fallback & entries if not texts[place].isascii())
        return {
            "name": self.name,
            "kind": tree["model"]["type"],
            "entries": self.tokenizer.get_vocab_size(),
            "tokens_per_character": round(total / max(1, sum(self._characters())), 4),
            "by_language": {key: self.languages[key].rate for key in sorted(self.languages)},
            "by_domain": {key: self.domains[key].rate for key in sorted(self.domains)},
            "unknown": round(lost / max(1, total), 6),
            "bytes": round(spent / max(1, total), 6),
            "coverage": _coverage(self.tokenizer, {text.strip() for text in texts.values()}, seen),
            "unused": {"entries": unused, "share": round(unused / max(1, len(entries)), 4)},
            "lengths": {
                **{name: float(value) for name, value in zip(("p50", "p95", "p99"), shares, strict=True)},
                "most": max(self.lengths, default=0),
            },
            "longest": [{"tokens": n, "characters": size, "where": where} for n, size, where in self.longest],
        }

    def _characters(self) -> Iterator[int]:
        return (tally.characters for tally in self.languages.values())


def report(tokenizers: Iterable[tuple[str, Tokenizer]], texts: Iterable[Text]) -> dict[str, Any]:
    """The texts in numbers, and the figures of each tokenizer beside each other; the texts are read once.

    tokenizers: names and tokenizers without padding and truncation, as `open_tokenizer` gives them. Raises DataError
    for no text.
    """
    usages = [Usage(name, tokenizer) for name, tokenizer in tokenizers]
    seen: Counter[str] = Counter()
    count = 0
    batch: list[Text] = []
    for each in texts:
        seen.update(each.text)
        count += 1
        batch.append(each)
        if len(batch) == _AT_ONCE:
            _add(usages, batch)
            batch = []
    _add(usages, batch)
    if not seen:
        raise DataError("there is no text to compare tokenizers on", fix="give files with at least some sentences")
    of_texts = {"texts": count, "characters": seen.total(), "distinct_characters": sum(_counts(each) for each in seen)}
    return {"texts": of_texts, "tokenizers": [usage.to_json(seen) for usage in usages]}


def language_of(text: str) -> str:
    """`zh` where more than a fifth of the characters are Chinese ones, else `en`."""
    return "zh" if len(HAN.findall(text)) > _CHINESE * len(text) else "en"


@cache
def gb2312(level: str) -> tuple[str, ...]:
    """The Chinese characters of `gb2312_1` or `gb2312_2`."""
    found = (bytes((row, cell)).decode("gb2312", "ignore") for row in _LEVELS[level] for cell in range(0xA1, 0xFF))
    return tuple(character for character in found if character)


def _add(usages: list[Usage], batch: list[Text]) -> None:
    if batch:
        for usage in usages:
            usage.add(batch)


def _counts(character: str) -> bool:
    return not character.isspace()


def _coverage(tokenizer: Tokenizer, entries: set[str], seen: Counter[str]) -> dict[str, float]:
    """Shares of characters that are entries: of both levels of GB 2312, of those that occur, and of occurrences."""
    normal = tokenizer.normalizer

    def covered(character: str) -> bool:
        written = normal.normalize_str(character) if normal is not None else character
        return all(each in entries for each in written.strip("▁ "))

    found = {level: sum(map(covered, gb2312(level))) / len(gb2312(level)) for level in _LEVELS}
    occurring = [character for character in seen if _counts(character)]
    known = [character for character in occurring if covered(character)]
    found["occurring"] = len(known) / max(1, len(occurring))
    found["occurrences"] = sum(seen[each] for each in known) / max(1, sum(seen[each] for each in occurring))
    return {name: round(share, 4) for name, share in found.items()}
