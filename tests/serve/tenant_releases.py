"""Releases of three tenants of one base, sealed without rules: what tests of several services share."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tests.tune.test_full import table

from penjing.compress import tenant
from penjing.core.artifact import open_release, write_info
from penjing.core.canon import canonical_json
from penjing.core.certificate import MODEL
from penjing.core.folder import sealed_folder
from penjing.core.nouns import Artifact, Inputs, Release, ReleaseInfo, Run
from penjing.data import fold
from penjing.decide.policy import PolicySpec
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck
from penjing.tune import lora

NAMES = ("desk", "投诉", "third")


def sealed(artifact: Artifact, folder: Path, name: str) -> Release:
    """A release of that name, without rules."""
    session, labels = open_session(artifact, threads=1), artifact.card.labels
    policy = PolicySpec(
        format=2, masking=artifact.card.masking, folding=fold.VERSION, labels=labels,
        thresholds=dict.fromkeys(labels, 0.2), audit=0.0, tolerance=0.0001, fields={}, texts="masked",
    )  # fmt: skip
    with sealed_folder(folder / name) as inside:
        shutil.copytree(artifact.folder, inside / MODEL)
        (inside / "policy").mkdir()
        (inside / "policy" / "policy.json").write_bytes(canonical_json(policy.model_dump(mode="json")))
        (inside / "certificate.json").write_bytes(canonical_json({"certified": True, "max_error": 0.1, "gates": []}))
        (inside / "regression.jsonl").write_bytes(b"")
        (inside / "selfcheck.json").write_bytes(canonical_json(make_selfcheck(session)))
        info = ReleaseInfo(
            name=name, language="en", labels=labels, fields={}, masking=artifact.card.masking, texts="masked",
            artifact=artifact.id, tolerance=0.0001, fingerprint=session.fingerprint(),
        )  # fmt: skip
        write_info(inside, info)
    return open_release(folder / name)


def made_tenant(base: Path, folder: Path, number: int, rank: int = 4) -> Artifact:
    """One tenant; the third has labels of its own."""
    train, validation = table(90, 2 * number + 1), table(30, 2 * number + 2)
    if number == 2:
        train, validation = (
            replace(one, labels=[f"{each}-x" for each in one.labels or ()]) for one in (train, validation)
        )
    inputs = Inputs(open_base(str(base), Path("/")), train, validation, language="en")
    options = lora.Options(epochs=3, learning_rate=1e-2, max_tokens=64, rank=rank)
    tuned = lora.apply(inputs, options, Run(folder / f"lora{number}", folder / f"a{number}", threads=1))
    run = Run(folder / f"tenant{number}", folder / f"b{number}", threads=1)
    return tenant.apply(replace(inputs, parent=tuned), tenant.Options(), run)


def made_releases(base: Path, folder: Path) -> list[Release]:
    """A release of each name."""
    return [sealed(made_tenant(base, folder, number), folder, name) for number, name in enumerate(NAMES)]
