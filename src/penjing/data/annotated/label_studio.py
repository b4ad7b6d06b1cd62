"""Exports of Label Studio, JSON and JSON-MIN: labelled spans, relations, choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import (
    AnnotatedText,
    LabelledRelation,
    LabelledSpan,
    in_characters,
    utf16_places,
)
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault, json_cell
from penjing.data.fields import text_of

_SHOWN = 5
_AGAIN = "export the project again as JSON"
_MOVED = "places are counted in UTF-16 units, as a browser counts; they were read as characters"


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """The text of each task with its one annotation; a skipped one is none.

    Versions of Label Studio differ in what they count: characters, or UTF-16 units as a browser does. Each text is read
    as its annotated words say; where both fit, as most of the texts that tell (characters, where none does).
    Raises DataError for JSON that has no rows.
    """
    found: list[AnnotatedText | Fault] = []
    bare = _Unlabelled()
    for row, value in given.values():
        if isinstance(value, Fault):
            found.append(value)
            continue
        try:
            found.append(_document(row, value, given.text, bare))
        except DataError as error:
            found.append(Fault(row, error.what, error.fix or ""))
    moved = [None if isinstance(each, Fault) else _from_units(each) for each in found]
    plain = [isinstance(each, AnnotatedText) and _fits(each) for each in found]
    units = sum(other is not None and not fits for other, fits in zip(moved, plain, strict=True))
    mostly_units = units > sum(
        fits and other is None and not isinstance(each, Fault) and _is_wide(each)
        for each, other, fits in zip(found, moved, plain, strict=True)
    )
    if units:
        given.notes.append(_MOVED)
    given.notes += bare.notes()
    for each, other, fits in zip(found, moved, plain, strict=True):
        yield other if other is not None and (mostly_units or not fits) else each


@dataclass
class _Unlabelled:
    """The rows of regions without a label, one for each region."""

    rows: list[int] = field(default_factory=list)

    def notes(self) -> list[str]:
        """The note on them; none where every region has a label."""
        rows = list(dict.fromkeys(self.rows))
        if not rows:
            return []
        listed = ", ".join(map(str, rows[:_SHOWN])) + (", …" if len(rows) > _SHOWN else "")
        return [f"{len(self.rows):,} marked pieces have no label, in row {listed}: left out; label or delete them"]


def _from_units(document: AnnotatedText) -> AnnotatedText | None:
    """The text with places in characters, read as UTF-16 units; None where they do not fit, or are the same."""
    if not _is_wide(document):
        return None
    places = utf16_places(document.text)
    spans = [span for span in (in_characters(span, places) for span in document.spans) if span is not None]
    if len(spans) < len(document.spans) or tuple(spans) == document.spans:
        return None
    moved = replace(document, spans=tuple(spans))
    return moved if _fits(moved) else None


def _is_wide(document: AnnotatedText) -> bool:
    """Whether characters and UTF-16 units differ in a text with spans."""
    return bool(document.spans) and any(character > "\uffff" for character in document.text)


def _fits(document: AnnotatedText) -> bool:
    """Whether the annotated words are in the text at their places."""
    text = document.text
    return all(span.end <= len(text) and text[span.start : span.end] == span.surface for span in document.spans)


def _document(row: int, value: object, name: str, bare: _Unlabelled) -> AnnotatedText:
    if not isinstance(value, dict):
        raise DataError("not a task of Label Studio", fix=_AGAIN)
    task = value.get("data")
    if not isinstance(task, dict):
        return _minimal(row, value, name, bare)
    done = [each for each in _list(value, "annotations") or _list(value, "completions") if _is_done(each)]
    found = [_results(_list(each, "result")) for each in done]
    if len(set(map(_said, found))) > 1:
        raise DataError(f"annotated {len(found)} times, not alike", fix="keep one annotation a task and export again")
    spans, relations, labels = found[0] if found else ((), (), ())
    bare.rows += [row] * (_unlabelled(_list(done[0], "result")) if done else 0)
    more = {str(key): json_cell(inner) for key, inner in task.items()}
    return AnnotatedText(row, _text(task, name), spans, relations, labels, text_of(value.get("id")), more)


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is not None and not isinstance(found, list):
        raise DataError(f"`{key}` is `{shown(found, 40)}`, not a list", fix=_AGAIN)
    return found or []


def _is_done(value: object) -> bool:
    return isinstance(value, dict) and not value.get("was_cancelled")


def _text(task: Mapping[str, Any], name: str) -> str:
    texts = {key: inner for key, inner in task.items() if isinstance(inner, str)}
    if name in texts or "text" in texts:
        return texts.get(name, texts.get("text", ""))
    if len(texts) == 1:
        return next(iter(texts.values()))
    keys = ", ".join(f"`{shown(str(key), 40)}`" for key in list(task)[:8])
    raise DataError(f"no `{name}` in this task, which has {keys}", fix="write `text: COLUMN` under `data:`")


_Found = tuple[tuple[LabelledSpan, ...], tuple[LabelledRelation, ...], tuple[str, ...]]


def _results(results: Sequence[Any]) -> _Found:
    spans: dict[str, list[int]] = {}
    listed: list[LabelledSpan] = []
    labels: list[str] = []
    for each in results:
        inner = each.get("value") if isinstance(each, dict) else None
        if not isinstance(inner, dict):
            continue
        if isinstance(inner.get("choices"), list):
            labels += _said_labels(inner["choices"])
        for span in _spans(inner):
            spans.setdefault(str(each.get("id")), []).append(len(listed))
            listed.append(span)
    relations = [
        relation for each in results if isinstance(each, dict) and each.get("type") == "relation"
        for relation in _relations(each, spans)
    ]  # fmt: skip
    return tuple(listed), tuple(relations), tuple(labels)


def _said_labels(given: Sequence[Any]) -> list[str]:
    """The labels of a list that are words; an annotation may hold none, or a blank one."""
    return [str(label) for label in given if label is not None and str(label).strip()]


def _unlabelled(results: Sequence[Any]) -> int:
    """How many regions were marked and given no label. Results with the id of a labelled one say more of that one."""
    labelled, bare = set[str](), list[str]()
    for number, each in enumerate(results):
        inner = each.get("value") if isinstance(each, dict) else None
        if not isinstance(inner, dict) or "start" not in inner or "end" not in inner:
            continue
        key = str(each.get("id", -number))
        if _labels_of(inner):
            labelled.add(key)
        else:
            bare.append(key)
    return len(set(bare) - labelled)


def _labels_of(value: Mapping[str, Any]) -> list[str]:
    """The labels of a region; none where it has none."""
    given = next((inner for key, inner in value.items() if key.endswith("labels") and isinstance(inner, list)), [])
    return _said_labels(given)


def _said(found: _Found) -> tuple[frozenset[object], ...]:
    """What an annotation says, in whatever order its pieces were marked."""
    spans, relations, labels = found
    ends = {-1: None, **dict(enumerate(spans))}
    links = frozenset((ends[one.head], ends[one.tail], one.label) for one in relations)
    return frozenset(spans), links, frozenset(labels)


def _spans(value: Mapping[str, Any]) -> Iterator[LabelledSpan]:
    """The span of a result, once for each of its labels."""
    if not (given := _labels_of(value)):
        return
    start, end, surface = value.get("start"), value.get("end"), value.get("text")
    if "startOffset" in value or not (type(start) is int and type(end) is int):
        what = f"the annotation `{shown(value.get('text') or given, 40)}` is not of a plain text"
        raise DataError(what, fix="annotate with a `Text` tag, not with `HyperText` or `Paragraphs`, and export again")
    for label in given:
        yield LabelledSpan(start, end, label, surface if isinstance(surface, str) else None)


def _relations(value: Mapping[str, Any], spans: Mapping[str, list[int]]) -> Iterator[LabelledRelation]:
    one, other = (spans.get(str(value.get(key)), [-1])[0] for key in ("from_id", "to_id"))
    direction = value.get("direction")
    for label in _list(value, "labels") or [""]:
        if direction != "left":
            yield LabelledRelation(one, other, str(label))
        if direction in ("left", "bi"):
            yield LabelledRelation(other, one, str(label))


def _minimal(row: int, value: Mapping[str, Any], name: str, bare: _Unlabelled) -> AnnotatedText:
    """A row of JSON-MIN: the data beside the controls, whose spans are lists of objects."""
    spans: list[LabelledSpan] = []
    labels: list[str] = []
    more = {}
    for key, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(each, dict) for each in inner):
            spans += [span for each in inner for span in _spans(each)]
            bare.rows += [row] * _unlabelled([{"value": each} for each in inner])
        elif isinstance(inner, dict) and isinstance(inner.get("choices"), list):
            labels += _said_labels(inner["choices"])
        else:
            more[str(key)] = json_cell(inner)
    plain = {key: inner for key, inner in value.items() if key not in ("created_at", "updated_at")}
    return AnnotatedText(row, _text(plain, name), tuple(spans), (), tuple(labels), text_of(value.get("id")), more)
