"""The card of a corpus: its sources with licence and provenance, what was read, and what was left out and why."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Part = Literal["train", "held_out"]
PARTS: tuple[Part, ...] = ("train", "held_out")
# Upper bounds of the length classes of kept documents, in units: a Chinese character or a word.
LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


class Amount(BaseModel):
    """A number of documents and of their characters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: int = 0
    characters: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(documents=self.documents + other.documents, characters=self.characters + other.characters)


class SourceCard(BaseModel):
    """One source: what it is, under which licence, and what came of it.

    given: the path as it was given; origin: where the texts come from, in words; files: read, and not read by reason;
    read: documents that came in; kept: those in the corpus; dropped: documents left out, by reason; changed: how often
    documents were changed, by kind of change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    domain: str
    given: str
    licence: str = ""
    origin: str = ""
    files: int = 0
    files_not_read: dict[str, int] = {}
    read: Amount = Amount()
    kept: Amount = Amount()
    dropped: dict[str, Amount] = {}
    changed: dict[str, int] = {}
    languages: dict[str, int] = {}


class DomainCard(BaseModel):
    """One domain: its documents by part; lengths: the number of kept documents of each class of `LENGTHS`, longer last.

    folder: the name of its folder in the corpus.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    folder: str
    train: Amount = Amount()
    held_out: Amount = Amount()
    lengths: tuple[int, ...] = ()


class CorpusCard(BaseModel):
    """The description of a corpus. It is part of the hashed content, so it holds no time, host or speed.

    settings: the options that decided what was kept; versions: of the packages that changed texts; against: the
    evaluation sets that were compared, each with its number of texts; masked: personal numbers by kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    sources: tuple[SourceCard, ...]
    domains: tuple[DomainCard, ...]
    settings: dict[str, Any] = {}
    masking: str = ""
    masked: dict[str, int] = {}
    against: dict[str, int] = {}
    versions: dict[str, str] = {}

    @property
    def read(self) -> Amount:
        """All documents that came in."""
        return sum((source.read for source in self.sources), Amount())

    @property
    def kept(self) -> Amount:
        """All documents of the corpus."""
        return sum((source.kept for source in self.sources), Amount())

    @property
    def dropped(self) -> dict[str, Amount]:
        """Documents that were left out, by reason, the most frequent reason first."""
        found: dict[str, Amount] = {}
        for source in self.sources:
            for reason, amount in source.dropped.items():
                found[reason] = found.get(reason, Amount()) + amount
        return dict(sorted(found.items(), key=lambda pair: (-pair[1].documents, pair[0])))

    @property
    def changed(self) -> dict[str, int]:
        """How often documents were changed, by kind of change."""
        found: dict[str, int] = {}
        for source in self.sources:
            for kind, times in source.changed.items():
                found[kind] = found.get(kind, 0) + times
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
