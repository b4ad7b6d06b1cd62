"""The demonstration's data: real reviews, distinct, without contradictions, the same ones every time."""

from __future__ import annotations

import csv
from pathlib import Path

from penjing.core.recipe import load_recipe
from penjing.decide.examine import load_rules
from penjing.decide.schema import FactSchema
from penjing.make.demo import LEAST, MOST, machine_rows, write_demo
from penjing.make.plan import build_plan


def test_rows_and_recipe(tmp_path: Path) -> None:
    recipe, count = write_demo(tmp_path)
    assert LEAST <= count <= MOST
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count == len({row["text"] for row in rows})
    assert {row["label"] for row in rows} == {"正面", "负面"}
    assert [step.name for step in build_plan(load_recipe(recipe))] == ["tune.full", "compress.int8"]
    rules = load_rules(tmp_path / "rules.csv", FactSchema(("正面", "负面")))
    assert [rule.name for rule in rules.rules] == ["refund-to-a-person", "phone-number"]


def test_a_second_call_keeps_the_rows(tmp_path: Path) -> None:
    write_demo(tmp_path)
    before = (tmp_path / "reviews.csv").read_bytes()
    write_demo(tmp_path)
    assert (tmp_path / "reviews.csv").read_bytes() == before
    assert LEAST <= machine_rows() <= MOST
