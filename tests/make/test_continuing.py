"""A release that goes on from an earlier one: replayed rows, what is refused, and what the report says."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.make.conftest import BAD, GOOD, PLAIN, RECIPE

from penjing.core.errors import DamageError, RecipeError
from penjing.core.nouns import Artifact, Card, Release, Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import prepare
from penjing.make.check_recipe import check_recipe
from penjing.make.continuing import continued, continuing_faults
from penjing.make.run import Made, make_release
from penjing.tasks import reader_of

pytestmark = pytest.mark.usefixtures("short_times")

SLOW = ("电话没人接", "退款太慢", "一直不回复", "等了很久")


@pytest.fixture
def earlier(recipe_in: Callable[..., Path], tmp_path: Path) -> Made:
    recipe = recipe_in()
    made = make_release(recipe, tmp_path / "old")
    recipe.rename(tmp_path / "old.yaml")
    return made


def new_rows(path: Path, labels: dict[str, tuple[str, ...]], count: int = 300) -> None:
    drawn = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(count):
            label = list(labels)[number % len(labels)]
            words = [*drawn.sample(PLAIN, 4), drawn.choice(labels[label]), str(drawn.randrange(10**6))]
            writer.writerow(["，".join(words), label])


def write(tmp_path: Path, continues: str, gates: str = "{unproven: allow}") -> Path:
    path = tmp_path / "new.yaml"
    text = RECIPE.format(
        steps="  - tune.linear: {}", gates=gates, rules="null", base="penjing/mini", choose="auto"
    ).replace("choose: auto\n", "")
    path.write_text(text.replace("rows.csv", "new.csv") + f"continues: {continues}\n", encoding="utf-8")
    return path


def test_earlier_rows_are_learned_again_and_the_report_says_what_is_left(earlier: Made, tmp_path: Path) -> None:
    assert earlier.release is not None
    new_rows(tmp_path / "new.csv", {"慢": SLOW, "好": GOOD})
    file = load_recipe(
        write(tmp_path, "{release: old/release, recipe: old.yaml, replay: 1}", "{forget: 0.15, unproven: allow}")
    )
    reader = reader_of(file)
    data = prepare(file, reader, Silent())
    both, found = continued(file, data, reader, Silent())
    assert found is not None
    assert len(found.replayed) == len(data.train)
    assert abs(list(found.replayed.labels or ()).count("好") - len(found.replayed) / 2) <= 1, "as many of each label"
    assert set(both.task.state["labels"]) == {"好", "差", "慢"} == set(both.labels)
    held = {text for table in (both.validation, both.calibration, both.test) for text in table.texts}
    assert not held & set(found.replayed.texts)
    assert not set(found.test.texts) & set(both.train.texts)
    assert len(both.origins["train"]) == len(both.train)
    made = make_release(file.path, tmp_path / "new")
    assert made.release is not None, made.refused
    sections = {section.name: section for section in made.report.sections}
    matrix = {(row[0], row[1]): row[2] for row in sections["retained"].rows}
    assert set(matrix) == {
        (release, rows)
        for release in ("the earlier release", "this release")
        for rows in ("earlier test rows", "test rows")
    }
    forget = next(gate for gate in made.report.gates if gate.name == "forget")
    assert (forget.state, forget.promised) == ("held", 0.15)
    assert "200" in forget.note or "cases" in forget.note
    page = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    assert "忘掉了什么？" in page


@pytest.mark.parametrize("key", ["continues", "base"])
def test_rows_that_the_earlier_release_used_train_and_prove_nothing(earlier: Made, tmp_path: Path, key: str) -> None:
    """The new file holds all earlier rows too, as a file that grows does."""
    assert earlier.release is not None
    new_rows(tmp_path / "more.csv", {"差": SLOW, "好": GOOD}, 200)
    old, more = ((tmp_path / name).read_text(encoding="utf-8") for name in ("rows.csv", "more.csv"))
    (tmp_path / "new.csv").write_text(old + more.split("\n", 1)[1], encoding="utf-8")
    path = write(tmp_path, "old/release")
    text = path.read_text(encoding="utf-8").replace("base: penjing/mini\n", "")
    path.write_text(text.replace("continues:", f"{key}:"), encoding="utf-8")
    file = load_recipe(path)
    reader = reader_of(file)
    data = prepare(file, reader, Silent())
    known = {row.split(",")[0] for row in old.splitlines()} | {row.rsplit(",", 1)[0] for row in old.splitlines()}
    assert any(text in known for text in data.calibration.texts), "the rows are mixed before"
    found, _ = continued(file, data, reader, Silent())
    for table in (found.validation, found.calibration, found.test):
        assert len(table) and not any(text in known for text in table.texts)
    assert sum(map(len, found.tables)) == sum(map(len, data.tables)), "nothing is lost"
    assert len(found.origins["train"]) == len(found.train) == found.audit.splits["train"]
    assert [problem.code for problem in found.audit.problems if problem.code == "known_rows"] == ["known_rows"]


@pytest.mark.usefixtures("earlier")
def test_a_file_of_earlier_rows_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_bytes((tmp_path / "rows.csv").read_bytes())
    with pytest.raises(RecipeError, match=r"has used every row of the validation part"):
        make_release(write(tmp_path, "old/release"), tmp_path / "new")


@pytest.mark.whole
@pytest.mark.usefixtures("earlier")
def test_what_was_lost_refuses_a_release(tmp_path: Path) -> None:
    """New rows in which the words of praise mean the opposite; a report without texts has none of the lost cases."""
    new_rows(tmp_path / "new.csv", {"差": GOOD, "好": BAD})
    recipe = write(tmp_path, "old/release", "{forget: 0.01, unproven: allow}")
    made = make_release(recipe, tmp_path / "new")
    assert made.release is None
    assert any("forget" in line for line in made.refused)
    assert "lost" in {section.name for section in made.report.sections}
    told = make_release(recipe, tmp_path / "without", texts=False)
    assert "lost" not in {section.name for section in told.report.sections}


@pytest.mark.parametrize(
    ("continues", "labels", "what"),
    [
        ("old/release", {"慢": SLOW, "好": GOOD}, "no row has the label `差`"),
        ("nowhere", {"差": BAD, "好": GOOD}, "nowhere"),
        ("{release: old/release, recipe: new.yaml}", {"差": BAD, "好": GOOD}, "continues itself"),
        ("{release: old/release, recipe: other.yaml}", {"差": BAD, "好": GOOD}, "other train rows than those"),
    ],
)
def test_what_cannot_be_continued_is_refused_with_its_line(
    earlier: Made, tmp_path: Path, continues: str, labels: dict[str, tuple[str, ...]], what: str
) -> None:
    assert earlier.release is not None
    new_rows(tmp_path / "new.csv", labels)
    (tmp_path / "other.yaml").write_text(
        (tmp_path / "old.yaml").read_text(encoding="utf-8") + "seed: 5\n", encoding="utf-8"
    )
    recipe = write(tmp_path, continues)
    with pytest.raises(RecipeError, match=what) as told:
        make_release(recipe, tmp_path / "new")
    assert "new.yaml:9" in str(told.value)


@pytest.mark.parametrize("step", ["tune.linear: {}", "tune.full: {}"])
def test_a_damaged_release_is_told_once_with_its_line(tiny_release: Release, tmp_path: Path, step: str) -> None:
    """Of an encoder it is the base too, which is opened before."""
    shutil.copytree(tiny_release.folder, tmp_path / "old")
    suite = tmp_path / "old" / "regression.jsonl"
    suite.write_bytes(suite.read_bytes() + b" ")
    new_rows(tmp_path / "new.csv", {"差": BAD, "好": GOOD}, 120)
    recipe = write(tmp_path, "{release: old}")
    text = recipe.read_text(encoding="utf-8").replace("base: penjing/mini\n", "").replace("tune.linear: {}", step)
    recipe.write_text(text, encoding="utf-8")
    (fault,) = check_recipe(load_recipe(recipe), Silent()).faults
    assert isinstance(fault, DamageError) and "'regression.jsonl' was changed" in fault.what
    assert fault.where is not None and "new.yaml:8" in fault.where


@pytest.mark.usefixtures("earlier")
def test_two_recipes_that_continue_each_other_are_refused(tmp_path: Path) -> None:
    new_rows(tmp_path / "new.csv", {"差": BAD, "好": GOOD})
    first = write(tmp_path, "{release: old/release, recipe: second.yaml}")
    text = first.read_text(encoding="utf-8")
    (tmp_path / "second.yaml").write_text(text.replace("second.yaml", "new.yaml"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"new\.yaml:9.*second\.yaml:9.*the recipe continues itself"):
        make_release(first, tmp_path / "new")


def test_a_promise_without_an_earlier_release_is_refused(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    recipe = recipe_in(gates="{forget: 0.01}")
    with pytest.raises(RecipeError, match="the recipe continues none"):
        make_release(recipe, tmp_path / "out")


def test_a_step_that_goes_on_needs_a_tuned_model_and_says_where_one_comes_from(
    recipe_in: Callable[..., Path], tmp_path: Path
) -> None:
    """Of a release of word counts nothing can be trained on, and a base of its own is no tuned model."""
    base = Artifact(tmp_path, "1", Card(form="torch", method="pretrain.mlm"))
    recipe = recipe_in(steps="  - tune.continual: {}\n  - compress.int8: {}")
    plain, fixes = recipe.read_text(encoding="utf-8"), []
    for continues in ("", "continues: {release: ../old/release}\n"):
        recipe.write_text(plain + continues, encoding="utf-8")
        (fault,) = continuing_faults(load_recipe(recipe), base)
        assert "goes on from a tuned model" in fault.what
        fixes.append(fault.fix)
    assert fixes == [
        "add `continues: ../OLD/out/release`",
        "take `tune.full`, or continue a release in which an encoder was sealed",
    ]


def test_a_type_of_entities_that_no_row_has_is_refused_too(tmp_path: Path) -> None:
    """A release of `tag` goes on with rows of another type alone."""

    def rows(kind: str, day: str) -> str:
        lines = []
        for number in range(120):
            text = f"{day}{number}号张三去了"
            start = text.index("张三")
            spans = [{"start": start, "end": start + 2, "label": kind}]
            lines.append(json.dumps({"text": text, "label": spans}, ensure_ascii=False))
        return "\n".join(lines) + "\n"

    recipe = "name: a\ntask: {type: tag}\ndata: {files: FILE}\nsteps:\n- tune.linear: {}\ngates: {unproven: allow}\n"
    for name, kind, day in (("old", "人", "今天"), ("new", "角色", "明天")):
        (tmp_path / f"{name}.jsonl").write_text(rows(kind, day), encoding="utf-8")
        (tmp_path / f"{name}.yaml").write_text(recipe.replace("FILE", f"{name}.jsonl"), encoding="utf-8")
    assert make_release(tmp_path / "old.yaml", tmp_path / "old").release is not None
    with (tmp_path / "new.yaml").open("a", encoding="utf-8") as file:
        file.write("continues: old/release\n")
    with pytest.raises(RecipeError, match="no row has the label `人`"):
        make_release(tmp_path / "new.yaml", tmp_path / "new")
