"""Pre-training on two cores: does a domain base pay, which objective, how fast, and does a kill change a bit?

    python bench/pretrain.py --data DIR --out DIR [--part adapt|objectives|speed|killed ...]

The protocol, written before its first run:

- `adapt`: patients' questions (zh-medical-dialogue: title to department) and food-delivery reviews (waimai). 1,500 test
  rows by hash. The domain's texts are everything but the test rows: questions and answers of patients; reviews of
  delivery and of an online shop. `penjing/nano` is trained on 1.5M tokens of them, once by `pretrain.adapt` with its
  default objective (mlm) and once by `pretrain.distil` with `penjing/small` as the teacher. All three bases are then
  tuned on 100, 500 and 2,000 rows, three draws each: all layers, rate 1e-3, 1,500 steps of 16 rows at most, the best
  epoch on 200 other rows. Accuracy on the test rows, beside word counts.
- `objectives`: BERT tiny (2 layers x 128) from scratch, vocabulary of 8,000, on wiki news and modern English books, 2M
  tokens each: mlm by words, mlm by spans, rtd, mlm + sop, mlm + nsp, contrastive, and mlm for 1.5M then contrastive.
  Accuracy of a logistic regression on mean states, four sets, 500 rows, three draws (`bases/probe.py`); processor
  seconds beside.
- `speed`: tokens without padding in a second of mlm, BERT mini (4 layers x 256), 400,000 tokens, batches of 4,096,
  beside the Trainer of transformers with batches by length on the same network, tokenizer and texts, in turn (A B A B).
- `killed`: `penjing grow` with SIGKILL ten times, each 32 to 50 seconds after its start, and once to its end; the id of
  the base against that of a run that nobody killed.

A unit that is in bench/results/pretrain.json already is not repeated. One thread for `adapt` and `objectives`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from machines import with_this_machine
from penjing.core.answers import Choice, as_kind
from penjing.core.artifact import open_artifact
from penjing.core.canon import unit_hash
from penjing.core.folder import write_whole
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.data.corpus.folder import open_corpus
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tune import full, linear

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "pretrain.json"
sys.path.append(str(HERE.parent / "bases"))
Rows = list[tuple[str, str]]
TEST, WATCHED, SIZES, DRAWS, ADAPTED, STEPS = 1500, 200, (100, 500, 2000), 3, 1_500_000, 1500
READ, KILLS = 400_000, 10
GROWN = {
    "adapt": f"base: penjing/nano\nsteps: [{{pretrain.adapt: {{tokens: {ADAPTED}, positions: 0}}}}]",
    "distil": "base: penjing/nano\nteachers: {teacher: penjing/small}\n"
    f"steps: [{{pretrain.distil: {{tokens: {ADAPTED}}}}}]",
}
SCRATCH = "network: {{type: bert, size: {}, length: 128}}\ntokenizer: {{kind: unigram, entries: 8000}}\n"
MLM = "[{{pretrain.mlm: {{tokens: {}, positions: 0, precision: float32}}}}]"
OBJECTIVES = {
    "mlm by words": "[{pretrain.mlm: {tokens: 2_000_000, positions: 0}}]",
    "mlm by spans": "[{pretrain.mlm: {tokens: 2_000_000, positions: 0, unit: span}}]",
    "rtd": "[{pretrain.rtd: {tokens: 2_000_000, positions: 0}}]",
    "mlm + sop": "[{pretrain.adapt: {tokens: 2_000_000, positions: 0, learning_rate: 5.0e-4, "
    "objectives: {mlm: 1.0, sop: 0.5}}}]",
    "mlm + nsp": "[{pretrain.adapt: {tokens: 2_000_000, positions: 0, learning_rate: 5.0e-4, "
    "objectives: {mlm: 1.0, nsp: 0.5}}}]",
    "contrastive": "[{pretrain.contrastive: {tokens: 2_000_000, positions: 0}}]",
    "mlm, then contrastive": "[{pretrain.mlm: {tokens: 1_500_000, positions: 0}}, "
    "{pretrain.contrastive: {tokens: 500_000, positions: 0}}]",
}


class Results:
    """The figures of each unit, written after each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}

    def once(self, part: str, name: str, measure: Callable[[], Any]) -> Any:
        """The figures of a unit: those that are there, or new ones."""
        units = self.found.setdefault(part, {})
        if name not in units:
            units[name] = measure()
            self.found["hardware"] = with_this_machine(self.found.get("hardware", ""))
            write_whole(self.path, (json.dumps(self.found, ensure_ascii=False, indent=1) + "\n").encode())
            print(part, name, json.dumps(units[name], ensure_ascii=False), flush=True)
        return units[name]


def medical(data: Path) -> tuple[Rows, list[str]]:
    """(title, department) of each question, and for each title the whole question with its answer."""
    path = data / "zh-medical-dialogue" / "sample_internal_medicine_5000-6000.csv.gz"
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("gb18030"))))
    return [(row["title"], row["department"]) for row in rows], [f"{row['ask']} {row['answer']}" for row in rows]


def reviews(data: Path) -> tuple[Rows, list[str]]:
    """(review, label) of food deliveries, and the same reviews as texts."""
    path = data / "zh-sentiment-reviews" / "waimai_10k.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    return [(row["review"], row["label"]) for row in rows], [row["review"] for row in rows]


def shop(data: Path) -> list[str]:
    """Reviews of an online shop."""
    with zipfile.ZipFile(data / "zh-sentiment-reviews" / "online_shopping_10_cats.zip") as archive:
        raw = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    return [row["review"] for row in csv.DictReader(io.StringIO(raw))]


def divided(rows: Rows, texts: Sequence[str]) -> tuple[Rows, Rows, list[str]]:
    """Rows to learn from, the test rows by hash (distinct texts), and the texts that belong to no test row."""
    first = {text: place for place, (text, _) in reversed(list(enumerate(rows)))}
    test = set(sorted(first, key=lambda text: unit_hash("bench/pretrain", text))[:TEST])
    known = [rows[place] for text, place in sorted(first.items(), key=lambda one: one[1]) if text not in test]
    free = [text for (title, _), text in zip(rows, texts, strict=True) if title not in test]
    return known, [rows[first[text]] for text in sorted(test)], free


def penjing(*arguments: str | Path) -> float:
    """Run a command of penjing; its seconds of the processor, which other work on the machine hardly changes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "penjing", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def corpus(texts: Sequence[str], folder: Path) -> Path:
    """A corpus of these texts, one a document."""
    if not (folder / "corpus").exists():
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
        (folder / "texts.jsonl").write_text("".join(lines), encoding="utf-8")
        penjing("corpus", "build", folder / "texts.jsonl", "--workers", "1", "--out", folder / "corpus")
    return folder / "corpus"


def write_recipe(recipe: str, corpora: Sequence[Path], folder: Path, threads: int = 1) -> Path:
    """A grow recipe over these corpora."""
    folder.mkdir(parents=True, exist_ok=True)
    names = json.dumps([str(path.resolve()) for path in corpora])
    text = f"name: bench\ncorpus: {names}\nthreads: {threads}\n{recipe}\n"
    (folder / "grow.yaml").write_text(text, encoding="utf-8")
    return folder / "grow.yaml"


def grown(recipe: str, corpora: Sequence[Path], folder: Path, threads: int = 1) -> tuple[Path, float]:
    """The base of a grow recipe, and the processor seconds of this call."""
    path = write_recipe(recipe, corpora, folder, threads)
    return folder / "out" / "base", penjing("grow", path, "--out", folder / "out")


def seconds_of(recipe: str, corpora: Sequence[Path], folder: Path) -> int:
    """How many processor seconds a base takes."""
    return round(grown(recipe, corpora, folder)[1])


def scores(base: Path | str | None, known: Rows, test: Rows, size: int, folder: Path) -> list[float]:
    """Accuracy on the test rows of a tuned base (None: word counts), one for each draw."""
    found = []
    for draw in range(DRAWS):
        drawn = random.Random(f"pretrain {draw}").sample(known, min(len(known), size + WATCHED))
        artifact = tuned(base, drawn[:WATCHED], drawn[WATCHED:], draw, folder / f"{size}-{draw}")
        answers = open_session(artifact, threads=1).predict([text for text, _ in test])
        said = [as_kind(one.answer, Choice).top()[0] for one in answers]
        found.append(round(float(np.mean([one == label for one, (_, label) in zip(said, test, strict=True)])), 4))
    return found


def tuned(base: Path | str | None, watched: Rows, train: Rows, seed: int, out: Path) -> Artifact:
    """A base tuned whole, or word counts, made once."""
    if out.exists():
        return open_artifact(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    rows, others = (Table([text for text, _ in part], [label for _, label in part]) for part in (train, watched))
    run = Run(out, out.with_name(out.name + ".scratch"), seed=seed, threads=1)
    if base is None:
        return linear.apply(Inputs(None, rows, others, language="zh"), linear.Options(), run)
    epochs = min(30.0, STEPS * 16 / len(train))
    options = full.Options(learning_rate=(1e-3,), layers="all", epochs=epochs, max_tokens=64, patience=100)
    return full.apply(Inputs(open_base(str(base), HERE), rows, others, language="zh"), options, run)


def adapt(data: Path, out: Path, results: Results) -> None:
    """Bases of a domain against the base that they began with, tuned on few and many labels."""
    for name, (rows, texts), more in (("medical", medical(data), []), ("reviews", reviews(data), shop(data))):
        known, test, free = divided(rows, texts)
        place = out / name
        bases: dict[str, Path | str | None] = {"word counts": None, "penjing/nano": "penjing/nano"}
        domain = corpus([*free, *more], place)
        for kind, recipe in GROWN.items():
            bases[kind] = place / kind / "out" / "base"
            results.once("adapt", f"{name}: {kind}, seconds", partial(seconds_of, recipe, [domain], place / kind))
        for size in SIZES:
            for kind, base in bases.items():
                folder = place / "tuned" / kind.replace("/", "-")
                unit = partial(scores, base, known, test, size, folder)
                results.once("adapt", f"{name}: {kind}, {size} rows", unit)


def objectives(data: Path, out: Path, results: Results) -> None:
    """Networks from scratch by different objectives, and what their states are worth."""
    for name, steps in OBJECTIVES.items():
        results.once("objectives", name, partial(worth, data, steps, general(data, out), out / name.replace(" ", "-")))


def worth(data: Path, steps: str, texts: Path, folder: Path) -> dict[str, Any]:
    """Processor seconds of a training, and accuracy of a logistic regression on its states, by set."""
    probe: Any = import_module("probe")
    base, seconds = grown(f"{SCRATCH.format('tiny')}steps: {steps}", [texts], folder)
    found: dict[str, Any] = {"seconds": round(seconds)}
    for key, (train, test) in probe.sets(data).items():
        found[key] = round(float(np.mean(probe.by_states(base, train, test, 500, {}))), 4)
    return found


def general(data: Path, out: Path) -> Path:
    """A corpus of Chinese wiki and news and of modern English."""
    folder = out / "general"
    if not (folder / "corpus").exists():
        sources = [data / "raw-zh-wiki-news-small", data / "raw-en-modern"]
        penjing("corpus", "build", *sources, "--workers", "1", "--out", folder / "corpus")
    return folder / "corpus"


def speed(data: Path, out: Path, results: Results) -> None:
    """Tokens a second, in turn with the Trainer of transformers."""
    texts = general(data, out)
    for turn in range(2):
        folder = out / f"speed-{turn}"
        results.once("speed", f"penjing, turn {turn}", partial(tokens_a_second, texts, turn, folder))
        rival = partial(trainer, texts, folder / "out" / "base", out / f"trainer-{turn}")
        results.once("speed", f"Trainer, turn {turn}", rival)


def tokens_a_second(texts: Path, seed: int, folder: Path) -> float:
    """Tokens without padding in a second of `penjing grow`, the median of its log without the first line."""
    recipe = f"{SCRATCH.format('mini')}seed: {seed}\nsteps: {MLM.format(READ)}"
    grown(recipe, [texts], folder, threads=2)
    lines = (folder / "out" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return round(float(np.median([json.loads(line)["tokens_per_s"] for line in lines[1:]])), 1)


def trainer(texts: Path, base: Path, out: Path) -> float:
    """Tokens without padding in a second of the Trainer, batches by length, on the same network with new weights."""
    import torch
    from transformers import (
        AutoConfig,
        AutoModelForMaskedLM,
        DataCollatorForLanguageModeling,
        PreTrainedTokenizerFast,
        Trainer,
        TrainingArguments,
    )

    special = {"pad_token": "[PAD]", "mask_token": "[MASK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"), **special)
    rows: list[dict[str, list[int]]] = []
    total = 0
    for text in open_corpus(texts).documents("train"):
        ids = tokenizer(text)["input_ids"]
        rows += [{"input_ids": ids[first : first + 128]} for first in range(0, len(ids), 128)]
        total += len(ids)
        if total >= READ:
            break
    torch.set_num_threads(2)
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=32,
        num_train_epochs=1,
        train_sampling_strategy="group_by_length",
        learning_rate=5e-4,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    model = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(base))
    collator = DataCollatorForLanguageModeling(tokenizer)
    run = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collator)
    began = time.monotonic()
    run.train()
    return round(total / (time.monotonic() - began), 1)


def killed(data: Path, out: Path, results: Results) -> None:
    """The same training with ten kills and without."""
    results.once("killed", "ten times", partial(kills, general(data, out), out))


def kills(texts: Path, out: Path) -> dict[str, Any]:
    """How often the training was killed, and whether its base is that of a training that was not."""
    recipe, folder = f"{SCRATCH.format('mini')}steps: {MLM.format(3_000_000)}", out / "killed"
    path, draw, count = write_recipe(recipe, [texts], folder), random.Random(5), 0
    command = [sys.executable, "-m", "penjing", "grow", str(path), "--out", str(folder / "out")]
    while count < KILLS:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(32, 50))
            break
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            count += 1
    base, _ = grown(recipe, [texts], folder)
    whole, seconds = grown(recipe, [texts], out / "whole")
    same = open_artifact(base).id == open_artifact(whole).id
    return {"kills": count, "same id": same, "processor seconds without a kill": round(seconds)}


PARTS = {"adapt": adapt, "objectives": objectives, "speed": speed, "killed": killed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the sets")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the work of the runs")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="may be repeated; default: all")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    results = Results(arguments.results)
    for name in arguments.part or PARTS:
        PARTS[name](arguments.data, arguments.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
