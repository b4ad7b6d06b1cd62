"""The report's part on labels that are perhaps wrong: the first rows with what is more probable, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penjing.core.chinese import chinese
from penjing.data.doubts import LabelDoubts, shorten
from penjing.report.contract import PageLanguage
from penjing.report.phrases import percent

SHOWN = 20
_CELL = 120


def doubts_context(found: LabelDoubts | None, phrases: Mapping[str, str], language: PageLanguage) -> dict[str, Any]:
    """What the template shows: lead, rows as (file, row, given, suggested, probability, text), and labels left out.

    Empty where an earlier version made the report, which did not look.
    """
    if found is None:
        return {}
    shown = {"lead": "", "rows": [], "left_out": "", "files": False, "more": ""}
    if found.skipped:
        why = chinese(found.skipped) if language == "zh" else found.skipped
        return shown | {"lead": phrases["doubts_skipped"].format(why=why)}
    counts = {"count": f"{found.count:,}", "looked": f"{found.looked:,}"}
    shown["lead"] = phrases["doubts_lead" if found.count else "doubts_none"].format(**counts)
    shown["rows"] = [
        (each.file, each.row, shorten(each.given, _CELL), shorten(each.suggested, _CELL),
         percent(each.p, language), shorten(each.text or "", _CELL))
        for each in found.doubts[:SHOWN]
    ]  # fmt: skip
    shown["files"] = len({each.file for each in found.doubts}) > 1
    if found.count > SHOWN:
        shown["more"] = phrases["doubts_more"].format(shown=SHOWN)
    if found.left_out:
        shown["left_out"] = phrases["doubts_left_out"].format(labels=phrases["comma"].join(found.left_out[:SHOWN]))
    return shown
