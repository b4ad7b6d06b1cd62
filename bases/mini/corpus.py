"""The texts from which the base is grown: only those whose licence allows it, one sentence-sized piece at a time."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_ZH = re.compile(r"[^。！？；!?\n]+[。！？；!?]?[”’」』]?")
_SENTENCE_EN = re.compile(r"(?<=[.!?;])[\"')\]]*\s+(?=[\"'(\[A-Z])")
_SPACE = re.compile(r"\s+")
# What a piece may measure: shorter ones say nothing, longer ones cost more than they teach.
_SHORTEST, _LONGEST = {"zh": 4, "en": 8}, {"zh": 90, "en": 240}


def _open(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")


def _zh(text: str) -> Iterator[str]:
    yield from _SENTENCE_ZH.findall(text)


def _en(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        yield from _SENTENCE_EN.split(paragraph)


def laws(data: Path) -> Iterator[str]:
    """Chinese laws and regulations (outside copyright: Copyright Law of the PRC, article 5)."""
    with tarfile.open(data / "raw-zh-laws" / "laws_md.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            file = archive.extractfile(member) if member.name.endswith(".md") else None
            if file is not None:
                for line in file.read().decode("utf-8", "replace").splitlines():
                    if not line.startswith(("#", "<", "|", "---")):
                        yield from _zh(line)


def classics(data: Path) -> Iterator[str]:
    """Four classic Chinese novels (public domain)."""
    for path in sorted((data / "raw-zh-classics").glob("*.txt.gz")):
        yield from _zh(_open(path))


def gutenberg(data: Path) -> Iterator[str]:
    """English books (public domain); the tokenized quotes and stops of this edition are put back."""
    for path in sorted((data / "raw-en-gutenberg").glob("*.txt*")):
        yield from _en(_detokenize(_open(path)))


def wikitext(data: Path) -> Iterator[str]:
    """WikiText-2, validation and test (CC BY-SA 3.0); sentences with an <unk> are left out."""
    for path in sorted((data / "raw-en-wikitext2").glob("*.txt.gz")):
        text = re.sub(r" @([-,.])@ ", r"\1", _open(path))
        for line in text.splitlines():
            if not line.strip().startswith("="):
                yield from (piece for piece in _en(_detokenize(line)) if "<unk>" not in piece)


def tatoeba(data: Path) -> Iterator[str]:
    """Both sides of the Tatoeba pairs (CC BY 2.0 FR)."""
    for line in _open(data / "enzh-translation-tatoeba" / "cmn.txt.gz").splitlines():
        yield from line.split("\t")[:2]


def csl(data: Path) -> Iterator[str]:
    """Abstracts and titles of Chinese papers (CSL, Apache-2.0)."""
    for name in ("dev.tsv", "test.tsv"):
        for line in _open(data / "zh-summ-csl" / name).splitlines():
            for cell in line.split("\t")[1:3]:
                yield from _zh(re.sub(r"\.(?=[^\w\s]|[\u3400-\u9fff]|$)", "。", cell))


SOURCES: dict[str, Callable[[Path], Iterator[str]]] = {
    "laws": laws,
    "classics": classics,
    "gutenberg": gutenberg,
    "wikitext": wikitext,
    "tatoeba": tatoeba,
    "csl": csl,
}


def _detokenize(text: str) -> str:
    text = text.replace("`` ", '"').replace(" ''", '"').replace("''", '"').replace(" -- ", " - ")
    text = re.sub(r" ([,.!?;:)%])", r"\1", text)
    text = re.sub(r"([(\[$]) ", r"\1", text)
    return re.sub(r" (n't|'s|'ll|'re|'ve|'d|'m)\b", r"\1", text)


def language(text: str) -> str:
    """`zh` where there is a Chinese character, else `en`."""
    return "zh" if HAN.search(text) else "en"


def pieces(data: Path, source: str) -> list[str]:
    """Distinct sentences of one source, cleaned, of a useful length, in a shuffled but fixed order."""
    kept: dict[str, None] = {}
    for raw in SOURCES[source](data):
        text = _SPACE.sub(" ", raw).strip()
        kind = language(text)
        if _SHORTEST[kind] <= len(text) <= _LONGEST[kind]:
            kept[text] = None
    found = list(kept)
    random.Random(source).shuffle(found)
    return found


def held_out(text: str, share: float = 0.02) -> bool:
    """Whether a stable hash puts the text among those that are never trained on."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < share
