"""How many tokens trained tokenizers need for Chinese and English texts, beside those of published bases.

    python bench/trained_tokenizers.py --data DIR --model DIR [--out bench/results/trained-tokenizers.json]

Protocol, fixed before the run:

- Train texts: 20 MB, half Chinese and half English, an equal share of each source in `SOURCES` (public licences; a
  smaller source gives all that it has, and the others of its language the rest). A source gives evenly spaced
  documents: what stands between blank lines, or 50 lines of a file without these. `penjing corpus build` cleans and
  masks them and holds 5 % out.
- Tokenizers: `penjing tokenizer train` with 32,000 entries of each kind, on the train part; that of `penjing/mini`,
  which `penjing/nano` has too; that of the model in --model (multilingual-e5-small, cut to Chinese and English).
- Two sets of texts, neither of which is in the train part: `held out`, the held-out part of the same corpus, on which
  the trained ones have the advantage of the same sources; `elsewhere`, sources that are not in the train part
  (CLUECorpusSmall and the English Web Treebank, both web texts), masked and cleaned too.
- Reported: tokens a character by language, the shares of tokens that are unknown and that are bytes, the share of
  occurring characters with entries, and seconds of training. No claim is made before the run.

A tokenizer that is trained already is in DIR of --work and is not trained again.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penjing.core.folder import write_whole
from penjing.core.machine import cores, hardware

RESULTS = Path(__file__).resolve().parent / "results" / "trained-tokenizers.json"
SOURCES: dict[str, dict[str, tuple[str, ...]]] = {
    "zh": {
        "articles": (
            "raw-zh-tech-articles/javaguide.txt.gz", "raw-zh-tech-articles/oi-wiki.txt.gz",
            "raw-zh-tech-articles/d2l-zh.txt.gz", "raw-zh-tech-articles/vue-docs.txt.gz",
        ),
        "business": ("raw-zh-docs-business/dynamics365.txt.gz", "raw-zh-docs-business/support-insights.txt.gz"),
        "government": ("raw-zh-government/provincial-reports-2026.txt.gz",),
        "laws": ("raw-zh-laws/laws_md.tar.gz",),
        "novels": tuple(f"raw-zh-classics/{name}.txt.gz" for name in ("三国演义", "水浒传", "红楼梦", "西游记")),
        "recipes": ("raw-zh-recipes/howtocook.txt.gz",),
    },
    "en": {
        "books": tuple(
            f"raw-en-gutenberg/{name}.txt"
            for name in ("austen-emma", "carroll-alice", "chesterton-brown", "chesterton-ball", "edgeworth-parents")
        ),
        "dialogues": ("raw-en-modern/sgd-dialogues.txt.gz",),
        "articles": tuple(
            f"raw-en-modern/{name}.txt.gz"
            for name in ("hf-course", "openeuler-docs", "tensorflow-docs", "masc-tagged", "wikipedia-demo")
        ),
        "facts": ("raw-en-modern/world-factbook.txt.gz",),
        "reviews": tuple(
            f"raw-en-modern/{name}.txt.gz" for name in ("product-reviews-1", "product-reviews-2", "pros-cons")
        ),
        "speeches": ("raw-en-modern/state-union.txt.gz", "raw-en-modern/inaugural.txt.gz"),
    },
}  # fmt: skip
ELSEWHERE = ("raw-zh-cluecorpussmall-sample/CLUECorpusSmall_sampled.txt.gz", "raw-en-modern/web-ewt.txt.gz")
KINDS = ("unigram", "bpe", "wordpiece")
MEGABYTES, ENTRIES, HELD_OUT, LINES = 20, 32_000, 0.05, 50


def documents(path: Path) -> Iterator[str]:
    """The documents of a file: members of an archive, what stands between blank lines, or groups of lines."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.name.endswith(".md") else None
                if file is not None:
                    yield " \n".join(line for line in file.read().decode("utf-8").splitlines() if line.strip())
        return
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    blank = [place for place, line in enumerate(lines) if not line.strip()]
    edges = blank if len(blank) >= 20 else range(LINES, len(lines), LINES)
    for first, last in zip([0, *edges], [*edges, len(lines)], strict=True):
        text = "\n".join(line for line in lines[first:last] if line.strip())
        if text:
            yield text


def portion(texts: Sequence[str], size: int) -> list[str]:
    """Evenly spaced documents of together some `size` bytes; all of them where they have no more."""
    whole = sum(len(text.encode()) for text in texts)
    share = min(1.0, size / max(1, whole))
    return [text for place, text in enumerate(texts) if int((place + 1) * share) > int(place * share)]


def portions(data: Path, language: str, size: int) -> dict[str, list[str]]:
    """Of each source of a language its documents, together some `size` bytes."""
    found = {
        name: [text for path in paths for text in documents(data / path)] for name, paths in SOURCES[language].items()
    }
    sizes = {name: sum(len(text.encode()) for text in texts) for name, texts in found.items()}
    taken: dict[str, list[str]] = {}
    left = size
    for place, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        taken[name] = portion(found[name], left // (len(sizes) - place))
        left -= sum(len(text.encode()) for text in taken[name])
    return taken


def penjing(*arguments: object) -> dict[str, Any]:
    """The JSON that a command prints."""
    command = [sys.executable, "-m", "penjing", *map(str, arguments), "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def build(data: Path, work: Path) -> dict[str, Any]:
    """The corpus of the train and held-out texts, and the texts from elsewhere; what is in them."""
    texts, sources = work / "texts", []
    texts.mkdir(exist_ok=True)
    for language in SOURCES:
        for name, found in portions(data, language, MEGABYTES * 2**20 // 2).items():
            path = texts / f"{language}-{name}.txt"
            path.write_text("\n\n".join(found), encoding="utf-8")
            sources.append(f"{path.stem}={path}")
    how = ("--documents", "blank", "--held-out", HELD_OUT)
    card = penjing("corpus", "build", *sources, *how, "--out", work / "corpus")
    other = [f"{language}={data / path}" for language, path in zip(SOURCES, ELSEWHERE, strict=True)]
    penjing("corpus", "build", *other, "--documents", "blank", "--held-out", 0.49, "--out", work / "elsewhere")
    kept = {source["name"]: source["kept"]["characters"] for source in card["sources"]}
    return {
        "megabytes": round(sum(path.stat().st_size for path in texts.iterdir()) / 2**20, 1),
        "characters": {each: sum(n for name, n in kept.items() if name.startswith(each)) for each in SOURCES},
    }


def train(work: Path, kind: str) -> float:
    """Train a tokenizer on the corpus; the seconds that it took, also where it is there already."""
    folder, took = work / kind, work / f"{kind}.seconds"
    if not took.exists():
        began = time.monotonic()
        how = ("--kind", kind, "--entries", ENTRIES, "--characters", 30_000_000)
        penjing("tokenizer", "train", work / "corpus", *how, "--out", folder)
        took.write_text(f"{time.monotonic() - began:.1f}", encoding="utf-8")
    return float(took.read_text(encoding="utf-8"))


def main() -> None:
    """Build, train, compare, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the sources")
    parser.add_argument("--model", type=Path, required=True, help="the folder of multilingual-e5-small")
    parser.add_argument("--work", type=Path, help="keep the corpus and the tokenizers here")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        corpus = build(given.data, work)
        seconds = {kind: train(work, kind) for kind in KINDS}
        compared = [*(work / kind for kind in KINDS), "penjing/mini", given.model]
        names = [*KINDS, "penjing/mini", "multilingual-e5-small"]
        sets = []
        for name, folder in (("held out", work / "corpus"), ("elsewhere", work / "elsewhere")):
            found = penjing("tokenizer", "report", *compared, "--texts", folder)
            rows = [
                {"name": label} | {key: row[key] for key in ("entries", "by_language", "unknown", "bytes", "coverage")}
                for label, row in zip(names, found["tokenizers"], strict=True)
            ]
            sets.append({"name": name, **found["texts"], "tokenizers": rows})
    told = {
        "date": datetime.date.today().isoformat(),
        "hardware": hardware(),
        "cores": cores(),
        "entries": ENTRIES,
        "corpus": corpus,
        "train_seconds": seconds,
        "sets": sets,
    }
    write_whole(given.out, json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n")
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
