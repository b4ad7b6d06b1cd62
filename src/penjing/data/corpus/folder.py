"""A corpus as a sealed folder: card.json, samples.json, and the documents of each domain and part as JSON lines.

    corpus/
      MANIFEST                        SHA-256 of every other file; the corpus id is its hash
      card.json                       sources with licence and provenance, counts, settings
      samples.json                    masked samples of what was kept and of what was left out, by reason
      text/DOMAIN/train-00000.jsonl   {"text": …, "from": "SOURCE/file:row"} a line, some 64 MB a file
      text/DOMAIN/held_out-00000.jsonl

The text is not compressed: the same documents give the same bytes with every build of a compression library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pydantic import ValidationError

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import verify, write_whole
from penjing.core.formats import refuse_newer
from penjing.core.options import nearest
from penjing.core.paths import AnyPath, local_path
from penjing.data.corpus.card import PARTS, Amount, CorpusCard, DomainCard, Part

CARD, SAMPLES, TEXT = "card.json", "samples.json", "text"
_SHARD = 64 * 2**20  # bytes of a file of documents; it ends with the document that reaches them
Samples = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class Corpus:
    """An opened corpus; `id` is the hash of its MANIFEST. Its documents are read from the disk one at a time."""

    folder: Path
    id: str
    card: CorpusCard

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains, in the order of the sources."""
        return tuple(domain.name for domain in self.card.domains)

    def amount(self, part: Part, domain: str | None = None) -> Amount:
        """How much text a part has, of one domain or of all. Raises UsageError for an unknown domain."""
        return sum((getattr(each, part) for each in self._chosen(part, domain)), Amount())

    def documents(self, part: Part, domain: str | None = None) -> Iterator[str]:
        """The documents of a part, of one domain or of all, in a fixed order: by domain, then as they were read.

        A document is one text of at most some 20,000 characters, cleaned and masked; its paragraphs are separated by a
        line end. Raises UsageError for an unknown part or domain.
        """
        for _, text in self.located(part, domain):
            yield text

    def located(self, part: Part, domain: str | None = None) -> Iterator[tuple[str, str]]:
        """(where it came from, text) of the same documents."""
        for each in self._chosen(part, domain):
            for path in sorted((self.folder / TEXT / each.folder).glob(f"{part}-*.jsonl")):
                with path.open("rb") as file:
                    for line in file:
                        row = json.loads(line)
                        yield row["from"], row["text"]

    def samples(self) -> Samples:
        """Masked samples by reason: each with `text`, `from`, and for a duplicate `same_as`."""
        found: Samples = json.loads((self.folder / SAMPLES).read_bytes())
        return found

    def _chosen(self, part: Part, domain: str | None) -> tuple[DomainCard, ...]:
        if part not in PARTS:
            raise UsageError(f"a corpus has no part `{part}`", where=str(self.folder), fix=nearest(part, PARTS))
        if domain is not None and domain not in self.domains:
            what = f"the corpus has no domain `{domain}`"
            raise UsageError(what, where=str(self.folder), fix=nearest(domain, self.domains))
        return tuple(each for each in self.card.domains if domain is None or each.name == domain)


def open_corpus(folder: AnyPath) -> Corpus:
    """Verify a corpus against its MANIFEST and open it; all of its files are read once.

    Raises UsageError if this is no corpus or one of a newer format, DamageError if a file is changed, missing or not
    listed.
    """
    path = local_path(folder)
    fix = "give the folder that `penjing corpus build` wrote"
    if not path.is_dir():
        raise UsageError("no such folder", where=str(path), fix=fix)
    if not (path / CARD).exists() and not (path / "MANIFEST").exists():
        raise UsageError("this folder is not a corpus", where=str(path), fix=fix)
    try:
        identity = verify(path)
        if not (path / SAMPLES).exists() and not (path / TEXT).is_dir():  # a sealed folder of another kind, as a base
            raise UsageError("this folder is not a corpus", where=str(path), fix=fix)
        refuse_newer((path / CARD).read_bytes(), 1, CARD, str(path))
        card = CorpusCard.model_validate_json((path / CARD).read_bytes())
    except FileNotFoundError:
        raise UsageError("this folder is not a corpus", where=str(path), fix=fix) from None
    except ValidationError as error:
        said = error.errors(include_url=False)[0]
        place = ".".join(map(str, said["loc"]))
        raise DamageError(f"card.json is not that of a corpus: {place}: {said['msg']}", where=str(path)) from None
    return Corpus(path, identity, card)


class ShardWriter:
    """Writes the documents of one domain and part into files of some 64 MB."""

    def __init__(self, folder: Path, part: Part, size: int = _SHARD) -> None:
        self._folder, self._part, self._size = folder, part, size
        self._file: BinaryIO | None = None
        self._number, self._written = 0, 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()

    def pause(self) -> None:
        """Close the file until the next document: only so many files can be open at once."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, text: str, place: str) -> None:
        """Append a document that was read at `place`."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = (self._folder / f"{self._part}-{self._number:05d}.jsonl").open("ab")
        line = canonical_json({"from": place, "text": text}) + b"\n"
        self._file.write(line)
        self._written += len(line)
        if self._written >= self._size:
            self.pause()
            self._number, self._written = self._number + 1, 0


def write_card(folder: Path, card: CorpusCard, samples: Samples) -> None:
    """Write card.json and samples.json of a corpus that is being sealed."""
    write_whole(folder / CARD, json.dumps(card.model_dump(mode="json"), ensure_ascii=False, indent=1).encode() + b"\n")
    write_whole(folder / SAMPLES, json.dumps(samples, ensure_ascii=False, indent=1).encode() + b"\n")
