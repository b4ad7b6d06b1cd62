"""`penjing show`: what a folder is, where it comes from and what it promises, after verifying all its files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command `show`."""
    app.command("show")(show)


def show(
    folder: Annotated[Path, typer.Argument(help="a release, or an artifact")],
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Verify a release or an artifact and print its card, lineage, gates and certificate; exits 5 on damage."""
    from penjing.cli.show import out, out_json
    from penjing.core.artifact import open_artifact, open_release, promises
    from penjing.core.certificate import CERTIFICATE, INFO
    from penjing.core.folder import folder_size

    found: dict[str, Any]
    if (folder / INFO).is_file():
        release = open_release(folder)
        artifact = release.artifact
        certificate = json.loads((folder / CERTIFICATE).read_bytes())
        found = {
            "release": release.id,
            "info": release.info.model_dump(mode="json"),
            "certificate": certificate,
            "gates": promises(release, certificate),
            "policy": json.loads((folder / "policy" / "policy.json").read_bytes()),
        }
    else:
        artifact = open_artifact(folder)
        found = {}
    found |= {"artifact": artifact.id, "card": artifact.card.model_dump(mode="json"), "bytes": folder_size(folder)}
    if as_json:
        out_json(found)
        return
    if "release" in found:
        _release_lines(found)
    card = artifact.card
    out(f"artifact    {artifact.id}")
    out(f"  form      {card.form}, made by {card.method}; {card.parameters:,} parameters")
    if card.task_state:
        out(f"  task      {card.task}: {_listed(card.task_state)}")
        out(f"  calibrated with {_listed(card.calibration)}")
    else:
        out(f"  calibrated with temperature {card.temperature}")
        out(f"  labels    {len(card.labels)}: {', '.join(card.labels[:12])}{' …' if len(card.labels) > 12 else ''}")
    out(f"  lineage   {' -> '.join(str(step.get('method')) for step in card.lineage) or card.method}")
    for name, value in card.metrics.items():
        out(f"  {name:<9} {value:.4f}")
    out(f"verified    every file, {found['bytes'] / 1e6:.1f} MB")


def _listed(values: Mapping[str, Any]) -> str:
    """Names with their values on one line; long lists by their length."""
    shown = (
        f"{name} {f'{len(value)} values' if isinstance(value, list | dict) and len(value) > _SHOWN else value}"
        for name, value in values.items()
    )
    return ", ".join(shown)


def _release_lines(found: dict[str, Any]) -> None:
    from penjing.cli.show import out

    info, certificate, policy = found["info"], found["certificate"], found["policy"]
    out(f"release     {found['release']}")
    out(f"  name      {info['name']} ({info['task']}, {info['language']})")
    out(f"  masking   {info['masking']}; texts kept: {info['texts']}; long texts: {info['long_texts']}")
    if zone := policy.get("time_zone"):
        out(f"  time zone {zone['name']}: days and the dates of rules are by its clock")
    if certificate.get("periods"):
        _period_lines(certificate, policy)
    else:
        state = "certified" if certificate.get("certified") else "not certified: every case goes to a person"
        if certificate.get("certified") and certificate.get("by_label"):
            state = "certified label by label"
        if certificate.get("certified") and (most := certificate.get("most_items")):
            state = f"certified item by item, at most {most:,} of a text"
        out(f"  decisions {state}; max_error {certificate.get('max_error')}, audit {policy.get('audit')}")
        _threshold_lines(policy.get("thresholds", {}))
    if certificate.get("shared"):
        out(
            f"  the same {certificate['rows']:,} held-out rows gave the score and the certificate; the certificate has "
            f"{100 * certificate['confidence']:.6g}% confidence, the bounds of the score 97.5%"
        )
    for gate in found["gates"]:
        out(f"  gate      {gate['name']}: {gate['state']} (promised {gate['promised']})")


def _threshold_lines(thresholds: Mapping[str, float | None]) -> None:
    from penjing.cli.show import out
    from penjing.core.task import ALL

    for scope, threshold in thresholds.items():
        name = "every answer" if scope == ALL else scope
        out(f"    {name}: {'review' if threshold is None else f'automatic from {threshold:.4f}'}")


def _period_lines(certificate: Mapping[str, Any], policy: Mapping[str, Any]) -> None:
    """What is certified in each period between the dates of rules; the one that holds now is the first."""
    from penjing.cli.show import out
    from penjing.core.periods import in_order, in_words, periods_in

    second = int(time.time())
    state = "certified by period"
    if certificate.get("by_label") or certificate.get("most_items"):
        state = "certified by period and label" if certificate.get("by_label") else "certified by period and item"
    out(f"  decisions {state}; max_error {certificate.get('max_error')}, audit {policy.get('audit')}")
    for place, each in enumerate(in_order(periods_in(certificate), second)):
        out(f"   {in_words(each, now=place == 0, weighted=bool(certificate.get('weighted')))}")
        if each.certified:
            _threshold_lines(each.thresholds)
