"""Blocks: the unit of work. Raw documents of one source go in; a file with what was kept of them comes out.

A stored block is a pure function of its raw block and the settings, so that it is named by their hash: a build that was
killed, or runs with other processes or on another machine, finds or makes the same file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.folder import replaced_file
from penjing.data.corpus.characters import Array
from penjing.data.corpus.reader import RawDocument

SIZE, MOST_DOCUMENTS = 2 * 2**20, 4000  # bytes and documents of a raw block
BANDS = 20
_MAGIC = b"PJBLOCK2"


@dataclass(frozen=True)
class RawBlock:
    """Consecutive documents of one source. number: its place among all blocks."""

    number: int
    source: int
    documents: list[RawDocument]

    def key(self, settings: str) -> str:
        """The hash that names the stored block."""
        hasher = hashlib.blake2b(settings.encode(), digest_size=12)
        for each in self.documents:
            about = f"{each.kind}|{each.encoding}|{'|'.join(each.columns)}|{len(each.data)}|{each.place}\n"
            hasher.update(about.encode("utf-8", "surrogateescape") + each.data)
        return hasher.hexdigest()


def raw_blocks(documents: Iterable[RawDocument], source: int, first: int) -> Iterator[RawBlock]:
    """The documents of a source in blocks, numbered from `first`."""
    held: list[RawDocument] = []
    size = 0
    for each in documents:
        held.append(each)
        size += len(each.data)
        if size >= SIZE or len(held) >= MOST_DOCUMENTS:
            yield RawBlock(first, source, held)
            first, held, size = first + 1, [], 0
    if held:
        yield RawBlock(first, source, held)


@dataclass
class KeptDocuments:
    """What a block keeps: texts with the place of each; exact: (n,) uint64 hashes; bands: (n, BANDS) uint64; tokens:
    (n,) uint32; languages: (n,) uint8; sketches: of each text uint32 hashes, at most 255."""

    texts: list[str]
    places: list[str]
    exact: Array
    bands: Array
    tokens: Array
    languages: Array
    sketches: Sequence[Array]


def write_block(path: Path, about: dict[str, Any], kept: KeptDocuments) -> None:
    """Write a block in one rename. about: counts and samples, as plain values."""
    encoded = [text.encode() for text in kept.texts]
    places = [place.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for place in kept.places]
    header = json.dumps(about | {"places": places, "documents": len(encoded)}, ensure_ascii=False).encode()
    offsets = np.zeros(len(encoded) + 1, dtype="<u8")
    np.cumsum([len(text) for text in encoded], out=offsets[1:], dtype=np.uint64)
    sizes = np.array([len(each) for each in kept.sketches], dtype="u1")
    sketches = np.concatenate([np.zeros(0, dtype="<u4"), *kept.sketches])
    arrays = (offsets, kept.exact.astype("<u8"), kept.bands.astype("<u8"), kept.tokens.astype("<u4"))
    with replaced_file(path) as partial, partial.open("wb") as file:
        file.write(_MAGIC + len(header).to_bytes(8, "little") + header)
        for array in (*arrays, kept.languages.astype("u1"), sizes, sketches.astype("<u4")):
            file.write(array.tobytes())
        file.writelines(encoded)


class StoredBlock:
    """A block on the disk; its texts are read one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            if file.read(8) != _MAGIC:
                raise ValueError(f"{path} is no block")
            self.about: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            count = self.about["documents"]
            self.offsets = np.frombuffer(file.read(8 * (count + 1)), dtype="<u8")
            self.exact = np.frombuffer(file.read(8 * count), dtype="<u8")
            self.bands = np.frombuffer(file.read(8 * BANDS * count), dtype="<u8").reshape(count, BANDS)
            self.tokens = np.frombuffer(file.read(4 * count), dtype="<u4")
            self.languages = np.frombuffer(file.read(count), dtype="u1")
            self.sketch_sizes = np.frombuffer(file.read(count), dtype="u1")
            self._sketches = file.tell()
            self._texts = self._sketches + 4 * int(self.sketch_sizes.sum(dtype=np.int64))

    def __len__(self) -> int:
        return int(self.about["documents"])

    def sketches(self) -> bytes:
        """The sketches of all texts, uint32, one after another."""
        with self.path.open("rb") as file:
            file.seek(self._sketches)
            return file.read(self._texts - self._sketches)

    def text(self, place: int) -> str:
        """One text."""
        with self.path.open("rb") as file:
            file.seek(self._texts + int(self.offsets[place]))
            return file.read(int(self.offsets[place + 1] - self.offsets[place])).decode()

    def texts(self) -> Iterator[str]:
        """All texts, in their order."""
        with self.path.open("rb") as file:
            file.seek(self._texts)
            for size in np.diff(self.offsets).tolist():
                yield file.read(size).decode()
