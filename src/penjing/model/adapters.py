"""A small folder of what a method added to a base: the same model is made again of it and the base, bit for bit.

    W' = W + B A                               a product of low rank; A (rank, in), B (out, rank) with its scale in it
    W' = m (W + B A) / |W + B A| for each row  the same with a magnitude m (out,) for each row
    W' = r W,  W' = W c                        rows or columns scaled; r (out,), c (in,)
    p' = v                                     a parameter that is replaced, such as a bias or a norm

All is computed in float64, every sum in a fixed order and without a matrix library, and rounded to float32 once. So
the result depends neither on the machine nor on its threads.
Source: Hu, Shen, Wallis and others, LoRA: Low-Rank Adaptation of Large Language Models, 2021; Liu, Wang, Yin and
others, DoRA: Weight-Decomposed Low-Rank Adaptation, 2024; Liu, Tam, Muqeeth and others, Few-Shot Parameter-Efficient
Fine-Tuning (IA3), 2022; Ben Zaken, Ravfogel, Goldberg, BitFit, 2022.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save_file
from torch import nn

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder, verify
from penjing.core.formats import refuse_newer
from penjing.core.nouns import Artifact
from penjing.model.encoder import Classifier, fit_vocabulary, load_encoder
from penjing.model.heads import Heads
from penjing.model.inserted import put_in
from penjing.model.weights import read_weights
from penjing.text.tokens import open_tokenizer

FOLDER, TENSORS, ABOUT = "adapter", "adapter.safetensors", "adapter.json"
# The parameters of the base that the adapter changes, kept with the merged model: `compress.tenant` puts them back.
BEFORE = "before.safetensors"
FORMAT = 1
A, B, MAGNITUDE, ROWS, COLUMNS, VALUE = "A", "B", "magnitude", "rows", "columns", "value"
PARTS = (A, B, MAGNITUDE, ROWS, COLUMNS, VALUE)
_HEAD = "head."
Numbers = npt.NDArray[np.float64]
# `NAME:PART` -> numbers, NAME a parameter of the encoder, PART one of PARTS.
Changes = Mapping[str, torch.Tensor]


class AdapterInfo(BaseModel):
    """`adapter.json`: what the changes belong to and how they were learned.

    kind: the method's name of what it learned, such as `lora`; base, base_id: the name and the id of the base; rank: of
    the products, 0 without any; scale: by which B was multiplied; targets: the parameters that change; heads: the kinds
    of the heads, empty for one head over whole texts; inserted: keys of config.json for what is put into the base
    (model/inserted); weights: SHA-256 of the model that base and changes give.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    kind: str
    base: str
    base_id: str
    rank: int = 0
    scale: float = 1.0
    targets: tuple[str, ...] = ()
    task: str = "classify"
    labels: tuple[str, ...] = ()
    heads: tuple[tuple[str, str], ...] = ()
    inserted: dict[str, Any] = {}
    weights: str


@dataclass(frozen=True)
class Adapter:
    """An adapter folder as it was read: its description, its changes, and the parameters of the head."""

    info: AdapterInfo
    changes: Changes
    head: Mapping[str, torch.Tensor]


def adapter_info(kind: str, classifier: Classifier, base: Artifact, changes: Changes, **about: Any) -> AdapterInfo:
    """The description of changes that `apply_changes` has made in the classifier's encoder, and of its head.

    about: further fields of `AdapterInfo`, such as rank, scale and labels.
    """
    head = classifier.head
    return AdapterInfo(
        kind=kind,
        base=base.card.base,
        base_id=base.id,
        targets=tuple(dict.fromkeys(name.rpartition(":")[0] for name in changes)),
        heads=tuple(head.kinds.items()) if isinstance(head, Heads) else (),
        weights=weights_digest(classifier),
        **about,
    )


def apply_changes(encoder: nn.Module, changes: Changes) -> dict[str, torch.Tensor]:
    """Change the parameters of an encoder in place; returns what they were before, by name.

    Raises DamageError for changes that do not fit it.
    """
    before: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in changes.items():
        parameter, _, part = name.rpartition(":")
        parts.setdefault(parameter, {})[part] = tensor
    parameters = dict(encoder.named_parameters())
    for name, mine in parts.items():
        try:
            found = _changed(parameters[name].detach().cpu().numpy(), {key: _plain(one) for key, one in mine.items()})
        except (KeyError, ValueError) as error:
            fix = "give the base of which the adapter was made, and copy the adapter again"
            raise DamageError(f"the adapter does not fit the base: {name}: {error}", fix=fix) from None
        before[name] = parameters[name].detach().cpu().clone()
        with torch.no_grad():
            parameters[name].copy_(torch.from_numpy(found))
    return before


def check_untouched(encoder: nn.Module, base: Artifact) -> None:
    """Raise UsageError where an encoder is not its base any more: base and adapter could not give the same model."""
    stored = load_encoder(base).state_dict()
    found = encoder.state_dict()
    # Tokens of placeholders may have been added to the end of the embeddings.
    changed = [
        name
        for name, tensor in stored.items()
        if not torch.equal((found[name][: len(tensor)] if tensor.dim() else found[name]).cpu(), tensor)
    ]
    if changed:
        raise UsageError(
            f"the base was changed before the adapter was put into it, first: {changed[0]}",
            fix="take out what changes the base itself, such as new random layers",
        )


def restore_base(classifier: Classifier, folder: Path) -> None:
    """Give the encoder of a merged model the parameters of its base again, from the adapter's folder beside it.

    Raises DamageError where they are missing or do not fit.
    """
    parameters, stored = dict(classifier.encoder.named_parameters()), read_weights(folder / BEFORE)
    for name, tensor in stored.items():
        if name not in parameters or parameters[name].shape != tensor.shape:
            what = f"{BEFORE} does not fit the model: {name}"
            raise DamageError(what, where=str(folder), fix="copy the artifact again from where it was made")
        with torch.no_grad():
            parameters[name].copy_(tensor)


def save_adapter(
    folder: Path, info: AdapterInfo, changes: Changes, classifier: Classifier, before: Changes | None = None
) -> None:
    """Write `adapter.safetensors` (changes and head) and `adapter.json` into a new folder.

    before: the parameters of the base, as `apply_changes` returned them; they are no part of an exported adapter.
    """
    folder.mkdir()
    if before is not None:
        save_file(dict(before), folder / BEFORE)
    tensors = {name: tensor.detach().cpu().float().contiguous().clone() for name, tensor in changes.items()}
    for name, tensor in classifier.head.state_dict().items():
        tensors[_HEAD + name] = tensor.detach().cpu().contiguous().clone()
    save_file(tensors, folder / TENSORS)
    (folder / ABOUT).write_bytes(canonical_json(info.model_dump(mode="json")))


def export_adapter(artifact: Artifact, target: Path) -> AdapterInfo:
    """Write the adapter of a torch artifact as a sealed folder of its own.

    Raises UsageError for an artifact without one, or where there is a folder already.
    """
    source = artifact.folder / FOLDER
    if not (source / ABOUT).is_file():
        raise UsageError(
            f"the model was made by `{artifact.card.method}`, which keeps no adapter",
            where=str(artifact.folder),
            fix="tune it with a step that changes few numbers, such as `tune.lora`",
        )
    if target.exists():
        raise UsageError("there is something at this path already", where=str(target), fix="give a new folder")
    with sealed_folder(target) as folder:
        for name in (TENSORS, ABOUT):
            shutil.copyfile(source / name, folder / name)
    return read_adapter(target).info


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder, verified where it was exported.

    Raises UsageError where there is none, DamageError where it is damaged or cannot be read.
    """
    path = folder / ABOUT
    if (folder / MANIFEST).is_file():
        verify(folder)
    if not path.is_file():
        raise UsageError(
            f"this folder is not an adapter: it has no {ABOUT}",
            where=str(folder),
            fix="give a folder that `penjing export adapter` wrote",
        )
    try:
        info = AdapterInfo.model_validate_json(path.read_bytes())
    except ValidationError as error:
        refuse_newer(path.read_bytes(), FORMAT, ABOUT, str(folder))
        raise DamageError(f"{ABOUT} is not valid: {error}", where=str(folder), fix="copy the adapter again") from None
    stored = read_weights(folder / TENSORS)
    head = {name.removeprefix(_HEAD): tensor for name, tensor in stored.items() if name.startswith(_HEAD)}
    changes = {name: tensor for name, tensor in stored.items() if not name.startswith(_HEAD)}
    if unknown := sorted(name for name in changes if name.rpartition(":")[2] not in PARTS):
        what = f"{TENSORS} has the part `{unknown[0]}`, which is not known here"
        raise DamageError(what, where=str(folder), fix="install the version of penjing that made it, or a newer one")
    return Adapter(info, changes, head)


def open_adapter(folder: Path, base: Artifact) -> Classifier:
    """The model that an adapter and its base give, in evaluation mode, with the bits that it was trained to.

    Raises UsageError for another base, DamageError where the result is not what was stored.
    """
    adapter = read_adapter(folder)
    info = adapter.info
    if base.id != info.base_id:
        raise UsageError(
            f"this adapter belongs to the base `{info.base}` ({info.base_id[:12]}), not to {base.id[:12]}",
            where=str(folder),
            fix="give the base that it was trained on",
        )
    encoder = load_encoder(base)
    fit_vocabulary(encoder, open_tokenizer(base.folder))
    classifier = Classifier(encoder, 1)
    try:
        _insert(encoder, info.inserted)
        apply_changes(encoder, adapter.changes)
        classifier.head = _head(adapter)
    except DamageError as error:
        raise DamageError(error.what, where=str(folder), fix=error.fix) from None
    if weights_digest(classifier) != info.weights:
        raise DamageError(
            "base and adapter do not give the model that was trained: its hash is another one",
            where=str(folder),
            fix="copy the adapter and the base again from where they were made",
        )
    return classifier.eval()


def _insert(encoder: nn.Module, inserted: Mapping[str, Any]) -> None:
    """Put into an encoder, in place, what an adapter says. Raises DamageError where that does not fit."""
    for key, value in inserted.items():
        setattr(encoder.config, key, value)
    try:
        put_in(encoder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        fix = "give the base of which the adapter was made, and copy the adapter again"
        raise DamageError(f"the adapter does not fit the base: {', '.join(inserted)}: {error}", fix=fix) from None


def weights_digest(classifier: Classifier) -> str:
    """SHA-256 (hex) over the names, shapes and numbers of the encoder and of the head."""
    total = hashlib.sha256()
    for prefix, module in (("encoder.", classifier.encoder), (_HEAD, classifier.head)):
        for name, tensor in sorted(module.state_dict().items()):
            numbers = tensor.detach().cpu().contiguous().numpy()
            total.update(f"{prefix}{name} {numbers.dtype} {numbers.shape}\n".encode())
            total.update(numbers.tobytes())
    return total.hexdigest()


def _head(adapter: Adapter) -> nn.Linear | Heads:
    kinds, tensors = dict(adapter.info.heads), adapter.head
    try:
        if kinds:
            sizes = {name: len(tensors[f"{name}.weight"]) for name in kinds}
            width = int(tensors[f"{next(iter(kinds))}.weight"].shape[1])
            head: nn.Linear | Heads = Heads(kinds, sizes, width)  # type: ignore[arg-type]
        else:
            size, width = tensors["weight"].shape
            head = nn.Linear(width, size)
        head.load_state_dict(dict(tensors))
    except (KeyError, RuntimeError, ValueError) as error:
        raise DamageError(f"the head of the adapter cannot be used: {error}", fix="copy the adapter again") from None
    return head


def _plain(tensor: torch.Tensor) -> Numbers:
    return tensor.detach().cpu().double().numpy()


def _changed(weight: npt.NDArray[np.float32], parts: Mapping[str, Numbers]) -> npt.NDArray[np.float32]:
    """The changed parameter, float32. Raises ValueError or KeyError where a part does not fit."""
    if VALUE in parts:
        if parts[VALUE].shape != weight.shape:
            raise ValueError(f"{parts[VALUE].shape} instead of {weight.shape}")
        return parts[VALUE].astype(np.float32)
    found: Numbers = weight.astype(np.float64)
    if A in parts or B in parts:
        down, up = parts[A], parts[B]
        if (up.shape[0], down.shape[1]) != weight.shape or up.shape[1] != down.shape[0]:
            raise ValueError(f"{up.shape} times {down.shape} instead of {weight.shape}")
        # One product after another: a matrix library sums in an order of its own.
        for column, row in zip(up.T, down, strict=True):
            found += column[:, None] * row[None, :]
    if MAGNITUDE in parts:
        squares = np.zeros(len(found))
        for column in found.T:
            squares += column * column
        found *= (parts[MAGNITUDE] / np.sqrt(squares))[:, None]
    if ROWS in parts:
        found *= parts[ROWS].reshape(-1, *(1,) * (found.ndim - 1))
    if COLUMNS in parts:
        found *= parts[COLUMNS][None, :]
    return found.astype(np.float32)
