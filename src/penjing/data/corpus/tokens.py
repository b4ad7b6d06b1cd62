"""Documents as token ids on the disk: memory-mapped shards, made once for a tokenizer and a corpus.

    tokens-KEY/
      00000.ids.npy       the ids of all documents of the shard, uint16 or uint32, without special tokens
      00000.words.npy     bool, whether a whole word begins at that token; only where words were asked for
      00000.lengths.npy   tokens of each document, int64
      00000.domains.npy   number of the domain of each document, int32
      whole.json          written last: the number of shards

A shard is complete or absent, so a killed run goes on after the last complete one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from penjing.core.canon import digest
from penjing.core.folder import replaced_file, write_whole
from penjing.core.nouns import Progress, Silent, TextCorpus
from penjing.core.stop import check_stop

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]
# Marks the tokens of a text that begin a word: (text, offsets (tokens, 2) in characters) -> (tokens,) bool.
WordStarts = Callable[[str, npt.NDArray[np.int64]], npt.NDArray[np.bool_]]
Part = Literal["train", "held_out"]
_WHOLE = "whole.json"
_SHARD_TOKENS = 8_000_000
_BATCH = 512


@dataclass(frozen=True)
class TokenShard:
    """One file of documents, mapped from the disk; `begins` are the positions of the documents, (n + 1,)."""

    ids: npt.NDArray[Any]
    words: npt.NDArray[np.bool_] | None
    begins: Ids
    domains: npt.NDArray[np.int32]


@dataclass(frozen=True)
class TokenStore:
    """Tokenised documents of one part of some corpora; domain number d is called `names[d]`."""

    shards: tuple[TokenShard, ...]
    names: tuple[str, ...]

    @property
    def lengths(self) -> Ids:
        """Tokens of each document, (documents,)."""
        return _joined([np.diff(shard.begins) for shard in self.shards])

    @property
    def domains(self) -> Ids:
        """Number of the domain of each document, (documents,)."""
        return _joined([shard.domains.astype(np.int64) for shard in self.shards])

    def read(self, document: int, start: int, end: int) -> tuple[Ids, npt.NDArray[np.bool_]]:
        """Ids of a document's tokens from start to end, and which of them begin a word (all, if words are unknown)."""
        for shard in self.shards:
            count = len(shard.domains)
            if document < count:
                first = int(shard.begins[document])
                found = np.asarray(shard.ids[first + start : first + end], dtype=np.int64)
                if shard.words is None:
                    return found, np.ones(len(found), dtype=np.bool_)
                return found, np.asarray(shard.words[first + start : first + end])
            document -= count
        raise IndexError(f"there is no document {document}")


@dataclass(frozen=True)
class TokenSettings:
    """How documents become tokens: the tokenizer, and what marks the beginnings of words, with its version."""

    tokenizer: Tokenizer
    words: WordStarts | None = None
    words_version: str = ""

    def key(self, corpora: Sequence[TextCorpus], part: Part) -> str:
        """The hash of everything that the shards depend on."""
        about = [one.id for one in corpora], part, self.tokenizer.to_str(), self.words is not None, self.words_version
        return digest([*about, 1])


def open_tokens(
    corpora: Sequence[TextCorpus],
    part: Part,
    settings: TokenSettings,
    folder: Path,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    shard_tokens: int = _SHARD_TOKENS,
) -> TokenStore:
    """The tokenised documents of a part, from `folder` if an earlier call made them there.

    Raises RunInterruptedError if `stop` returns true; the next call goes on after the last complete shard.
    """
    place = folder / f"tokens-{settings.key(corpora, part)[:32]}"
    names = tuple(dict.fromkeys(name for one in corpora for name in one.domains))
    if not (place / _WHOLE).is_file():
        place.mkdir(parents=True, exist_ok=True)
        _tokenise(place, _labelled(corpora, part, names), settings, progress or Silent(), stop, shard_tokens)
    count = int(json.loads((place / _WHOLE).read_bytes())["shards"])
    return TokenStore(tuple(_open(place, number) for number in range(count)), names)


def _labelled(corpora: Sequence[TextCorpus], part: Part, names: Sequence[str]) -> Iterator[tuple[int, str]]:
    for corpus in corpora:
        for name in corpus.domains:
            for text in corpus.documents(part, name):
                yield names.index(name), text


def _tokenise(
    place: Path,
    documents: Iterator[tuple[int, str]],
    settings: TokenSettings,
    progress: Progress,
    stop: Callable[[], bool],
    shard_tokens: int,
) -> None:
    done = 0
    while (place / f"{done:05d}.domains.npy").is_file():
        for _ in islice(documents, len(np.load(place / f"{done:05d}.domains.npy"))):
            pass
        done += 1
    progress.start("cutting the documents into tokens", None)
    small = settings.tokenizer.get_vocab_size(with_added_tokens=True) <= 1 << 16
    shard = _Shard(np.uint16 if small else np.uint32, settings)
    while batch := list(islice(documents, _BATCH)):
        check_stop(stop)
        shard.add(batch)
        progress.advance(len(batch))
        if shard.tokens >= shard_tokens:
            shard.write(place, done)
            shard, done = _Shard(shard.kind, settings), done + 1
    if shard.domains:
        shard.write(place, done)
        done += 1
    write_whole(place / _WHOLE, json.dumps({"shards": done}).encode())


class _Shard:
    """Documents that are being collected for one file."""

    def __init__(self, kind: Any, settings: TokenSettings) -> None:
        self.kind, self.settings = kind, settings
        self.ids: list[npt.NDArray[Any]] = []
        self.words: list[npt.NDArray[np.bool_]] = []
        self.domains: list[int] = []
        self.tokens = 0

    def add(self, batch: Sequence[tuple[int, str]]) -> None:
        encodings = self.settings.tokenizer.encode_batch([text for _, text in batch], add_special_tokens=False)
        for (domain, text), encoding in zip(batch, encodings, strict=True):
            ids = np.asarray(encoding.ids, dtype=self.kind)
            self.ids.append(ids)
            self.domains.append(domain)
            self.tokens += len(ids)
            if self.settings.words is not None:
                offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
                self.words.append(np.asarray(self.settings.words(text, offsets), dtype=np.bool_))

    def write(self, place: Path, number: int) -> None:
        """Write the files of the shard; that of the domains, which says that it is complete, last."""
        parts = {"ids": _joined(self.ids, self.kind), "lengths": np.array([len(each) for each in self.ids], np.int64)}
        if self.settings.words is not None:
            parts["words"] = _joined(self.words, np.bool_)
        for name, values in (parts | {"domains": np.array(self.domains, dtype=np.int32)}).items():
            with replaced_file(place / f"{number:05d}.{name}.npy") as partial, partial.open("wb") as file:
                np.save(file, values)


def _open(place: Path, number: int) -> TokenShard:
    def mapped(name: str) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = np.load(place / f"{number:05d}.{name}.npy", mmap_mode="r")
        return found

    lengths = np.asarray(mapped("lengths"))
    begins = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    words = mapped("words") if (place / f"{number:05d}.words.npy").is_file() else None
    return TokenShard(mapped("ids"), words, begins, np.asarray(mapped("domains")))


def _joined(parts: Sequence[npt.NDArray[Any]], kind: Any = np.int64) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=kind), *parts])
