"""Evidence: where clauses and words are, how many texts it costs, and that it names what the model looks at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.core.answers import Choice
from penjing.core.errors import UsageError
from penjing.core.task import Outputs
from penjing.explain.evidence import MOST_VARIANTS, explain, join_shortest, split_clauses, split_words
from penjing.runtime.session import Session
from penjing.tasks import open_task


class Counting:
    """A session that counts the texts and the passes that it was asked for."""

    def __init__(self, session: Session) -> None:
        self._session, self.task, self.calibration = session, session.task, session.calibration
        self.texts, self.passes = 0, 0

    def outputs(self, masked: Sequence[str]) -> Outputs:
        self.texts += len(masked)
        self.passes += 1
        return self._session.outputs(masked)


def label(name: str) -> Choice:
    return Choice((name,), (1.0,))


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_clauses_end_at_punctuation_of_both_languages() -> None:
    text = "房间很干净，服务员也好！3.5分 at 10:30. Call now: win ⟦mobile⟧"
    assert pieces(text, split_clauses(text, 9)) == [
        "房间很干净",
        "服务员也好",
        "3.5分 at 10:30",
        "Call now",
        "win ⟦mobile⟧",
    ]
    assert split_clauses("") == split_clauses("！？…") == []


def test_long_clauses_are_cut_between_words_and_many_are_joined() -> None:
    text = "word " * 40
    assert [len(piece.split()) for piece in pieces(text, split_clauses(text, 9))] == [16, 16, 8]
    many = "，".join(["好"] * 500)
    clauses = split_clauses(many)
    assert len(clauses) == 6
    assert "".join(pieces(many, clauses)).replace("，", "") == "好" * 500


def test_words_of_a_clause_and_joining() -> None:
    text = "不错，房间非常干净 ok"
    assert pieces(text, split_words(text, (3, len(text)), 9)) == ["房间", "非常", "干净", "ok"]
    assert pieces(text, split_words(text, (3, len(text)), 2)) == ["房间非常", "干净 ok"]
    assert join_shortest([(0, 2), (3, 4), (4, 5), (6, 9)], 3) == [(0, 2), (3, 5), (6, 9)]
    assert join_shortest([], 3) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["broken", "干净", "，", ". ", "快递", "⟦mobile⟧", "👍", " ", "a.b"]), max_size=60))
def test_spans_lie_in_the_text_and_the_cost_is_bounded(session: Session, parts: list[str]) -> None:
    text, counting = "".join(parts), Counting(session)
    found = explain(counting, text)
    assert counting.texts <= MOST_VARIANTS
    assert counting.passes <= 2
    assert all(text[span.start : span.end] == span.text and span.weight > 0 for span in found.spans)
    weights = [span.weight for span in found.spans]
    assert weights == sorted(weights, reverse=True)
    clauses = [span for span in found.spans if span.kind == "clause"]
    assert all(a.end <= b.start or b.end <= a.start for a in clauses for b in clauses if a is not b)


def test_it_names_the_words_that_decide(session: Session) -> None:
    text = "昨天到了，早餐太差，房间，快递"
    found = explain(session, text)
    assert found.answer == session.predict([text])[0].answer
    assert found.to_json()["label"] == "bad"
    assert found.to_json()["p"] == session.predict([text])[0].answer.ranked()[0][1]
    clauses = [span.text for span in found.spans if span.kind == "clause"]
    words = [span.text for span in found.spans if span.kind == "word"]
    assert clauses[0] == "早餐太差"
    assert words[0] in {"太", "差"}
    assert "早餐" not in words[:2]
    assert {span.kind for span in explain(session, "the room is broken").spans} == {"word"}


class AnyOf:
    """Says `bad` as soon as one of these words is in a text; more of them change nothing."""

    task = open_task("classify", {"labels": ("bad", "good")})
    calibration: Mapping[str, float] = MappingProxyType({"temperature": 1.0})

    def outputs(self, masked: Sequence[str]) -> Outputs:
        bad = np.array([any(word in text for word in ("太慢", "破了", "失望")) for text in masked])
        return {"label": np.stack([2.0 * bad, np.zeros(len(masked))], axis=1).astype(np.float32)}


def test_where_every_clause_is_enough_each_is_scored_alone() -> None:
    counting = Counting(AnyOf())  # type: ignore[arg-type]
    found = explain(counting, "快递太慢，包装都破了，昨天到的，非常失望")
    assert [(span.text, span.weight, span.kind) for span in found.spans] == [
        ("快递太慢", 2.0, "alone"),
        ("包装都破了", 2.0, "alone"),
        ("非常失望", 2.0, "alone"),
    ]
    assert (counting.texts, counting.passes) == (1 + 4 + 1 + 4, 2) and counting.texts <= MOST_VARIANTS
    assert explain(AnyOf(), "昨天到的，快递太慢").spans[0].kind == "clause"


def test_another_label_can_be_asked_for_and_an_unknown_one_is_refused(session: Session) -> None:
    text = "房间干净，快递太差"
    found = explain(session, text, label("good"))
    assert found.spans[0].text == "房间干净"
    p = dict(session.predict([text])[0].answer.ranked())["good"]
    assert found.to_json() | {"spans": []} == {"label": "good", "p": p, "spans": []}
    assert explain(session, text, label("bad")).spans[0].text == "快递太差"
    with pytest.raises(UsageError, match="unknown label `goood`") as caught:
        explain(session, text, label("goood"))
    assert caught.value.fix == "did you mean `good`?"


def test_it_repeats_itself_as_json(session: Session) -> None:
    text = "broken again, two days late"
    first, second = explain(session, text).to_json(), explain(session, text).to_json()
    assert json.dumps(first) == json.dumps(second)
    assert set(first["spans"][0]) == {"start", "end", "text", "weight", "kind"}


def test_a_text_without_words_has_no_evidence(session: Session) -> None:
    assert explain(session, "").spans == ()
    assert explain(session, "！！！").spans == ()


def test_a_very_long_text_costs_no_more(session: Session) -> None:
    counting = Counting(session)
    explain(counting, "房间，" * 1000 + "太差")
    assert counting.texts <= MOST_VARIANTS
