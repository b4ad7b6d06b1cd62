"""Models of answers: the same in torch and in the engines, with fewer entries, and in windows of long passages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress import distill, export, int8, student, vocabulary
from penjing.core.answers import Spans
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.pair import join_texts
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.answer_gold import write_answers
from penjing.tune import full

PLACES = ("Leeds", "York", "Oslo", "上海", "北京")
ITEMS = ("goods", "paper", "books")
FILLER = "please send it to us today we paid for them "
LIMIT = 40
pytestmark = pytest.mark.whole


def table(count: int, seed: int) -> Table:
    """A passage says where one kind of thing is; the question asks for it, or for another thing."""
    draw = np.random.default_rng(seed)
    texts, golds = [], []
    for number in range(count):
        item, asked, place = str(draw.choice(ITEMS)), str(draw.choice(ITEMS)), str(draw.choice(PLACES))
        before = f"{number} the {item} are in "
        texts.append(join_texts(f"{before}{place} today", f"where are the {asked}"))
        found = [(len(before), len(before) + len(place), "answer")] if asked == item else []
        golds.append(write_answers(found))
    return Table(texts, golds)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    train, validation = table(400, 0), table(80, 1)
    base = open_base("penjing/nano", Path())
    return Inputs(base, train, validation, task=open_reader("answer", {}).learn(train.labels or ()))


@pytest.fixture(scope="module")
def tuned(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("tuned")
    options = full.Options(epochs=8, learning_rate=(2e-3,), max_tokens=LIMIT, layers="all")
    return full.apply(inputs, options, Run(folder / "out", folder / "scratch", threads=1))


def answers(artifact: Artifact, texts: list[str]) -> list[list[str]]:
    found = []
    for text, one in zip(texts, open_session(artifact, threads=1).predict(texts), strict=True):
        assert isinstance(one.answer, Spans)
        found.append([text[span.start : span.end] for span in one.answer.spans])
    return found


def test_an_encoder_learns_to_answer_and_when_not_to(tuned: Artifact) -> None:
    assert tuned.card.metrics["validation_exact_match"] > 0.9
    passage = "7 the goods are in 上海 today"
    cases = [join_texts(passage, f"where are the {item}") for item in ("goods", "books")]
    assert answers(tuned, cases) == [["上海"], []]


def test_the_engines_give_the_same_answers(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    texts = list(inputs.validation.texts)
    given, wanted = replace(inputs, parent=tuned), answers(tuned, texts)
    for name, made in (
        ("onnx", export.apply(given, export.Options(engine="onnx"), Run(tmp_path / "a", tmp_path / "b", threads=1))),
        ("int8", int8.apply(given, int8.Options(engine="onnx"), Run(tmp_path / "c", tmp_path / "d", threads=1))),
        ("small", vocabulary.apply(given, vocabulary.Options(), Run(tmp_path / "e", tmp_path / "f", threads=1))),
    ):
        alike = np.mean([one == other for one, other in zip(answers(made, texts), wanted, strict=True)])
        assert alike == 1.0 if name != "int8" else alike > 0.9, name
    assert made.card.parameters < tuned.card.parameters


def test_an_answer_is_found_in_any_window_of_a_long_passage(tuned: Artifact) -> None:
    session = open_session(tuned, threads=1)
    for before, after in ((0, 12), (6, 6), (12, 0)):
        passage = f"{FILLER * before}the goods are in Oslo today {FILLER * after}".strip()
        case = join_texts(passage, "where are the goods")
        assert session.tokens is not None and len(session.tokens.encode([case])[0]) > 3 * LIMIT
        (found,) = session.predict([case])
        assert isinstance(found.answer, Spans) and not found.too_long
        assert [passage[one.start : one.end] for one in found.answer.spans] == ["Oslo"], (before, after)
    (first,) = open_session(tuned, threads=1, long_texts="review").predict([case])
    assert first.too_long, "the first window alone does not hold the answer"
    question = join_texts("the goods are in Oslo today", "where are the goods " * 20)
    assert session.predict([question])[0].too_long, "a question that is cut is told"


def test_a_smaller_base_is_taught_the_answers(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    given = replace(inputs, parent=tuned, teachers={"tuned": tuned}, base=inputs.parent)
    run = Run(tmp_path / "a", tmp_path / "b", threads=1)
    begun = student.apply(given, student.Options(base="penjing/nano"), run)
    options = distill.Options(epochs=3, learning_rate=2e-3)
    made = distill.apply(replace(given, parent=begun), options, Run(tmp_path / "c", tmp_path / "d", threads=1))
    right = [one.card.metrics["validation_exact_match"] for one in (begun, made)]
    assert right[1] > max(right[0], 0.8)
    assert made.card.notes["origins"] == {"train": len(inputs.train)}
    with pytest.raises(UsageError, match=r"`loss` of `compress\.distill`"):
        distill.check_by_token(given.task, distill.Options(loss="centred"))  # type: ignore[arg-type]
