"""Score and certificate on the same rows hold together, and bounds allow for thresholds that were chosen on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.labelled_cases import made_certificate, policy

from penjing.measure.evaluate import bootstrap
from penjing.prove.sequence import DELTA, Cases, chosen, make_grid, run_sequence, upper_bound
from penjing.prove.shared import level_of_choice

RUNS, ROWS = 500, 170


def draw(random: np.random.Generator, count: int) -> Cases:
    """Cases of one known law: the error at confidence p is 1 - p."""
    p = np.round(1_000_000 * (0.5 + 0.5 * random.beta(3, 1, count))).astype(np.int64)
    correct = random.random(count) >= 1 - p / 1_000_000
    return Cases(np.zeros(count, dtype=np.int64), p, correct, np.ones(count, dtype=bool))


def test_score_and_certificate_hold_together_in_95_of_100_runs() -> None:
    random = np.random.default_rng(0)
    world = draw(random, 400_000)
    truth, risk = float(world.correct.mean()), 0.08
    grid = make_grid(draw(random, 1_000), risk, ROWS, delta=DELTA / 2)
    true_risk = {t: float((~world.correct[world.p >= t * 1_000_000]).mean()) for t in grid}
    scores = certificates = together = proven = 0
    for _ in range(RUNS):
        held_out = draw(random, ROWS)
        low = bootstrap(held_out.correct[:, None].astype(float), lambda sums: sums[..., 0] / ROWS, draws=500).low
        best = chosen(run_sequence(held_out, grid, risk, delta=DELTA / 2))
        proven += best is not None
        false_score, false_proof = low > truth, best is not None and true_risk[best.threshold] > risk
        scores, certificates, together = (
            scores + false_score,
            certificates + false_proof,
            together + (false_score or false_proof),
        )
    assert proven > RUNS / 10, "a certificate that is never given proves nothing about its errors"
    # Three standard deviations above 2.5 % and 5 % of 500 runs.
    assert scores <= 23 and certificates <= 23
    assert 0 < together <= 39


def test_a_bound_allows_for_the_threshold_that_was_chosen_on_the_rows() -> None:
    random = np.random.default_rng(1)
    world = draw(random, 400_000)
    grid = make_grid(draw(random, 1_000), 0.2, ROWS)
    held = runs = 0
    for _ in range(RUNS):
        rows = draw(random, ROWS)
        best = chosen(run_sequence(rows, grid, 0.2))
        if best is None:
            continue
        runs += 1
        true = float((~world.correct[world.p >= best.threshold * 1_000_000]).mean())
        held += true <= upper_bound(best.errors, best.automated, DELTA / (len(grid) + 1))
    assert runs > RUNS / 2 and held >= 0.95 * runs


def test_the_level_is_shared_by_all_that_could_be_chosen(tmp_path: Path) -> None:
    certificate = made_certificate(policy(tmp_path))
    (grid,) = certificate.grid.values()
    assert level_of_choice(certificate) == pytest.approx(0.05 / (len(grid) + 1))
    two = certificate.model_copy(update={"grid": {"ham": grid[:3], "spam": grid[:4]}})
    assert level_of_choice(two) == pytest.approx(0.05 / 20)
    path = certificate.model_copy(update={"path": tuple({"ham": t, "spam": t} for t in grid[:9])})
    assert level_of_choice(path) == pytest.approx(0.005)
