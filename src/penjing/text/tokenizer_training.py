"""Trains a tokenizer from texts: Unigram, BPE or WordPiece pieces over the same segments, with bytes as the fallback.

| kind | pieces | cut of a new text | prefer it |
|---|---|---|---|
| `unigram` | most probable vocabulary (`text/unigram.py`) | most probable sequence | fewest odd pieces; the default |
| `bpe` | the most frequent pair joined, again and again | the same joins in the same order | models that write text |
| `wordpiece` | those of `bpe` | the longest piece first, from the left | networks in the form of BERT; the cut is simplest |

Chinese runs are cut into words by jieba before counting, so no piece joins two words of the training texts; a new text is
cut without jieba. Characters that together make up `coverage` of the texts have entries. The result depends on the set of
texts alone, not on their order, the process or the machine's threads.

Source: Kudo, Subword Regularization, 2018 (Unigram); Sennrich, Haddow, Birch, Neural Machine Translation of Rare Words
with Subword Units, 2016 (BPE); Schuster and Nakajima, Japanese and Korean Voice Search, 2012 (WordPiece).
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from penjing.core.errors import DataError, UsageError
from penjing.core.options import Options
from penjing.text import tokenizer_parts as parts
from penjing.text.unigram import LONGEST, train_unigram
from penjing.text.words import HAN, word_spans

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPACE_RUN = 100_000  # characters of the words given to the BPE trainer at a time
_MOST_WORDS = 1_000_000  # distinct segments; those seen least are left out
_ASCII = tuple(map(chr, range(0x21, 0x7F)))


class TokenizerOptions(Options):
    """How a tokenizer is trained; the same names as the options of `penjing tokenizer train`."""

    kind: parts.Kind = Field("unigram", description="unigram, bpe or wordpiece")
    entries: int = Field(8000, ge=512, le=200_000, description="entries of the vocabulary, special tokens included")
    normalization: parts.Normalization = Field(
        "nfkc", description="nfkc: full-width and half-width forms are the same; nfc: they are kept apart"
    )
    coverage: float = Field(
        0.9995, gt=0.9, le=1, description="share of the characters of the texts that must have entries of their own"
    )
    sentinels: int = Field(0, ge=0, le=1000, description="tokens for left-out spans, for models that fill them in")
    characters: int = Field(
        10_000_000, ge=1000, le=1_000_000_000, description="the most characters of text to train on: a fixed sample"
    )


@dataclass(frozen=True)
class Sample:
    """The texts that a tokenizer was trained on: how many were given and used, and a digest of those used."""

    texts: tuple[str, ...]
    given: int
    characters: int
    digest: str


def train(
    texts: Iterable[str],
    kind: parts.Kind = "unigram",
    entries: int = 8000,
    *,
    options: TokenizerOptions | None = None,
    step: Callable[[str], None] = lambda _: None,
) -> Tokenizer:
    """A tokenizer of that kind with at most that many entries; fewer where the texts hold fewer pieces.

    options: all else; its `kind` and `entries` are not read. `step` gets the name of each piece of work. The texts are
    read once and in any order. Raises DataError where they hold nothing to learn from, UsageError for too few entries.
    """
    given = (options or TokenizerOptions()).model_dump() | {"kind": kind, "entries": entries}
    return train_on(sample(texts, given["characters"]), TokenizerOptions.model_validate(given), step)


def sample(texts: Iterable[str], characters: int) -> Sample:
    """Distinct texts of together at most that many characters, chosen by their hashes, in the order of these.

    Memory depends on `characters`, not on the number of texts. One text is always kept.
    """
    heap: list[tuple[int, str]] = []  # the largest hash is at the top, as a negative number
    kept: set[int] = set()
    given = total = 0
    for text in texts:
        given += 1
        key = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16], "big")
        if key in kept or not text.strip():
            continue
        heapq.heappush(heap, (-key, text))
        kept.add(key)
        total += len(text)
        while total > characters and len(heap) > 1:
            largest, dropped = heapq.heappop(heap)
            kept.discard(-largest)
            total -= len(dropped)
    ordered = sorted(heap, reverse=True)
    hasher = hashlib.sha256()
    for key, _ in ordered:
        hasher.update((-key).to_bytes(16, "big"))
    return Sample(tuple(text for _, text in ordered), given, total, hasher.hexdigest())


def train_on(chosen: Sample, options: TokenizerOptions, step: Callable[[str], None] = lambda _: None) -> Tokenizer:
    """The tokenizer of a sample. Raises DataError for no text, UsageError where the entries cannot hold the alphabet."""
    step("counting words")
    words = count_words(chosen.texts, options.normalization)
    if not words:
        raise DataError("there is no text to train a tokenizer on", fix="give files with at least some sentences")
    first = parts.first_entries(options.kind, options.sentinels)
    room = options.entries - len(first) - len(_ASCII) - 1
    if room < 0:
        raise UsageError(
            f"{options.entries} entries cannot hold the {len(first)} special ones and the ASCII characters",
            fix=f"give at least {len(first) + 2 * len(_ASCII)} entries",
        )
    alphabet = choose_alphabet(words, options.coverage, room // 2)
    known = _of_alphabet(words, frozenset(alphabet))
    size = options.entries - len(first)
    step("choosing pieces")
    if options.kind == "unigram":
        model = _unigram(first, train_unigram(known, alphabet, size, lambda: step("choosing pieces")))
    else:
        model = _joined(options.kind, first, known, alphabet, size)
    return parts.finish(model, options.kind, options.normalization, options.sentinels)


def count_words(texts: Iterable[str], form: parts.Normalization) -> dict[str, int]:
    """The segments of normalised texts with their counts, Chinese ones cut into words; at most a million of them."""
    normal, cut = parts.normalizer(form), parts.segmenter()
    segments: Counter[str] = Counter()
    for text in texts:
        for line in text.split("\n"):
            segments.update(piece for piece, _ in cut.pre_tokenize_str(normal.normalize_str(line)))
    words: Counter[str] = Counter()
    for segment, count in segments.items():
        if HAN.match(segment):
            for start, end in word_spans(segment):
                words[segment[start:end]] += count
        else:
            words[segment] += count
    if len(words) > _MOST_WORDS:
        return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WORDS])
    return dict(words)


def choose_alphabet(words: Mapping[str, int], coverage: float, most: int) -> list[str]:
    """The characters with entries: ASCII, the mark of a space, and the most frequent others, at most `most` of those.

    They cover that share of all characters; a character that occurs once has no entry.
    """
    counts: Counter[str] = Counter()
    for word, times in words.items():
        for character in word:
            counts[character] += times
    always = (*_ASCII, parts.SPACE)
    missing = (1 - coverage) * sum(counts.values())
    others = sorted((c for c in counts if c not in always), key=lambda c: (-counts[c], c))
    while others and (counts[others[-1]] < 2 or counts[others[-1]] <= missing):
        missing -= counts[others.pop()]
    return sorted((*always, *others[:most]))


def _of_alphabet(words: Mapping[str, int], alphabet: frozenset[str]) -> dict[str, int]:
    """The stretches of the words that consist of the alphabet."""
    found: Counter[str] = Counter()
    for word, count in words.items():
        if alphabet.issuperset(word):
            found[word] += count
            continue
        for stretch in "".join(c if c in alphabet else "\0" for c in word).split("\0"):
            if stretch:
                found[stretch] += count
    return dict(found)


def _unigram(first: Sequence[str], pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    from tokenizers import Tokenizer, models

    entries = [*((name, 0.0) for name in first), *pieces]
    return Tokenizer(models.Unigram(entries, unk_id=entries.index((parts.UNKNOWN, 0.0)), byte_fallback=True))


def _joined(
    kind: parts.Kind, first: Sequence[str], words: Mapping[str, int], alphabet: Sequence[str], size: int
) -> Tokenizer:
    """BPE, or WordPiece with the same entries in letters of bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    # The trainer breaks ties by the ids of the pieces, which are in the order of the alphabet.
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Split("\n", "removed")
    same = sum(ord(character) < 0x80 for character in alphabet) if kind == "wordpiece" else 0
    learner.train_from_iterator(
        _repeated(words),
        trainers.BpeTrainer(
            vocab_size=size + same,
            initial_alphabet=list(alphabet),
            limit_alphabet=len(alphabet),
            max_token_length=LONGEST,
            show_progress=False,
        ),
    )
    learned: dict[str, Any] = json.loads(learner.to_str())["model"]
    pieces = sorted(learned["vocab"], key=learned["vocab"].__getitem__)
    if kind == "wordpiece":
        names = dict.fromkeys((*first, *map(parts.in_byte_letters, pieces)))
        vocabulary = {name: place for place, name in enumerate(names)}
        # A segment has at most LONGEST_SEGMENT characters, of at most four bytes each.
        longest = 4 * (parts.LONGEST_SEGMENT + 8)
        return Tokenizer(
            models.WordPiece(
                vocabulary,
                unk_token=parts.UNKNOWN,
                continuing_subword_prefix="",
                max_input_chars_per_word=longest,
            )
        )
    vocabulary = {name: place for place, name in enumerate((*first, *pieces))}
    merges = [tuple(pair) for pair in learned["merges"]]
    return Tokenizer(models.BPE(vocabulary, merges, unk_token=parts.UNKNOWN, byte_fallback=True))


def _repeated(words: Mapping[str, int]) -> Iterator[str]:
    """Every word as often as it was counted, in lines of bounded length: the trainer takes no counts."""
    for word, count in sorted(words.items()):
        at_once = max(1, _SPACE_RUN // (len(word) + 1))
        for done in range(0, count, at_once):
            yield (word + "\n") * min(at_once, count - done)
