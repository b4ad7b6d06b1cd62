"""Models of tags: the same entities in torch and in the engines, with fewer entries, and in windows of long texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress import distill, export, int8, layers, student, tenant, vocabulary
from penjing.core.answers import Spans
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.model.base import open_base
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tune import full, lora

WORDS = ("please", "send", "the", "goods", "to", "us", "today", "we", "paid", "for", "them")
PLACES = ("Leeds", "New York", "Oslo", "上海市", "北京")
pytestmark = pytest.mark.whole


def table(count: int, seed: int) -> Table:
    draw = np.random.default_rng(seed)
    texts, golds = [], []
    for number in range(count):
        words = [str(draw.choice(WORDS)) for _ in range(6)]
        place = str(draw.choice(PLACES))
        at = int(draw.integers(0, 6))
        before = " ".join([*words[:at], ""])
        texts.append(f"{before}{place} {' '.join(words[at:])} {number}")
        golds.append(f'[{{"start":{len(before)},"end":{len(before) + len(place)},"label":"place"}}]')
    return Table(texts, golds)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    train, validation = table(200, 0), table(60, 1)
    base = open_base("penjing/nano", Path())
    return Inputs(base, train, validation, task=open_reader("tag", {}).learn(train.labels or ()))


@pytest.fixture(scope="module")
def tuned(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("tuned")
    options = full.Options(epochs=4, learning_rate=(1e-3,), max_tokens=40, layers="all")
    return full.apply(inputs, options, Run(folder / "out", folder / "scratch", threads=1))


def entities(artifact: Artifact, texts: list[str]) -> list[set[tuple[str, str]]]:
    found = []
    for text, one in zip(texts, open_session(artifact, threads=1).predict(texts), strict=True):
        assert isinstance(one.answer, Spans)
        found.append({(text[span.start : span.end], span.label) for span in one.answer.spans})
    return found


def test_an_encoder_learns_tags_and_places_them_in_the_text(tuned: Artifact) -> None:
    assert tuned.card.metrics["validation_entity_f1"] > 0.9
    assert entities(tuned, ["we paid for the goods in 上海市 today"]) == [{("上海市", "place")}]


def test_the_engines_give_the_same_entities(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    texts = list(inputs.validation.texts)
    given, wanted = replace(inputs, parent=tuned), entities(tuned, texts)
    for name, made in (
        ("onnx", export.apply(given, export.Options(engine="onnx"), Run(tmp_path / "a", tmp_path / "b", threads=1))),
        ("int8", int8.apply(given, int8.Options(engine="onnx"), Run(tmp_path / "c", tmp_path / "d", threads=1))),
        ("small", vocabulary.apply(given, vocabulary.Options(), Run(tmp_path / "e", tmp_path / "f", threads=1))),
    ):
        assert made.card.chained == ("following" in made.card.calibration)
        alike = np.mean([one == other for one, other in zip(entities(made, texts), wanted, strict=True)])
        assert alike == 1.0 if name != "int8" else alike > 0.9, name
    assert made.card.parameters < tuned.card.parameters


def test_entities_of_a_long_text_are_found_in_every_window(tuned: Artifact) -> None:
    filler = "please send the goods to us today we paid for them "
    text = filler * 3 + "New York " + filler * 3 + "Oslo " + filler * 4 + "Leeds"
    session = open_session(tuned, threads=1)
    assert session.tokens is not None and len(session.tokens.encode([text])[0]) > 3 * session.tokens.limit
    (whole,) = session.predict([text])
    assert isinstance(whole.answer, Spans) and not whole.too_long
    assert [text[one.start : one.end] for one in whole.answer.spans] == ["New York", "Oslo", "Leeds"]
    (first,) = open_session(tuned, threads=1, long_texts="review").predict([text])
    assert isinstance(first.answer, Spans) and first.too_long
    assert [text[one.start : one.end] for one in first.answer.spans] == ["New York"]


def test_a_tenant_gives_the_entities_of_its_merged_model(inputs: Inputs, tmp_path: Path) -> None:
    options = lora.Options(epochs=4, learning_rate=(5e-3,), max_tokens=40)
    merged = lora.apply(inputs, options, Run(tmp_path / "a", tmp_path / "b", threads=1))
    run = Run(tmp_path / "c", tmp_path / "d", threads=1)
    made = tenant.apply(replace(inputs, parent=merged), tenant.Options(), run)
    texts = list(inputs.validation.texts)
    assert merged.card.metrics["validation_entity_f1"] > 0.8
    assert entities(made, texts) == entities(merged, texts)
    session, long = open_session(made, threads=1), " ".join(texts[:12])
    assert session.tokens is not None and len(session.tokens.encode([long])[0]) > 2 * session.tokens.limit
    alone, among = session.predict([long])[0], session.predict([texts[0], long, texts[1]])[1]
    assert alone.answer == among.answer


def test_a_shallower_model_is_taught_its_tags_again(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    given = replace(inputs, teachers={"tuned": tuned})
    run = Run(tmp_path / "a", tmp_path / "b", threads=1)
    cut = layers.apply(replace(given, parent=tuned), layers.Options(keep=1, texts=8), run)
    assert cut.card.chained and len(cut.card.calibration["following"]) == 3, "each form learns what follows what"
    options = distill.Options(epochs=1, learning_rate=1e-3, copies=1)
    run = Run(tmp_path / "c", tmp_path / "d", threads=1)
    made = distill.apply(replace(given, parent=cut), options, run)
    f1 = [one.card.metrics["validation_entity_f1"] for one in (cut, made)]
    assert f1[1] >= f1[0] and f1[1] > 0.95
    assert made.card.metrics["validation_agreement"] > 0.95
    assert made.card.notes["teacher"] == tuned.id and made.card.notes["origins"]["copies"] > 0
    assert entities(made, ["we paid for the goods in 上海市 today"])


def test_a_smaller_base_begins_with_heads_that_know_the_tags(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    given = replace(inputs, parent=tuned, base=inputs.parent)
    run = Run(tmp_path / "a", tmp_path / "b", threads=1)
    made = student.apply(given, student.Options(base="penjing/nano"), run)
    assert made.card.notes["head_error"] < 0.5 and made.card.notes["teacher"] == tuned.id
    assert made.card.metrics["validation_entity_f1"] > 0.2


def test_other_options_than_those_of_tags_are_refused(tuned: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    given = replace(inputs, parent=tuned, teachers={"tuned": tuned})
    run = Run(tmp_path / "a", tmp_path / "b", threads=1)
    for name, value in (("pooled", 1.0), ("out_of_fold", 2)):
        with pytest.raises(UsageError, match=f"`{name}` of `compress.distill` is for answers about whole texts") as one:
            distill.apply(given, distill.Options(**{name: value}), run)
        assert one.value.where == name
    fewer = vocabulary.apply(replace(inputs, parent=tuned), vocabulary.Options(), run)
    with pytest.raises(UsageError, match="other tokens than its teacher"):
        distill.apply(replace(given, parent=fewer), distill.Options(), Run(tmp_path / "c", tmp_path / "d", threads=1))
