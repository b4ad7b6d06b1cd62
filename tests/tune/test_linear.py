"""The linear method: what it learns, that it repeats itself, what it refuses."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from penjing.core.answers import Number, as_kind
from penjing.core.errors import DataError, RecipeError, RunInterruptedError
from penjing.core.nouns import Artifact, Inputs, Run, Silent, Table
from penjing.core.options import build_options
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.metrics import accuracy, encode_labels, macro_f1
from penjing.tune.linear import Options, apply

GOOD, BAD, ASK = (
    ["很好", "喜欢", "干净", "舒服", "满意"],
    ["太差", "退货", "脏乱", "失望", "难吃"],
    ["请问", "多少", "怎么", "什么", "哪里"],
)


class Lines(Silent):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def table(rows: int, seed: int, kinds: int = 3) -> Table:
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(rows):
        label = i % kinds
        words = (
            random.choice((GOOD, BAD, ASK)[label], 2).tolist()
            + random.choice(["房间", "快递", "早餐", "电脑"], 2).tolist()
        )
        texts.append("，".join(random.permutation(words)))
        labels.append(("good", "bad", "ask")[label])
    return Table(texts=texts, labels=labels)


def run_at(folder: Path, seed: int = 0, progress: Silent | None = None) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", seed=seed, progress=progress or Silent())


def fit(folder: Path, options: Options | None = None, kinds: int = 3) -> Artifact:
    inputs = Inputs(None, table(120, 0, kinds), table(30, 1, kinds), language="zh")
    return apply(inputs, options or Options(), run_at(folder))


@pytest.mark.parametrize("kinds", [2, 3])
def test_it_learns_and_says_how(tmp_path: Path, kinds: int) -> None:
    made = fit(tmp_path, kinds=kinds)
    test = table(60, 2, kinds)
    session = open_session(made)
    guess = session.logits(test.texts).argmax(axis=1)
    assert macro_f1(encode_labels(test.labels or [], session.labels), guess, kinds) > 0.95
    card = made.card
    assert (card.form, card.method, card.language, card.max_tokens) == ("linear", "tune.linear", "zh", None)
    assert card.masking
    assert set(card.metrics) == {"validation_macro_f1", "validation_accuracy"}
    assert card.lineage[-1]["options"]["folds"] == 3
    assert {one["c"] for one in card.notes["cross_validation"]} == {1, 4, 16, 64}
    assert card.parameters == (card.notes["terms"] + 1) * (1 if kinds == 2 else 3)


def test_the_same_seed_gives_the_same_id(tmp_path: Path) -> None:
    assert fit(tmp_path / "a").id == fit(tmp_path / "b").id


def test_a_stopped_run_goes_on_to_the_same_id(tmp_path: Path) -> None:
    inputs = Inputs(None, table(120, 0), table(30, 1), language="zh")
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 265

    stopped = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", stop=stop)
    with pytest.raises(RunInterruptedError):
        apply(inputs, Options(), stopped)
    assert list((tmp_path / "scratch").glob("c-*.json"))
    assert not (tmp_path / "out").exists()
    assert apply(inputs, Options(), run_at(tmp_path)).id == fit(tmp_path / "other").id


def test_a_label_of_validation_only_is_never_guessed(tmp_path: Path) -> None:
    validation = Table(texts=["很好", "别的"], labels=["good", "other"])
    made = apply(Inputs(None, table(60, 0, 2), validation), Options(c=(4.0,)), run_at(tmp_path))
    assert made.card.labels == ("bad", "good", "other")
    assert open_session(made).predict(["很好"])[0].answer.ranked()[-1][0] == "other"


def test_three_rows_are_enough_to_end_with_a_model(tmp_path: Path) -> None:
    said = Lines()
    tiny = Table(texts=["很好", "太差", "很好"], labels=["a", "b", "a"])
    made = apply(Inputs(None, tiny, tiny), Options(), run_at(tmp_path, progress=said))
    assert open_session(made).predict(["很好"])[0].answer.ranked()[0][0] == "a"


def test_a_subset_is_named_as_one(tmp_path: Path) -> None:
    said = Lines()
    apply(Inputs(None, table(240, 0), table(30, 1)), Options(rows_to_choose=100), run_at(tmp_path, progress=said))
    assert "C is chosen on a stratified 100 of 240 train rows" in said.lines


def test_what_it_refuses() -> None:
    run, rows = run_at(Path("unused")), table(9, 0)
    with pytest.raises(DataError, match="one label only"):
        apply(Inputs(None, Table(["a", "b"], ["x", "x"]), rows), Options(), run)
    with pytest.raises(DataError, match="validation part has no labelled rows"):
        apply(Inputs(None, rows, Table([])), Options(), run)
    with pytest.raises(RecipeError, match="did you mean `folds`"):
        build_options(Options, {"fold": 3}, "recipe")
    with pytest.raises(RecipeError, match="`folds` is `1`"):
        build_options(Options, {"folds": 1}, "recipe")


@pytest.mark.slow
def test_sms_spam_for_real(tmp_path: Path) -> None:
    if "PENJING_DATA" not in os.environ:
        pytest.skip("PENJING_DATA is not set: the folder with the public sets")
    with (Path(os.environ["PENJING_DATA"]) / "en-spam-sms" / "sms.tsv").open(encoding="utf-8", newline="") as file:
        rows = sorted({(row[1], row[0]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)})
    order = np.random.default_rng(0).permutation(len(rows))
    parts = [[rows[i] for i in part] for part in np.split(order, [3000, 3600])]
    train, validation, test = (Table(texts=[t for t, _ in part], labels=[n for _, n in part]) for part in parts)
    made = apply(Inputs(None, train, validation, language="en"), Options(), run_at(tmp_path))
    session = open_session(made)
    truth = encode_labels(test.labels or [], session.labels)
    assert accuracy(truth, session.logits(test.texts).argmax(axis=1)) > 0.975
    assert made.card.notes["segmenter"] == ""


def numbers(rows: int, seed: int, digits: int) -> Table:
    """Texts whose good words add to a number and whose bad ones take from it."""
    random, texts, golds = np.random.default_rng(seed), [], []
    for _ in range(rows):
        good = int(random.integers(0, 4))
        words = [*random.choice(GOOD, good).tolist(), *random.choice(BAD, 3 - good).tolist(), "房间"]
        texts.append("，".join(random.permutation(words)))
        golds.append(f"{2 * good + random.uniform(0, 0.5):.2f}" if digits else str(good))
    return Table(texts=texts, labels=golds)


@pytest.mark.parametrize(("kind", "columns"), [("number", 1), ("grades", 3)])
def test_numbers_and_grades(tmp_path: Path, kind: str, columns: int) -> None:
    digits = 2 * (kind == "number")
    train, validation, test = (numbers(rows, seed, digits) for seed, rows in enumerate((300, 80, 80)))
    within = 1.0 if kind == "number" else 0.0
    task = open_reader("score", {"kind": kind, "within": within}).learn(train.labels or ())
    made = apply(Inputs(None, train, validation, task=task), Options(), run_at(tmp_path))
    card = made.card
    assert (card.task, card.labels, set(card.calibration)) == ("score", (), set(card.calibration))
    assert card.parameters == (card.notes["terms"] + 1) * columns
    assert [set(one) for one in card.notes["cross_validation"]] == [{"c", "within"}] * 4
    values = [as_kind(one.answer, Number).value for one in open_session(made).predict(test.texts)]
    errors = np.abs(np.array(values) - [float(gold) for gold in test.labels or ()])
    assert (errors <= within).mean() > 0.8
    assert card.metrics["validation_within"] == pytest.approx((errors <= within).mean(), abs=0.15)
    again = apply(Inputs(None, train, validation, task=task), Options(), run_at(tmp_path / "again"))
    assert again.id == made.id


def test_two_grades_have_one_column_and_one_output(tmp_path: Path) -> None:
    train = table(60, 0, 2)
    rows = Table(train.texts, ["1" if label == "good" else "0" for label in train.labels or ()])
    task = open_reader("score", {"kind": "grades"}).learn(rows.labels or ())
    made = apply(Inputs(None, rows, rows, task=task), Options(c=(4.0,)), run_at(tmp_path))
    session = open_session(made)
    assert session.outputs(rows.texts)["score"].shape == (60, 1)
    assert [as_kind(one.answer, Number).value for one in session.predict(["很好", "太差"])] == [1, 0]
