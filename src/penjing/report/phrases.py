"""The phrases of the page in one language, and shares as they are written in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from penjing.report.contract import PageLanguage


@cache
def words(language: PageLanguage) -> dict[str, str]:
    """Every phrase of the page in one language, by name."""
    text = files("penjing.report").joinpath(f"templates/{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def joined(sentences: Iterable[str], language: PageLanguage) -> str:
    """Sentences as one text: with a space between them in English, without one in Chinese; empty ones are left out."""
    return ("" if language == "zh" else " ").join(filter(None, sentences))


def percent(value: float, language: PageLanguage, digits: int = 1, *, trim: bool = True) -> str:
    """A share as a percentage: `97.3 %` in English (a space that does not break), `97.3%` in Chinese.

    trim: remove a fraction that is all zeros; use trim=False in a column of figures.
    """
    figure = f"{value * 100:.{digits}f}"
    if trim and digits:
        figure = figure.removesuffix("." + "0" * digits)
    return f"{figure}%" if language == "zh" else f"{figure}\u00a0%"


def with_interval(value: float, low: float, high: float) -> str:
    """A share with the ends of its interval, as in a cell of a table for both languages: `70.0% (60.0% – 80.0%)`."""
    figure, least, most = (f"{100 * one:.1f}%" for one in (value, low, high))
    return f"{figure} ({least} – {most})"


def as_written(value: float, language: PageLanguage) -> str:
    """A promised share, not rounded: `1.25 %` must not be shown as `1.2 %`."""
    figure = f"{value * 100:.6g}"
    return f"{figure}%" if language == "zh" else f"{figure}\u00a0%"
