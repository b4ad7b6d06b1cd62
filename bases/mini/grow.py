"""Grow `penjing/mini`: cut the teacher to four layers and a small vocabulary, then heal it by distillation."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import corpus
import vocabulary
import weights
from safetensors.numpy import load_file
from tokenizers import Tokenizer

TEACHER = "multilingual-e5-small-zh-en"
HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "src" / "penjing" / "bases" / "mini"


def cut(data: Path, teacher: Path, out: Path) -> vocabulary.Vocabulary:
    """Write the unhealed base into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, Counter[int]] = {}
    tokenizer = Tokenizer.from_file(str(teacher / "tokenizer.json"))
    for source in corpus.SOURCES:
        for kind in ("zh", "en"):
            texts = [text for text in corpus.pieces(data, source) if corpus.language(text) == kind]
            if len(texts) < 1000:
                continue
            count: Counter[int] = Counter()
            for start in range(0, len(texts), 4096):
                for encoding in tokenizer.encode_batch_fast(texts[start : start + 4096], add_special_tokens=False):
                    count.update(encoding.ids)
            counts[f"{source}-{kind}"] = count
            print(f"counted {source}-{kind}: {len(texts)} pieces, {sum(count.values())} tokens", flush=True)
    words = vocabulary.build(json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8")), counts)
    tensors = weights.take_layers(load_file(teacher / "model.safetensors"))
    tensors[weights.WORDS] = vocabulary.embeddings(tensors[weights.WORDS], words)
    vocabulary.write(out, words)
    weights.save(out, tensors, weights.new_config(teacher, len(words.origin)))
    print(f"cut: {len(words.origin)} entries, {len(words.added)} of them added", flush=True)
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the raw texts")
    parser.add_argument("--models", type=Path, required=True, help=f"the folder that holds {TEACHER}")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the base folder to write")
    arguments = parser.parse_args()
    cut(arguments.data, arguments.models / TEACHER, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
