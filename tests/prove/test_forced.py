"""A limit on misses that rules alone exceed is broken, and the gate names label, rules and figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.labelled_cases import policy, rows

from penjing.core.chinese import chinese
from penjing.prove.forced import forced_gates
from penjing.prove.gates import refuses


def test_wrong_outcomes_that_rules_force_break_the_limit_of_their_label(tmp_path: Path) -> None:
    one = policy(tmp_path)
    # A rule forces `spam` on a tenth of all texts, half of which are `ham`.
    labelled = rows(one, 2_000, 2)
    (broken,) = forced_gates(one, labelled, {"ham": 0.02, "spam": 0.02})
    own = labelled.truth.count("ham")
    missed = sum(gold == "ham" for gold in labelled.truth[::10])
    assert (broken.name, broken.promised, broken.state) == ("max_miss", 0.02, "broken")
    assert broken.measured == missed / own and 0.02 < broken.bound < broken.measured
    assert broken.note == (
        f"of {own:,} labelled rows of `ham`, rules alone give {missed:,} another outcome: `forced` (rules.csv:2): "
        f"{missed:,}"
    )
    assert refuses([broken], "allow") == [broken], "it never seals"
    assert "仅规则就使" in chinese(broken.note) and "`forced` (rules.csv:2)" in chinese(broken.note)


def test_a_limit_that_rules_do_not_surely_exceed_has_no_gate(tmp_path: Path) -> None:
    one = policy(tmp_path)
    assert forced_gates(one, rows(one, 2_000, 2), {"ham": 0.15}) == []
    # Of few rows one is forced wrongly: above the limit, but not surely.
    few = rows(one, 20, 5)
    assert any(gold == "ham" for gold in few.truth[::10]) and forced_gates(one, few, {"ham": 0.05}) == []


def test_what_goes_to_a_person_is_no_miss(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 彩票,,review\n")
    assert forced_gates(one, rows(one, 2_000, 2), {"ham": 0.001, "spam": 0.001}) == []


def test_a_limit_that_holds_is_called_broken_in_at_most_one_of_twenty_runs(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nforced,contains 彩票,,outcome spam\n")
    labelled = rows(one, 2_000, 4)
    ham = np.flatnonzero(np.array(labelled.truth) == "ham")
    truly = float(np.mean(ham % 10 == 0))
    random = np.random.default_rng(0)
    false = 0
    for _ in range(200):
        drawn = random.choice(ham, size=120)
        picked = type(labelled)((), ("ham",) * 120, tuple(labelled.facts[i] for i in drawn))
        false += bool(forced_gates(one, picked, {"ham": truly}))
    assert 0 < false <= 18, "5 % of 200, with three deviations"
