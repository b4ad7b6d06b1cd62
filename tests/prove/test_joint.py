"""The certificate of several tasks: its limits hold among the cases that are decided, not for each task by itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penjing.core.errors import RecipeError
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.certify import CLOCK, Labelled, in_words
from penjing.prove.joint import JointCases, certify_joint, fix_joint, joint_path, limits_of_tasks, p_values
from penjing.prove.misses import Promised
from penjing.prove.sequence import DELTA

TASK = {
    "type": "together",
    "tasks": [
        {"name": name, "type": "classify", "labels": ["no", "yes"], "weight": 1.0} for name in ("first", "second")
    ],
}
RISKS = np.array([0.10, 0.08])


def drawn(rows: int, seed: int, known: float = 1.0) -> JointCases:
    """Cases of two tasks; the second is wrong most often where the first is sure, so that each alone is no guide."""
    random = np.random.default_rng(seed)
    sure = random.random((rows, 2)) ** 0.1
    wrong = random.random((rows, 2)) > sure
    wrong[:, 1] |= (sure[:, 0] > 0.97) & (random.random(rows) < 0.02)
    given = random.random((rows, 2)) < known
    return JointCases((sure * 1e6).astype(np.int64), given, wrong & given, np.ones(rows, dtype=bool))


def policy(tolerance: float = 0.0) -> Policy:
    spec = PolicySpec(
        format=4, task=TASK, thresholds=dict.fromkeys(("first", "second")), audit=0.0, tolerance=tolerance,
        masking="2", folding="2", rules="2", facts="3", max_error=0.1,
    )  # fmt: skip
    return Policy(spec, None, "")


def labelled(cases: JointCases) -> Labelled:
    """The cases as facts and golds; the answer is always `yes`."""
    facts, truth = [], []
    for p, known, wrong in zip(cases.p.tolist(), cases.known.tolist(), cases.wrong.tolist(), strict=True):
        own = {"p": p[0] * p[1] / 1e12, "too_long": False, "pii": {}, "fields": {}, "clock": CLOCK, "text": {}}
        gold = {}
        for place, name in enumerate(("first", "second")):
            own |= {f"{name}.label": "yes", f"{name}.p": p[place] / 1e6, f"{name}.margin": 1.0}
            gold[name] = ("no" if wrong[place] else "yes") if known[place] else ""
        facts.append({**own, "version": "3", "features": {}})
        truth.append(json.dumps(gold))
    return Labelled(tuple(f"{i:016x}" for i in range(len(truth))), tuple(truth), tuple(facts))


def test_the_certificate_counts_what_the_policy_decides() -> None:
    one, promised = policy(0.001), Promised({"second": 0.05, "first": 0.10}, {})
    calibration = drawn(3_000, 2, known=0.9)
    path = fix_joint(one, labelled(drawn(1_500, 1)), 3_000, promised)
    certificate = certify_joint(one, path, labelled(calibration), promised)
    assert certificate.certified and certificate.max_error == {"first": 0.10, "second": 0.05}
    spec = one.spec.model_copy(update={"thresholds": certificate.thresholds})
    at = Policy(spec, None, "")
    decided = np.array([at.decide("", facts).route == "automatic" for facts in labelled(calibration).facts])
    last = [step for step in certificate.path_steps if step.passed][-1]
    for place, test in enumerate(last.tests):
        assert test.cases == int((decided & calibration.known[:, place]).sum())
        assert test.errors == int((decided & calibration.wrong[:, place]).sum())
        assert test.p_value <= DELTA
    assert certificate.automation == pytest.approx(decided.mean())
    assert certificate.error == pytest.approx((decided & calibration.wrong.any(axis=1)).sum() / decided.sum())
    assert "within the limit of each task" in in_words(certificate)


def test_a_path_automates_more_at_each_step() -> None:
    cases = drawn(2_000, 3)
    sizes = [int(cases.taken(np.array(vector)).sum()) for vector in joint_path(cases, RISKS, 2_000, delta=DELTA)]
    assert len(sizes) > 5 and sizes == sorted(set(sizes))


def test_the_limits_hold_among_decided_cases_as_often_as_promised() -> None:
    everything, broken, certified = drawn(400_000, 99), 0, 0
    for seed in range(60):
        validation, calibration = drawn(400, 1_000 + seed), drawn(900, 5_000 + seed)
        passed = None
        for vector in joint_path(validation, RISKS, 900, delta=DELTA):
            if max(p_values(calibration.count(np.array(vector)), RISKS.tolist())) > DELTA:
                break
            passed = vector
        if passed is not None:
            certified += 1
            true = [errors / cases for cases, errors in everything.count(np.array(passed))]
            broken += any(rate > risk for rate, risk in zip(true, RISKS.tolist(), strict=True))
    assert certified > 30
    # 60 runs at 5 %: 3 are expected at most, and 10 or more happen once in a thousand times.
    assert broken < 10


def test_without_a_certificate_more_rows_are_asked_for() -> None:
    one, promised = policy(), Promised(0.0001, {})
    path = fix_joint(one, labelled(drawn(300, 1)), 200, promised)
    certificate = certify_joint(one, path, labelled(drawn(200, 2)), promised)
    assert not certificate.certified and set(certificate.thresholds.values()) == {None}
    assert certificate.needs["*"].answer in {"enough", "unknown", "no_help"} and certificate.automation == 0


def test_every_task_needs_a_limit() -> None:
    assert limits_of_tasks(("a", "b"), 0.1) == {"a": 0.1, "b": 0.1}
    with pytest.raises(RecipeError, match="no limit for the task `b`"):
        limits_of_tasks(("a", "b"), {"a": 0.1})
    with pytest.raises(RecipeError, match="unknown task 'c'"):
        limits_of_tasks(("a", "b"), {"a": 0.1, "c": 0.1})
