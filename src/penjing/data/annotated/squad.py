"""SQuAD: questions about passages, with the answers as spans of the passage; version 1, and 2 with no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import AnnotatedText, LabelledSpan, checked
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault
from penjing.data.fields import text_of

ANSWER = "answer"
_FIX = 'write {"data": [{"paragraphs": [{"context": …, "qas": [{"question": …, "answers": […]}]}]}]}'


def read(given: Given) -> Iterator[AnnotatedText | Fault]:
    """A row for each question, numbered from 1: the passage as its text, the column `question`, spans `answer`.

    A question without an answer in the passage has no span. Raises DataError for JSON of another form.
    """
    try:
        whole = json.loads(given.content())
    except (ValueError, RecursionError) as error:
        said = str(error).split(":")[0]
        raise DataError(f"not valid JSON ({said})", where=str(given.file), fix="copy the file again") from None
    row = unplaced = 0
    for paragraph in _paragraphs(whole, str(given.file)):
        for question in paragraph["qas"]:
            row += 1
            name = text_of(question.get("id") if isinstance(question, dict) else None) or str(row)
            try:
                found, left = _document(row, name, paragraph["context"], question)
            except DataError as error:
                yield Fault(row, f"question `{shown(name, 40)}`: {error.what}", error.fix or "")
                continue
            unplaced += left
            yield found
    if unplaced:
        given.notes.append(f"{unplaced:,} answers have no place in their passage (`answer_start: -1`): left out")


def _paragraphs(whole: Any, where: str) -> Iterator[dict[str, Any]]:
    articles = whole.get("data") if isinstance(whole, dict) else whole
    for article in articles if isinstance(articles, list) else [None]:
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        for paragraph in paragraphs if isinstance(paragraphs, list) else [None]:
            if not (
                isinstance(paragraph, dict)
                and isinstance(paragraph.get("context"), str)
                and isinstance(paragraph.get("qas"), list)
            ):
                raise DataError("no passages with their questions, as SQuAD has them", where=where, fix=_FIX)
            yield paragraph


def _answers(question: dict[str, Any]) -> list[Any]:
    """The answers of a question. Raises DataError where none are given, or where the two ways to say none disagree."""
    answers, impossible = question.get("answers"), question.get("is_impossible", False)
    if type(impossible) is not bool:
        raise DataError(f"`is_impossible` is `{shown(impossible, 40)}`", fix="write true or false, without quotes")
    if not isinstance(answers, list) and (answers or not impossible):
        fix = 'leave the question out, or write `"answers": []` where the passage does not answer it'
        raise DataError("it has no list of `answers`, so it is not known what is right", fix=fix)
    if impossible and any(isinstance(one, dict) and one.get("text") for one in answers or []):
        fix = 'take the answers out, or write `"is_impossible": false`'
        raise DataError("it has answers, and `is_impossible` says that there is none", fix=fix)
    return [] if impossible else list(answers or [])


def _document(row: int, name: str, context: str, question: Any) -> tuple[AnnotatedText, int]:
    """The row, and how many of its answers have no place, as CMRC marks them; some must have one."""
    asked = question.get("question") if isinstance(question, dict) else None
    if not isinstance(asked, str):
        raise DataError("it has no `question`", fix=_FIX)
    answers = _answers(question)
    spans = []
    for answer in answers:
        start, surface = (answer.get("answer_start"), answer.get("text")) if isinstance(answer, dict) else (None, None)
        if type(start) is not int or not isinstance(surface, str):
            raise DataError(f"`{shown(answer, 60)}` is no answer with its place", fix=_FIX)
        if start != -1:
            spans.append(LabelledSpan(start, start + len(surface), ANSWER, surface))
    if answers and not spans:
        raise DataError("no answer has a place in the passage", fix="give the place of one, or leave the question out")
    found = checked(AnnotatedText(row, context, tuple(spans), id=name, more={"question": asked}))
    if isinstance(found, Fault):
        raise DataError(found.what, fix=found.fix)
    return found, len(answers) - len(spans)
