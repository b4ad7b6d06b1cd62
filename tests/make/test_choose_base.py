"""The rule of `base: auto`: each limit at its boundary, what is not installed, and where the choice is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penjing.core.chinese import chinese
from penjing.core.nouns import Silent
from penjing.core.recipe import Gates, load_recipe
from penjing.data.audit import Audit
from penjing.make.check_recipe import Checked, check_recipe
from penjing.make.choose_base import (
    COSTS,
    FLOAT_SIZE,
    P99,
    ROOM,
    BaseCost,
    Wanted,
    choose_base,
    decision_ms,
    longer,
    release_megabytes,
    tuning_minutes,
    wanted_of,
)
from penjing.make.plan import build_plan
from penjing.model.base import SHIPPED, base_is_installed
from penjing.report.verdict import note_in

LARGE = BaseCost("large", 12, layers_mb=20, words_mb=10, fixed_ms=1.0, token_ms=0.1, token_seconds=0.06)
SMALL = BaseCost("small", 4, layers_mb=5, words_mb=5, fixed_ms=0.5, token_ms=0.02, token_seconds=0.06)
TINY = BaseCost("tiny", 2, layers_mb=1, words_mb=4, fixed_ms=0.1, token_ms=0.005, token_seconds=0.01)
TABLE = (LARGE, SMALL, TINY)
WANTED = Wanted(rows=1000, tokens=(30.0, 100.0), gates=Gates(), names=frozenset(("tune.full", "compress.int8")))


def chosen(wanted: Wanted = WANTED, missing: tuple[str, ...] = ()) -> tuple[str, str]:
    found = choose_base(wanted, lambda name: name not in missing, TABLE)
    return found.name, found.note.phrase


def gated(**gates: Any) -> Wanted:
    return replace(WANTED, gates=Gates(**gates))


def test_a_student_of_another_base_has_its_own_size_and_layers(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "name: a\ndata: {files: a.csv}\nbase: auto\nsteps:\n- tune.full: {}\n- compress.student: {}\n"
        "- compress.layers: {keep: 1}\ngates: {size_mb: 12}\n",
        encoding="utf-8",
    )
    file = load_recipe(tmp_path / "recipe.yaml")
    wanted = wanted_of(file, Audit(language="en", splits={"train": 500}), build_plan(file))
    assert wanted.keep == 0, "the layers that are kept are those of the student"
    assert chosen(wanted) == ("large", "base_largest"), "the size of the release is that of the student"


def test_without_a_limit_the_largest_is_taken() -> None:
    assert chosen() == ("large", "base_largest")
    assert chosen(gated(keep=0.99, macro_f1=0.95, times_faster=50)) == ("large", "base_largest")


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ("size_mb", 30.0),
        ("p50_ms", (1.0 + 30 * 0.1) * ROOM),
        ("mean_ms", (1.0 + 30 * 0.1) * ROOM),
        ("p99_ms", (1.0 + 100 * 0.1) * P99 * ROOM),
    ],
)
def test_a_promise_is_a_limit_at_its_boundary(gate: str, expected: float) -> None:
    assert chosen(gated(**{gate: expected + 1e-6})) == ("large", "base_largest")
    assert chosen(gated(**{gate: expected - 1e-3})) == ("small", "base_promise")
    found = choose_base(gated(**{gate: expected - 1e-3}), lambda _: True, TABLE)
    assert "large is expected to need" in found.note.text and f"`{gate}` promises" in found.note.text


def test_time_is_a_limit_at_its_boundary() -> None:
    # 30,000 tokens; nine trained layers for four passes, three computed once: 9 * 4 + 3 / 3 = 37 layers.
    assert tuning_minutes(LARGE, WANTED) == pytest.approx(30 * 0.06 * 37 / 60)
    most = tuning_minutes(LARGE, WANTED)
    assert chosen(replace(WANTED, minutes=most))[0] == "large"
    assert chosen(replace(WANTED, minutes=most * 0.999)) == ("small", "base_time")
    assert tuning_minutes(LARGE, replace(WANTED, layers=3)) == pytest.approx(30 * 0.06 * (3 * 4 + 9 / 3) / 60)
    # With more than 10,000 rows `layers: auto` trains all.
    assert tuning_minutes(LARGE, replace(WANTED, rows=10_001)) == pytest.approx(300.03 * 0.06 * 48 / 60)
    assert tuning_minutes(LARGE, replace(WANTED, tokens=(500.0, 500.0))) == pytest.approx(128 * 0.06 * 37 / 60)


@pytest.mark.parametrize("cost", COSTS)
def test_what_init_writes_is_what_it_counts(cost: BaseCost, recipe_in: Callable[..., Path]) -> None:
    """The minutes by the options of the recipe that is written are those by which the base was chosen."""
    path = recipe_in(steps=f"  - tune.full: {cost.tuning.options}\n  - compress.int8: {{}}", base="penjing/mini")
    checked = check(path)
    read = wanted_of(load_recipe(path), checked.audit, checked.steps)
    for rows in (500, 5_000, 20_000):
        counted = tuning_minutes(cost, replace(read, rows=rows, written=True, layers="all", passes=99.0))
        assert counted == pytest.approx(tuning_minutes(cost, replace(read, rows=rows)))


def test_five_thousand_rows_take_a_quarter_of_an_hour_as_init_writes_it() -> None:
    """Twelve layers, 70 tokens a row: three passes over three layers, and nine computed once."""
    wanted = replace(WANTED, rows=5_000, tokens=(70.0, 128.0))
    written = tuning_minutes(COSTS[0], replace(wanted, written=True))
    assert written == pytest.approx(350 * 0.18 * (3 * 3 + 9 / 3) / 60)
    found = choose_base(replace(wanted, written=True), lambda name: name == COSTS[0].name)
    assert (found.minutes, found.tuning.layers) == (written, 3)
    assert tuning_minutes(COSTS[0], wanted) > 3 * written


def test_more_epochs_are_written_and_counted() -> None:
    first, *others = longer(COSTS, 10, None)
    assert first.tuning.options == "{layers: 3, learning_rate: 3.0e-4, epochs: 10}"
    assert {cost.tuning.options for cost in others} <= {"{epochs: 10}", first.tuning.options}
    written = replace(WANTED, written=True)
    more = tuning_minutes(first, written) / tuning_minutes(COSTS[0], written)
    assert more == pytest.approx((10 * 3 + 9 / 3) / (3 * 3 + 9 / 3))


def test_fewer_layers_int8_and_a_smaller_vocabulary_count() -> None:
    assert release_megabytes(LARGE, WANTED) == 30
    assert release_megabytes(LARGE, replace(WANTED, keep=6)) == 20
    assert release_megabytes(LARGE, replace(WANTED, names=frozenset())) == pytest.approx(30 * FLOAT_SIZE)
    cut = replace(WANTED, names=WANTED.names | {"compress.vocabulary"})
    assert 20 < release_megabytes(LARGE, cut) < 30
    assert decision_ms(LARGE, replace(WANTED, keep=6), 30) == pytest.approx(1.0 + 30 * 0.05)
    assert decision_ms(LARGE, replace(WANTED, names=frozenset()), 30) > decision_ms(LARGE, WANTED, 30)


def test_a_form_that_is_searched_for_sets_no_limit() -> None:
    assert chosen(replace(gated(p50_ms=0.25, size_mb=5), search=True))[0] == "large"
    cascade = replace(gated(p50_ms=0.25), names=WANTED.names | {"compress.cascade"})
    assert chosen(cascade)[0] == "large"


def test_what_is_not_installed_is_passed_over_and_named() -> None:
    assert chosen(missing=("large",)) == ("small", "base_missing")
    found = choose_base(WANTED, lambda name: name == "tiny", TABLE)
    assert found.name == "tiny" and "small would fit too, and it is not installed" in found.note.text
    # What would not fit anyway is not recommended.
    assert chosen(gated(size_mb=12), missing=("large",)) == ("small", "base_promise")


def test_where_none_fits_the_smallest_is_taken() -> None:
    assert chosen(gated(size_mb=1)) == ("tiny", "base_smallest")
    assert chosen(gated(size_mb=1), missing=("tiny",)) == ("small", "base_smallest")


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (WANTED, ""),
        (WANTED, "large"),
        (replace(WANTED, minutes=1e-3), ""),
        (gated(size_mb=12), ""),
        (gated(size_mb=1), ""),
    ],
)
def test_the_sentence_that_make_prints_has_the_chinese_of_the_report(wanted: Wanted, missing: str) -> None:
    note = choose_base(wanted, lambda name: name != missing, TABLE).note
    assert chinese(note_in(note, "en")) == note_in(note, "zh")


def test_a_base_has_the_layers_that_the_steps_ask_for() -> None:
    assert chosen(replace(gated(size_mb=12), layers=6)) == ("large", "base_smallest")
    assert chosen(replace(gated(size_mb=12), layers=4))[0] == "small"
    assert chosen(replace(gated(size_mb=26), keep=4))[0] == "large", "one layer of `small` must go"
    assert chosen(replace(WANTED, layers=99))[0] == "large", "the step's own error follows"


@pytest.mark.parametrize("steps", [{"keep": 4}, {"layers": 6}])
def test_where_no_installed_base_is_deep_enough_the_deeper_one_is_named(steps: dict[str, int]) -> None:
    found = choose_base(replace(WANTED, **steps), lambda name: name != "large", TABLE)  # type: ignore[arg-type]
    assert (found.name, found.note.phrase) == ("small", "base_missing")
    assert "large would fit too, and it is not installed" in found.note.text


def test_the_table_is_ordered_and_names_what_is_shipped() -> None:
    assert [cost.name for cost in COSTS] == ["penjing/small", "penjing/mini", "penjing/nano"]
    assert set(SHIPPED) <= {cost.name for cost in COSTS}
    sizes = [release_megabytes(cost, WANTED) for cost in COSTS]
    assert sizes == sorted(sizes, reverse=True)


STEPS = "  - tune.full: {epochs: 2, learning_rate: 3.0e-4, layers: 2, max_tokens: 32}\n  - compress.int8: {}"


def check(path: Path) -> Checked:
    return check_recipe(load_recipe(path), Silent())


def test_a_recipe_says_what_the_choice_depends_on(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=STEPS, base="auto")
    checked = check(path)
    wanted = wanted_of(load_recipe(path), checked.audit, checked.steps)
    assert wanted.rows == checked.audit.splits["train"] and wanted.names == {"tune.full", "compress.int8"}
    assert (wanted.layers, wanted.passes, wanted.longest, wanted.keep) == (2, 2.0, 32, 0)
    assert wanted.tokens[0] == pytest.approx(2 + 0.74 * checked.audit.lengths["p50"])
    assert wanted.gates.size_mb == 30


def test_the_chosen_base_stands_in_the_checked_recipe(recipe_in: Callable[..., Path]) -> None:
    checked = check(recipe_in(steps=STEPS, base="auto"))
    checked.raise_faults()
    assert checked.chosen is not None and checked.base is not None
    # 30 MB are promised, fewer than a release of twelve layers has.
    assert checked.chosen.name == checked.file.recipe.base == checked.base.card.base == "penjing/mini"
    assert "`size_mb` promises 30 MB" in checked.chosen.note.text
    free = check(recipe_in(steps=STEPS, base="auto", gates="{keep: 0.97}"))
    assert free.chosen is not None
    assert free.chosen.name == ("penjing/small" if base_is_installed("penjing/small") else "penjing/mini")
    assert free.base is not None and free.base.id != checked.base.id


def test_auto_is_no_folder_and_a_named_base_is_left_alone(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=STEPS, base="penjing/mini")
    (path.parent / "auto").mkdir()
    assert check(path).chosen is None
    assert check(recipe_in(steps=STEPS, base="auto")).chosen is not None


def test_without_rows_nothing_is_chosen_and_the_rows_are_the_fault(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=STEPS, base="auto")
    (path.parent / "rows.csv").unlink()
    checked = check(path)
    assert checked.chosen is None and len(checked.faults) == 1 and "rows.csv" in str(checked.faults[0])
