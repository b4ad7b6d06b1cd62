"""Columns of a table that are passages, questions about them, and answers: by names, and by answers in passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penjing.data.fold import fold_name

_QUESTIONS = ("question", "query", "q", "问题", "問題", "提问")
_ANSWERS = ("answer", "answers", "answer_text", "a", "答案", "回答")
_FOUND = 0.9  # of the answers must lie in one and the same other column
_MORE = 2.0  # a passage is so many times as long as its answer at least, so that a column is no answer to itself


def questions_of(
    values: Mapping[str, Sequence[str]], text: str | None, label: str | None
) -> tuple[str, str, str] | None:
    """(passages, questions, answers); None where no column is named as questions, or no other has the answers in it.

    text, label: columns of passages and of answers that are given.
    """
    written = {fold_name(name): name for name in reversed(list(values))}
    question = next((written[name] for name in map(fold_name, _QUESTIONS) if name in written), None)
    answer = label or next((written[name] for name in map(fold_name, _ANSWERS) if name in written), None)
    if question is None or answer is None or answer not in values:
        return None
    passages = [name for name in ([text] if text else values) if name in values and name not in (question, answer)]
    within = {name: _within(values[name], values[answer]) for name in passages}
    best = max(within, key=lambda name: within[name], default=None)
    return None if best is None or within[best] < _FOUND else (best, question, answer)


def _within(passages: Sequence[str], answers: Sequence[str]) -> float:
    """The share of the answers that lie in the passage of their row; a list of places counts as one that does."""
    pairs = [(passage, one.strip()) for passage, one in zip(passages, answers, strict=True) if one.strip()]
    found = [one.startswith("[") or (one in passage and len(passage) >= _MORE * len(one)) for passage, one in pairs]
    return sum(found) / len(found) if any(not one.startswith("[") for _, one in pairs) else 0.0
