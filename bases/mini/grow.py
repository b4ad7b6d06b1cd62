"""Grow `penjing/mini`: cut the teacher to four layers and a small vocabulary, heal it by distillation, measure it.

    python bases/mini/grow.py --data DIR --models DIR --minutes 50     (`--minutes 0` only cuts)

Everything on the way lies in `--scratch`; a killed run goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import card
import corpus
import heal
import overlap
import probe
import torch
import vocabulary
import weights
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import measure

TEACHER = "multilingual-e5-small-zh-en"
HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "src" / "penjing" / "bases" / "mini"
SCRATCH = HERE.parents[1] / "out" / "mini"
_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def cut(data: Path, teacher: Path, out: Path) -> None:
    """Write the base before healing into `out`."""
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
    words = vocabulary.build(json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8")), counts)
    tensors = weights.take_layers(load_file(teacher / "model.safetensors"))
    tensors[weights.WORDS] = vocabulary.embeddings(tensors[weights.WORDS], words)
    out.mkdir(parents=True, exist_ok=True)
    vocabulary.write(out, words)
    weights.save(out, tensors, weights.new_config(teacher, len(words.origin)))


def clean_texts(data: Path, scratch: Path) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Healing texts of each source, without held-out pieces and without any that overlap a benchmark; the report."""
    path = scratch / "texts.json"
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"))
        return stored["texts"], stored["report"]
    benchmarks = overlap.benchmark_texts(data)
    runs = overlap.Runs(benchmarks)
    texts: dict[str, list[str]] = {}
    report: dict[str, Any] = {
        "han_run": overlap.HAN_RUN, "word_run": overlap.WORD_RUN, "runs": runs.sizes(),
        "texts": {name: len(group) for name, group in benchmarks.items()}, "sources": {},
    }  # fmt: skip
    for source in corpus.SOURCES:
        found = corpus.pieces(data, source)
        shared = runs.shared(found)
        bad = sum(shared.values()) > 0
        texts[source] = [text for text, drop in zip(found, bad, strict=True) if not drop and not corpus.held_out(text)]
        hits = {name: int(hit.sum()) for name, hit in shared.items() if hit.any()}
        report["sources"][source] = {
            "pieces": len(found), "dropped": int(bad.sum()), "used": len(texts[source]), "shared_with": hits,
        }  # fmt: skip
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"texts": texts, "report": report}, ensure_ascii=False), encoding="utf-8")
    partial.replace(path)
    return texts, report


def figures(data: Path, teacher: Path, before: Path, after: Path) -> dict[str, Any]:
    """What the card says: similarity before and after healing, what cannot be encoded."""
    texts = measure.held_out_texts(data)
    goal = measure.embed(teacher, texts)
    result: dict[str, Any] = {"held_out": len(texts)}
    for name, folder in (("before", before), ("after", after)):
        result[name] = measure.similarity(measure.embed(folder, texts), goal, texts)
    result["probe"] = probe.run(data, {"before": before, "after": after, "teacher": teacher})
    mini, old = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (after, teacher))
    result["coverage"] = {
        name: {"mini": measure.unknown(mini, group), "teacher": measure.unknown(old, group)}
        for name, group in {**overlap.benchmark_texts(data), "gb2312": vocabulary.gb2312_characters()}.items()
    }
    result["parameters"] = measure.parameters(after)
    known = set(old.get_vocab())
    result["added"] = sum(entry not in known for entry in mini.get_vocab())
    result["vocabulary"] = measure.entries(after)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the raw texts")
    parser.add_argument("--models", type=Path, required=True, help=f"the folder that holds {TEACHER}")
    parser.add_argument("--minutes", type=float, default=50, help="CPU minutes of healing; 0: only cut and measure")
    parser.add_argument("--wall-minutes", type=float, default=60, help="healing ends by then in any case")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate")
    parser.add_argument("--scratch", type=Path, default=SCRATCH, help="cut base, texts, checkpoint, log")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the base folder to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    scratch, teacher = arguments.scratch, arguments.models / TEACHER
    scratch.mkdir(parents=True, exist_ok=True)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)
        with (scratch / "grow.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    unhealed, healed = scratch / "cut", scratch / "healed"
    if not (unhealed / "config.json").is_file():
        cut(arguments.data, teacher, unhealed)
    texts, report = clean_texts(arguments.data, scratch)
    say("healing texts: " + ", ".join(f"{name} {len(group)}" for name, group in texts.items()))
    healed.mkdir(exist_ok=True)
    for name in _FILES:
        shutil.copyfile(unhealed / name, healed / name)
    spent = heal.Spent()
    if arguments.minutes > 0:
        budget = heal.Budget(arguments.minutes * 60, arguments.wall_minutes * 60, arguments.rate)
        healer = heal.Healer(unhealed, teacher, scratch, budget)
        healer.scale([text for group in texts.values() for text in group[-64:]])
        say("resumed" if healer.resume() else "started")
        healer.run(heal.Mixture(texts, healer.mine, seed=0), say)
        tensors = {name: each.detach().numpy() for name, each in healer.student.named_parameters()}
        weights.save(healed, tensors, json.loads((unhealed / "config.json").read_text(encoding="utf-8")))
        spent = healer.spent
    found = figures(arguments.data, teacher, unhealed, healed)
    found["overlap"] = report
    found["healing"] = {
        "steps": spent.step, "tokens": spent.tokens, "cpu_minutes": round(spent.cpu / 60, 1), "rate": arguments.rate,
    }  # fmt: skip
    say(f"similarity before {found['before']} after {found['after']}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(healed / name, arguments.out / name)
    (arguments.out / "figures.json").write_text(
        json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    card.write(arguments.out)


if __name__ == "__main__":
    main()
