"""From stored blocks to a sealed corpus: duplicates, the held-out part, documents in order, the card with counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import numpy as np

from penjing.core.errors import DataError
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Progress
from penjing.core.stop import check_stop
from penjing.data.corpus.blocks import BANDS, StoredBlock
from penjing.data.corpus.card import LENGTHS, PARTS, Amount, CorpusCard, DomainCard, Part, SourceCard
from penjing.data.corpus.characters import Array, mixed
from penjing.data.corpus.duplicates import EXACT, KEPT, NEAR, Hashed, Verdicts, find_exact, find_near
from penjing.data.corpus.folder import TEXT, ShardWriter, write_card
from penjing.data.corpus.personal import masked_sample
from penjing.data.corpus.process import LANGUAGES, SAMPLES, BuildOptions
from penjing.data.corpus.reader import Notes
from penjing.data.corpus.sketches import Sketches
from penjing.data.corpus.sources import CorpusSource, FoundFiles
from penjing.data.mask import VERSION

HASHES, _SKETCHES = "hashes", "sketches"
_LEAST_HELD_OUT = 10  # documents of a domain of which one is held out, even if no hash falls into the share
_NAMES = {EXACT: "exact_duplicate", NEAR: "near_duplicate"}


@dataclass
class _Totals:
    """Counts of one source over its blocks."""

    read: list[int] = field(default_factory=lambda: [0, 0])
    kept: list[int] = field(default_factory=lambda: [0, 0])
    dropped: dict[str, list[int]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str, documents: int, size: int) -> None:
        """Count documents that are left out."""
        found = self.dropped.setdefault(reason, [0, 0])
        found[0] += documents
        found[1] += size


@dataclass(frozen=True)
class HashFiles:
    """The files of hashes of all documents, open for writing: one of the keys of each band, and one of the sketches."""

    bands: Sequence[BinaryIO]
    sketches: BinaryIO


@contextmanager
def hash_files(work: Path) -> Iterator[HashFiles]:
    """New files of hashes in the folder of the work."""
    folder = work / HASHES
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        bands = [stack.enter_context((folder / f"{band:02d}").open("wb")) for band in range(BANDS)]
        yield HashFiles(bands, stack.enter_context((folder / _SKETCHES).open("wb")))


@dataclass
class Stored:
    """All stored blocks, in their order, with what was counted. Memory grows by some bytes a document."""

    sources: list[CorpusSource]
    found: list[FoundFiles]
    notes: list[Notes]
    against: dict[str, int]
    paths: list[Path] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    exact: list[Array] = field(default_factory=list)
    sketch_sizes: list[Array] = field(default_factory=list)
    totals: dict[int, _Totals] = field(default_factory=dict)
    masked: dict[str, int] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[list[str]]] = field(default_factory=dict)

    def add(self, number: int, source: int, path: Path, files: HashFiles) -> None:
        """Take a block: its counts, its hashes, and into their files its keys and its sketches."""
        assert number == len(self.paths)
        block = StoredBlock(path)
        self.paths.append(path)
        self.owners.append(source)
        self.sizes.append(len(block))
        self.exact.append(block.exact.copy())
        self.sketch_sizes.append(block.sketch_sizes.copy())
        for file, keys in zip(files.bands, block.bands.T, strict=True):
            file.write(np.ascontiguousarray(keys).tobytes())
        files.sketches.write(block.sketches())
        about, totals = block.about, self.totals.setdefault(source, _Totals())
        for place in (0, 1):
            totals.read[place] += about["read"][place]
        for reason, (documents, size) in about["dropped"].items():
            totals.drop(reason, documents, size)
        for into, given in (
            (totals.changed, about["changed"]), (self.masked, about["masked"]), (self.hits, about["against"]),
            (self.kinds, about["kinds"]),
        ):  # fmt: skip
            for key, times in given.items():
                into[key] = into.get(key, 0) + times
        for reason, held in about["samples"].items():
            name = self.sources[source].name
            rows = self.samples.get(reason, []) + [[rank, text, f"{name}/{place}"] for rank, text, place in held]
            self.samples[reason] = sorted(rows)[:SAMPLES]


def merge(
    stored: Stored, target: Path, work: Path, options: BuildOptions, progress: Progress, stop: Callable[[], bool]
) -> None:
    """Write and seal the corpus. Raises DataError where nothing is left, RunInterruptedError where `stop` says so."""
    hashes = np.concatenate(stored.exact) if stored.exact else np.zeros(0, np.uint64)
    stored.exact.clear()
    verdicts = find_exact(hashes)
    texts = _StoredTexts(stored)
    if options.near and len(hashes):
        sizes = np.concatenate(stored.sketch_sizes)
        with Sketches(work / HASHES / _SKETCHES, sizes) as sketches:
            find_near(Hashed(work / HASHES, sketches), verdicts, texts.text, progress, stop)
    domains = list(dict.fromkeys(source.domain for source in stored.sources))
    if not (verdicts.state == KEPT).any():
        raise _nothing_left(stored)
    owner = np.repeat([domains.index(stored.sources[each].domain) for each in stored.owners], stored.sizes)
    held = _held_out(hashes, verdicts, owner, options.held_out)
    _sample_duplicates(stored, verdicts, hashes, texts)
    with sealed_folder(target) as partial:
        cards = _write(stored, partial, verdicts, held, progress, stop)
        card = CorpusCard(
            sources=tuple(_source_card(stored, index) for index in range(len(stored.sources))),
            domains=tuple(cards[domain] for domain in domains),
            settings=options.model_dump(mode="json"),
            masking=VERSION if options.mask else "",
            masked=dict(sorted(stored.masked.items())),
            against=stored.against,
            against_hits=dict(sorted(stored.hits.items())),
            versions=_versions(stored, options),
        )
        samples = {reason: [_sample(row) for row in rows] for reason, rows in sorted(stored.samples.items())}
        write_card(partial, card, samples)
        progress.say(f"sealing {card.kept.documents:,} documents")


def _nothing_left(stored: Stored) -> DataError:
    """The error with every reason: why documents were dropped, and why nothing was read of files and long lines."""
    counted: dict[str, int] = {}
    for totals in stored.totals.values():
        for reason, (documents, _) in totals.dropped.items():
            counted[reason] = counted.get(reason, 0) + documents
    for notes in stored.notes:
        lost = {reason: documents for reason, (documents, _) in notes.dropped.items()}
        for reason, number in (*lost.items(), *notes.skipped.items()):
            counted[reason] = counted.get(reason, 0) + number
    reasons = [f"{number} × {reason}" for reason, number in sorted(counted.items())]
    what = f"no document is left: all were dropped ({', '.join(reasons) or 'nothing was read'})"
    fix = "check --languages and --shortest, or that the files hold prose"
    if not stored.totals:  # not one document was looked at
        fix = (
            "see what was not read: a line or a page has at most 8 MB; `--most-ratio` and `--most-gb` bound a file "
            "that is unpacked"
        )
    return DataError(what, fix=fix)


def _sample(row: Sequence[str]) -> dict[str, str]:
    _, text, place, *same = row
    return {"text": text, "from": place} | ({"same_as": same[0]} if same else {})


def _held_out(hashes: Array, verdicts: Verdicts, owner: Array, share: float) -> Array:
    """(n,) bool: by a hash of the text, so that a document stays in its part when others come and go."""
    drawn = mixed(hashes ^ np.uint64(0x48454C444F5554)) / np.float64(2**64)
    kept = verdicts.state == KEPT
    held: Array = kept & (drawn < share)
    for domain in np.unique(owner) if share else ():
        mine = kept & (owner == domain)
        if not (held & mine).any() and int(mine.sum()) >= _LEAST_HELD_OUT:
            places = np.flatnonzero(mine)
            held[places[np.argmin(drawn[places])]] = True
    return held


class _StoredTexts:
    """Texts by their number over all blocks."""

    def __init__(self, stored: Stored) -> None:
        self._starts = np.concatenate([[0], np.cumsum(stored.sizes)])
        self._paths, self._stored = stored.paths, stored
        self._open = lru_cache(maxsize=16)(lambda number: StoredBlock(self._paths[number]))

    def text(self, number: int) -> str:
        """The text of a document."""
        block = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._open(block).text(number - int(self._starts[block]))

    def place(self, number: int) -> str:
        """Where it was read."""
        block = int(np.searchsorted(self._starts, number, side="right")) - 1
        name = self._stored.sources[self._stored.owners[block]].name
        return f"{name}/{self._open(block).about['places'][number - int(self._starts[block])]}"


def _sample_duplicates(stored: Stored, verdicts: Verdicts, hashes: Array, texts: _StoredTexts) -> None:
    rank = mixed(hashes ^ mixed(np.arange(len(hashes), dtype=np.uint64)))
    for state, reason in (*_NAMES.items(), (KEPT, "kept")):
        found = np.flatnonzero(verdicts.state == state)
        for number in found[np.argsort(rank[found], kind="stable")[:SAMPLES]].tolist():
            row = [f"{int(rank[number]):016x}", masked_sample(texts.text(number)), texts.place(number)]
            if state != KEPT:
                row.append(texts.place(int(verdicts.same_as[number])))
            stored.samples.setdefault(reason, []).append(row)


def _write(
    stored: Stored, partial: Path, verdicts: Verdicts, held: Array, progress: Progress, stop: Callable[[], bool]
) -> dict[str, DomainCard]:
    """Write all kept documents; the card of each domain."""
    writers: dict[tuple[str, Part], ShardWriter] = {}
    amounts: dict[tuple[str, Part], list[int]] = {}
    lengths: dict[str, Array] = {}
    for source in stored.sources:
        lengths.setdefault(source.domain, np.zeros(len(LENGTHS) + 1, dtype=np.int64))
        for part in PARTS:
            writers.setdefault((source.domain, part), ShardWriter(partial / TEXT / source.domain, part))
            amounts.setdefault((source.domain, part), [0, 0])
    progress.start("writing (blocks)", len(stored.paths))
    place, last = 0, ""
    for path, owner in zip(stored.paths, stored.owners, strict=True):
        check_stop(stop)
        source, totals, block = stored.sources[owner], stored.totals[owner], StoredBlock(path)
        if last not in ("", source.domain):
            for part in PARTS:
                writers[last, part].pause()
        last = source.domain
        for number, text in enumerate(block.texts()):
            state = int(verdicts.state[place + number])
            if state != KEPT:
                totals.drop(_NAMES[state], 1, len(text))
                continue
            part = "held_out" if held[place + number] else "train"
            writers[last, part].write(text, f"{source.name}/{block.about['places'][number]}")
            for counted in (amounts[last, part], totals.kept):
                counted[0] += 1
                counted[1] += len(text)
            lengths[last][int(np.searchsorted(LENGTHS, block.tokens[number]))] += 1
            language = LANGUAGES[int(block.languages[number])]
            totals.languages[language] = totals.languages.get(language, 0) + 1
        place += len(block)
        progress.advance()
    for writer in writers.values():
        writer.pause()
    return {
        domain: DomainCard(
            name=domain,
            folder=domain,
            train=_amount(amounts[domain, "train"]),
            held_out=_amount(amounts[domain, "held_out"]),
            lengths=tuple(counts.tolist()),
        )
        for domain, counts in lengths.items()
    }


def _source_card(stored: Stored, index: int) -> SourceCard:
    source, found, notes = stored.sources[index], stored.found[index], stored.notes[index]
    totals = stored.totals.get(index, _Totals())
    for reason, (documents, size) in notes.dropped.items():
        totals.drop(reason, documents, size)
        totals.read[0] += documents
        totals.read[1] += size
    skipped = dict(found.skipped)
    for reason, files in notes.skipped.items():
        skipped[reason] = skipped.get(reason, 0) + files
    return SourceCard(
        name=source.name,
        domain=source.domain,
        given=source.path,
        licence=source.licence,
        origin=source.origin or found.origin,
        files=notes.files,
        files_not_read=dict(sorted(skipped.items())),
        read_as=dict(sorted(notes.read_as.items())),
        read=_amount(totals.read),
        kept=_amount(totals.kept),
        dropped={reason: _amount(given) for reason, given in sorted(totals.dropped.items())},
        changed=dict(sorted(totals.changed.items())),
        languages=dict(sorted(totals.languages.items())),
    )


def _amount(given: Sequence[int]) -> Amount:
    return Amount(documents=given[0], characters=given[1])


def _versions(stored: Stored, options: BuildOptions) -> dict[str, str]:
    used = {"trafilatura"} if stored.kinds.get("html") else set()
    return {name: version(name) for name in sorted(used | ({"opencc"} if options.simplify else set()))}
