"""Is the certificate's promise kept? Resplits of held-out rows under a frozen model, and runs whose risk is known.

    python bench/certificate.py --data DATA [--resplits 1000] [--runs 1000] [--out bench/results/certificate.json]

DATA holds en-spam-sms/sms.tsv and zh-sentiment-chnsenticorp/{train.tsv.gz,dev.tsv,test.tsv}. The third set are the
reviews of `penjing demo`, as many as it takes at most, under its rules.

(a) Frozen model. `tune.linear` is trained once on 40 % of the distinct rows, 10 % (validation) fix temperature and
grid; half of the rows is held out and goes once through session, rules and policy. Then, for every resplit, one half
of the held-out rows certifies and the other half judges. A certificate that ends in a threshold is judged three ways:
- `share`: the judging half's plain share of errors is above the limit. Noise alone does that in up to half of the
  resplits of a release whose risk lies at the limit, and the two halves of one pool oppose each other (a half with few
  errors leaves many to the other), so this is an upper figure;
- `tested`: the judging half rejects "risk <= limit" by its own exact one-sided binomial test at 5 %. A release whose
  risk is exactly at the limit is called a violation by mistake in at most 5 % of the resplits;
- `pool`: the share of errors over the whole pool is above the limit. For rows drawn from this pool that is the truth,
  so it has no noise of its own.
And with the pool as the population, `drawn`: calibration rows are drawn from it with replacement, as the theorem has
it, and the pool's share of errors is the true risk. `pool` and `drawn` may not exceed 5 % but for Monte-Carlo noise.

(b) Known risk. Scores and errors are drawn from a stated law, so that the risk above each threshold is known.
The law `edge` has the same risk at every threshold, just above the limit: every certificate there is a violation.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from penjing.core.nouns import Inputs, Run, Table
from penjing.data.clean import clean
from penjing.data.mask import VERSION, mask
from penjing.data.read import read_rows
from penjing.decide.examine import load_rules
from penjing.decide.policy import Policy, PolicySpec
from penjing.make.demo import MOST, RULES, reviews
from penjing.prove.certify import Labelled, cases_of, label_facts, row_hash
from penjing.prove.sequence import DELTA, Cases, binomial_tail, chosen, make_grid, run_sequence, upper_bound
from penjing.runtime.open import open_session
from penjing.tune import linear

SMS_RULES = "name,text,pii.mobile,p,then\nprize,contains prize|claim,,,outcome spam\nlow,,,<0.55,review\n"
REVIEW_RULES = "name,text,p,then\ncomplaint,contains 投诉|退款,,review\nlow,,<0.55,review\n"
Random = np.random.Generator


def sms(data: Path) -> list[tuple[str, str]]:
    rows = read_rows(data / "en-spam-sms" / "sms.tsv", columns=["label", "text"])
    return [(row["text"], row["label"]) for _, row in rows]


def chnsenticorp(data: Path) -> list[tuple[str, str]]:
    folder = data / "zh-sentiment-chnsenticorp"
    files = [folder / name for name in ("train.tsv.gz", "dev.tsv", "test.tsv")]
    return [(row["text_a"], row["label"]) for file in files for _, row in read_rows(file)]


def distinct(rows: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Cleaned and masked texts, the first of those that are alike."""
    found: dict[str, tuple[str, str]] = {}
    for text, label in rows:
        masked = mask(clean(text)).text
        if masked:
            found.setdefault(row_hash(masked), (masked, label))
    return [text for text, _ in found.values()], [label for _, label in found.values()]


@dataclass(frozen=True, eq=False)
class Frozen:
    """A model trained once: its validation cases, and the held-out pool."""

    rows: dict[str, int]
    accuracy: float
    validation: Cases
    pool: Cases
    forced: int
    ruled: int


def freeze(rows: list[tuple[str, str]], rules: str, seed: int) -> Frozen:
    texts, labels = distinct(rows)
    order = np.random.default_rng(seed).permutation(len(texts))
    first, second = int(0.4 * len(order)), int(0.5 * len(order))
    whole = Table(texts, labels)
    train, validation, held = (whole.take(part.tolist()) for part in np.split(order, [first, second]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Run(out=folder / "linear", scratch=folder / "scratch", seed=seed)
        artifact = linear.apply(Inputs(None, train, validation), linear.Options(), run)
        known = artifact.card.labels
        spec = PolicySpec(format=2, masking=VERSION, labels=known, thresholds=dict.fromkeys(known), audit=0.0)
        (folder / "rules.csv").write_text(rules, encoding="utf-8")
        policy = Policy(spec=spec, rules=load_rules(folder / "rules.csv", spec.schema_of_facts()), release_id="")
        session = open_session(artifact)
        seen, pool = (label_facts(session, policy, table) for table in (validation, held))
    cases = cases_of(policy, pool)
    return Frozen(
        rows={"distinct": len(texts), "train": len(train), "validation": len(validation), "held_out": len(held)},
        accuracy=float(cases.correct.mean()),
        validation=cases_of(policy, seen),
        pool=cases,
        forced=_by_rule(policy, pool, forced=True),
        ruled=_by_rule(policy, pool, forced=False),
    )


def _by_rule(policy: Policy, pool: Labelled, *, forced: bool) -> int:
    decided = [policy.decide("", facts) for facts in pool.facts]
    return sum(each.decided_by == "rule" and each.forced == forced for each in decided)


def counts(cases: Cases, threshold: float) -> tuple[int, int]:
    """(automated, errors) at a threshold."""
    taken = cases.open & (cases.p >= round(threshold * 1e6))
    return int(taken.sum()), int((taken & ~cases.correct).sum())


def rate(hits: int, runs: int) -> dict[str, Any]:
    return {"count": hits, "of": runs, "rate": round(hits / runs, 4), "high": round(upper_bound(hits, runs), 4)}


def resplit(frozen: Frozen, risk: float, runs: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    pool, half = frozen.pool, len(frozen.pool) // 2
    grid = make_grid(frozen.validation, risk, half)
    hits = {"share": 0, "tested": 0, "pool": 0, "drawn": 0}
    certified = drawn_certified = 0
    automation: list[float] = []
    for _ in range(runs):
        order = random.permutation(len(pool))
        best = chosen(run_sequence(pool.take(order[:half]), grid, risk))
        if best is not None:
            certified += 1
            automated, errors = counts(pool.take(order[half:]), best.threshold)
            automation.append(automated / (len(pool) - half))
            hits["share"] += errors > risk * automated
            # P(Bin(n, risk) >= k) = 1 - P(Bin <= k - 1), taken from the other side so as not to lose digits.
            hits["tested"] += errors > 0 and binomial_tail(automated - errors, automated, 1 - risk) <= DELTA
            hits["pool"] += _above(pool, best.threshold, risk)
        best = chosen(run_sequence(pool.take(random.integers(0, len(pool), half)), grid, risk))
        if best is not None:
            drawn_certified += 1
            hits["drawn"] += _above(pool, best.threshold, risk)
    return {
        "max_error": risk,
        "calibration_rows": half,
        "grid": len(grid),
        "certified": certified,
        "certified_drawn": drawn_certified,
        "automation": round(float(np.mean(automation)), 4) if automation else None,
        "violations": {name: rate(count, runs) for name, count in hits.items()},
        "pool_error_if_all_were_automated": round(1 - float(pool.correct[pool.open].mean()), 4),
    }


def _above(pool: Cases, threshold: float, risk: float) -> bool:
    automated, errors = counts(pool, threshold)
    return errors > risk * automated


@dataclass(frozen=True)
class Law:
    """p = 1/2 + Beta(shape, 1) / 2; P(error | p) = error(p)."""

    name: str
    words: str
    shape: float
    error: Callable[[Any], Any]

    def draw(self, random: Random, rows: int) -> Cases:
        p = np.round((0.5 + 0.5 * random.beta(self.shape, 1, rows)) * 1e6).astype(np.int64)
        correct = random.random(rows) >= self.error(p / 1e6)
        return Cases(np.zeros(rows, dtype=np.int64), p, correct, np.ones(rows, dtype=bool))

    def risk_above(self, threshold: float) -> float:
        """E(error | p >= threshold), by the midpoint rule on 200,000 points of the score's distribution."""
        low = max(0.0, 2 * threshold - 1) ** self.shape
        quantiles = low + (1 - low) * (np.arange(200_000) + 0.5) / 200_000
        return float(np.mean(self.error(0.5 + 0.5 * quantiles ** (1 / self.shape))))


def laws(risk: float) -> Iterator[Law]:
    # The lower the limit, the surer the scores, so that about half of the cases can be certified.
    shape = 0.2 / risk
    yield Law("calibrated", "P(error) = 1 - p", shape, lambda p: 1 - p)
    yield Law("overconfident", "P(error) = 2 (1 - p), at most 0.6", 2 * shape, lambda p: np.minimum(0.6, 2 * (1 - p)))
    yield Law("floor", "P(error) = 0.4 of the limit + (1 - p) / 2", shape, lambda p: 0.4 * risk + (1 - p) / 2)
    yield Law("edge", "P(error) = 1.0001 of the limit at every score", shape, lambda p: np.full_like(p, 1.0001 * risk))


def known_risk(law: Law, risk: float, calibration: int, runs: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    certified = violations = 0
    automation = []
    risks: dict[float, float] = {}
    for _ in range(runs):
        grid = make_grid(law.draw(random, calibration // 2), risk, calibration)
        best = chosen(run_sequence(law.draw(random, calibration), grid, risk))
        if best is not None:
            certified += 1
            automation.append(best.automated / calibration)
            if best.threshold not in risks:
                risks[best.threshold] = law.risk_above(best.threshold)
            violations += risks[best.threshold] > risk
    return {
        "law": law.name,
        "words": law.words,
        "max_error": risk,
        "calibration_rows": calibration,
        "validation_rows": calibration // 2,
        "certified": certified,
        "automation": round(float(np.mean(automation)), 4) if automation else None,
        "violations": rate(violations, runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--resplits", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("bench/results/certificate.json"))
    options = parser.parse_args()
    found: dict[str, Any] = {
        "delta": DELTA,
        "method": "tune.linear; fixed-sequence Learn-then-Test, exact binomial p-values",
        "noise": f"a true rate of 5 % gives at most {0.05 + 1.645 * math.sqrt(0.05 * 0.95 / options.resplits):.3f} "
        f"in {options.resplits} resplits in 95 of 100 cases",
        "seed": options.seed,
        "resplits": [],
        "known_risk": [],
    }
    for name, rows, rules, risks in (
        ("sms", sms(options.data), SMS_RULES, (0.01, 0.02, 0.05)),
        ("chnsenticorp", chnsenticorp(options.data), REVIEW_RULES, (0.05, 0.07, 0.10)),
        ("demo", reviews()[:MOST], RULES, (0.08, 0.10, 0.12)),
    ):
        frozen = freeze(rows, rules, options.seed)
        about = {
            "data": name,
            "rows": frozen.rows,
            "accuracy": round(frozen.accuracy, 4),
            "forced": frozen.forced,
            "ruled": frozen.ruled,
        }
        for risk in risks:
            done = about | resplit(frozen, risk, options.resplits, options.seed)
            found["resplits"].append(done)
            print(json.dumps(done, ensure_ascii=False), flush=True)
    for risk, calibration in ((0.05, 200), (0.05, 1000), (0.01, 2000)):
        for law in laws(risk):
            done = known_risk(law, risk, calibration, options.runs, options.seed)
            found["known_risk"].append(done)
            print(json.dumps(done, ensure_ascii=False), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
