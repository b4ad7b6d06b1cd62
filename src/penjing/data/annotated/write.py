"""Writes annotated texts as tasks of Label Studio and rows of doccano, for a person who corrects them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from penjing.data.annotated.document import AnnotatedText, LabelledSpan

PROGRAMS = ("label_studio", "doccano")
# Names of the controls in the labelling interface, which the page on annotated texts shows.
_TEXT, _SPANS, _CHOICE = "text", "label", "class"


def lines_of(program: str, documents: Iterable[tuple[AnnotatedText, float]], model: str) -> Iterator[str]:
    """The lines of a file for one of PROGRAMS; with each text the probability of its annotations.

    label_studio: a JSON list, imported as tasks with predictions. doccano: JSONL with `label`.
    """
    if program == "doccano":
        for document, _ in documents:
            yield _dump(doccano_row(document)) + "\n"
        return
    before = "[\n"
    for document, p in documents:
        yield before + _dump(label_studio_task(document, p, model))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def doccano_row(document: AnnotatedText) -> dict[str, Any]:
    """`label` is a list of `[start, end, label]`, or of the labels of the whole text."""
    spans = [[span.start, span.end, span.label] for span in document.spans]
    return {"text": document.text, "label": list(document.labels) or spans, "row": document.row}


def label_studio_task(document: AnnotatedText, p: float, model: str) -> dict[str, Any]:
    """A task with one prediction; places count characters, as current versions do.

    The interface needs `<Text name="text" value="$text"/>`, `<Labels name="label" toName="text">` for spans and
    `<Choices name="class" toName="text">` for labels of the whole text.
    """
    results = [_span(document.text, span, number) for number, span in enumerate(document.spans)]
    if document.labels:
        value = {"choices": list(document.labels)}
        results.append({"from_name": _CHOICE, "to_name": _TEXT, "type": "choices", "value": value})
    predictions = [{"model_version": model, "score": round(p, 6), "result": results}]
    return {"data": {"text": document.text, "row": document.row}, "predictions": predictions}


def _span(text: str, span: LabelledSpan, number: int) -> dict[str, Any]:
    value = {
        "start": span.start,
        "end": span.end,
        "text": text[span.start : span.end],
        "labels": [span.label],
    }
    return {"id": f"span-{number}", "from_name": _SPANS, "to_name": _TEXT, "type": "labels", "value": value}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
