"""Cells that a spreadsheet would read as a formula: an apostrophe is put before them, and taken away again."""

from __future__ import annotations

# A spreadsheet reads a cell that begins with one of these as a formula (OWASP, "CSV Injection", 2021).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def defuse(cell: str) -> str:
    """A cell that no spreadsheet reads as a formula: an apostrophe is put before a leading = + - @ tab or return."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def fused(cell: str) -> str:
    """A cell as it was before `defuse`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
