"""A table of gold against answers as the page shows it: its cells, what is right, and the pairs confused most."""

from __future__ import annotations

from typing import Any

from penjing.report.contract import Block

MATRIX_LABELS = 12  # A wider matrix cannot be read on paper: then the most confused pairs are listed.
BESIDE = 5  # A matrix with at most this many columns is placed beside the scores.
PAIRS = 20


def matrix_of(block: Block) -> dict[str, Any]:
    """The template's values for a block of gold against answers, one row and one column a label."""
    labels = block.columns[1:]
    matrix = [[int(count) for count in row[1:]] for row in block.rows]
    totals = [sum(row) or 1 for row in matrix]
    pairs = [
        (labels[i], labels[j], count, count / totals[i])
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: (-pair[2], -pair[3], pair[0], pair[1]))
    return {
        "wide": len(labels) > MATRIX_LABELS,
        "beside": len(labels) <= BESIDE,
        "labels": labels,
        "rows": [
            {"label": labels[i], "cells": [(count, count / totals[i], i == j) for j, count in enumerate(row)],
             "recall": row[i] / totals[i]}
            for i, row in enumerate(matrix)
        ],
        "pairs": pairs[:PAIRS],
        "right": sum(row[i] for i, row in enumerate(matrix)),
        "total": sum(map(sum, matrix)),
    }  # fmt: skip


def figure(cell: str | float) -> str:
    """A cell of a table: integers in full, other numbers with four significant digits."""
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if cell == int(cell) else f"{cell:.4g}"
