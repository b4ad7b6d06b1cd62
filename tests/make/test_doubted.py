"""Labels that are perhaps wrong: planted ones are found, groups stay together, and a second run reads them."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from penjing.compress.parts.folds import fold_numbers
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Inputs, Run, Silent
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.make import doubted
from penjing.make.cache import Cache
from penjing.make.doubted import FOLDS, doubts_of_run, find_doubts
from penjing.tasks import reader_of
from penjing.tune import linear


def opened(path: Path) -> tuple[RecipeFile, Prepared]:
    file = load_recipe(path)
    return file, prepare(file, reader_of(file), Silent())


def plant(path: Path, share: float = 0.08) -> set[int]:
    """Swap the labels of some rows of a file with two labels; the rows as they are numbered in it."""
    with path.open(encoding="utf-8", newline="") as source:
        header, *rows = list(csv.reader(source))
    picked = set(random.Random(1).sample(range(len(rows)), round(share * len(rows))))
    for place in picked:
        rows[place][1] = {"好": "差", "差": "好"}[rows[place][1]]
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([header, *rows])
    return {place + 2 for place in picked}


def test_planted_errors_are_found_by_their_rows(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in()
    planted = plant(path.parent / "rows.csv")
    file, data = opened(path)
    found = find_doubts(file, data, Silent())
    assert found.looked == len(data.train) + len(data.validation) == 360 and found.skipped == ""
    seen = planted & {*data.train.rows, *data.validation.rows}
    listed = {each.row for each in found.doubts}
    # 25 of 31, and no other row: the estimate of how many there are is cautious.
    assert len(listed & seen) / len(seen) == pytest.approx(0.81, abs=0.08)
    assert len(listed & seen) / len(listed) == pytest.approx(1.0, abs=0.08)
    first = found.doubts[0]
    labels = dict(zip(data.train.rows, data.train.labels or (), strict=True))
    labels |= dict(zip(data.validation.rows, data.validation.labels or (), strict=True))
    assert (first.file, first.given) == ("rows.csv", labels[first.row]) and first.suggested != first.given
    assert [each.p_given for each in found.doubts] == sorted(each.p_given for each in found.doubts)
    assert all(each.p > 0.5 > each.p_given for each in found.doubts)
    assert not listed & {*data.calibration.rows, *data.test.rows}, "rows that prove something are not looked at"


def test_good_labels_are_hardly_doubted(recipe_in: Callable[..., Path]) -> None:
    file, data = opened(recipe_in())
    assert find_doubts(file, data, Silent()).count <= 2


def test_groups_stay_together(recipe_in: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = recipe_in()
    with (path.parent / "rows.csv").open(encoding="utf-8", newline="") as source:
        header, *rows = list(csv.reader(source))
    with (path.parent / "rows.csv").open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([[*header, "who"], *([*row, f"g{i // 4}"] for i, row in enumerate(rows))])
    path.write_text(path.read_text(encoding="utf-8").replace("label: label", "label: label, group: who"), "utf-8")
    seen: list[tuple[set[str], set[str]]] = []
    fitted = linear.apply

    def watched(inputs: Inputs, options: linear.Options, run: Run) -> Artifact:
        seen.append((set(inputs.train.groups or ()), set(inputs.validation.groups or ())))
        return fitted(inputs, options, run)

    monkeypatch.setattr(linear, "apply", watched)
    file, data = opened(path)
    found = find_doubts(file, data, Silent())
    assert len(seen) == FOLDS and found.looked == len(data.train) + len(data.validation)
    assert all(rest and held and not rest & held for rest, held in seen)
    assert set.union(*(held for _, held in seen)) == {*(data.train.groups or ()), *(data.validation.groups or ())}


def test_rows_of_added_files_have_the_names_of_these(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in()
    plant(path.parent / "rows.csv")
    header, *rows = (path.parent / "rows.csv").read_text(encoding="utf-8").splitlines()
    for name, part in (("rows.csv", rows[:400]), ("more.csv", rows[400:])):
        (path.parent / name).write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
    path.write_text(
        path.read_text(encoding="utf-8").replace("files: rows.csv", "files: rows.csv, add: [more.csv]"), "utf-8"
    )
    file, data = opened(path)
    assert set(data.origins["train"]) == {"rows.csv", "more.csv"} and set(data.origins["validation"]) == {"rows.csv"}
    found = find_doubts(file, data, Silent())
    added = [each for each in found.doubts if each.file == "more.csv"]
    assert 3 <= len(added) < found.count
    texts = [row.rsplit(",", 1)[0].strip('"') for row in rows[400:]]
    assert all(each.text == texts[each.row - 2] for each in added)


def test_what_is_too_small_or_too_large_is_said(recipe_in: Callable[..., Path]) -> None:
    file, data = opened(recipe_in(rows=120))
    assert find_doubts(file, data, Silent()).skipped == "fewer than 100 train and validation rows"
    file, data = opened(recipe_in())
    assert "`penjing check RECIPE --labels` does it" in find_doubts(file, data, Silent(), most=1000).skipped
    with pytest.raises(RunInterruptedError):
        find_doubts(file, data, Silent(), lambda: True, most=None)


def test_make_reads_what_it_found_before(
    recipe_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recipe_in()
    plant(path.parent / "rows.csv")
    file, data = opened(path)
    cache = Cache(tmp_path / "cache", 0, 1, Silent(), lambda: False)
    first = doubts_of_run(file, data, cache)
    monkeypatch.setattr(doubted, "find_doubts", never)
    assert doubts_of_run(file, data, cache) == first and first.count > 10
    cache.shrink()
    assert doubts_of_run(file, data, cache) == first
    other = opened(recipe_in(rows=480))
    with pytest.raises(AssertionError, match="again"):
        doubts_of_run(*other, cache)
    cache.used.clear()
    cache.shrink()
    assert doubts_of_run(file, data, cache) == first, "a recipe that is changed back finds them again"


def never(*_: object, **__: object) -> Sequence[str]:
    raise AssertionError("looked again")


def test_equal_texts_have_one_fold(recipe_in: Callable[..., Path]) -> None:
    _, data = opened(recipe_in())
    twice = data.train.take([0, 1, 2, 0, 1, 2])
    numbers = fold_numbers(twice, FOLDS)
    assert np.array_equal(numbers[:3], numbers[3:])
