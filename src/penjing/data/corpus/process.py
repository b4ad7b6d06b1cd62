"""One block: decode, extract, clean, judge, compare with evaluation sets, mask, hash. A pure function of its input."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from penjing.core.canon import digest
from penjing.core.errors import MissingPackageError
from penjing.core.methods import source_hash
from penjing.data.clean import clean
from penjing.data.corpus.against import Against
from penjing.data.corpus.blocks import BANDS, KeptDocuments, RawBlock, write_block
from penjing.data.corpus.characters import Array, characters, digest8, shingles, tokens
from penjing.data.corpus.duplicates import band_keys, least_hashes
from penjing.data.corpus.extract import divide, html_text, json_text, markdown_text
from penjing.data.corpus.language import Language, language_of
from penjing.data.corpus.personal import LOOK, SAMPLE, mask_personal, masked_sample
from penjing.data.corpus.quality import SHORTEST, fault_of, without_boilerplate
from penjing.data.corpus.reader import RawDocument
from penjing.data.corpus.repair import Changes, decode, repair
from penjing.data.corpus.sketches import sketch_of
from penjing.data.mask import VERSION, open_masking

LANGUAGES: tuple[str, ...] = get_args(Language)
SAMPLES = 6  # of a reason


class BuildOptions(BaseModel):
    """What decides which documents are kept, and how they are changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: tuple[str, ...] = Field(default=("zh", "en"), description="the languages that are kept")
    simplify: bool = Field(default=False, description="whether traditional Chinese is converted to simplified")
    mask: bool = Field(default=True, description="whether personal numbers are masked")
    shortest: int = Field(default=SHORTEST, ge=1, description="the tokens that a document needs")
    near: bool = Field(default=True, description="whether near duplicates are left out")
    held_out: float = Field(default=0.01, ge=0, lt=0.5, description="the share of documents that is held out")


@dataclass(frozen=True)
class BlockTask:
    """What a worker needs beside a block. against: the file of the runs of evaluation sets; its hash is in `key`."""

    options: BuildOptions
    against: Path | None = None
    against_hash: str = ""

    @property
    def key(self) -> str:
        """The hash of all that a stored block depends on beside its raw block."""
        options = self.options.model_dump(exclude={"held_out"})
        packages = {name: _version(name) for name in ("trafilatura", "opencc")}
        return digest([options, packages, self.against_hash, VERSION, source_hash("penjing.data.corpus.process")])


@dataclass
class _Counts:
    """Everything that is counted in a block, as it is stored."""

    read: list[int] = field(default_factory=lambda: [0, 0])
    dropped: dict[str, list[int]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    masked: dict[str, int] = field(default_factory=dict)
    against: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[list[str]]] = field(default_factory=dict)

    def drop(self, reason: str, text: str | None, place: str) -> None:
        """Count a document that is left out; without a text it has no characters, and no sample is taken."""
        found = self.dropped.setdefault(reason, [0, 0])
        found[0] += 1
        if text is not None:
            found[1] += len(text)
            self.sample(reason, text, place)

    def sample(self, reason: str, text: str, place: str) -> None:
        """Keep the sample if its hash is among the smallest."""
        rank = hashlib.blake2b(text[:SAMPLE].encode("utf-8", "replace"), digest_size=8).hexdigest()
        held = self.samples.setdefault(reason, [])
        if len(held) < SAMPLES or rank < held[-1][0]:
            held.append([rank, text[:LOOK], place])
            held.sort()
            del held[SAMPLES:]


@dataclass
class _Kept:
    texts: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    exact: list[int] = field(default_factory=list)
    least: list[Array] = field(default_factory=list)
    sketches: list[Array] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    languages: list[int] = field(default_factory=list)


def process_block(raw: RawBlock, task: BlockTask, path: Path) -> None:
    """Make the stored block of a raw one. Raises MissingPackageError where a package is needed that is missing."""
    against = _against(task.against, task.against_hash) if task.against else None
    counts, kept = _Counts(), _Kept()
    for document in raw.documents:
        changes = Changes()
        text = read_text(document, changes)
        counts.kinds[document.kind] = counts.kinds.get(document.kind, 0) + 1
        if text is None or not text.strip():
            reason = "unreadable" if text is None else "empty"
            counts.read[0] += 1
            counts.drop(reason, None, document.place)
            counts.sample(reason, document.data[:LOOK].decode("utf-8", "replace"), document.place)
        else:
            parts = divide(text)
            changes.add("divided", len(parts) > 1)
            for part in parts:
                _take(part, document.place, (task.options, against), (counts, kept))
        for kind, times in changes.counts.items():
            counts.changed[kind] = counts.changed.get(kind, 0) + times
    _mask_samples(counts)
    write_block(path, vars(counts), _arrays(kept))


def read_text(document: RawDocument, changes: Changes) -> str | None:
    """The cleaned text of a raw document; None where it cannot be read."""
    if document.kind == "json":
        text = json_text(document.data, document.columns)
    else:
        text = decode(document.data, document.encoding, changes)
    text = repair(text, changes) if text is not None else None
    if text is None:
        return None
    if document.kind == "markdown":
        text = markdown_text(text)
    elif document.kind == "html":
        text = html_text(text)
    return clean(text).strip()


def _take(part: str, place: str, how: tuple[BuildOptions, Against | None], into: tuple[_Counts, _Kept]) -> None:
    (options, against), (counts, kept) = how, into
    counts.read[0] += 1
    counts.read[1] += len(part)
    text, removed = without_boilerplate(part)
    if removed:
        _count(counts.changed, "boilerplate_line", removed)
        text = text.strip()
    read = characters(text)
    found = tokens(read)
    if len(found) < options.shortest:
        return counts.drop("too_short", part, place)
    language = language_of(text, read, found)
    if language == "zh-hant" and options.simplify:
        text, language = simplified(text), "zh"
        read = characters(text)
        found = tokens(read)
        _count(counts.changed, "simplified")
    family = "zh" if language == "zh-hant" else language
    if family not in options.languages and family != "none":
        return counts.drop("language", part, place)
    shingled = shingles(found)
    fault = fault_of(text, read, found, (len(shingled), options.shortest))
    if fault:
        return counts.drop(fault, part, place)
    overlap = against.remove(text, found) if against else None
    if overlap:
        for name in overlap.sets:
            _count(counts.against, name)
        text = overlap.text
        found = tokens(characters(text))
        if len(found) < options.shortest:
            return counts.drop("contaminated", part, place)
        _count(counts.changed, "contaminated_sentence", len(overlap.cut))
        counts.sample("contaminated_sentence", overlap.cut[0], place)
    if options.mask:
        text, masked = mask_personal(text, open_masking(VERSION))
        for kind, times in masked.items():
            _count(counts.masked, kind, times)
        _count(counts.changed, "masked", int(bool(masked)))
        found = tokens(characters(text)) if masked else found
    kept.texts.append(text)
    kept.places.append(place)
    shingled = shingled if text == part else shingles(found)
    kept.exact.append(digest8(found.hashes))
    if options.near:
        kept.least.append(least_hashes(shingled))
        kept.sketches.append(sketch_of(shingled))
    kept.tokens.append(len(found))
    kept.languages.append(LANGUAGES.index(language))
    return None


def _arrays(kept: _Kept) -> KeptDocuments:
    bands = band_keys(kept.least) if kept.least else np.zeros((len(kept.texts), BANDS), np.uint64)
    sketches = kept.sketches or [np.zeros(0, np.uint32)] * len(kept.texts)
    exact, sizes = np.array(kept.exact, dtype=np.uint64), np.array(kept.tokens, dtype=np.uint32)
    languages = np.array(kept.languages, dtype=np.uint8)
    return KeptDocuments(kept.texts, kept.places, exact, bands, sizes, languages, sketches)


def _mask_samples(counts: _Counts) -> None:
    """Samples of what was left out were not masked yet."""
    for held in counts.samples.values():
        for sample in held:
            sample[1] = masked_sample(sample[1])


def _count(counts: dict[str, int], key: str, times: int = 1) -> None:
    if times:
        counts[key] = counts.get(key, 0) + times


@cache
def _converter() -> Any:
    try:
        from opencc import OpenCC
    except ImportError:
        raise MissingPackageError(
            "simplifying traditional Chinese needs the package `opencc`", fix="pip install 'penjing[train]'"
        ) from None
    return OpenCC("t2s")


def simplified(text: str) -> str:
    """The text in simplified Chinese characters. Raises MissingPackageError."""
    converted: str = _converter().convert(text)
    return converted


@cache
def _against(path: Path, _hash: str) -> Against:
    return Against.load(path)


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return ""
