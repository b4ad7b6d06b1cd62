"""The task `score`: numbers and grades read, learned, answered with true intervals, and judged."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, r2_score

from penjing.core.abilities import BoundedTask, Bounds
from penjing.core.answers import Number, as_kind
from penjing.core.errors import DataError
from penjing.core.task import ALL, Task
from penjing.tasks import open_reader, open_task
from penjing.tasks.grades import best_grades
from penjing.tasks.score import Score, write_number

GRADES = ["0", "1", "2", "3", "4"]


def learned(golds: list[str], **options: object) -> Task:
    return open_reader("score", options).learn(golds)


def graded(rows: int, seed: int) -> tuple[Task, np.ndarray, list[str]]:
    """Cumulative logits of a noisy model, and grades drawn by their own probabilities."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=rows)
    logits = (hidden[:, None] - np.array([-1.5, -0.5, 0.5, 1.5])) * 3
    places = (random.logistic(size=rows)[:, None] < logits).sum(axis=1)
    return learned(GRADES), logits, [GRADES[place] for place in places]


def numbered(rows: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Values said and gold: the error is larger where the value is."""
    random = np.random.default_rng(seed)
    said = random.uniform(-1, 1, rows)
    return said, [write_number(v) for v in np.round(3 + said + random.normal(size=rows) * (0.1 + 0.3 * (said > 0)), 3)]


@pytest.mark.parametrize(
    ("cell", "gold"),
    [("3", "3"), ("3.50", "3.5"), ("３．５", "3.5"), ("-0.0", "0"), ("1,234", "1234"), ("", ""), (" 2 ", "2")],
)
def test_a_number_is_read_in_its_shortest_form(cell: str, gold: str) -> None:
    assert open_reader("score", {}).read(cell) == gold


@pytest.mark.parametrize("cell", ["high", "nan", "inf", "3-4"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(DataError, match="the score is"):
        open_reader("score", {}).read(cell)


def test_few_whole_numbers_are_grades_and_others_are_numbers() -> None:
    grades, numbers = learned(GRADES), learned(["1", "2.5", "4"])
    assert isinstance(grades, Score) and grades.grades == (0.0, 1.0, 2.0, 3.0, 4.0) and grades.within == 0
    assert isinstance(numbers, Score) and numbers.grades == () and numbers.within == 0.56  # half of 1.5 / 1.349
    assert learned(GRADES, kind="number").heads["score"].size == 1
    assert grades.heads["score"].loss == "ordinal" and grades.heads["score"].size == 4
    with pytest.raises(DataError, match="one score only"):
        learned(["2", "2"])


def test_strata_are_values_or_five_bands() -> None:
    reader = open_reader("score", {})
    assert reader.strata(["1", "", "2"]) == ["1", "", "2"]
    bands = reader.strata([str(value / 10) for value in range(100)])
    assert len(set(bands)) == 5 and all(bands.count(band) == 20 for band in set(bands))
    assert bands[0] == "0 to 1.98" and bands[-1] == "7.92 to 9.9"


def test_targets_are_positions_or_standardised_values() -> None:
    assert learned(GRADES).encode(["4", "0"], ())["score"].tolist() == [4, 0]
    numbers = learned(["1", "2.5", "4"])
    assert numbers.encode(["1", "2.5", "4"], ())["score"].tolist() == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)


def test_intervals_of_grades_hold_the_stated_share_on_rows_that_were_not_seen() -> None:
    task, logits, golds = graded(4000, 0)
    calibration = task.fit({"score": logits[:2000]}, golds[:2000])
    assert calibration["temperature"] == pytest.approx(1.0, abs=0.1)
    answers = task.decode({"score": logits[2000:]}, calibration, ())
    metrics = task.metrics(task.counts(answers, golds[2000:]).sum(axis=0))
    assert 0.88 <= metrics["coverage"] <= 0.97  # a set of whole grades overshoots a little
    sure = np.array([as_kind(answer, Number).p for answer in answers])
    assert sure.mean() == pytest.approx(metrics["within"], abs=0.03)


def test_intervals_of_numbers_are_wider_where_errors_are_larger() -> None:
    said, golds = numbered(4000, 1)
    task = learned(golds[:2000], within=0.3)
    assert isinstance(task, Score)
    outputs = {"score": ((3 + said - task.mean) / task.scale)[:, None]}
    calibration = task.fit({"score": outputs["score"][:2000]}, golds[:2000])
    answers = [as_kind(one, Number) for one in task.decode({"score": outputs["score"][2000:]}, calibration, ())]
    metrics = task.metrics(task.counts(answers, golds[2000:]).sum(axis=0))
    assert metrics["coverage"] == pytest.approx(0.9, abs=0.02)
    low = [one for one in answers if one.value < 2.8]
    high = [one for one in answers if one.value > 3.2]
    assert np.mean([one.high - one.low for one in high]) > 2 * np.mean([one.high - one.low for one in low])
    # p is the chance to be within the limit: high for small values, low for large ones, true on the whole.
    assert np.mean([one.p for one in low]) > 0.95 and np.mean([one.p for one in high]) < 0.75
    assert np.mean([one.p for one in answers]) == pytest.approx(metrics["within"], abs=0.02)


def test_metrics_agree_with_scikit_learn_and_scipy() -> None:
    random = np.random.default_rng(2)
    golds = [write_number(value) for value in random.normal(3, 1, 200)]
    answers = [
        Number(float(gold) + error, 0, 9, 0.5) for gold, error in zip(golds, random.normal(size=200), strict=True)
    ]
    task = learned(golds, within=0.5)
    truth, said = np.array(golds, dtype=float), np.array([answer.value for answer in answers])
    metrics = task.metrics(task.counts(answers, golds).sum(axis=0))
    assert next(iter(metrics)) == "within"
    assert metrics["within"] == pytest.approx((np.abs(truth - said) <= 0.5).mean())
    assert metrics["mae"] == pytest.approx(mean_absolute_error(truth, said))
    assert metrics["r2"] == pytest.approx(r2_score(truth, said))
    assert metrics["pearson"] == pytest.approx(pearsonr(truth, said).statistic)


def test_metrics_of_many_sums_at_once_are_those_of_each() -> None:
    task = learned(["1", "2.5", "4"])
    counts = task.counts([Number(2, 1, 3, 0.5), Number(3, 2, 4, 0.5)], ["1", "2.5"])
    both = task.metrics(np.stack([counts[0], counts.sum(axis=0)]))
    assert both["mae"].tolist() == [1.0, 0.75] and both["coverage"].tolist() == [1.0, 1.0]


def test_the_answer_is_the_most_probable_grade_or_with_a_limit_the_median() -> None:
    exact, near = learned(GRADES), learned(GRADES, within=1)
    # P = 0.4, 0, 0.3, 0.3, 0: grade 0 is the most probable; the median is grade 2, and 2 or 3 have 0.6.
    logits = {"score": np.log(np.array([[0.6 / 0.4, 0.6 / 0.4, 0.3 / 0.7, 1e-9]]))}
    calibration = {"temperature": 1.0, "mass": 0.5}
    first = as_kind(exact.decode(logits, calibration, ())[0], Number)
    assert (first.value, first.p, first.margin) == (0, pytest.approx(0.4), pytest.approx(0.1))
    second = as_kind(near.decode(logits, calibration, ())[0], Number)
    assert (second.value, second.p, second.margin) == (2, pytest.approx(0.6), pytest.approx(0.2))


def test_an_outcome_is_wrong_beyond_the_limit_only() -> None:
    task = learned(["1", "2.5", "4"], within=0.5)
    assert not task.wrong("3", "2.5") and task.wrong("3.001", "2.5")
    (unit,) = task.units(task.facts(Number(3, 2, 4, 0.8)), "1")
    assert (unit.scope, unit.score, unit.outcome, unit.wrong) == (ALL, 0.8, "3", True)


def test_facts_outcome_and_how_far_answers_are_apart() -> None:
    grades = learned(GRADES)
    answer = Number(2.0, 1.0, 3.0, 0.75, 0.000002)
    assert grades.facts(answer) == {"value": 2.0, "low": 1.0, "high": 3.0, "p": 0.75, "margin": 0.000002}
    assert grades.outcome(grades.facts(answer)) == "2" and grades.scope(grades.facts(answer)) == ALL
    assert set(grades.kinds()) == {"value", "low", "high", "p", "margin"}
    assert grades.unsettled(grades.facts(answer), 1) and not grades.unsettled(grades.facts(answer), 0)
    assert grades.moved(answer, Number(2.0, 1.0, 3.0, 0.7)) == pytest.approx(0.05)
    assert grades.moved(answer, Number(3.0, 1.0, 3.0, 0.75)) == 1.0, "another grade"
    numbers = learned(["1", "2.5", "4"])
    # Values are rounded to two decimals here: one unit of the last one may be rounding alone.
    assert numbers.moved(Number(2, 1, 3, 0.5), Number(3, 1, 3, 0.5)) == pytest.approx(0.99 / 1.224745, abs=1e-5)
    assert numbers.moved(Number(2.00, 1, 3, 0.5), Number(2.01, 1, 3, 0.5)) == pytest.approx(0, abs=1e-9)


def test_a_grade_that_is_not_there_is_refused_by_name() -> None:
    task = open_task("score", learned(GRADES).state)
    assert task.read("4.0") == "4"
    with pytest.raises(DataError, match="unknown grade `7`"):
        task.read("7")


def test_figures_are_a_matrix_of_grades_or_errors_by_band() -> None:
    (matrix,) = learned(GRADES).figures([Number(1, 1, 1, 1), Number(2, 1, 3, 1)], ["1", "1"])
    assert matrix.kind == "matrix" and matrix.rows[1] == ("1", 0.0, 1.0, 1.0, 0.0, 0.0)
    said, golds = numbered(500, 3)
    (table,) = learned(golds).figures([Number(3 + value, 0, 9, 1) for value in said], golds)
    assert table.kind == "table" and sum(row[1] for row in table.rows) == 500 and len(table.rows) == 5


@pytest.mark.parametrize("within", [0, 1])
def test_the_surer_the_model_the_more_is_settled(within: int) -> None:
    task = learned(GRADES, within=within)
    calibration = {"temperature": 1.0, "mass": 0.5}
    shares = []
    for sharpness in (3, 6, 20):
        logits = (np.random.default_rng(0).integers(0, 5, (500, 1)) - np.arange(0.5, 4)) * sharpness
        answers = task.decode({"score": logits}, calibration, ())
        shares.append(np.mean([not task.unsettled(task.facts(answer), 10_000) for answer in answers]))
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_a_sure_grade_is_the_answer_though_its_neighbours_are_within_the_limit_too() -> None:
    task = learned(GRADES, within=1)
    logits = {"score": (2 - np.arange(0.5, 4)[None, :]) * 30}
    found = as_kind(task.decode(logits, {"temperature": 1.0, "mass": 0.5}, ())[0], Number)
    assert found.value == 2 and found.p == 1.0 and found.margin > 0.9


@pytest.mark.parametrize("within", [0, 1])
def test_no_other_grade_is_the_answer_while_its_chances_move_by_less_than_half_of_the_margin(within: int) -> None:
    random = np.random.default_rng(1)
    near = (np.abs(np.arange(5)[:, None] - np.arange(5)[None, :]) <= within).astype(float)
    for _ in range(300):
        shares = random.dirichlet(np.full(5, 0.5), 1)
        best, _, margin = best_grades(shares, near)
        moved = random.uniform(-1, 1, (40, 5 if within == 0 else 4)) * margin[0] * 0.49
        if within:  # the chances to be above each grade move
            above = np.minimum.accumulate(np.clip(1 - np.cumsum(shares, axis=1)[:, :-1] + moved, 0, 1), axis=1)
            edges = np.concatenate([np.ones((40, 1)), above, np.zeros((40, 1))], axis=1)
            again = best_grades(edges[:, :-1] - edges[:, 1:], near)[0]
        else:
            again = best_grades(shares + moved, near)[0]
        assert (again == best[0]).all()


def test_the_chance_of_a_number_moves_by_little_where_its_value_does() -> None:
    said, golds = numbered(2000, 4)
    task = learned(golds)
    assert isinstance(task, Score)
    calibration = task.fit({"score": ((3 + said - task.mean) / task.scale)[:, None]}, golds)
    line = {"score": np.linspace(-2, 2, 40_001)[:, None]}
    p = np.array([as_kind(answer, Number).p for answer in task.decode(line, calibration, ())])
    assert np.abs(np.diff(p)).max() < 1e-3  # of steps of 1e-4 standard deviations


def test_numbers_that_are_mostly_zero_have_bands_too() -> None:
    golds = ["0"] * 850 + [str(100 + value) for value in range(150)]
    bands = open_reader("score", {}).strata(golds)
    assert len(set(bands)) == 5 and set(bands[:850]) == {bands[0]}


def test_a_grade_that_was_not_learned_has_no_target_and_a_row_of_its_own_in_the_figures() -> None:
    task = learned(GRADES)
    with pytest.raises(DataError, match="unknown grade `7`"):
        task.encode(["7"], ())
    (matrix,) = task.figures([Number(4, 4, 4, 1)], ["7"])
    assert matrix.columns == ("", *GRADES, "7") and len(matrix.rows) == 6
    assert matrix.rows[-1] == ("7", 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize("cell", ["0.0000003", "3e-8", "-0.0000001", "３ｅ－９"])
def test_a_number_that_would_become_zero_is_refused(cell: str) -> None:
    for reader in (open_reader("score", {}), learned(["1", "2.5", "4"]), learned(GRADES)):
        with pytest.raises(DataError, match="6 decimals are kept: it would be 0") as caught:
            reader.read(cell)
        assert "multiply all scores" in str(caught.value.fix)
    assert [open_reader("score", {}).read(each) for each in ("0.000001", "0.0", "-0", "0e9")] == [
        "0.000001",
        "0",
        "0",
        "0",
    ]


def test_numbers_that_differ_by_less_than_is_kept_are_refused_and_scaled_ones_are_not() -> None:
    tiny = np.random.default_rng(0).normal(2e-5, 5e-6, 200)
    reader = open_reader("score", {})
    with pytest.raises(DataError, match="the scores differ by about 5e-06 only, and of scores 6 decimals are kept"):
        reader.learn([reader.read(f"{value:.9f}") for value in tiny])
    task = reader.learn([reader.read(f"{1e6 * value:.9f}") for value in tiny])
    assert isinstance(task, Score) and 2 < task.within < 3


def test_numbers_of_which_most_are_nearly_equal_are_not_refused() -> None:
    near = [f"{1 + i / 1e6:.6f}" for i in range(80)]
    task = open_reader("score", {}).learn([*near, *(str(value) for value in range(5, 25))])
    assert isinstance(task, Score) and task.scale > 1
    # The middle 80 % spread over some units, the middle half over some millionths.
    assert 1 < task.within < 4


def test_bands_of_small_numbers_have_names_of_their_own() -> None:
    golds = [f"{value / 1e5:.6f}" for value in range(100)]
    bands = open_reader("score", {}).strata(golds)
    assert len(set(bands)) == 5 and all(bands.count(band) == 20 for band in set(bands))
    assert bands[0] == "0 to 0.0002" and bands[-1] == "0.0008 to 0.001"


def test_one_value_far_away_does_not_change_the_limit() -> None:
    golds = [write_number(value) for value in np.random.default_rng(0).normal(50, 10, 500).round(2)]
    plain, far = learned(golds), learned([*golds, "1000000"])
    assert isinstance(plain, Score) and isinstance(far, Score)
    assert plain.within == pytest.approx(5, abs=0.4) and far.within == pytest.approx(plain.within, abs=0.1)
    assert far.scale > 40_000, "the standard deviation says nothing about the usual numbers"


def test_the_limit_of_numbers_that_are_mostly_equal_is_not_zero() -> None:
    mostly = learned(["0"] * 80 + [str(value / 10) for value in range(1, 21)])
    assert isinstance(mostly, Score) and mostly.within == pytest.approx(0.2, abs=0.05)
    rare = learned(["0"] * 999 + ["1.5"], kind="number")
    assert isinstance(rare, Score) and rare.within == 0.024  # half the standard deviation


def test_grades_say_between_which_values_their_facts_are() -> None:
    task, numbers = learned(GRADES), learned(["1", "2.5", "4"])
    assert isinstance(task, BoundedTask) and isinstance(numbers, BoundedTask)
    assert task.bounds().listed == dict.fromkeys(("low", "value", "high"), (0.0, 1.0, 2.0, 3.0, 4.0))
    assert task.bounds().ordered == ("low", "value", "high")
    assert numbers.bounds() == Bounds(ordered=("low", "high"))


def test_an_interval_from_fewer_rows_than_its_coverage_needs() -> None:
    """Nine rows allow 90 % at best: with fewer the interval of a number is the largest error, that of a grade all."""
    said = np.zeros((8, 1))
    golds = ["1", "2", "3", "2.5", "1.5", "2.2", "3.1", "0.4"]
    task = learned(golds, within=0.3)
    assert isinstance(task, Score)
    answer = as_kind(task.decode({"score": said[:1]}, task.fit({"score": said}, golds), ())[0], Number)
    errors = np.abs(np.array(golds, dtype=float) - task.mean)
    assert answer.high - answer.low == pytest.approx(2 * errors.max(), rel=0.4)
    grades, logits, places = graded(8, 3)
    calibration = grades.fit({"score": logits}, places)
    assert calibration["mass"] == 1.0
    whole = [as_kind(one, Number) for one in grades.decode({"score": logits}, calibration, ())]
    assert {(one.low, one.high) for one in whole} == {(0.0, 4.0)}
