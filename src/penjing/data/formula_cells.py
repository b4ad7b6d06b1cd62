"""Cells that a spreadsheet would read as a formula: an apostrophe is put before them, and taken away again."""

from __future__ import annotations

from collections.abc import Sequence

# A spreadsheet reads a cell that begins with one of these as a formula (OWASP, "CSV Injection", 2021).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
# Columns that show a table to be an export of Penjing: of reviews, audits or decisions; of decisions alone; of reviews
# of which columns were deleted; of `label fix`; of `label suggest`. Tests compare them with what is written.
_EXPORTS = (
    ("id", "verdict", "reviewer"), ("编号", "结论", "复核人"),
    ("drawn",), ("抽中概率",),
    ("outcome", "reason", "verdict"), ("结果", "原因", "结论"),
    ("row", "answer", "digest"), ("行号", "答案", "校验码"),
    ("p", "doubt", "reviewer"), ("概率", "不确定程度", "标注人"),
)  # fmt: skip


def defuse(cell: str) -> str:
    """A cell that no spreadsheet reads as a formula: an apostrophe is put before a leading = + - @ tab or return.

    So it is before a leading apostrophe that `fused` would take away.
    """
    return "'" + cell if cell.lstrip("'").startswith(_FORMULA) else cell


def fused(cell: str) -> str:
    """A cell as it was before `defuse`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def kept_as_it_stands(cell: str) -> str:
    """A cell for a workbook, whose texts are no formulas: what `fused` reads as this cell."""
    return "'" + cell if fused(cell) != cell else cell


def is_export(names: Sequence[str]) -> bool:
    """Whether these are columns of an export of Penjing, whose cells were written by `defuse`."""
    known = {name.strip().lower() for name in names}
    return any(known.issuperset(columns) for columns in _EXPORTS)
