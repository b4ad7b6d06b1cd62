"""Answers of several tasks in one, for a reader: the tasks whose answers differ, each in words."""

from __future__ import annotations

import json
from typing import Any

from penjing.report.contract import Mistake, PageLanguage
from penjing.report.phrases import words


def sides_in_words(mistake: Mistake, language: PageLanguage) -> tuple[str, str]:
    """What the data has and what the model says: as they are, or of several tasks those that differ.

    Of pieces of the text: their words where the text is kept, else their places.
    """
    truth, guess = _parts(mistake.truth), _parts(mistake.guess)
    if truth is None or guess is None:
        return mistake.truth, mistake.guess
    # A task that has no label in the data cannot be wrong.
    names = [name for name, meant in truth.items() if meant and guess.get(name) != meant]
    return _listed(truth, names, mistake.text, language), _listed(guess, names, mistake.text, language)


def _parts(outcome: str) -> dict[str, Any] | None:
    try:
        found = json.loads(outcome)
    except ValueError:
        return None
    return found if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else None


def _listed(parts: dict[str, Any], names: list[str], text: str | None, language: PageLanguage) -> str:
    colon, between = (": ", "; ") if language == "en" else ("：", "；")
    return between.join(f"{name}{colon}{_answer(parts.get(name, ''), text, language)}" for name in names)


def _answer(outcome: str, text: str | None, language: PageLanguage) -> str:
    """A label or number as it is; pieces of the text by their words and types."""
    try:
        found = json.loads(outcome)
    except ValueError:
        return outcome
    if not isinstance(found, list):
        return outcome
    comma = words(language)["comma"]
    if found and all(isinstance(one, dict) and {"start", "end", "label"} <= set(one) for one in found):
        return comma.join(f"{_words_of(one, text)} ({one['label']})" for one in found)
    return comma.join(map(str, found)) or words(language)["nothing"]


def _words_of(piece: dict[str, Any], text: str | None) -> str:
    return f"{piece['start']}–{piece['end']}" if text is None else text[piece["start"] : piece["end"]]
