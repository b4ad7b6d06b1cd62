"""The search over options: killed anywhere it ends in the same trials, and it keeps to its budget."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from penjing.core.artifact import open_artifact, write_artifact
from penjing.core.errors import DataError, RunInterruptedError, TrainingEndedError
from penjing.core.methods import Method, Step
from penjing.core.nouns import Artifact, Card, Inputs, Run, Silent, Table
from penjing.core.options import Options as _Options
from penjing.core.recipe import Recipe
from penjing.make.cache import Cache
from penjing.make.overall import Overall
from penjing.make.plan import single_step
from penjing.make.run import make_release
from penjing.make.search import tuning
from penjing.make.search.ranges import Range
from penjing.make.search.trials import best_of, read_trials
from penjing.make.search.tuning import FEWEST_PEERS, OptionSearch, SearchBudget
from penjing.model.base import open_base
from penjing.report.contract import read_report
from penjing.report.search_part import SearchPart

ROWS = Table(["a b", "c d"] * 4, labels=["x", "y"] * 4)
RATE = Range("rate", 0.5, (), 0.0, 1.0)
KIND = Range("kind", "plain", ("plain", "odd"))
SHAPE = {"epochs": 3}


class ToyOptions(_Options):
    """Options of a method that trains nothing."""

    rate: float = Field(0.5, ge=0, le=1)
    kind: Literal["plain", "odd"] = "plain"

    @model_validator(mode="after")
    def _goes_together(self) -> ToyOptions:
        if self.kind == "odd" and self.rate > 0.9:
            raise ValueError("an odd rate is at most 0.9")
        return self


def apply(_: Inputs, options: ToyOptions, run: Run) -> Artifact:
    """Its score rises to 1 - |rate - 0.8| over three evaluations; a rate below 0.1 diverges."""
    if options.rate < 0.1:
        raise DataError("no finite loss")
    top = 1 - abs(options.rate - 0.8) - (0.05 if options.kind == "odd" else 0.0)
    scores = [{"macro_f1": top * part, "loss": 1.0} for part in (0.5, 0.8, 1.0)]
    for count in range(1, 4):
        if run.watch("only", scores[:count]) and count < 3:
            raise TrainingEndedError("ended")
    card = Card(form="linear", method="tune.toy", labels=("x", "y"), metrics={"validation_macro_f1": round(top, 6)})
    return write_artifact(run.out, card, lambda folder: (folder / "rate").write_text(f"{options.rate}") and None)


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def search(folder: Path, trials: int = 12, minutes: float = 0, *, seed: int = 0, stops: int = 0) -> OptionSearch:
    """A search in a folder. stops: number of the step before which it is interrupted."""
    method = Method("toy", "penjing.tune.linear", ToyOptions, apply)  # type: ignore[arg-type]
    steps: list[dict[str, Any]] = [{"tune.toy": {"kind": {"choose": ["plain", "odd"]}, "rate": {"low": 0, "high": 1}}}]
    recipe = Recipe.model_validate(
        {"name": "x", "data": {"files": "a"}, "steps": steps, "trials": trials, "minutes": minutes}
    )
    asked = iter(range(1, 10_000))
    cache = Cache(folder, seed, 1, Silent(), lambda: next(asked) == stops)
    progress = Overall(Told(), {"tune.toy": 1.0})
    step = Step("tune.toy", method, ToyOptions())
    return OptionSearch(recipe, step, (KIND, RATE), Inputs(None, ROWS, ROWS), cache, folder / "machine", progress)


def journal(folder: Path) -> list[dict[str, Any]]:
    (path,) = (folder / "machine").glob("trials-*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def plain(part: SearchPart) -> dict[str, Any]:
    found = part.model_dump()
    return found | {"trials": [{**one, "seconds": 0} for one in found["trials"]]}


def test_it_finds_what_is_better_and_keeps_the_weights_of_the_best_alone(tmp_path: Path) -> None:
    one = search(tmp_path, trials=25)
    step, part = one.run()
    assert len(part.trials) == 25 and part.trials[0].values == {"kind": "plain", "rate": 0.5}
    assert part.trials[0].score == 0.7 and part.best_score > 0.8
    assert part.best_score == max(trial.score or 0 for trial in part.trials if trial.state == "finished")
    assert step.options.model_dump() == part.trials[part.best - 1].values == part.options
    assert part.yaml == f"- tune.toy: {{kind: {part.options['kind']}, rate: {part.options['rate']:g}}}"
    folders = [path for path in tmp_path.iterdir() if path.is_dir() and path.name.startswith("tune-toy")]
    assert [(path / "rate").read_text() for path in folders] == [f"{part.options['rate']}"]
    assert one.cache.run(step, one.inputs).cached
    states = {trial.state for trial in part.trials}
    assert states == {"finished", "ended", "failed"}, "every way to end is seen"
    reasons = {trial.reason for trial in part.trials if trial.state == "failed"}
    assert reasons <= {"no finite loss", "the whole is a mapping: an odd rate is at most 0.9"}
    lines = one.progress.inner.lines  # type: ignore[attr-defined]
    assert (
        len(lines) == 25
        and "trial 1/25 (kind plain, rate 0.5): score 0.7000; best so far: 0.7000 in trial 1" in lines[0]
    )
    assert "about" in lines[0] and "left" not in lines[-1]


def test_the_same_seed_gives_the_same_trials(tmp_path: Path) -> None:
    first, again, other = (search(tmp_path / name, seed=seed).run()[1] for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert plain(first) == plain(again)
    assert [one.values for one in other.trials[1:]] != [one.values for one in first.trials[1:]]


@pytest.mark.parametrize("stops", [1, 4, 7])
def test_interrupted_it_goes_on_to_the_same_end_and_repeats_nothing(tmp_path: Path, stops: int) -> None:
    whole = search(tmp_path / "whole").run()
    with pytest.raises(RunInterruptedError):
        search(tmp_path / "c", stops=stops).run()
    before = journal(tmp_path / "c") if stops > 1 else []
    step, part = search(tmp_path / "c").run()
    assert journal(tmp_path / "c") == journal(tmp_path / "whole") and journal(tmp_path / "c")[: len(before)] == before
    assert plain(part) == plain(whole[1]) and step.options == whole[0].options


def test_killed_between_the_weights_and_the_line_it_takes_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search(tmp_path / "whole").run()[1]
    real, seen = tuning.append_trial, []

    def killed(path: Path, trial: Any) -> None:
        seen.append(trial)
        if len(seen) == 3:
            raise KeyboardInterrupt
        real(path, trial)

    monkeypatch.setattr(tuning, "append_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "c").run()
    monkeypatch.setattr(tuning, "append_trial", real)
    part = search(tmp_path / "c").run()[1]
    assert [(one.values, one.state, one.score) for one in part.trials] == [
        (one.values, one.state, one.score) for one in whole.trials
    ]


def test_a_larger_budget_goes_on_and_a_smaller_one_takes_the_first(tmp_path: Path) -> None:
    few = search(tmp_path, trials=5).run()[1]
    more = search(tmp_path, trials=9).run()[1]
    assert more.trials[:5] == few.trials and len(more.trials) == 9
    less = search(tmp_path, trials=3).run()[1]
    assert less.trials == few.trials[:3] and len(journal(tmp_path)) == 9


def test_no_trial_begins_after_the_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Cache.run

    def timed(*given: Any) -> Any:
        done = real(*given)
        return type(done)(done.step, done.artifact, 60.0, done.cached)

    monkeypatch.setattr(Cache, "run", timed)
    part = search(tmp_path, trials=0, minutes=2.5).run()[1]
    finished = sum(one.state == "finished" for one in part.trials)
    assert finished == 3 and part.trials[-1].state == "finished", "the third began within the time, and is not cut"
    assert len(search(tmp_path, trials=0, minutes=2.5).run()[1].trials) == len(part.trials)
    assert SearchBudget(0, 2.5).seconds_left([], 60.0) == 150.0
    trials = read_trials(next((tmp_path / "machine").iterdir()))[:1]
    assert SearchBudget(4, 0).seconds_left(trials, 1.0) == 180.0
    assert SearchBudget(40, 2.5).seconds_left(trials, 1.0) == 90.0


def test_a_training_ends_early_where_it_is_below_the_median_of_four() -> None:
    watch_of: Callable[[int], Any] = lambda count: tuning._Watch(  # noqa: E731
        "macro_f1",
        [tuning.Trial(i, {}, "finished", 1.0, ((0.5 + i / 100, 0.9),)) for i in range(count)],
    )
    low, high = [{"macro_f1": 0.4, "loss": 1.0}], [{"macro_f1": 0.6, "loss": 1.0}]
    assert not watch_of(FEWEST_PEERS - 1).is_hopeless("a", low), "too few to compare with"
    assert watch_of(FEWEST_PEERS).is_hopeless("a", low)
    assert not watch_of(FEWEST_PEERS).is_hopeless("a", high)
    assert not watch_of(FEWEST_PEERS).is_hopeless("a", [{"loss": 1.0}]), "another metric is not compared"
    assert not watch_of(FEWEST_PEERS).is_hopeless("a", low * 3), "none of the others went so far"
    second = watch_of(FEWEST_PEERS)
    second.is_hopeless("a", high)
    assert not second.is_hopeless("b", low), "the second training of a trial is not like the first"


def test_it_says_why_nothing_has_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = search(tmp_path, trials=1)
    monkeypatch.setattr(one, "ranges", (Range("rate", 0.05, (), 0.0, 0.09),))
    with pytest.raises(DataError, match="no finite loss"):
        one.run()


@pytest.mark.whole
@pytest.mark.parametrize("stops", [9, 60])
def test_a_killed_training_goes_on_inside_its_trial(tiny_base: Path, tmp_path: Path, stops: int) -> None:
    """With the training loop itself: the same weights, the same scores, and the same trials end early."""
    words = [f"{kind}{number}" for kind in ("price", "quality") for number in range(10)]
    rows = Table(
        [f"{word} common{place % 7}" for place, word in enumerate(words * 2)], labels=(["a"] * 10 + ["b"] * 10) * 2
    )
    recipe = Recipe.model_validate(
        {"name": "x", "data": {"files": "a"}, "steps": [{"tune.full": {"epochs": 3}}], "trials": 7}
    )
    step = single_step("tune.full", {"epochs": 4, "learning_rate": 1e-3, "max_tokens": 16, "layers": "all"})
    ranges = (
        Range("learning_rate", 1e-3, (), 1e-5, 5e-2, log=True),
        Range("batch_rows", 8, (), 4, 16, whole=True, step=4),
    )
    inputs = Inputs(open_base(str(tiny_base), tmp_path), rows, rows)

    def run(folder: Path, stops: int = 0) -> tuple[Step, SearchPart]:
        asked = iter(range(1, 10_000))
        cache = Cache(folder, 0, 1, Silent(), lambda: next(asked) == stops)
        progress = Overall(Silent(), {"tune.full": 1.0})
        return OptionSearch(recipe, step, ranges, inputs, cache, folder / "machine", progress).run()

    step_of_whole, whole = run(tmp_path / "whole")
    with pytest.raises(RunInterruptedError):
        run(tmp_path / "c", stops)
    again, part = run(tmp_path / "c")
    assert journal(tmp_path / "c") == journal(tmp_path / "whole")
    assert plain(part) == plain(whole) and again.options == step_of_whole.options
    left = [[path for path in (tmp_path / name).glob("tune-full-*") if path.is_dir()] for name in ("c", "whole")]
    assert [len(paths) for paths in left] == [1, 1], "the weights of the best trial alone"
    made = [open_artifact(path).id for (path,) in left]
    assert made[0] == made[1], "the same weights"
    assert len(next(line for line in journal(tmp_path / "c") if line["state"] == "finished")["curves"][0]) == 4


LINEAR = "  - tune.linear: {c: {low: 0.1, high: 64, log: true}, words: {low: 0, high: 2}, min_df: {choose: [1, 2]}}"


@pytest.mark.usefixtures("short_times")
def test_a_linear_recipe_is_searched_whole(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe = recipe_in(steps=LINEAR)
    recipe.write_text(recipe.read_text(encoding="utf-8") + "trials: 4\n", encoding="utf-8")
    made = make_release(recipe, tmp_path / "out")
    assert made.release is not None, made.refused
    part = made.report.search
    assert part is not None and len(part.trials) == 4 and part.best == best_of_rows(part)
    assert made.release.artifact.card.lineage[-1]["options"]["c"] == part.options["c"]
    assert read_report(tmp_path / "out" / "report.json").search == part
    (note,) = [one for one in made.report.notes if one.phrase.startswith("searched")]
    assert part.yaml in note.text and part.rows == made.report.data.splits["validation"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "选项搜索" in page and part.yaml.replace("'", "&#39;") in page
    # The options that were found, copied into the recipe, make the same model.
    copied = recipe.read_text(encoding="utf-8").replace(LINEAR, "  " + part.yaml).replace("trials: 4\n", "")
    recipe.write_text(copied, encoding="utf-8")
    again = make_release(recipe, tmp_path / "out")
    assert again.release is not None and again.report.search is None
    assert again.release.artifact.id == made.release.artifact.id
    (kept,) = (tmp_path / "out" / "cache" / "machine").glob("trials-*.jsonl")
    best = best_of(read_trials(kept))
    assert best is not None and best.number == part.best, "trials stay for a later run"


def best_of_rows(part: SearchPart) -> int:
    return max(part.trials, key=lambda one: (one.score or 0.0, -one.number)).number
