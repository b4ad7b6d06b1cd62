"""Answers of several tasks for a reader: only those that differ, pieces by their words, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penjing.report.contract import Mistake
from penjing.report.parts_in_words import sides_in_words


def spans(*places: tuple[int, int]) -> str:
    return json.dumps([{"start": start, "end": end, "label": "company"} for start, end in places])


def mistake(truth: dict[str, str], guess: dict[str, str], text: str | None = "Acme cuts jobs") -> Mistake:
    return Mistake(truth=json.dumps(truth), guess=json.dumps(guess), p=0.9, text=text)


def test_tasks_that_agree_are_left_out() -> None:
    one = mistake({"mood": "bad", "who": spans((0, 4))}, {"mood": "good", "who": spans((0, 4))})
    assert sides_in_words(one, "en") == ("mood: bad", "mood: good")
    assert sides_in_words(one, "zh") == ("mood：bad", "mood：good")


def test_a_task_without_a_label_is_left_out() -> None:
    assert sides_in_words(mistake({"mood": "", "level": "2"}, {"mood": "good", "level": "3"}), "en") == (
        "level: 2",
        "level: 3",
    )


@pytest.mark.parametrize(
    ("text", "language", "truth", "guess"),
    [
        ("Acme cuts jobs", "en", "mood: bad; who: Acme (company), jobs (company)", "mood: good; who: nothing"),
        (None, "zh", "mood：bad；who：0–4 (company)、10–14 (company)", "mood：good；who：无"),
    ],
)
def test_pieces_are_words_of_the_text_or_places(text: str | None, language: Any, truth: str, guess: str) -> None:
    one = mistake({"mood": "bad", "who": spans((0, 4), (10, 14))}, {"mood": "good", "who": "[]"}, text)
    assert sides_in_words(one, language) == (truth, guess)


def test_sets_of_labels_and_numbers() -> None:
    one = mistake({"tags": '["a", "b"]', "level": "2"}, {"tags": "[]", "level": "2"})
    assert sides_in_words(one, "en") == ("tags: a, b", "tags: nothing")


@pytest.mark.parametrize("outcome", ["spam", "3.5", '["a"]', spans((0, 1)), "{broken", "{}"])
def test_answers_of_one_task_stay_as_they_are(outcome: str) -> None:
    assert sides_in_words(Mistake(truth=outcome, guess="spam", p=0.9), "en") == (outcome, "spam")
