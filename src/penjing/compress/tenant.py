"""Many services on one base: the adapters of `tune.lora` stay apart, and the base is one file that all services share.

    y = W x + x A_i B_i   in every adapted matrix, i the service of the row;   outputs = V_i mean_t h_t + c_i

The result has the base as a graph whose bytes are the same for every service of that base, and beside it a few hundred
kilobytes of its own: A, B and the head. `penjing serve` takes several such releases at once: one process, one copy of
the base, and texts of different services in one pass of the engine. What is certified is this very form.

Source: Hu, Shen, Wallis and others, LoRA: Low-Rank Adaptation of Large Language Models, 2021; Chen, Ye, Wu and others,
Punica: Multi-Tenant LoRA Serving, 2023; Sheng, Cao, Li and others, S-LoRA: Serving Thousands of Concurrent LoRA
Adapters, 2023.
When: from three or four services on one machine, or where each customer has a model of their own. When not: a single
service, which `compress.int8` makes smaller and two to three times as fast; here the base computes in float32. Services
share a file only where base, `targets` and rank are the same; a smaller rank is filled with zeros.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from penjing.compress.parts.sealing import Compression, complete_folder, copy_tokenizer, seal, torch_parent
from penjing.compress.parts.tenant_graph import export_base, products
from penjing.core.canon import canonical_json, digest_file
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind
from penjing.engines.tenant import ABOUT, PRODUCTS, TenantInfo
from penjing.model.adapters import FOLDER, A, Adapter, read_adapter, restore_base
from penjing.model.encoder import Classifier, load_classifier
from penjing.model.heads import Heads
from penjing.model.matrices import matrices
from penjing.tasks import task_of

HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
FEATURES = True

# Kinds of adapters that are nothing but products.
_KINDS = frozenset(("lora", "pissa"))
_LEAST_RANK = 8
_METHOD = "compress.tenant"


class Options(BaseOptions):
    """The options of `compress.tenant`."""

    rank: int = Field(
        0,
        ge=0,
        le=256,
        description="rank of the shared file, at least that of the adapter; 0: the first of 8, 16, 32 ... to hold it",
    )
    targets: Literal["auto", "query_value", "all"] = Field(
        "auto", description="the matrices of the shared file that take products; auto: those of the adapter"
    )
    storage: Literal["float16", "float32"] = Field(
        "float16", description="of the base's weights on the disk: half the size or every bit"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent as a tenant of its base.

    Raises UsageError for a parent that is not of `tune.lora`, or whose adapter is more than products or of larger rank.
    """
    parent = torch_parent(inputs, _METHOD)
    if not (parent.folder / FOLDER).is_dir():
        check_adapter(parent.card.model_copy(update={"method": ""}), "")
    adapter = read_adapter(parent.folder / FOLDER)
    check_adapter(parent.card, adapter.info.kind)
    folder = complete_folder(run.scratch / "tenant", lambda target: _write(parent, adapter, options, run, target))
    return seal(
        Compression(inputs, options, run, parent, _METHOD),
        form="tenant",
        folder=folder,
        notes={"engine": "onnx", "precision": "float32", "storage": options.storage},
    )


def check_adapter(card: Card, kind: str) -> None:
    """Raise UsageError for a model without an adapter, or with one that does not fit this form.

    card: of the model; kind: of its adapter.
    """
    if card.method != "tune.lora":
        raise UsageError(
            f"`{_METHOD}` serves adapters of `tune.lora` on their base, and the step before it is another one",
            fix=f"begin with `tune.lora: {{}}`, and put `{_METHOD}` right after it",
        )
    if kind not in _KINDS:
        raise UsageError(
            f"`{_METHOD}` serves products of low rank, and an adapter of the kind `{kind}` is more than that",
            fix="set `kind: lora` in `tune.lora`, or take `compress.export` instead",
        )


def shared_rank(wanted: int, rank: int) -> int:
    """The rank of the shared file for an adapter of `rank`. Raises UsageError where the option is smaller."""
    if 0 < wanted < rank:
        raise UsageError(
            f"the adapter has rank {rank}, and the shared file {wanted}",
            where="rank",
            fix=f"set `rank: {rank}` or more, the same for all services of the base",
        )
    found = _LEAST_RANK
    while found < rank:
        found *= 2
    return wanted or found


def _write(parent: Artifact, adapter: Adapter, options: Options, run: Run, target: Path) -> None:
    from safetensors.numpy import save_file

    from penjing.engines.export import onnx_half

    run.progress.start(f"{_METHOD}: the base", None)
    classifier = load_classifier(parent)
    head = classifier.head
    restore_base(classifier, parent.folder / FOLDER)
    names = _matrices(classifier, adapter, options.targets)
    like = {name: tuple(classifier.encoder.get_submodule(name).weight.shape) for name in names}  # type: ignore[arg-type]
    rank = shared_rank(options.rank, adapter.info.rank)
    own = dict(products(adapter.changes, names, rank, like))
    path = export_base(classifier, names, rank, target)
    if options.storage == "float16":
        onnx_half(path)
    info = TenantInfo(base=digest_file(path), rank=rank, matrices=tuple(names))
    (target / ABOUT).write_bytes(canonical_json(info.model_dump(mode="json")))
    heads: dict[str, Any] = dict(head) if isinstance(head, Heads) else {next(iter(task_of(parent.card).heads)): head}
    for name, linear in heads.items():
        own[f"head:{name}.weight"] = linear.weight.detach().numpy().astype(np.float32)
        own[f"head:{name}.bias"] = linear.bias.detach().numpy().astype(np.float32)
    save_file(own, target / PRODUCTS)
    copy_tokenizer(parent, target)
    check_stop(run.stop)


def _matrices(classifier: Classifier, adapter: Adapter, targets: str) -> list[str]:
    """The matrices of all layers that the shared file adapts. Raises UsageError where the adapter changes another."""
    encoder = classifier.encoder
    changed = {name.removesuffix(f".weight:{A}") for name in adapter.changes if name.endswith(f":{A}")}
    few, every = (matrices(encoder, "all", each) for each in ("query_value", "all"))
    found = few if targets == "query_value" or (targets == "auto" and changed <= set(few)) else every
    if extra := sorted(changed - set(found)):
        raise UsageError(
            f"the adapter changes `{extra[0]}`, which has no products in the shared file",
            where="targets",
            fix="set `targets: all`",
        )
    return found
