"""Labelled cases whose true errors are known, and policies that decide them, for the tests of certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.answers import Choice, Number
from penjing.core.certificate import Certificate
from penjing.core.nouns import Prediction
from penjing.core.task import ALL
from penjing.data.mask import VERSION, mask
from penjing.decide.examine import load_rules
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.certify import CLOCK, Labelled, certify, fix_grid, row_hash
from penjing.prove.sequence import Cases
from penjing.tasks import described, open_reader

LABELS = ("ham", "spam")
NUMBERS = open_reader("score", {"kind": "number", "within": 0.5}).learn(["0", "1.5", "2.25", "4"])
RULES = "name,text,p,then\nforced,contains 彩票,,outcome spam\nperson,contains 投诉,,review\n"


def policy(folder: Path, rules: str = RULES, tolerance: float = 0.0) -> Policy:
    spec = PolicySpec(labels=LABELS, thresholds=dict.fromkeys(LABELS), audit=0.5, tolerance=tolerance)
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    return Policy(spec=spec, rules=load_rules(folder / "rules.csv", spec.schema_of_facts()), release_id="")


def rows(made: Policy, count: int, seed: int, wrong: float = 1.0) -> Labelled:
    """Cases whose error at score p is wrong * (1 - p); of ten, one is forced and one sent to a person by a rule."""
    random = np.random.default_rng(seed)
    facts, truth = [], []
    for i in range(count):
        p = round(0.5 + 0.5 * float(random.beta(4, 1)), 6)
        top = int(random.integers(2))
        scores = (p, round(1 - p, 6)) if top == 0 else (round(1 - p, 6), p)
        right = random.random() >= wrong * (1 - p)
        text = {0: "彩票", 1: "投诉"}.get(i % 10, "你好")
        facts.append(made.facts(Prediction("a", Choice(LABELS, scores)), mask(text), {}, CLOCK))
        truth.append(LABELS[top if right else 1 - top])
    return Labelled(tuple(row_hash(f"{seed} {i}") for i in range(count)), tuple(truth), tuple(facts))


def made_certificate(made: Policy, max_error: Any = 0.05, count: int = 2_000, **more: Any) -> Certificate:
    grid = fix_grid(made, rows(made, 1_000, 1), count, max_error, more.get("reviewed", ()))
    return certify(made, grid, rows(made, count, 2), max_error, **more)


def numbers(folder: Path, rules: str = "name,value,p,then\nlow,<1,,review\n") -> Policy:
    spec = PolicySpec.model_validate(
        {"format": 3, **described(NUMBERS), "masking": VERSION, "thresholds": {ALL: None}, "audit": 0.5}
    )
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    return Policy(spec=spec, rules=load_rules(folder / "rules.csv", spec.schema_of_facts()), release_id="")


def numbered(made: Policy, count: int, seed: int) -> Labelled:
    """Values from 0 to 4; at score p the answer is further than 0.5 from the true value with probability 1 - p."""
    random = np.random.default_rng(seed)
    facts, truth = [], []
    for _ in range(count):
        p, value = round(0.5 + 0.5 * float(random.beta(4, 1)), 6), round(float(random.uniform(0, 4)), 2)
        error = 0.5 if random.random() < p else 0.51
        answer = Number(value, value - 1, value + 1, p)
        facts.append(made.facts(Prediction("a", answer), mask("你好"), {}, CLOCK))
        truth.append(f"{value + error * random.choice((-1, 1)):.2f}")
    return Labelled(tuple(row_hash(f"{seed} {i}") for i in range(count)), tuple(truth), tuple(facts))


def draw(random: np.random.Generator, rows: int, wrong: float = 1.0) -> Cases:
    """Cases whose true error at score p is wrong * (1 - p)."""
    p = 0.5 + 0.5 * random.beta(4, 1, rows)
    micro = np.round(p * 1e6).astype(np.int64)
    correct = random.random(rows) >= wrong * (1 - micro / 1e6)
    return Cases(np.zeros(rows, dtype=np.int64), micro, correct, np.ones(rows, dtype=bool))
