"""Entities of a masked text at their places in the text that was masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penjing.core.answers import Answer, Joint, Spans
from penjing.data.masked import Masked


def own_places(answer: Answer, masked: Masked | Callable[[], Masked]) -> dict[str, Any]:
    """{"in_text": [{"start", "end", "label"}]} of an answer that is entities, in their order; {} for any other.

    Of several tasks in one: {"in_text": {TASK: such a list}}.

    masked: of the user's text, or what makes it where it is needed. An entity that touches a placeholder has the whole
    of what it replaced.
    """
    if isinstance(answer, Joint):
        each = {name: own_places(part, masked) for name, part in answer.parts.items()}
        inside = {name: one["in_text"] for name, one in each.items() if one}
        return {"in_text": inside} if inside else {}
    if not isinstance(answer, Spans):
        return {}
    text = masked() if callable(masked) else masked
    placed = [(*text.offsets.to_raw(span.start, span.end), span.label) for span in answer.spans]
    return {"in_text": [{"start": start, "end": end, "label": label} for start, end, label in placed]}
