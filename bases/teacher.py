"""The teacher as an INT8 model: one pass over each crop, whose states are stored and shared by all students."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from penjing.core.nouns import Artifact
from penjing.model.base import open_base
from penjing.model.encoder import load_encoder

# Stored after each of these layers: what a student with the same lower layers starts from, what the last layer's
# queries, keys and values are computed from, and the states that are learned.
LAYERS = (3, 11, 12)
WIDTH = 384


class _Told(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        return torch.stack([states[place] for place in LAYERS], dim=2)


def open_teacher(folder: Path) -> nn.Module:
    base: Artifact = open_base(str(folder), folder)
    return load_encoder(base)


def export(folder: Path, out: Path) -> None:
    """The teacher in INT8 by ONNX Runtime (dynamic, weights by channel, 7 bits so that no AVX2 product saturates)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    ids = torch.randint(10, 1000, (2, 8))
    plain = out.with_suffix(".float32.onnx")
    names = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}, "states": {0: "batch", 1: "tokens"}}
    torch.onnx.export(
        _Told(open_teacher(folder)), (ids, torch.ones_like(ids)), plain, input_names=["ids", "mask"],
        output_names=["states"], dynamic_axes=names, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(plain, out, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


class Teacher:
    """ids, mask (batch, tokens) of the teacher's tokens -> (batch, tokens, 3, 384) float16 states after LAYERS."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def states(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.session.run(None, {"ids": ids, "mask": mask})[0]
        return np.clip(found, -60000, 60000).astype(np.float16)


class Reader(Protocol):
    """Whatever gives the states of a batch, as Teacher does."""

    def states(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray: ...


class Store:
    """Teacher states of the texts' tokens in one memory-mapped file, computed on the first use of a text.

    ids: token ids of each text, in the students' vocabulary; origin: the teacher's id of each of them.
    """

    def __init__(
        self, folder: Path, ids: Sequence[np.ndarray], origin: np.ndarray, teacher: Reader, rows: int = 16
    ) -> None:
        self.ids, self.origin, self.teacher, self.rows = ids, origin, teacher, rows
        self.start = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
        shape = (int(self.start[-1]), len(LAYERS), WIDTH)
        path = folder / "states.float16"
        if not path.is_file():
            with path.open("wb") as file:
                os.truncate(file.fileno(), 2 * int(np.prod(shape)))
        self.flat = np.memmap(path, dtype=np.float16, mode="r+", shape=shape)
        known = folder / "known.bool"
        if not known.is_file():
            known.write_bytes(bytes(len(ids)))
        self.known = np.memmap(known, dtype=bool, mode="r+", shape=(len(ids),))
        self.order = np.argsort([len(row) for row in ids], kind="stable")
        self.group = np.empty(len(ids), dtype=np.int64)
        self.group[self.order] = np.arange(len(ids)) // rows
        self.passed = 0

    def fill(self, rows: np.ndarray) -> None:
        """Compute what is not known of these texts, in whole groups of texts of like length.

        The groups are the same in every run, because INT8 scales depend on all texts of a batch: a text has the same
        states whenever it is first used, also after a kill.
        """
        missing = [row for row in rows if not self.known[row]]
        for group in dict.fromkeys(int(self.group[row]) for row in missing):
            some = self.order[group * self.rows : (group + 1) * self.rows]
            longest = max(len(self.ids[row]) for row in some)
            ids = np.ones((len(some), longest), dtype=np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(some):
                ids[place, : len(self.ids[row])] = self.origin[self.ids[row]]
                mask[place, : len(self.ids[row])] = 1
            states = self.teacher.states(ids, mask)
            for place, row in enumerate(some):
                if not self.known[row]:
                    self.flat[self.start[row] : self.start[row + 1]] = states[place, : len(self.ids[row])]
            self.known[some] = True
            self.passed += int(mask.sum())

    def states(self, rows: np.ndarray, place: int) -> torch.Tensor:
        """(rows, longest, 384) float32 states after LAYERS[place], 0 where there is no token."""
        self.fill(rows)
        longest = max(len(self.ids[row]) for row in rows)
        out = np.zeros((len(rows), longest, WIDTH), dtype=np.float32)
        for index, row in enumerate(rows):
            out[index, : len(self.ids[row])] = self.flat[self.start[row] : self.start[row + 1], place]
        return torch.from_numpy(out)
