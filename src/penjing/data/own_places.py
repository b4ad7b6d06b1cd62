"""Entities of a masked text at their places in the text that was masked."""

from __future__ import annotations

from typing import Any

from penjing.core.answers import Answer, Spans
from penjing.data.masked import Masked


def own_places(answer: Answer, masked: Masked) -> dict[str, Any]:
    """{"in_text": [{"start", "end", "label"}]} of an answer that is entities, in their order; {} for any other.

    masked: of the user's text. An entity that touches a placeholder has the whole of what it replaced.
    """
    if not isinstance(answer, Spans):
        return {}
    placed = [(*masked.offsets.to_raw(span.start, span.end), span.label) for span in answer.spans]
    return {"in_text": [{"start": start, "end": end, "label": label} for start, end, label in placed]}
