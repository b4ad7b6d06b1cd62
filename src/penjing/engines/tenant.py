"""Many models on one base in one process: a session of the base, and the adapters of each model as its inputs.

    hidden = base(ids, mask, tenant, A, B);   in every adapted matrix  y = W x + x A[tenant] B[tenant],
    A (tenants, in, rank), B (tenants, rank, out);   outputs = V mean_t hidden_t + c  of each row in numpy

The file of the base has the same bytes for all models that were made of it, and a process opens it once. Rows of
different models share a pass: calls that arrive while the session works wait, and its next pass takes them all.

A row is padded to the bucket of its own length, its products are batched by row, and pooling and head are computed row
by row. So its bits do not depend on the other rows (seen with ONNX Runtime 1.31 on AVX512; checked at every
load: where they do, each row has a pass of its own).
Source: Chen, Ye, Wu and others, Punica: Multi-Tenant LoRA Serving, 2023; Sheng and others, S-LoRA, 2023.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from penjing.core.canon import digest_file
from penjing.core.errors import DamageError
from penjing.core.formats import refuse_newer
from penjing.core.machine import cores
from penjing.core.nouns import Artifact
from penjing.core.task import Head
from penjing.engines.onnx import open_model
from penjing.engines.protocol import Array, Device, Outputs, fingerprint, heads_of
from penjing.text.tokens import BATCH_TOKENS, BATCHES, TOKENIZER, Tokens, read_tokenizer

BASE, PRODUCTS, ABOUT = "base.onnx", "tenant.safetensors", "tenant.json"
HIDDEN = "hidden"
# Widths and numbers of rows at which a load checks that a row alone has the bits of a row among others.
_CHECKED = ((8, 2), (8, 5), (40, 3), (40, 16))
_LONGEST = 512
_FIX = "copy the folder again from where it was made, or make it again"
Matrix = npt.NDArray[np.float32]


class TenantInfo(BaseModel):
    """`tenant.json`: SHA-256 of base.onnx, the rank of its inputs, and the matrices that have products."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    base: str
    rank: int
    matrices: tuple[str, ...]


def input_names(matrix: str) -> tuple[str, str]:
    """The inputs of the base's graph for a matrix: A (tenants, in, rank) and B (tenants, rank, out)."""
    return f"{matrix}.A", f"{matrix}.B"


def read_info(folder: Path) -> TenantInfo:
    """`tenant.json` of an artifact. Raises DamageError, or UsageError for a newer format."""
    try:
        return TenantInfo.model_validate_json((folder / ABOUT).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        if isinstance(error, ValidationError):
            refuse_newer((folder / ABOUT).read_bytes(), 1, ABOUT, str(folder))
        raise DamageError(f"{ABOUT} cannot be used: {error}", where=str(folder), fix=_FIX) from None


@dataclass(eq=False)
class _Call:
    """Rows of one tenant: ids of each, the width to which it is padded; `found`: hidden states (tokens, hidden)."""

    slot: int
    rows: Sequence[Array]
    widths: Sequence[int]
    found: list[Array] = field(default_factory=list)
    done: bool = False
    failed: BaseException | None = None


class SharedBase:
    """One ONNX Runtime session of a base, and the products of all tenants that are open in this process.

    passes: how many may run at once; texts, mixed: rows so far, and those that shared a pass with another tenant's.
    """

    def __init__(
        self, session: Any, facts: Mapping[str, str], info: TenantInfo, pad_id: int, longest: int, passes: int
    ) -> None:
        """longest: the most tokens of a text, for the check of bits."""
        import onnxruntime

        self.facts, self.info, self._pad_id = dict(facts), info, pad_id
        self._session, self._value = session, onnxruntime.OrtValue.ortvalue_from_numpy
        self._shapes = {each.name: tuple(each.shape[1:]) for each in session.get_inputs()}
        self._tenants: list[Mapping[str, Matrix] | None] = []
        self._stacks: dict[str, Any] = {}
        self._waiting: list[_Call] = []
        self._running, self._most = 0, passes
        self._turn = threading.Condition()
        self._tokens: dict[tuple[str, int], Tokens] = {}
        self.texts = self.mixed = 0
        self.together = self._keeps_bits(longest)

    def tokens(self, folder: Path, limit: int) -> Tokens:
        """The tokenizer of an artifact; those with the same file share one. Raises DamageError."""
        path = folder / TOKENIZER
        key = (digest_file(path) if path.is_file() else "", limit)
        with self._turn:
            same = next((one for (name, _), one in self._tokens.items() if name == key[0]), None)
            if key not in self._tokens:
                self._tokens[key] = Tokens(read_tokenizer(path) if same is None else same.tokenizer, limit)
            return self._tokens[key]

    def add(self, products: Mapping[str, Matrix], where: str) -> int:
        """The place of a new tenant. products: by the name of the input, without the axis of tenants.

        Raises DamageError for products that do not fit the base.
        """
        wanted = [name for matrix in self.info.matrices for name in input_names(matrix)]
        wrong = next((name for name in wanted if name not in products or products[name].shape != self._shape(name)), "")
        if wrong:
            raise DamageError(f"{PRODUCTS} does not fit {BASE}: {wrong}", where=where, fix=_FIX)
        with self._turn:
            free = next((place for place, one in enumerate(self._tenants) if one is None), len(self._tenants))
            self._tenants[free : free + 1] = [{name: products[name] for name in wanted}]
            self._stack()
        return free

    def remove(self, slot: int) -> None:
        """Forget a tenant; its place goes to the next one."""
        with self._turn:
            self._tenants[slot] = None

    def run(self, slot: int, rows: Sequence[Array], widths: Sequence[int]) -> list[Array]:
        """Hidden states (width, hidden) float32 of each row. Rows of other threads' calls may share the pass."""
        call = _Call(slot, rows, widths)
        with self._turn:
            self._waiting.append(call)
            while not call.done and self._running >= self._most:
                self._turn.wait()
            taken = [] if call.done else self._waiting
            if taken:
                self._waiting = []
                self._running += 1
            # An earlier pass keeps the stack that it began with.
            stacks = self._stacks
        if taken:
            self._answer(taken, stacks)
        with self._turn:
            while not call.done:
                self._turn.wait()
        if call.failed is not None:
            raise call.failed
        return call.found

    def _answer(self, calls: Sequence[_Call], stacks: Mapping[str, Any]) -> None:
        failed: BaseException | None = None
        try:
            self._pass(calls, stacks)
        except BaseException as error:  # noqa: BLE001 - whoever called gets it, each in its own thread
            failed = error
        with self._turn:
            for call in calls:
                call.done, call.failed = True, failed
            self._running -= 1
            self._turn.notify_all()

    def _pass(self, calls: Sequence[_Call], stacks: Mapping[str, Any]) -> None:
        rows = [(call, place) for call in calls for place in range(len(call.rows))]
        rows.sort(key=lambda one: one[0].widths[one[1]])
        for call in calls:
            call.found = [np.empty(0)] * len(call.rows)
        start = 0
        while start < len(rows):
            width = rows[start][0].widths[rows[start][1]]
            most = max(1, min(BATCHES[0], BATCH_TOKENS // width)) if self.together else 1
            end = start + 1
            while end < min(len(rows), start + most) and rows[end][0].widths[rows[end][1]] == width:
                end += 1
            batch = rows[start:end]
            ids = [call.rows[place] for call, place in batch]
            hidden = self._infer(ids, width, [call.slot for call, _ in batch], stacks)
            for (call, place), states in zip(batch, hidden, strict=True):
                call.found[place] = states
            self.texts += len(batch)
            self.mixed += len(batch) if len({call.slot for call, _ in batch}) > 1 else 0
            start = end

    def _infer(self, rows: Sequence[Array], width: int, slots: Sequence[int], stacks: Mapping[str, Any]) -> Array:
        ids = np.full((len(rows), width), self._pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)], mask[place, : len(row)] = row, 1
        given = {"input_ids": ids, "attention_mask": mask, "tenant": np.array(slots, dtype=np.int64)}
        feed = {**{name: self._value(value) for name, value in given.items()}, **stacks}
        (hidden,) = self._session.run_with_ort_values([HIDDEN], feed)
        found: Array = hidden.numpy()
        return found

    def _shape(self, name: str) -> tuple[int, ...]:
        return self._shapes.get(name, ())

    def _stack(self) -> None:
        """The products of all tenants, one array for each input; zeros in the places of those that are gone."""
        self._stacks = {
            name: self._value(
                np.stack(
                    [np.zeros(self._shape(name), np.float32) if one is None else one[name] for one in self._tenants]
                )
            )
            for matrix in self.info.matrices
            for name in input_names(matrix)
        }

    def _keeps_bits(self, longest: int) -> bool:
        """Whether a row among others, of its own and of other tenants, has the bits of the row alone."""
        random = np.random.default_rng(0)
        names = [name for matrix in self.info.matrices for name in input_names(matrix)]
        stacks = {
            name: self._value((0.05 * random.standard_normal((3, *self._shape(name)))).astype(np.float32))
            for name in names
        }
        for wanted, count in _CHECKED:
            width = min(wanted, longest)
            rows = [random.integers(4, 12, random.integers(2, width + 1)) for _ in range(count)]
            slots = random.integers(0, 3, count).tolist()
            mixed = self._infer(rows, width, slots, stacks)
            for row, slot, states in zip(rows, slots, mixed, strict=True):
                if not np.array_equal(self._infer([row], width, [slot], stacks)[0], states):
                    return False
        return True


class TenantEngine:
    """A model of one base among others; its `run` may be called from several threads."""

    def __init__(self, base: SharedBase, slot: int, tokens: Tokens, heads: Mapping[str, Head], maps: Any) -> None:
        """maps: of each head its matrix (size, hidden) and its bias (size,), float64."""
        self.base, self.tokens = base, tokens
        self._slot, self._heads, self._maps = slot, heads, maps
        weakref.finalize(self, base.remove, slot)

    @classmethod
    def load(cls, artifact: Artifact, threads: int, device: Device = "cpu") -> TenantEngine:
        """Open the base, or take the one that is open. Raises MissingPackageError (no onnxruntime, no device) or
        DamageError."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        heads, where = heads_of(artifact), str(artifact.folder)
        base = open_shared(artifact, threads, device)
        try:
            stored = load_file(artifact.folder / PRODUCTS)
            maps = {name: _head_map(stored, name, head) for name, head in heads.items()}
        except (FileNotFoundError, KeyError, ValueError, SafetensorError) as error:
            raise DamageError(f"{PRODUCTS} does not fit the model: {error}", where=where, fix=_FIX) from None
        tokens = base.tokens(artifact.folder, artifact.card.max_tokens or _LONGEST)
        return cls(base, base.add(stored, where), tokens, heads, maps)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Outputs of each head, float32."""
        states = self.base.run(self._slot, batch, [self.tokens.bucket(len(row)) for row in batch])
        own = [found[: len(row)].astype(np.float64) for found, row in zip(states, batch, strict=True)]
        return {name: self._read_out(own, head.kind, *self._maps[name]) for name, head in self._heads.items()}

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads; with numpy, which pools and applies the head."""
        facts, own = self.base.facts, fingerprint("heads", f"numpy {np.__version__}", 1)
        return facts | {"version": f"{facts['version']} + {own['version']}"}

    def _read_out(self, states: Sequence[Array], kind: str, matrix: Array, bias: Array) -> Array:
        # No matrix library: its sums depend on the threads and on the number of rows.
        if kind == "pooled":
            means = [one.sum(axis=0) / len(one) for one in states]
            return np.stack([(matrix * mean).sum(axis=1) + bias for mean in means]).astype(np.float32)
        found = np.zeros((len(states), max(map(len, states)), len(bias)), dtype=np.float32)
        for row, one in zip(found, states, strict=True):
            row[: len(one)] = np.einsum("th,lh->tl", one, matrix) + bias
        return found


# Bases that are open, by hash, threads and device; one that no engine uses is closed.
_OPEN: weakref.WeakValueDictionary[tuple[str, int, str], SharedBase] = weakref.WeakValueDictionary()
_OPENING = threading.Lock()


def open_shared(artifact: Artifact, threads: int, device: Device = "cpu") -> SharedBase:
    """The base of an artifact of form `tenant`, opened once in a process.

    Raises DamageError where base.onnx is not the file that tenant.json names.
    """
    info = read_info(artifact.folder)
    key = (info.base, threads, device)
    with _OPENING:
        if (found := _OPEN.get(key)) is not None and found.info == info:
            return found
        path = artifact.folder / BASE
        if not path.is_file() or digest_file(path) != info.base:
            raise DamageError(f"{BASE} is not the file that {ABOUT} names", where=str(artifact.folder), fix=_FIX)
        session, facts = open_model(artifact, BASE, threads, device)
        padding, longest = artifact.card.padding_id or 0, artifact.card.max_tokens or _LONGEST
        _OPEN[key] = made = SharedBase(session, facts, info, padding, longest, max(1, cores() // threads))
        return made


def _head_map(stored: Mapping[str, Matrix], name: str, head: Head) -> tuple[Array, Array]:
    matrix, bias = stored[f"head:{name}.weight"].astype(np.float64), stored[f"head:{name}.bias"].astype(np.float64)
    if len(matrix) != head.size or bias.shape != (head.size,):
        raise ValueError(f"the head `{name}` has {len(matrix)} outputs, and its task {head.size}")
    return matrix, bias
