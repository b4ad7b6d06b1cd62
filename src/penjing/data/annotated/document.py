"""An annotated text as every form gives it: spans, relations, labels of the whole text; checked, and as cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from penjing.core.errors import shown
from penjing.data.cells import Fault

_SHOWN = 40
_COUNT = "count characters from 0, and let the end be the place after the last one"


@dataclass(frozen=True, order=True)
class LabelledSpan:
    """The piece [start, end) of a text, in characters (code points) of the user's text, with its label.

    surface: what the file says stands there, None where it does not say.
    """

    start: int
    end: int
    label: str
    surface: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class LabelledRelation:
    """A relation from one span to another, by their positions in `AnnotatedText.spans`."""

    head: int
    tail: int
    label: str


@dataclass(frozen=True)
class AnnotatedText:
    """One text with its annotations. row: the line on which it begins, or its number where the form has no lines.

    labels: labels of the whole text; more: other columns of the file.
    """

    row: int
    text: str
    spans: tuple[LabelledSpan, ...] = ()
    relations: tuple[LabelledRelation, ...] = ()
    labels: tuple[str, ...] = ()
    id: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


def checked(document: AnnotatedText) -> AnnotatedText | Fault:
    """The text with its spans sorted, each once; a fault where a span or a relation does not fit the text."""
    for span in document.spans:
        if what := _misfit(document.text, span):
            units = _units(document.text, document.spans)
            return Fault(document.row, what + (f"; {units[0]}" if units else ""), units[1] if units else _COUNT)
    known = len(document.spans)
    for relation in document.relations:
        if not (0 <= relation.head < known and 0 <= relation.tail < known):
            what = f"the relation `{shown(relation.label)}` names a span that is not there"
            return Fault(document.row, what, "add the span, or take the relation out")
    spans = sorted(set(document.spans))
    places = [spans.index(span) for span in document.spans]
    relations = [LabelledRelation(places[each.head], places[each.tail], each.label) for each in document.relations]
    return AnnotatedText(
        document.row,
        document.text,
        tuple(spans),
        tuple(dict.fromkeys(relations)),
        document.labels,
        document.id,
        document.more,
    )


def as_cells(document: AnnotatedText) -> dict[str, str]:
    """A row: `text`, `label` (spans), `relations`, `triples` (both), `classes`, `id`, and the other columns."""
    relations = [{"head": one.head, "tail": one.tail, "label": one.label} for one in document.relations]
    own = {
        "text": document.text,
        "label": spans_cell(document.spans),
        "relations": _dump(relations),
        "triples": _dump({"entities": _spans(document.spans), "relations": relations}),
        "classes": ", ".join(document.labels),
        "id": document.id,
    }
    # Labels of the whole text that the form does not know are those of a column of the file.
    kept = {"classes": document.more["classes"]} if "classes" in document.more and not document.labels else {}
    return {**document.more, **own, **kept}


def spans_cell(spans: Sequence[LabelledSpan]) -> str:
    """Spans as gold: a JSON list of {"start", "end", "label"}, sorted; `[]` where the text has none."""
    return _dump(_spans(spans))


def _spans(spans: Sequence[LabelledSpan]) -> list[dict[str, object]]:
    return [{"start": span.start, "end": span.end, "label": span.label} for span in spans]


def _misfit(text: str, span: LabelledSpan) -> str | None:
    place = f"the span {span.start}..{span.end} (`{shown(span.label, _SHOWN)}`)"
    if span.end < span.start:
        return f"{place} ends before its start"
    if span.start < 0 or span.end > len(text):
        return f"{place} is not within the text, which has {len(text):,} characters"
    if span.start == span.end:
        return f"{place} is empty"
    found = text[span.start : span.end]
    if span.surface is not None and found != span.surface:
        return f"{place} is `{shown(found, _SHOWN)}` in the text, but `{shown(span.surface, _SHOWN)}` in the annotation"
    return None


def _units(text: str, spans: Sequence[LabelledSpan]) -> tuple[str, str] | None:
    """In what the spans seem to be counted, and what to do: found by trying, where the file says what is annotated."""
    said = [span for span in spans if span.surface]
    if not said:
        return None
    for places, what, fix in _OTHER_UNITS:
        if _all_fit(text, said, places(text)):
            return what, fix
    if all(text[span.start : span.end + 1] == span.surface for span in said):
        return "the places fit if the end is the last character itself", "add 1 to every end"
    if all(text[max(span.start - 1, 0) : span.end - 1] == span.surface for span in said):
        return "the places fit if characters are counted from 1", "take 1 from every start and end"
    if all((span.surface or "") in text for span in said):
        return None
    return "the text was changed after it was annotated", "annotate the text as it is now, or export both again"


def _all_fit(text: str, spans: Sequence[LabelledSpan], places: Mapping[int, int]) -> bool:
    moved = [in_characters(span, places) for span in spans]
    return all(span is not None and text[span.start : span.end] == span.surface for span in moved)


def in_characters(span: LabelledSpan, places: Mapping[int, int]) -> LabelledSpan | None:
    """A span counted in other units, in characters; None where an end of it is inside a character."""
    if span.start not in places or span.end not in places:
        return None
    return LabelledSpan(places[span.start], places[span.end], span.label, span.surface)


def utf16_places(text: str) -> dict[int, int]:
    """Places counted in UTF-16 units -> in characters."""
    return _places(text, lambda character: 1 + (character > "\uffff"))


def byte_places(text: str) -> dict[int, int]:
    """Places counted in bytes of UTF-8 -> in characters."""
    return _places(text, lambda character: len(character.encode("utf-8", "surrogatepass")))


def _narrow_places(text: str) -> dict[int, int]:
    """Places counted with `\\r\\n` as one character -> in characters."""
    widened = (found.end() for found in re.finditer("(?s)\r\n|.", text))
    return {0: 0, **dict(enumerate(widened, start=1))}


def _wide_places(text: str) -> dict[int, int]:
    """Places counted with `\\n` as two characters -> in characters."""
    return _places(text, lambda character: 1 + (character == "\n"))


def _places(text: str, size: Callable[[str], int]) -> dict[int, int]:
    found, place = {0: 0}, 0
    for number, character in enumerate(text, start=1):
        place += size(character)
        found[place] = number
    return found


_LINE_ENDS = "save the text with the line ends that it had when it was annotated"
_OTHER_UNITS: tuple[tuple[Callable[[str], Mapping[int, int]], str, str], ...] = (
    (
        utf16_places,
        "the places fit if UTF-16 units are counted",
        "export places in characters: an emoji is one, not two",
    ),
    (byte_places, "the places fit if bytes of UTF-8 are counted", "export places in characters, not in bytes"),
    (_narrow_places, "the places fit if each line end is one character", _LINE_ENDS),
    (_wide_places, "the places fit if each line end is two characters", _LINE_ENDS),
)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
