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

    label_studio: a JSON list, imported as tasks with predictions. doccano: JSONL with `label`, or with `entities` and
    `relations` if any text has relations.
    """
    if program == "doccano":
        listed = [document for document, _ in documents]
        related = any(document.relations for document in listed)
        for document in listed:
            row = _doccano_graph(document) if related else doccano_row(document)
            yield _dump(row) + "\n"
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


def _doccano_graph(document: AnnotatedText) -> dict[str, Any]:
    entities = [
        {"id": number, "start_offset": span.start, "end_offset": span.end, "label": span.label}
        for number, span in enumerate(document.spans)
    ]
    relations = [
        {"id": number, "from_id": one.head, "to_id": one.tail, "type": one.label}
        for number, one in enumerate(document.relations)
    ]
    return {"text": document.text, "entities": entities, "relations": relations, "row": document.row}


def label_studio_task(document: AnnotatedText, p: float, model: str) -> dict[str, Any]:
    """A task with one prediction; places count characters, as current versions do.

    The interface needs `<Text name="text" value="$text"/>`, `<Labels name="label" toName="text">` for spans and
    `<Choices name="class" toName="text">` for labels of the whole text.
    """
    results = [_span(document.text, span, number) for number, span in enumerate(document.spans)]
    results += [
        {
            "from_id": f"span-{one.head}",
            "to_id": f"span-{one.tail}",
            "type": "relation",
            "direction": "right",
            "labels": [one.label],
        }
        for one in document.relations
    ]
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
