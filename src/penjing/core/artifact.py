"""Artifacts and releases on disk: written whole, verified before every load. Nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from penjing.core.canon import canonical_json
from penjing.core.certificate import INFO, MODEL
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder, verify, write_whole
from penjing.core.nouns import Artifact, Card, Release, ReleaseInfo
from penjing.core.options import explain
from penjing.core.paths import AnyPath, local_path

CARD = "card.json"


def write_artifact(target: Path, card: Card, fill: Callable[[Path], None]) -> Artifact:
    """Let `fill` write the weights and the tokenizer into a folder, add the card, seal it as `target`."""
    with sealed_folder(target) as folder:
        fill(folder)
        (folder / CARD).write_bytes(canonical_json(card.model_dump(mode="json")))
    return open_artifact(target)


def open_artifact(folder: AnyPath) -> Artifact:
    """Verify an artifact's folder and read its card. Raises UsageError (not one) or DamageError."""
    folder = local_path(folder)
    _refuse_other(folder, CARD, "an artifact")
    identity = verify(folder)
    try:
        card = Card.model_validate_json((folder / CARD).read_bytes())
    except FileNotFoundError:
        raise UsageError("this folder is not an artifact: it has no card.json", where=str(folder)) from None
    except ValidationError as error:
        raise DamageError(f"card.json is not valid: {explain(error, Card)[0][1]}", where=str(folder)) from None
    return Artifact(folder=folder.absolute(), id=identity, card=card)


def _refuse_other(folder: Path, name: str, kind: str) -> None:
    """Refuse a folder that was never sealed and has nothing of what is wanted: it is no damaged one, but another."""
    if not folder.is_dir() or (folder / MANIFEST).exists() or (folder / name).exists():
        return
    inside = next((inner for inner in (folder / "release", folder / "out" / "release") if inner.is_dir()), None)
    fix = f"did you mean `{inside}`?" if inside else "give the folder OUT/release that `penjing make` wrote"
    raise UsageError(f"this folder is not {kind}: it has no {name}", where=str(folder), fix=fix)


def write_info(folder: Path, info: ReleaseInfo) -> None:
    """Write `release.json` into a release that is being made."""
    newer = {"columns", "labels_read_as", "trainable"} if info.format == 1 else set()
    (folder / INFO).write_bytes(canonical_json(info.model_dump(mode="json", exclude=newer)))


def write_observed(folder: Path, identity: str, found: Mapping[str, Any]) -> None:
    """Write what was measured on this machine beside a release: times are no part of its content, nor of its id."""
    write_whole(observed_file(folder), canonical_json({**found, "release": identity}) + b"\n")


def read_observed(release: Release) -> dict[str, Any]:
    """What stands beside a release; nothing where it was moved without it, or where it speaks of another release."""
    try:
        found = json.loads(observed_file(release.folder).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("release") == release.id else {}


def promises(release: Release, certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every gate once: the sealed certificate's, and those that it does not speak of from beside the release.

    What stands beside is under no hash: it never replaces what is sealed, and what is no gate in it is passed over.
    """
    beside = read_observed(release).get("gates")
    loose = [gate for gate in beside if isinstance(gate, dict)] if isinstance(beside, list) else []
    whole = [gate for gate in loose if {"name", "promised", "state"} <= gate.keys()]
    sealed = {gate["name"]: gate for gate in certificate.get("gates", [])}
    return list((sealed | {str(gate["name"]): gate for gate in whole if gate["name"] not in sealed}).values())


def observed_file(folder: Path) -> Path:
    """Where the observations of a folder are: beside it."""
    return folder.with_name(f"{folder.name}.observations.json")


def open_release(folder: AnyPath) -> Release:
    """Verify a release with all it holds and read what it is for. Raises UsageError (not one) or DamageError."""
    folder = local_path(folder)
    _refuse_other(folder, INFO, "a release")
    identity = verify(folder)
    if not (folder / INFO).is_file():
        raise UsageError(
            "this folder is not a release: it has no release.json",
            where=str(folder),
            fix="give the folder OUT/release that `penjing make` wrote",
        )
    try:
        info = ReleaseInfo.model_validate_json((folder / INFO).read_bytes())
    except ValidationError as error:
        raise DamageError(
            f"release.json is not valid: {explain(error, ReleaseInfo)[0][1]}", where=str(folder)
        ) from None
    return Release(folder=folder.absolute(), id=identity, info=info, artifact=open_artifact(folder / MODEL))
