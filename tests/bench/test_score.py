"""The bench of `score`: rows from the files as they lie, and the constants that a model must beat."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from bench.score import constants, math_rows, movie_rows, write_rows


def test_rows_of_problems_and_of_films(tmp_path: Path) -> None:
    folder = tmp_path / "zh-education-math-tal"
    folder.mkdir()
    for part, level in (("train", 3), ("test", 0)):
        with gzip.open(folder / f"zh_{part}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write(json.dumps({"problem": part, "difficulty": level}) + "\n")
    assert math_rows(tmp_path) == [("train", "3"), ("test", "0")]
    folder = tmp_path / "recsys-movielens-small"
    folder.mkdir()
    with gzip.open(folder / "ratings.csv.gz", "wt", encoding="utf-8") as file:
        file.write(
            "userId,movieId,rating,timestamp\n" + "".join(f"{i},1,{4 + i % 2},0\n" for i in range(6)) + "1,2,5,0\n"
        )
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n1,Up (2009),Comedy|Drama\n2,Down,Drama\n", encoding="utf-8"
    )
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,1,fun,0\n2,1,fun,0\n", encoding="utf-8")
    assert movie_rows(tmp_path) == [("Up (2009) | Comedy, Drama | fun", "4.50")]


def test_constants_are_the_best_of_each_metric() -> None:
    found = constants([1, 1, 2, 4], 0)
    assert found == {"within": 0.5, "mae": 1.0, "rmse": pytest.approx(1.2247, abs=1e-4)}


def test_rows_are_written_as_init_reads_them(tmp_path: Path) -> None:
    write_rows([("a, b", "1")], tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [{"text": "a, b", "score": "1"}]
