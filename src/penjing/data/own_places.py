"""Entities of a masked text at their places in the text that was masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penjing.core.answers import Answer, Joint, Links, Span, Spans
from penjing.data.masked import Masked


def own_places(answer: Answer, masked: Masked | Callable[[], Masked]) -> dict[str, Any]:
    """{"in_text": [{"start", "end", "label"}]} of an answer that is entities, in their order; {} for any other.

    Of relations: {"in_text": {"entities": such a list, "relations": [{"head", "tail", "label"}]}}, head and tail as
    places in the list.

    Of several tasks in one: {"in_text": {TASK: such a list}}.

    masked: of the user's text, or what makes it where it is needed. An entity that touches a placeholder has the whole
    of what it replaced.
    """
    if isinstance(answer, Joint):
        each = {name: own_places(part, masked) for name, part in answer.parts.items()}
        inside = {name: one["in_text"] for name, one in each.items() if one}
        return {"in_text": inside} if inside else {}
    if not isinstance(answer, Spans | Links):
        return {}
    text = masked() if callable(masked) else masked
    placed = [_placed(span, text) for span in answer.spans]
    if isinstance(answer, Spans):
        return {"in_text": placed}
    place = answer.spans.index
    relations = [{"head": place(one.head), "tail": place(one.tail), "label": one.relation} for one in answer.links]
    return {"in_text": {"entities": placed, "relations": relations}}


def _placed(span: Span, text: Masked) -> dict[str, Any]:
    start, end = text.offsets.to_raw(span.start, span.end)
    return {"start": start, "end": end, "label": span.label}
