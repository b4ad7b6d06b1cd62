"""The second bench of `score`: rows, what is known before a rating, and what a constant would be certified for."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from penjing.core.recipe import load_recipe
from penjing.tasks import reader_of
from score_second import SUBJECTS, constant_of, counts_of, ratings_rows, recipe_of, school_rows, steps_rows


def test_steps_are_the_lines_between_problem_and_answer(tmp_path: Path) -> None:
    (tmp_path / "raw-en-modern").mkdir()
    with gzip.open(tmp_path / "raw-en-modern" / "gsm8k-train.txt.gz", "wt", encoding="utf-8") as file:
        file.write("How many?\n1+1=2\n2+2=4\n#### 4\n\nno solution here\n\nAnd now?\n3\n#### 3\n")
    assert [(row["text"], row["score"]) for row in steps_rows(tmp_path)] == [("How many?", "2"), ("And now?", "1")]


def test_school_reads_both_files(tmp_path: Path) -> None:
    folder = tmp_path / "zh-education-math-tal"
    folder.mkdir()
    line = lambda text, grade: json.dumps({"problem": text, "difficulty": grade})  # noqa: E731
    with gzip.open(folder / "en_train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(line("a", 1))
    (folder / "en_test.jsonl").write_text(line("b", 4) + "\n", encoding="utf-8")
    assert school_rows(tmp_path) == [{"text": "a", "score": "1"}, {"text": "b", "score": "4"}]


def test_a_rating_is_told_nothing_of_itself_or_of_later_ones(tmp_path: Path) -> None:
    folder = tmp_path / "recsys-movielens-small"
    folder.mkdir()
    films = "".join(f"{i},Film {i},Drama|War\n" for i in range(22))
    (folder / "movies.csv").write_text(f"movieId,title,genres\n{films}", encoding="utf-8")
    # User 1 rates films 1 to 20 with 2, then film 0 with 5, which five others rated with 4 before. 9 has no history.
    lines = [f"1,{i},2,{i}" for i in range(1, 21)]
    lines += [f"{user},0,4,{user}" for user in range(2, 7)]
    lines += ["1,0,5,100", "9,0,1,200"]
    with gzip.open(folder / "ratings.csv.gz", "wt", encoding="utf-8") as file:
        file.write("userId,movieId,rating,timestamp\n" + "\n".join(reversed(lines)) + "\n")
    (row,) = ratings_rows(tmp_path)
    assert row == {
        "text": "Film 0 | Drama, War", "score": "5", "user_mean": "2.0000", "user_spread": "0.0000",
        "user_last": "2.0000", "film_mean": "4.0000", "film_spread": "0.0000", "film_count": "1.6094",
    }  # fmt: skip


@pytest.mark.parametrize(("wrong", "certified"), [(2, True), (9, False)])
def test_a_constant_is_certified_by_the_exact_test(wrong: int, certified: bool) -> None:
    """Of 100 cases 2 errors are at most 6.2 % at 95 %, and 9 are at most 15.2 % (Clopper and Pearson)."""
    table = lambda *golds: SimpleNamespace(labels=golds)  # noqa: E731
    prepared = SimpleNamespace(
        train=table("3", "3", "4", "7"),
        calibration=table(*["3"] * (100 - wrong), *["7"] * wrong),
        test=table("4", "7", "2", "3"),
    )
    found = constant_of(prepared, 1, 0.10)  # type: ignore[arg-type]
    assert found["value"] == 3 and found["within"] == 0.75
    assert found["error_high"] == pytest.approx({2: 0.0616, 9: 0.1517}[wrong], abs=2e-3)
    assert (found["certified"], found["automation_rate"]) == (certified, float(certified))


def test_counts_are_of_whole_cases() -> None:
    one = {"automation_rate": 0.614286, "rows": 280, "error_among_automated": {"value": 0.133721}}
    assert counts_of(one) == {"automated": 172, "wrong": 23}
    none = {"automation_rate": 0.0, "rows": 280, "error_among_automated": {"value": None}}
    assert counts_of(none) == {"automated": 0, "wrong": 0}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_the_recipes_are_read(subject, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe_of(subject), encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    reader = reader_of(file)
    assert (reader.within, file.recipe.decide.max_error) == (subject.within, subject.max_error)
    assert bool(file.recipe.data.features) == (subject.name == "ratings")
