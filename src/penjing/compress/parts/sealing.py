"""The end of every compression: fit the temperature through the engine itself, measure on validation, seal."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder, verify
from penjing.core.nouns import Artifact, Card, Form, Inputs, Run, Table
from penjing.core.options import Options
from penjing.core.stop import check_stop
from penjing.core.task import Item, Outputs
from penjing.data.features import rows_of
from penjing.data.mask import VERSION
from penjing.engines.fields import FIELDS
from penjing.engines.protocol import split_columns
from penjing.runtime.open import open_session
from penjing.tasks import card_fields, predicts, task_of
from penjing.tasks.measure import agreement, validation_metrics
from penjing.text.tokens import TOKENIZER

# Forms that no compression follows; only `compress.cascade` may follow `ngrams`.
_LAST = {"linear", "static", "cascade", "exit", "ngrams", "tenant"}
# Rows between two checks of the stop signal and updates of the progress bar.
_SLICE = 64


def encoder_parent(inputs: Inputs, method: str, *, int8: bool = False, ngrams: bool = False) -> Artifact:
    """The parent of a compression: a tuned encoder. Raises UsageError for none, or for another kind of artifact.

    int8: whether a parent in INT8 is allowed; ngrams: whether an encoder with an n-gram branch is.
    """
    return check_parent(inputs.parent, method, int8=int8, ngrams=ngrams)


def torch_parent(inputs: Inputs, method: str) -> Artifact:
    """The parent of a step that changes weights: a tuned encoder still in torch. Raises UsageError."""
    return check_parent(inputs.parent, method, torch=True)


def check_parent(
    parent: Artifact | None, method: str, *, int8: bool = False, torch: bool = False, ngrams: bool = False
) -> Artifact:
    """As `encoder_parent`, or with `torch` as `torch_parent`; checks only the card."""
    if parent is None or not predicts(parent.card) or parent.card.form in _LAST - ({"ngrams"} if ngrams else set()):
        what = "nothing" if parent is None else f"an artifact by `{parent.card.method}`"
        fix = "put `tune.full` before it"
        if parent is not None and parent.card.method.startswith("compress."):
            last = parent.card.method
            fix = "take one of them out" if last == method else f"put `{last}` last, or take one of the two out"
        raise UsageError(f"`{method}` compresses a tuned encoder, but before it is {what}", fix=fix)
    if parent.card.precision == "int8" and not int8:
        raise UsageError(f"`{method}` follows a step that has made INT8 already", fix="remove one of the two steps")
    if torch and parent.card.form != "torch":
        raise UsageError(
            f"`{method}` changes a model in torch, but before it is `{parent.card.method}` ({parent.card.form})",
            fix="put it before `compress.int8` and `compress.export`",
        )
    return parent


def score(folder: Path, card: Card, table: Table, run: Run, title: str) -> Outputs:
    """Outputs of a table's texts by the name of the head, by the model in engine form in `folder`.

    pooled: (n, size); token and span: a list of n arrays (tokens, size).
    """
    session = open_session(Artifact(folder=folder, id="", card=card), threads=run.threads)
    run.progress.start(title, len(table))
    found: dict[str, list[Any]] = {name: [None] * len(table) for name in session.task.heads}
    fields = rows_of(table)
    # Sorted by length, so that the texts of a slice have few different lengths.
    order = sorted(range(len(table)), key=lambda i: (len(table.texts[i]), i))
    for first in range(0, len(order), _SLICE):
        check_stop(run.stop)
        texts = [table.texts[i] for i in order[first : first + _SLICE]]
        given = [fields[i] for i in order[first : first + _SLICE]]
        for name, values in session.outputs(texts, given).items():
            for place, value in zip(order[first : first + _SLICE], values, strict=True):
                found[name][place] = value
        run.progress.advance(len(texts))
    empty = session.outputs([])
    return {
        name: (np.stack(found[name]) if found[name] else empty[name]) if head.kind == "pooled" else found[name]
        for name, head in session.task.heads.items()
    }


def items_of(folder: Path, card: Card, table: Table, run: Run) -> list[Item]:
    """The texts of a table as the task reads them beside the outputs of this model."""
    return open_session(Artifact(folder=folder, id="", card=card), threads=run.threads).items(table.texts)


@dataclass(frozen=True)
class Compression:
    """The inputs of a compression, its method and its options."""

    inputs: Inputs
    options: Options
    run: Run
    parent: Artifact
    method: str


def seal(
    step: Compression,
    form: Form,
    folder: Path,
    notes: Mapping[str, Any],
    compare: Outputs | npt.NDArray[np.float32] | None = None,
) -> Artifact:
    """Seal the model in `folder` as `run.out`. The card is that of the parent, with the new values.

    notes: fields of the card by name, such as `parameters` and `precision`; other names go into its notes.
    compare: outputs of the model before on validation rows, by head or, all pooled, (n, sum of sizes). The share of
    rows with the same decision is the metric `validation_agreement`. Without labelled validation rows the parent's
    calibration is kept.
    """
    run, parent, method = step.run, step.parent, step.method
    known = {name: value for name, value in notes.items() if name in Card.model_fields}
    changed = {
        "form": form,
        "method": method,
        "masking": parent.card.masking or VERSION,
        "lineage": (
            *parent.card.lineage,
            {"method": method, "options": step.options.model_dump(mode="json"), "parent": parent.id},
        ),
        "metrics": {},
        "notes": {**parent.card.notes, **{name: value for name, value in notes.items() if name not in known}},
        **known,
    }
    card = Card.model_validate(parent.card.model_dump() | changed)
    table = step.inputs.validation
    if len(table) and table.labels is not None:
        task, items = task_of(card).with_rows({}), items_of(folder, card, table, run)
        outputs = score(folder, card, table, run, f"{method}: validation")
        calibration = task.fit(outputs, table.labels, items)
        metrics = validation_metrics(task, outputs, calibration, table.labels, items)
        if compare is not None:
            before = split_columns(compare, task.heads) if isinstance(compare, np.ndarray) else compare
            alike = agreement(task, outputs, before, table.labels, items)
            metrics["validation_agreement"] = round(alike, 6)
        card = card.model_copy(update={**card_fields(task, calibration), "metrics": metrics})
    check_stop(run.stop)
    return write_artifact(run.out, card, lambda target: _copy(folder, target))


def copy_tokenizer(parent: Artifact, folder: Path) -> None:
    """Copy the parent's tokenizer, and its map of declared fields if it has one, into the folder of a new model."""
    for name in (TOKENIZER, *([FIELDS] if parent.card.features else [])):
        shutil.copyfile(parent.folder / name, folder / name)


def complete_folder(folder: Path, make: Callable[[Path], None]) -> Path:
    """A scratch folder, made by `make` now or complete from before a kill."""
    if folder.exists():
        try:
            verify(folder)
        except DamageError:
            shutil.rmtree(folder)
        else:
            return folder
    with sealed_folder(folder) as partial:
        make(partial)
    return folder


def _copy(folder: Path, target: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            shutil.copytree(path, target / path.name)
        elif path.name != MANIFEST:
            shutil.copyfile(path, target / path.name)
