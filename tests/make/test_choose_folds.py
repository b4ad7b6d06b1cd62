"""Out of fold: every row is answered by models without it and its group, and the run seals what the folds prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.augment.rows import text_digest
from penjing.data.prepare import Prepared, prepare
from penjing.make.choose_folds import deal_rows, without
from penjing.make.run import make_release
from penjing.report.contract import read_report
from penjing.tasks import open_reader

STEPS = "  - tune.full: {epochs: 8, learning_rate: 2.0e-3, layers: all, max_tokens: 24}\n  - compress.export: {}"


def rows(path: Path) -> Prepared:
    return prepare(load_recipe(path), open_reader("classify", {}), Silent())


def test_rows_of_certificate_and_test_are_in_no_fold(recipe_in: Callable[..., Path]) -> None:
    data = rows(recipe_in(rows=120))
    dealt = deal_rows(data, 5, 0)
    assert sorted(dealt.table.texts) == sorted([*data.train.texts, *data.validation.texts])
    assert not {*dealt.table.texts} & {*data.calibration.texts, *data.test.texts}
    for fold in range(5):
        held = [place for place, number in enumerate(dealt.numbers.tolist()) if number == fold]
        inside = without(data, dealt, held)
        texts = {dealt.table.texts[place] for place in held}
        assert texts and not texts & {*inside.train.texts, *inside.validation.texts}
        assert len(inside.train) + len(inside.validation) + len(held) == len(dealt.table)
        assert {*map(text_digest, texts)} <= inside.held_out, "no altered copy of a train row may be one of them"
        assert {*inside.train.texts} <= {*data.train.texts}, "a row keeps its part"
        assert inside.calibration is data.calibration and inside.test is data.test


def test_a_group_is_held_out_whole_and_added_rows_only_train(recipe_in: Callable[..., Path]) -> None:
    data = rows(recipe_in(rows=120))
    count = len(data.train)
    train = replace(data.train, groups=[f"customer {place % 9}" for place in range(count)])
    held = replace(data.validation, groups=[f"customer {place % 9}" for place in range(len(data.validation))])
    added = (0, 1)
    grouped = replace(data, train=train, validation=held, units={}, added=added, unlabelled=tuple(train.texts[:30]))
    dealt = deal_rows(grouped, 3, 0)
    assert dealt.numbers[list(added)].tolist() == [-1, -1]
    for fold in range(3):
        places = [place for place, number in enumerate(dealt.numbers.tolist()) if number == fold]
        inside = without(grouped, dealt, places)
        groups = {dealt.units[place] for place in places}
        assert not groups & {*(inside.train.groups or ()), *(inside.validation.groups or ())}, "added rows too"
        assert not {*inside.unlabelled} & {dealt.table.texts[place] for place in places}


def test_a_group_of_the_file_is_in_one_fold_however_it_is_written(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(rows=120)
    path.write_text(path.read_text(encoding="utf-8").replace("files: rows.csv", "files: rows.csv, group: who"))
    file = path.parent / "rows.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    written = [f"c{row % 17}" if row % 3 else f" ｃ{row % 17} " if row % 2 else "  " for row in range(len(lines))]
    listed = [f"{line},{who}" for line, who in zip(lines, written, strict=True)]
    file.write_text("\n".join([f"{head},who", *listed]), encoding="utf-8")
    data = rows(path)
    dealt = deal_rows(data, 5, 0)
    folds: dict[str, set[int]] = {}
    for group, fold in zip(dealt.table.groups or (), dealt.numbers.tolist(), strict=True):
        folds.setdefault(group, set()).add(fold)
    assert len(folds) > 8 and len(folds.pop("")) == 5, "rows without a group are dealt one by one"
    assert all(len(each) == 1 for each in folds.values())
    for fold in range(5):
        held = [place for place, number in enumerate(dealt.numbers.tolist()) if number == fold]
        inside = without(data, dealt, held)
        left = {*(inside.train.groups or ()), *(inside.validation.groups or ())} - {""}
        assert not left & {(dealt.table.groups or ())[place] for place in held}


def test_units_are_those_of_the_split(recipe_in: Callable[..., Path]) -> None:
    data = rows(recipe_in(rows=60))
    assert [len(data.units[name]) for name in ("train", "validation")] == [len(data.train), len(data.validation)]
    assert data.added == ()


class Says(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def words_of(recipe: Path, count: int) -> None:
    """Rows in the words of the tiny base; no two are the same."""
    kinds, lines = ("delivery", "price"), []
    for place in range(count):
        kind = kinds[place % 2]
        words = f"{kind}{place // 2 % 10} common{place % 10} common{place // 7 % 10} n{place}"
        lines.append(f"{words},{kind}\n")
    (recipe.parent / "rows.csv").write_text("text,label\n" + "".join(lines), encoding="utf-8")


def stopped_after(lines: Sequence[str], word: str) -> Callable[[], bool]:
    return lambda: any(word in line for line in lines)


@pytest.fixture
def recipe(recipe_in: Callable[..., Path], tiny_base: Path) -> Path:
    path = recipe_in(steps=STEPS, gates="{unproven: allow}", base=str(tiny_base), rows=60, choose="auto")
    words_of(path, 90)
    return path


@pytest.mark.whole
def test_a_run_chooses_out_of_fold_and_goes_on_after_a_stop(recipe: Path, tmp_path: Path) -> None:
    says = Says()
    with pytest.raises(RunInterruptedError):
        make_release(recipe, tmp_path / "out", says, stop=stopped_after(says.lines, "out of fold: 2 of 5"))
    kept = {path.name for path in (tmp_path / "out" / "cache").glob("tune-full-*") if path.is_dir()}
    assert len(kept) >= 3, "the tuned model, and those of two folds"
    again = Says()
    made = make_release(recipe, tmp_path / "out", again)
    assert made.release is not None, made.refused
    assert sum("tune.full: from the cache" in line for line in again.lines) >= 3
    found = made.report.folds
    assert found is not None and found.folds == 5 and found.form == "compress.export"
    splits = made.report.data.splits
    assert found.rows == found.units == splits["train"] + splits["validation"]
    assert found.chosen.low <= found.chosen.lower <= found.chosen.value <= found.chosen.upper <= found.chosen.high
    assert found.chosen.value == pytest.approx(found.form_score - found.linear_score, abs=1e-5)
    note = next(one for one in made.report.notes if one.phrase.startswith("why_folds_"))
    assert f"over {found.rows} train and validation rows, in 5 folds" in note.text
    better = found.chosen.lower > 0
    assert (made.report.tested != "tune.linear") == better == (note.phrase == "why_folds_better")
    left = {path.name for path in (tmp_path / "out" / "cache").glob("tune-full-*") if path.is_dir()}
    assert len(left) == 1, "the models of the folds are not needed again"
    assert read_report(tmp_path / "out" / "report.json").folds == found
    # The figures are kept: the same run again fits no fold.
    third = Says()
    repeated = make_release(recipe, tmp_path / "out", third, again=True)
    assert repeated.release is not None and repeated.release.id == made.release.id
    assert repeated.report.folds == found and not any("out of fold: 1" in line for line in third.lines)
