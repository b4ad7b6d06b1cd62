"""How often each kind of promise is broken, and how often the answers about more rows are wrong.

    python bench/promises.py --data DATA [--runs 500] [--out bench/results/promises.json]

DATA holds en-spam-sms/sms.tsv, zh-medical-dialogue/sample_internal_medicine_5000-6000.csv.gz and
zh-fraud-dialogues/dialogues.jsonl.gz (the first 4,000 rows by the hash of their text).

A promise is broken in a run where a certificate is given and a true risk is above its limit; a run without a
certificate breaks nothing. Each rate is of all runs and may be 5 % at most, but for Monte-Carlo noise (in 500 runs of a
true rate of 5 %, 6.6 % or less in 95 of 100 cases). Rules of the count, fixed before the first whole run:

- `max_error`: one limit for all cases, fixed-sequence testing. `max_miss`: the same limit and one on the misses of a
  label, on one path of threshold vectors; broken if any of the limits is.
- Known laws: the risks are computed from the law, or from 400,000 further cases. Thresholds and paths are made anew
  from new validation rows for every 20th run. `below` has an error of 0.9999 of the limit at every score, so that each
  `no_help` is false; `hopeless` one of three times the limit.
- Resplits: `tune.linear` is trained once on 40 % of the distinct rows; 10 % (validation) fix temperature, thresholds
  and path; the other half is the pool, whose shares are the truth. Calibration rows are drawn from it with replacement.
- `no_help` is false in a run where it is said and some threshold that decides a twentieth of the open cases or more, or
  some vector of the path or above its first, keeps every limit in truth. It may be false in 5 % of the runs.
- `enough` fails in a run where it is said and a certificate on so many new rows in all, drawn anew, is not given. It
  may fail in 10 % of the runs. Both answers are from twice the calibration rows, as in the report, and are counted
  where the certificate proves nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from certificate import Law, distinct, laws, sms
from penjing.core.canon import unit_hash
from penjing.core.certificate import Need
from penjing.core.nouns import Inputs, Run, Table
from penjing.data.mask import VERSION
from penjing.data.read import read_rows
from penjing.decide.policy import Policy, PolicySpec
from penjing.decide.schema import MICRO
from penjing.prove.certify import Labelled, label_facts, one_need
from penjing.prove.misses import Promised, limits_on, path_cases
from penjing.prove.needed import surest
from penjing.prove.path import Limit, PathCases, Vector, count, make_path, p_values, stricter, vectors_need
from penjing.prove.sequence import DELTA, Cases, chosen, make_grid, run_sequence, tallies, upper_bound
from penjing.runtime.open import open_session
from penjing.tune import linear

Random = np.random.Generator
# Laws with the same error at every score, as a part of the limit.
FLAT = {"below": 0.9999, "hopeless": 3.0}
AGAIN = 20  # runs with the same thresholds
PRIOR = np.array([0.8, 0.15, 0.05])
MEANS = np.array([[0.0, 0.0], [2.2, 0.0], [0.0, 2.6]])


@dataclass
class Seen:
    """What the runs of one setting gave."""

    runs: int = 0
    certified: int = 0
    broken: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    false_no_help: int = 0
    failed_enough: int = 0

    def to_json(self) -> dict[str, Any]:
        def rate(hits: int) -> dict[str, Any]:
            return {"count": hits, "rate": round(hits / self.runs, 4), "high": round(upper_bound(hits, self.runs), 4)}

        return {
            "runs": self.runs,
            "certified": self.certified,
            "broken": rate(self.broken),
            "answers": {name: self.answers[name] for name in ("enough", "unknown", "no_help")},
            "false_no_help": rate(self.false_no_help),
            "failed_enough": rate(self.failed_enough),
        }


@dataclass(frozen=True)
class OneLimit:
    """A sequence of thresholds with the true risk of each."""

    grid: tuple[float, ...]
    risks: Sequence[float]
    limit: float
    # Whether any threshold that decides enough cases keeps the limit.
    hope: bool

    def passed(self, cases: Cases) -> int | None:
        """The position of the last step that passes."""
        tried = run_sequence(cases, self.grid, self.limit)
        best = chosen(tried)
        return None if best is None else [step.threshold for step in tried].index(best.threshold)

    def holds(self, place: int) -> bool:
        return self.risks[place] <= self.limit

    def need(self, cases: Cases, rows: int, tested: int) -> Need:
        assert rows == len(cases)
        return one_need(cases, self.grid, self.limit, tested=tested)


@dataclass(frozen=True)
class Vectors:
    """A path of vectors with the true risks of each limit at each."""

    path: tuple[Vector, ...]
    risks: Sequence[Sequence[float]]
    limits: Sequence[Limit]
    hope: bool

    def passed(self, cases: PathCases) -> int | None:
        best = None
        for place, vector in enumerate(self.path):
            if max(p_values(count(cases, vector, self.limits), self.limits, vector)) > DELTA:
                break
            best = place
        return best

    def holds(self, place: int) -> bool:
        return all(risk <= each.risk for risk, each in zip(self.risks[place], self.limits, strict=True))

    def need(self, cases: PathCases, rows: int, tested: int) -> Need:
        assert rows == len(cases)
        return vectors_need(cases, self.path, self.limits, tested=tested)


def judge(order: Any, draw: Callable[[int], Any], rows: int, seen: Seen) -> None:
    """One run: certify on `rows` new cases; where nothing passes, ask what more rows would do, and check the answer."""
    seen.runs += 1
    place = order.passed(draw(rows))
    if place is not None:
        seen.certified += 1
        seen.broken += not order.holds(place)
        return
    need = order.need(draw(2 * rows), 2 * rows, rows)
    seen.answers[need.answer] += 1
    if need.answer == "no_help":
        seen.false_no_help += order.hope
    elif need.answer == "enough" and need.rows is not None:
        seen.failed_enough += order.passed(draw(need.rows + rows)) is None


def known_error(law: Law, limit: float, rows: int, runs: int, random: Random) -> Seen:
    seen = Seen()
    while seen.runs < runs:
        grid = make_grid(law.draw(random, 500), limit, rows)
        # The scores are those of p = 1/2 + Beta(shape, 1) / 2: this one has a twentieth of the cases above it.
        top = 0.5 + 0.5 * 0.95 ** (1 / law.shape)
        risks = [law.risk_above(each) for each in grid]
        order = OneLimit(grid, risks, limit, min(law.risk_above(top), *risks) <= limit)
        for _ in range(AGAIN):
            judge(order, lambda number: law.draw(random, number), rows, seen)
    return seen


def clouds(random: Random, rows: int) -> PathCases:
    """Three normal clouds of two dimensions, the model's probabilities being their true posterior."""
    truth = random.choice(3, size=rows, p=PRIOR)
    x = MEANS[truth] + random.normal(size=(rows, 2))
    weights = np.exp(-0.5 * ((x[:, None] - MEANS) ** 2).sum(-1)) * PRIOR
    chances = weights / weights.sum(1, keepdims=True)
    top, p = chances.argmax(1), np.round(chances.max(1) * 1e6).astype(np.int64)
    return PathCases(Cases(top, p, top == truth, np.ones(rows, dtype=bool)), truth, np.zeros(rows, dtype=bool), chances)


def known_miss(limits: Sequence[Limit], rows: int, runs: int, random: Random) -> Seen:
    seen, many = Seen(), clouds(random, 400_000)
    while seen.runs < runs:
        path = make_path(clouds(random, 1_000), limits, rows)
        order = _vectors(path, many, limits)
        for _ in range(AGAIN):
            judge(order, lambda number: clouds(random, number), rows, seen)
    return seen


def _vectors(path: tuple[Vector, ...], truth: PathCases, limits: Sequence[Limit]) -> Vectors:
    """The path with its true risks, which are shares of `truth`."""

    def risks(vector: Vector) -> list[float]:
        return [one.errors / max(1, one.cases) for one in count(truth, vector, limits)]

    every = [risks(vector) for vector in (*path, *stricter(truth, path[0]))]
    hope = any(all(risk <= each.risk for risk, each in zip(one, limits, strict=True)) for one in every)
    return Vectors(path, every[: len(path)], limits, hope)


def take(cases: PathCases, index: Any) -> PathCases:
    return PathCases(cases.cases.take(index), cases.truth[index], cases.forced[index], cases.chances[index])


@dataclass(frozen=True, eq=False)
class Pool:
    """A frozen model: its policy, and its validation rows and pool as the policy sees them."""

    policy: Policy
    validation: Labelled
    held: Labelled
    accuracy: float


def freeze(rows: list[tuple[str, str]], seed: int) -> Pool:
    texts, labels = distinct(rows)
    order = np.random.default_rng(seed).permutation(len(texts))
    first, second = int(0.4 * len(order)), int(0.5 * len(order))
    whole = Table(texts, labels)
    train, validation, held = (whole.take(part.tolist()) for part in np.split(order, [first, second]))
    with tempfile.TemporaryDirectory() as name:
        run = Run(out=Path(name) / "linear", scratch=Path(name) / "scratch", seed=seed)
        artifact = linear.apply(Inputs(None, train, validation), linear.Options(c=(16.0,)), run)
        known = artifact.card.labels
        spec = PolicySpec(format=2, masking=VERSION, labels=known, thresholds=dict.fromkeys(known), audit=0.0)
        policy, session = Policy(spec=spec, rules=None, release_id=""), open_session(artifact)
        seen, pool = (label_facts(session, policy, table) for table in (validation, held))
    right = [facts["label"] == gold for facts, gold in zip(pool.facts, pool.truth, strict=True)]
    return Pool(policy, seen, pool, float(np.mean(right)))


def resplit(pool: Pool, promised: Promised, rows: int, runs: int, random: Random) -> Seen:
    """Of `max_error` where no miss is limited, else of all limits on one path."""
    seen, limits = Seen(), limits_on(pool.policy, promised)
    validation = path_cases(pool.policy, pool.validation, promised)
    whole = path_cases(pool.policy, pool.held, promised)

    def index(number: int) -> Any:
        return random.integers(0, len(whole), number)

    if promised.max_miss:
        path = make_path(validation, limits, rows)
        vectors = _vectors(path, whole, limits)
        for _ in range(runs):
            judge(vectors, lambda number: take(whole, index(number)), rows, seen)
        return seen
    limit = limits[0].risk
    grid = make_grid(validation.cases, limit, rows)
    above = tuple(p / MICRO for p in np.unique(whole.cases.p) if p >= surest(whole.cases.p)[0])
    least = len(whole) / 20
    true, stricter_ones = (
        [errors / max(1, automated) for automated, errors in tallies(whole.cases, each) if automated >= least]
        for each in (grid, above[:1])
    )
    order = OneLimit(grid, true, limit, min(*true, *stricter_ones) <= limit)
    for _ in range(runs):
        judge(order, lambda number: whole.cases.take(index(number)), rows, seen)
    return seen


def medical(data: Path) -> list[tuple[str, str]]:
    file = data / "zh-medical-dialogue" / "sample_internal_medicine_5000-6000.csv.gz"
    return [(row["ask"], row["department"]) for _, row in read_rows(file)]


def fraud(data: Path) -> list[tuple[str, str]]:
    rows = [
        (row["text"], row["type"] or "-") for _, row in read_rows(data / "zh-fraud-dialogues" / "dialogues.jsonl.gz")
    ]
    return sorted(rows, key=lambda row: unit_hash("promises", row[0]))[:4_000]


def _flat(error: float) -> Callable[[Any], Any]:
    return lambda p: np.full_like(p, error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("bench/results/promises.json"))
    options = parser.parse_args()
    began, runs, found = time.monotonic(), options.runs, []

    def keep(kind: str, law: str, limits: Any, rows: int, seen: Seen, **more: Any) -> None:
        found.append({"kind": kind, "law": law, "limits": limits, "rows": rows, **more, **seen.to_json()})
        print(json.dumps(found[-1], ensure_ascii=False), flush=True)

    random = np.random.default_rng(options.seed)
    for limit, rows in ((0.05, 60), (0.05, 200), (0.05, 1_000), (0.02, 400)):
        flat = [Law(name, "P(error) is flat", 0.2 / limit, _flat(part * limit)) for name, part in FLAT.items()]
        for law in (*laws(limit), *flat):
            keep("max_error", law.name, {"error": limit}, rows, known_error(law, limit, rows, runs, random))
    for miss, rows in ((0.05, 400), (0.05, 1_200), (0.20, 400), (0.01, 2_000)):
        limits = (Limit("error", "*", None, 0.05), Limit("miss", "rare", 2, miss))
        keep("max_miss", "clouds", {"error": 0.05, "rare": miss}, rows, known_miss(limits, rows, runs, random))
    for name, given, limit, misses in (
        ("en-spam-sms", sms(options.data), 0.02, {"spam": 0.05}),
        ("zh-medical-dialogue", medical(options.data), 0.05, {"心血管科": 0.05}),
        ("zh-fraud-dialogues", fraud(options.data), 0.05, {}),
    ):
        pool = freeze(given, options.seed)
        frequent = Counter(pool.held.truth).most_common(1)[0][0]
        about = {"pool": len(pool.held), "accuracy": round(pool.accuracy, 4)}
        for rows in (150, 600):
            for asked in ({}, misses or {frequent: 0.05}):
                promised = Promised(limit, asked)
                seen = resplit(pool, promised, rows, runs, random)
                kind = "max_miss" if asked else "max_error"
                keep(kind, name, {"error": limit, **asked}, rows, seen, **about)
    whole = {"delta": DELTA, "seed": options.seed, "seconds": round(time.monotonic() - began), "settings": found}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
