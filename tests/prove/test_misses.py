"""A certificate with limits on misses: one path, rules included, and what it says where nothing passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.labelled_cases import LABELS, numbers, policy, rows

from penjing.core.canon import canonical_json
from penjing.core.certificate import Certificate
from penjing.core.errors import RecipeError
from penjing.decide.policy import Policy
from penjing.prove.certify import in_words, misses_in_words
from penjing.prove.misses import Promised, certify_path, fix_path, limits_on, path_need


def made(which: Policy, promised: Promised, count: int = 2_000) -> Certificate:
    path = fix_path(which, rows(which, 1_000, 1), count, promised)
    return certify_path(which, path, rows(which, count, 2), promised)


def test_every_limit_is_tested_at_the_whole_level(tmp_path: Path) -> None:
    one = policy(tmp_path)
    # A rule forces `spam` on a tenth of all texts, half of which are `ham`.
    certificate = made(one, Promised(0.05, {"ham": 0.15, "spam": 0.10}))
    assert certificate.certified and certificate.format == 3
    assert [(test.kind, test.of) for test in certificate.path_steps[0].tests] == [
        ("error", "*"),
        ("miss", "ham"),
        ("miss", "spam"),
    ]
    for step in certificate.path_steps:
        assert step.p_value == max(test.p_value for test in step.tests)
        assert step.passed == (step.p_value <= 0.05)
    passed = [step for step in certificate.path_steps if step.passed]
    assert certificate.thresholds == passed[-1].thresholds == certificate.path[len(passed) - 1]
    assert misses_in_words(certificate) == (
        "of all cases of a true label, at most this share is decided wrongly without a person: ham: 0.15, spam: 0.1"
    )
    assert certificate.needs == {} and certificate.grid == {} and certificate.steps == ()


def test_the_tests_count_what_the_policy_decides(tmp_path: Path) -> None:
    one = policy(tmp_path, tolerance=0.01)
    labelled = rows(one, 2_000, 2)
    certificate = made(one, Promised(0.05, {"ham": 0.15}))
    spec = one.spec.model_copy(update={"thresholds": certificate.thresholds, "audit": 0.0})
    at = Policy(spec=spec, rules=one.rules, release_id="")
    decided = [at.decide("", facts) for facts in labelled.facts]
    alone = [(each, gold) for each, gold in zip(decided, labelled.truth, strict=True) if each.route == "automatic"]
    ham = [each for each, gold in alone if gold == "ham" and each.outcome != "ham"]
    error, miss = next(step for step in reversed(certificate.path_steps) if step.passed).tests
    assert (miss.cases, miss.errors) == (labelled.truth.count("ham"), len(ham))
    assert any(each.forced for each in ham), "an outcome that a rule forces is a miss"
    model = [(each, gold) for each, gold in alone if not each.forced]
    assert (error.cases, error.errors) == (len(model), sum(each.outcome != gold for each, gold in model))


def test_a_rule_that_misses_too_often_leaves_no_certificate(tmp_path: Path) -> None:
    certificate = made(policy(tmp_path), Promised(0.05, {"ham": 0.02}))
    assert not certificate.certified and certificate.needs["*"].answer == "no_help"
    assert set(certificate.thresholds.values()) == {None} and certificate.automation == 0
    assert "more rows alone would not help" in in_words(certificate) and misses_in_words(certificate) == ""


def test_too_few_rows_of_a_label_prove_nothing(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 投诉,,review\n")
    certificate = made(one, Promised(0.2, {"spam": 0.01}), count=200)
    assert not certificate.certified and certificate.needs["*"].answer in {"unknown", "no_help"}
    (step,) = certificate.path_steps
    assert step.tests[1].cases < 149 and step.tests[1].p_value > 0.05


def test_limits_by_label_on_both_sides(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 投诉,,review\n")
    certificate = made(one, Promised({"ham": 0.05}, {"spam": 0.05}))
    assert certificate.thresholds["spam"] is None, "a label without a limit on errors is always reviewed"
    assert [test.kind for test in certificate.path_steps[0].tests] == ["error", "miss"]
    reviewed = made(one, Promised(0.05, {"spam": 0.05}, reviewed=("ham",)))
    assert reviewed.thresholds["ham"] is None and reviewed.reviewed == ("ham",)


def test_it_reads_back_to_the_same_bytes(tmp_path: Path) -> None:
    certificate = made(policy(tmp_path), Promised(0.05, {"ham": 0.15}), count=400)
    raw = canonical_json(certificate.model_dump(mode="json"))
    assert canonical_json(Certificate.model_validate_json(raw).model_dump(mode="json")) == raw


def test_what_more_rows_would_do_is_about_the_first_step(tmp_path: Path) -> None:
    one = policy(tmp_path, "name,text,p,then\nperson,contains 投诉,,review\n")
    promised = Promised(0.10, {"spam": 0.05})
    path = fix_path(one, rows(one, 1_000, 1), 100, promised)
    assert path_need(one, path, rows(one, 1_500, 3), promised, tested=30).answer == "enough"
    assert path_need(one, path, rows(one, 40, 3), promised).answer == "unknown"


def test_labels_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="`max_miss` has the unknown label 'spma'"):
        limits_on(policy(tmp_path), Promised(0.05, {"spma": 0.05}))
    with pytest.raises(RecipeError, match="the answers of this task are no labels"):
        limits_on(numbers(tmp_path), Promised(0.05, {LABELS[0]: 0.05}))
