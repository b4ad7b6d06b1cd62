"""Artifacts and releases on disk: written completely or not at all, verified before every load, never unpickled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from penjing.core.canon import canonical_json, digest_file
from penjing.core.certificate import FORMATS, INFO, MODEL, State
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import MANIFEST, sealed_folder, verify, write_whole
from penjing.core.formats import NEWER, refuse_newer
from penjing.core.nouns import CARD_FORMAT, Artifact, Card, Release, ReleaseInfo
from penjing.core.options import explain
from penjing.core.paths import AnyPath, local_path

CARD = "card.json"


def write_artifact(target: Path, card: Card, fill: Callable[[Path], None]) -> Artifact:
    """Call `fill` to write the weights and the tokenizer into a folder, add the card, and seal it as `target`."""
    with sealed_folder(target) as folder:
        fill(folder)
        (folder / CARD).write_bytes(canonical_json(card.model_dump(mode="json")))
    return open_artifact(target)


def open_artifact(folder: AnyPath) -> Artifact:
    """Verify an artifact's folder and read its card. Raises UsageError (not an artifact, or one of a newer Penjing) or
    DamageError."""
    folder = local_path(folder)
    _refuse_other(folder, CARD, "an artifact")
    identity = verify(folder)
    try:
        card = Card.model_validate_json((folder / CARD).read_bytes())
    except FileNotFoundError:
        raise UsageError("this folder is not an artifact: it has no card.json", where=str(folder)) from None
    except ValidationError as error:
        refuse_newer((folder / CARD).read_bytes(), CARD_FORMAT, CARD, str(folder))
        # The hashes fit, so that nobody changed the file: another version of Penjing wrote it.
        what = f"card.json is not valid: {explain(error, Card)[0][1]}"
        raise DamageError(what, where=str(folder), fix=NEWER) from None
    return Artifact(folder=folder.absolute(), id=identity, card=card)


def _refuse_other(folder: Path, name: str, kind: str) -> None:
    """Refuse a folder that was never sealed and lacks the file `name`: it is not damaged, but of another kind."""
    if not folder.is_dir() or (folder / MANIFEST).exists() or (folder / name).exists():
        return
    inside = next((inner for inner in (folder / "release", folder / "out" / "release") if inner.is_dir()), None)
    fix = f"did you mean `{inside}`?" if inside else "give the folder OUT/release that `penjing make` wrote"
    raise UsageError(f"this folder is not {kind}: it has no {name}", where=str(folder), fix=fix)


def write_info(folder: Path, info: ReleaseInfo) -> None:
    """Write `release.json` into the folder of a release that is being made."""
    newer = {"columns", "labels_read_as", "trainable"} if info.format == 1 else set()
    (folder / INFO).write_bytes(canonical_json(info.model_dump(mode="json", exclude=newer)))


def write_gates(folder: Path, identity: str, gates: Sequence[Mapping[str, Any]]) -> None:
    """Write the promises of a release into a file next to its folder.

    They are known only after the release was tested, and its id must not change after that. The file names the release.
    Its hash is recorded when the release is put in service.
    """
    content = {"format": 1, "release": identity, "gates": [dict(gate) for gate in gates]}
    write_whole(gates_file(folder), canonical_json(content) + b"\n")


def read_gates(release: Release) -> list[dict[str, Any]]:
    """The promises in the file next to a release; empty without the file, or if it is for another release."""
    return _gates_of(_read_beside(gates_file(release.folder), release))


def gates_digest(release: Release) -> str | None:
    """SHA-256 (hex) of the file of promises next to a release; None if there is no file for this release."""
    return digest_file(gates_file(release.folder)) if _read_beside(gates_file(release.folder), release) else None


def gates_file(folder: Path) -> Path:
    """The file of the promises of a release, next to its folder."""
    return folder.with_name(f"{folder.name}.gates.json")


def read_observed(release: Release) -> dict[str, Any]:
    """The observations that an earlier version wrote next to a release; empty without them, or for another release."""
    return _read_beside(observed_file(release.folder), release)


def promises(release: Release, certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every gate once: the sealed ones first, then the others from the file next to the release.

    Earlier versions sealed the promises that are not about time in the certificate, and wrote all of them into the
    observations. The file never replaces a sealed promise. Entries in it that are not gates are ignored.
    """
    whole = read_gates(release) or _gates_of(read_observed(release))
    sealed = {gate["name"]: gate for gate in certificate.get("gates", [])}
    return list((sealed | {str(gate["name"]): gate for gate in whole if gate["name"] not in sealed}).values())


def _read_beside(path: Path, release: Release) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("release") == release.id else {}


def _gates_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    gates = found.get("gates")
    loose = [gate for gate in gates if isinstance(gate, dict)] if isinstance(gates, list) else []
    return [
        gate
        for gate in loose
        if isinstance(gate.get("name"), str) and gate.get("state") in get_args(State) and "promised" in gate
    ]


def observed_file(folder: Path) -> Path:
    """The file of the observations of a folder, next to it."""
    return folder.with_name(f"{folder.name}.observations.json")


def open_release(folder: AnyPath) -> Release:
    """Verify every file of a release and read its `release.json`.

    Raises UsageError (not a release, or one of a newer Penjing) or DamageError.
    """
    folder = local_path(folder)
    _refuse_other(folder, INFO, "a release")
    identity = verify(folder)
    if not (folder / INFO).is_file():
        raise UsageError(
            "this folder is not a release: it has no release.json",
            where=str(folder),
            fix="give the folder OUT/release that `penjing make` wrote",
        )
    for name, last in FORMATS.items():
        if (folder / name).is_file():
            refuse_newer((folder / name).read_bytes(), last, name, str(folder))
    try:
        info = ReleaseInfo.model_validate_json((folder / INFO).read_bytes())
    except ValidationError as error:
        what = f"release.json is not valid: {explain(error, ReleaseInfo)[0][1]}"
        raise DamageError(what, where=str(folder), fix=NEWER) from None
    return Release(folder=folder.absolute(), id=identity, info=info, artifact=open_artifact(folder / MODEL))
