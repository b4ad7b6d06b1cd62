"""Reads report.json of format 1, from before tasks existed: scores were fields, and the only block was `confusion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METRIC, METRICS = "macro_f1", ("macro_f1", "accuracy")
# Notes that name the metric since format 2.
_NOTES = ("why_tie", "why_form_tie")


def from_format_1(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same report in format 2, as plain values. The later validation reports what does not follow format 1."""
    report = {**given, "format": 2}
    confusion = report.pop("confusion", None)
    report["test"] = _measured(report.get("test"))
    if isinstance(baseline := report.get("baseline"), dict):
        report["baseline"] = {**baseline, "linear": _measured(baseline.get("linear"))}
    if report.get("teacher") is not None:
        report["teacher"] = _measured(report["teacher"])
    report["variants"] = [_renamed(row, "macro_f1", "score") for row in report.get("variants", ())]
    report["curves"] = [_curve(curve) for curve in report.get("curves", ())]
    report["notes"] = [_note(note) for note in report.get("notes", ())]
    report["sections"] = [_matrix(confusion)] if isinstance(confusion, dict) else []
    return report


def _measured(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    metrics = {name: part[name] for name in METRICS if part.get(name) is not None}
    rest = {name: value for name, value in part.items() if name not in METRICS}
    return {**rest, "metric": METRIC, "metrics": metrics}


def _renamed(part: Any, old: str, new: str) -> Any:
    return {new if name == old else name: value for name, value in part.items()} if isinstance(part, dict) else part


def _curve(curve: Any) -> Any:
    if isinstance(curve, dict) and curve.get("kind") == "validation_macro_f1":
        return {**curve, "kind": "validation_score"}
    return curve


def _note(note: Any) -> Any:
    if isinstance(note, dict) and note.get("phrase") in _NOTES:
        return {**note, "values": {**note.get("values", {}), "metric": METRIC}}
    return note


def _matrix(confusion: Mapping[str, Any]) -> dict[str, Any]:
    labels = confusion.get("labels", ())
    rows = [[label, *counts] for label, counts in zip(labels, confusion.get("matrix", ()), strict=False)]
    title = {"en": "Which labels are taken for which", "zh": "哪些标签被误判成哪些"}
    return {"name": "confusion", "kind": "matrix", "title": title, "columns": ["", *labels], "rows": rows}
