"""A small labelled file with a recipe, for the tests that run `make` whole."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = ("房间干净", "服务热情", "物流很快", "质量不错", "味道好", "下次再来", "非常满意")
BAD = ("房间很脏", "态度恶劣", "物流太慢", "质量太差", "难吃", "不会再来", "非常失望")
PLAIN = ("今天", "昨天", "店里", "客服", "包装", "价格", "早上", "朋友", "一起", "第一次", "前台", "快递员", "楼下")

RECIPE = """\
name: reviews
data: {{files: rows.csv, text: text, label: label}}
base: {base}
steps:
{steps}
gates: {gates}
decide: {{max_error: 0.10, rules: {rules}, audit: 0.01}}
threads: 1
choose: {choose}
"""


def write_rows(path: Path, count: int) -> None:
    drawn = random.Random(0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(count):
            words = [*drawn.sample(PLAIN, 4), drawn.choice(GOOD if number % 2 else BAD), str(drawn.randrange(10**6))]
            drawn.shuffle(words)
            writer.writerow(["，".join(words), "好" if number % 2 else "差"])


@pytest.fixture
def recipe_in(tmp_path: Path) -> Callable[..., Path]:
    """Write rows.csv and recipe.yaml into the test's folder and return the recipe's path."""

    def write(
        steps: str = "  - tune.linear: {}",
        gates: str = "{keep: 0.97, size_mb: 30, unproven: allow}",
        rules: str = "null",
        base: str = "penjing/mini",
        rows: int = 500,
        choose: str = "validation",
    ) -> Path:
        write_rows(tmp_path / "rows.csv", rows)
        path = tmp_path / "recipe.yaml"
        path.write_text(
            RECIPE.format(steps=steps, gates=gates, rules=rules, base=base, choose=choose), encoding="utf-8"
        )
        return path

    return write
