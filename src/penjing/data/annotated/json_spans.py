"""JSON with a text and its spans: JSONL as many programs write it, exports of doccano, CLUENER, tokens with spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from penjing.core.errors import DataError, shown
from penjing.data.annotated.conll import is_unspaced, join
from penjing.data.annotated.document import AnnotatedText, LabelledSpan
from penjing.data.annotated.json_relations import GOLD, LISTS, Entities, from_text, gold_of, has_places, read_relations
from penjing.data.annotated.lines import Given
from penjing.data.annotated.words import ENTITY, Word, place_words
from penjing.data.cells import Fault, json_cell
from penjing.data.fields import text_of

_TEXTS = ("text", "content", "sentence", "data", "sentText")
_SPANS = ("spans", "entities", "label", "labels")
_START = ("start", "start_offset", "start_idx", "begin")
_END = ("end", "end_offset", "end_idx")
_LABEL = ("label", "type", "entity_type", "tag")
_SURFACE = ("text", "surface", "entity", "word", "name")
_PAIR = "pos"  # both places in one list
_TOKENS = "let the text be made of its tokens, in their order, or leave the text out"
_FORM = '{"text": …, "spans": [{"start": 0, "end": 3, "label": "ORG"}]}'


@dataclass
class _Odd:
    """The rows in which a word is in the text several times, and those in which a word has several types."""

    several: list[int] = field(default_factory=list)
    types: list[int] = field(default_factory=list)


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """The text of each object. Spans are `[start, end, label]`, objects, or `{label: {surface: [[start, last]]}}`.

    Beside `tokens`, a list of strings, spans count tokens. Entities and ends of relations without places are looked
    for in the text. A list or object may be the text of its JSON. Raises DataError for JSON that has no rows.
    """
    odd = _Odd()
    for row, value in given.values():
        if isinstance(value, Fault):
            yield value
            continue
        try:
            yield _document(row, value, given.text, odd)
        except DataError as error:
            yield Fault(row, error.what, error.fix or "")
    if odd.several:
        given.notes.append(several_note(odd.several))
    if odd.types:
        given.notes.append(
            f"{len(odd.types):,} rows in which one entity has several types, the first in row {odd.types[0]}: "
            "its first type is taken"
        )


def several_note(rows: Sequence[int]) -> str:
    """The note on rows in which a word without a place is in the text several times."""
    return (
        f"{len(rows):,} rows in which an entity without a place is in the text several times, the first in row "
        f"{rows[0]}: its first free place is taken"
    )


def _document(row: int, value: object, name: str, odd: _Odd) -> AnnotatedText:
    if not isinstance(value, dict):
        raise DataError("not an object with a text and its spans", fix=f"write {_FORM}")
    tokens = value.get("tokens")
    places = None
    text = next((value[key] for key in (name, *_TEXTS) if isinstance(value.get(key), str)), None)
    gold = gold_of(value)
    if gold is None and isinstance(tokens, list) and tokens and all(isinstance(one, str) and one for one in tokens):
        text, places = _of_tokens(tokens, text)
    if text is None:
        keys = ", ".join(f"`{shown(str(key), 40)}`" for key in list(value)[:8])
        raise DataError(f"no text in this row, which has {keys}", fix=f"write {_FORM}")
    entities, labels = _annotations(value if gold is None else gold, places)
    read_span = partial(_inline, places=places)
    relations = read_relations(value if gold is None else gold, text, entities, read_span)
    spans, several = place_words(text, entities.found)
    odd.several += [row] * several
    odd.types += [row] * entities.types_differ
    used = {*_SPANS, *LISTS, "tokens"} if gold is None else {GOLD, "tokens"}
    more = {str(key): json_cell(inner) for key, inner in value.items() if key not in used}
    return AnnotatedText(row, text, tuple(spans), relations, labels, text_of(value.get("id")), more)


def _annotations(
    value: Mapping[str, Any], places: Sequence[tuple[int, int]] | None
) -> tuple[Entities, tuple[str, ...]]:
    """The entities of a row, with their ids (numbers where they have none), and labels of the whole text."""
    entities = Entities()
    labels: list[str] = []
    for key in _SPANS:
        inner = from_text(value.get(key), key)
        if isinstance(inner, dict):
            for span in _by_label(inner):
                entities.add(span)
            continue
        for each in [inner] if isinstance(inner, str) and inner else _list(inner, key):
            if isinstance(each, str):
                labels.append(each)
                continue
            named = str(each["id"]) if isinstance(each, dict) and each.get("id") is not None else None
            if isinstance(each, dict) and (word := _word(each)) is not None:
                entities.add(word, named)
                continue
            span = _span(each, key)
            entities.add(span if places is None else _in_text(span, places), named)
    return entities, tuple(labels)


def _word(value: Mapping[str, Any]) -> Word | None:
    """An entity with its words and its label, and without places."""
    surface, label = _first(value, _SURFACE), _first(value, _LABEL)
    said = isinstance(surface, str) and surface.strip() and isinstance(label, str) and label.strip()
    return Word(surface.strip(), label.strip()) if said and not has_places(value) else None


def _inline(value: Mapping[str, Any], places: Sequence[tuple[int, int]] | None) -> LabelledSpan:
    """The span of an entity in a relation, whose label may be left out."""
    span = _span(value if _first(value, _LABEL) else {**value, "label": ENTITY}, "relations")
    return span if places is None else _in_text(span, places)


def _span(value: object, key: str) -> LabelledSpan:
    if isinstance(value, list) and len(value) == 3:
        start, end, label = value
        surface = None
    elif isinstance(value, dict):
        start, end, label, surface = (_first(value, names) for names in (_START, _END, _LABEL, _SURFACE))
        pair = value.get(_PAIR)
        if start is None and end is None and isinstance(pair, list) and len(pair) == 2:
            start, end = pair
    else:
        raise DataError(f"`{key}` holds `{shown(value, 40)}`, which is no span", fix=f"write {_FORM}")
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if not (_is_place(start) and _is_place(end) and isinstance(label, str) and label.strip()):
        raise DataError(f"`{key}` holds `{shown(value)}`, without a start, an end or a label", fix=f"write {_FORM}")
    return LabelledSpan(start, end, label.strip(), surface if isinstance(surface, str) else None)


def _by_label(value: Mapping[str, Any]) -> list[LabelledSpan]:
    """Spans in the form of CLUENER, whose ends are the last character itself."""
    found = []
    for label, surfaces in value.items():
        if not label.strip():
            raise DataError(f"`{shown(value)}` has entities without a label", fix=f"write {_FORM}")
        if not isinstance(surfaces, dict):
            raise DataError(f"`{shown(label, 40)}` holds no surfaces with their places", fix=f"write {_FORM}")
        for surface, places in surfaces.items():
            for place in _list(places, surface):
                if not (isinstance(place, list) and len(place) == 2 and all(map(_is_place, place))):
                    raise DataError(f"`{shown(surface, 40)}` holds no [start, last]", fix=f"write {_FORM}")
                found.append(LabelledSpan(place[0], place[1] + 1, label.strip(), surface))
    return found


def _of_tokens(tokens: Sequence[str], text: str | None) -> tuple[str, list[tuple[int, int]]]:
    """The text, and the place of each token in it."""
    if text is None:
        return join(tokens, is_unspaced(tokens))
    places, end = [], 0
    for token in tokens:
        start = text.find(token, end)
        if start < 0:
            raise DataError(f"the token `{shown(token, 40)}` is not in the text where it should be", fix=_TOKENS)
        end = start + len(token)
        places.append((start, end))
    return text, places


def _in_text(span: LabelledSpan, places: Sequence[tuple[int, int]]) -> LabelledSpan:
    if not 0 <= span.start < span.end <= len(places):
        what = f"the span {span.start}..{span.end} is not within the {len(places)} tokens"
        raise DataError(what, fix="count tokens from 0, and let the end be the place after the last one")
    return LabelledSpan(places[span.start][0], places[span.end - 1][1], span.label, span.surface)


def _first(value: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _list(value: object, key: str) -> list[Any]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise DataError(f"`{shown(key, 40)}` is `{shown(value, 40)}`, not a list", fix=f"write {_FORM}")
    return value


def _is_place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
