"""Another catalogue for a sealed linear model: entries that stay keep their coefficients, new ones have their texts.

    w_e = 20 t_e for a text that the old catalogue does not have,   t_e its TF-IDF vector by the terms of the model

Words that the old texts and rows do not have are unknown to the model, and new entries have learned from no row. So the
certificate of the old catalogue says nothing about the new one: it is made again on labelled rows that were never used.
Temperature, order of the thresholds and scope stay as they are: functions that were fixed before these rows were seen.
Promises that compare with the tuned model go with the old catalogue.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from penjing.core.artifact import open_release, write_artifact, write_info
from penjing.core.canon import canonical_json
from penjing.core.certificate import INFO, MODEL, POLICY, RULES, SELFCHECK, SUITE, WORDS
from penjing.core.errors import DataError, UsageError
from penjing.core.folder import MANIFEST, check_place, sealed_folder
from penjing.core.nouns import Artifact, Progress, Release, Silent
from penjing.core.task import CatalogueTask, Task
from penjing.data.catalogue import Catalogue, read_catalogue
from penjing.decide.policy import PolicySpec, load_policy
from penjing.engines.linear_sparse import SCALE, SparseLinearEngine
from penjing.prove.amend import Amended, Columns, amend
from penjing.runtime.open import open_served, open_session
from penjing.runtime.selfcheck import make_selfcheck
from penjing.runtime.session import Session
from penjing.tasks import card_fields, described


@dataclass(frozen=True)
class CatalogueFile:
    """The file of the new entries, the column of their texts, and that of their ids ("": the texts are the ids)."""

    path: Path
    entry: str = "text"
    identity: str = ""


@dataclass(frozen=True)
class Changed:
    """How many entries are those of before by their text, are new, or are gone; unknown: new ones without any term
    that the model knows, which are never nearer than others."""

    kept: int
    added: int
    removed: int
    unknown: int


def amend_catalogue(
    release: Release,
    catalogue: CatalogueFile,
    rules: Path,
    data: Path,
    out: Path,
    *,
    columns: Columns | None = None,
    progress: Progress | None = None,
) -> tuple[Amended, Changed]:
    """Seal `out`: the release with other entries and rules, certified on labelled rows never used before.

    Raises UsageError for a release whose model cannot take other entries, DataError for a catalogue that cannot be
    read, and as `amend`.
    """
    progress = progress or Silent()
    if out.resolve() == release.folder.resolve():
        raise UsageError("the new release would replace the old one", where=str(out), fix="give another --out")
    check_place(out, "penjing amend", INFO)
    with TemporaryDirectory() as folder:
        changed, counts = with_catalogue(release, catalogue, Path(folder) / "release")
        amended = amend(changed, rules, data, out, columns=columns, progress=progress)
    return amended, counts


def with_catalogue(release: Release, catalogue: CatalogueFile, target: Path) -> tuple[Release, Changed]:
    """A release with other entries and without rules, in `target`. Its certificate is still the old one, and void."""
    session = open_served(release)
    task, engine = session.task, session.engine
    if not isinstance(task, CatalogueTask):
        what = f"the answers of the task `{task.name}` are no entries of a catalogue"
        raise UsageError(what, where=str(release.folder), fix="take `--catalogue` out")
    if not isinstance(engine, SparseLinearEngine):
        raise UsageError(
            "the entries of this release are sealed within its model, so it takes no others",
            where=str(release.folder),
            fix="name the new catalogue in the recipe, and run `penjing make`; what this version makes of "
            "`tune.linear` takes other entries",
        )
    read = read_catalogue(
        catalogue.path, catalogue.entry, catalogue.identity, lambda text: session.masking.prepare(text).text
    )
    try:
        other = task.with_entries(read.ids, read.texts)
    except DataError as error:
        raise DataError(error.what, where=str(catalogue.path), fix=error.fix) from None
    made, counts = _with_entries(engine, task.entry_texts, read, other)
    with TemporaryDirectory() as folder:
        card = release.artifact.card.model_copy(
            update={
                **card_fields(other, session.calibration),
                "parameters": made.parameters,
                "metrics": {},
                "lineage": (
                    *release.artifact.card.lineage,
                    {"method": "amend", "options": {"entries": len(read.ids)}, "parent": release.artifact.id},
                ),
            }
        )
        artifact = write_artifact(Path(folder) / MODEL, card, made.write)
        return _sealed(release, artifact, target), counts


def _with_entries(
    engine: SparseLinearEngine, before: Sequence[str], read: Catalogue, task: Task
) -> tuple[SparseLinearEngine, Changed]:
    """The engine of the new entries, in their order."""
    places = {text: place for place, text in enumerate(before)}
    kept = [place for text in read.texts if (place := places.get(text)) is not None]
    values, terms, starts = engine.columns(kept)
    old, parts, unknown = iter(range(len(kept))), list[tuple[Any, Any]](), 0
    for text in read.texts:
        if text in places:
            own = slice(*starts[(place := next(old)) : place + 2].tolist())
            parts.append((values[own], terms[own]))
            continue
        row = engine.features.encode(text)
        parts.append(((SCALE * row["weight"]).astype(np.float16), row["index"].astype(np.int32)))
        unknown += not len(row)
    ends = np.cumsum([0, *(len(one) for one, _ in parts)]).astype(np.int64)
    flat = np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])
    made = SparseLinearEngine.from_entries(engine.features, *flat, ends, task.heads)
    return made, Changed(len(kept), len(read.texts) - len(kept), len(before) - len(set(kept)), unknown)


def _sealed(release: Release, artifact: Artifact, target: Path) -> Release:
    session = open_session(artifact, long_texts=release.info.long_texts)
    told = described(session.task)
    spec: PolicySpec = load_policy(release).spec.model_copy(update=told)
    info = release.info.model_copy(
        update={
            "task_state": artifact.card.task_state,
            "artifact": artifact.id,
            "fingerprint": dict(session.fingerprint()),
            "trainable": "",
        }
    )
    with sealed_folder(target) as folder:
        shutil.copytree(release.folder, folder, dirs_exist_ok=True)
        (folder / MANIFEST).unlink()
        shutil.rmtree(folder / MODEL)
        shutil.copytree(artifact.folder, folder / MODEL)
        (folder / RULES).unlink(missing_ok=True)
        shutil.rmtree(folder / WORDS, ignore_errors=True)
        (folder / POLICY).write_bytes(canonical_json(spec.model_dump(mode="json")))
        (folder / SELFCHECK).write_bytes(canonical_json(make_selfcheck(session)))
        cases = _still_right(session, (release.folder / SUITE).read_bytes())
        (folder / SUITE).write_bytes(b"".join(canonical_json(case) + b"\n" for case in cases))
        write_info(folder, info)
    return open_release(target)


def _still_right(session: Session, suite: bytes) -> list[dict[str, Any]]:
    """The cases of a regression suite that the model with other entries gets right too."""
    cases = [json.loads(line) for line in suite.splitlines()]
    task, found = session.task, session.predict([case["text"] for case in cases])
    right = [
        not task.wrong(task.outcome(task.facts(one.answer)), case["label"])
        for one, case in zip(found, cases, strict=True)
    ]
    return [case for case, kept in zip(cases, right, strict=True) if kept]
