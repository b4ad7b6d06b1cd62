"""Grow a base of Penjing: cut it from the teacher, distil it on free texts, write its folder.

    python bases/grow.py nano --data DIR --models DIR --passes 4

Everything on the way is stored in `--scratch`: the crops, the tokenizer, the INT8 teacher, its states (2.3 kB a token),
the checkpoints and the curve. A killed run goes on to the same weights; the next base uses the same states.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cut
import entries
import numpy as np
import prepare
import ship
import student
import teacher
import texts
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn

from penjing.core.nouns import Run
from penjing.model.weights import read_weights
from penjing.train.loop import Plan, fit
from penjing.train.optim import Optimizing

HERE = Path(__file__).resolve().parent

TEACHER = "multilingual-e5-small-zh-en"
SHIPPED = HERE.parent / "src" / "penjing" / "bases"
COUNTED = 25_000


@dataclasses.dataclass(frozen=True)
class Shape:
    """layers: of the teacher that are kept; frozen: how many of the lowest are not trained, and start from the store;
    width: None keeps the teacher's; matrices: whether the layers are stored as INT8 rows too."""

    layers: tuple[int, ...]
    rate: float
    width: int | None = None
    frozen: int = 0
    matrices: bool = False


SHAPES = {
    "nano": Shape((0, 11), rate=3e-3, width=192),
    "mini": Shape((0, 1, 2, 9, 10, 11), rate=5e-4, frozen=3, matrices=True),
}


def tokenizer_of(data: Path, folder: Path, out: Path) -> tuple[Tokenizer, np.ndarray]:
    """The tokenizer of all bases and the teacher's id of each entry, made on the first call."""
    if not (out / "origin.npy").is_file():
        out.mkdir(parents=True, exist_ok=True)
        old = Tokenizer.from_file(str(folder / "tokenizer.json"))
        counts: dict[str, Counter[int]] = {}
        for name in texts.SOURCES:
            crops = [text for text in texts.crops(data, name) if not texts.held_out(text)][:COUNTED]
            count: Counter[int] = Counter()
            for text, encoding in zip(crops, old.encode_batch_fast(crops, add_special_tokens=False), strict=True):
                if texts.language(text) == "en":
                    count.update(encoding.ids)
            if sum(count.values()) > 20_000:
                counts[name] = count
        entries.write(out, entries.build(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")), counts))
    return Tokenizer.from_file(str(out / "tokenizer.json")), np.load(out / "origin.npy")


class Growth:
    """One base being grown: its student, the objective, and where things are stored."""

    def __init__(self, name: str, data: Path, models: Path, scratch: Path, tokens: int) -> None:
        self.name, self.shape, self.scratch = name, SHAPES[name], scratch
        folder = models / TEACHER
        self.out = scratch / name
        self.out.mkdir(parents=True, exist_ok=True)
        self.tokenizer, self.origin = tokenizer_of(data, folder, scratch / "tokenizer")
        self.chosen = prepare.choose(data, self.tokenizer, tokens, scratch)
        model = scratch / "teacher.onnx"
        if not model.is_file():
            teacher.export(folder, model)
        ids = prepare.parted(self.chosen["ids"], self.chosen["lengths"])
        held = prepare.parted(self.chosen["held_ids"], self.chosen["held_lengths"])
        # The teacher has no entry for an added character or a byte: it reads <unk>.
        known = np.where(self.origin < 0, 3, self.origin)
        self.store = teacher.Store(scratch, [*ids, *held], known, teacher.Teacher(model))
        self.encoder: Any = teacher.open_teacher(folder).requires_grad_(requires_grad=False)
        # Crops that a later check against more evaluation sets took out of a store that was filled already.
        self.rows = np.setdiff1d(np.arange(len(ids)), self.chosen.get("left_out", []))
        self.held = np.arange(len(ids), len(ids) + len(held))
        vocabulary = [text for text, _ in json.loads(self.tokenizer.to_str())["model"]["vocab"]]
        old = self.encoder.embeddings.word_embeddings.weight.detach()
        self.words = cut.embed_rows(old, self.origin, vocabulary)
        torch.manual_seed(0)
        self.lower: nn.Module | None = None
        self.model = student.Student(self._encoder(), teacher.WIDTH)
        lower = teacher.LAYERS.index(self.shape.frozen) if self.shape.frozen else None
        spread, last = student.spread_of(self.store, list(self.held)), self.encoder.encoder.layer[-1]
        self.objective = student.Distilling(self.store, self.rows, self.held, spread, last, lower=lower)
        if self.shape.width:
            student.fit_map(self.model, self.objective, self.rows[:512])

    def _encoder(self) -> nn.Module:
        shape = self.shape
        if shape.frozen:
            self.lower = cut.deep(self.encoder, shape.layers[: shape.frozen], self.words)
            upper = cut.deep(self.encoder, shape.layers[shape.frozen :], self.words).requires_grad_(requires_grad=True)
            return cut.without_dropout(cut.without_embeddings(upper))
        deep: Any = cut.deep(self.encoder, shape.layers, self.words)
        if shape.width is None:
            return cut.without_dropout(deep.requires_grad_(requires_grad=True))
        importance = [
            layer.output.dense.weight.norm(dim=0) * layer.intermediate.dense.weight.norm(dim=1)
            for layer in deep.encoder.layer
        ]
        counts = np.bincount(self.chosen["ids"], minlength=len(self.origin))
        return cut.without_dropout(cut.narrow(deep, shape.width, counts, importance))

    def begin_from(self, folder: Path) -> None:
        """Go on from the weights of a base that was grown before; the map of a narrower one is fitted anew."""
        stored = read_weights(folder / "model.safetensors")
        if self.lower is not None:
            stored = cut.above(stored, self.shape.frozen)
        self.model.encoder.load_state_dict(stored, strict=True)
        if self.shape.width:
            student.fit_map(self.model, self.objective, self.rows[:512])

    def weights(self) -> dict[str, torch.Tensor]:
        """All weights of the base, the frozen ones too."""
        mine = self.model.encoder.state_dict()
        if self.lower is not None:
            mine = cut.stacked(self.lower.state_dict(), mine, self.shape.frozen)
        return {name: tensor.detach().clone().contiguous() for name, tensor in mine.items()}

    def config(self) -> dict[str, Any]:
        """The config.json of the base: the teacher's with this shape."""
        known: dict[str, Any] = self.encoder.config.to_dict()
        width, layers = self.shape.width or teacher.WIDTH, len(self.shape.layers)
        sizes = {"hidden_size": width, "intermediate_size": 4 * width, "num_attention_heads": width // 32}
        return {**known, **sizes, "num_hidden_layers": layers, "vocab_size": len(self.origin), "dtype": "float32"}

    def train(self, passes: float, stop: Callable[[], bool], seconds: float = 180.0) -> None:
        """Train; the curve goes to curve.jsonl, weights for the probes to snapshot-STEP.safetensors."""
        curve = self.out / "curve.jsonl"

        def write(line: dict[str, Any]) -> None:
            rounded = {key: round(value, 5) if isinstance(value, float) else value for key, value in line.items()}
            print(json.dumps(rounded), file=sys.stderr, flush=True)
            with curve.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**rounded, "time": time.strftime("%H:%M:%S")}) + "\n")

        def keep(step: int, _model: nn.Module) -> None:
            partial = self.out / "snapshot.partial"
            save_file(self.weights(), partial)
            partial.replace(self.out / f"snapshot-{step:06d}.safetensors")

        optimizing = Optimizing(learning_rate=self.shape.rate, warmup=0.03)
        plan = Plan(passes, optimizing, metric="loss", patience=1000, checkpoint_seconds=seconds)
        run = Run(out=self.out, scratch=self.out, seed=0, threads=1, stop=stop)
        key = json.dumps([self.name, dataclasses.asdict(self.shape), passes, len(self.rows)])
        fit(
            self.model,
            self.objective,
            plan,
            run,
            self.out / "training",
            key,
            [student.Curve(self.objective, write, keep)],
        )
        keep(10**6 - 1, self.model)

    def write(self, out: Path, passes: float) -> None:
        """The folder of the base with its present weights, and what card.py says of its training."""
        path = self.out / "weights.safetensors"
        save_file(self.weights(), path)
        config = ship.plain_config(self.config())
        ship.write(path, config, self.scratch / "tokenizer", out, matrices=self.shape.matrices)
        lengths = self.chosen["lengths"][self.rows]
        report = json.loads(str(self.chosen["report"]))
        dropped = sum(each["dropped"] for each in report["sources"].values())
        training = {
            "layers": self.shape.layers, "frozen": self.shape.frozen, "passes": passes, "rate": self.shape.rate,
            "tokens": int(lengths.sum()), "seen": int(passes * lengths.sum()), "crops": len(self.rows),
            "dropped": dropped + len(self.chosen.get("left_out", [])),
            "held_out_loss": self.objective.score(self.model.eval()),
        }  # fmt: skip
        (out / "training.json").write_text(json.dumps(training) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", choices=sorted(SHAPES))
    parser.add_argument("--data", type=Path, required=True, help="the folder with the raw texts")
    parser.add_argument("--models", type=Path, required=True, help=f"the folder that holds {TEACHER}")
    parser.add_argument("--tokens", type=int, default=1_600_000, help="tokens of different crops")
    parser.add_argument("--passes", type=float, default=4, help="passes over them")
    parser.add_argument("--scratch", type=Path, default=HERE.parent / "out" / "bases")
    parser.add_argument("--start", type=Path, help="the folder of a base of this shape to go on from")
    parser.add_argument("--out", type=Path, help="the folder to write; SCRATCH/BASE/folder if not given")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    growth = Growth(arguments.base, arguments.data, arguments.models, arguments.scratch, arguments.tokens)
    if arguments.start:
        growth.begin_from(arguments.start)
    growth.train(arguments.passes, lambda: (growth.out / "STOP").exists())
    growth.write(arguments.out or growth.out / "folder", arguments.passes)


if __name__ == "__main__":
    main()
