"""The certificate on a policy with rules: what counts, what stands outside, limits by label, and its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penjing.core.answers import Choice, Number
from penjing.core.canon import canonical_json
from penjing.core.certificate import Certificate
from penjing.core.errors import DataError, RecipeError
from penjing.core.nouns import Prediction, Release, Table
from penjing.core.task import ALL
from penjing.data.features import beside_text
from penjing.data.mask import VERSION, mask, open_masking
from penjing.decide.examine import load_rules
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.certify import (
    CLOCK,
    Labelled,
    cases_of,
    certify,
    fix_grid,
    in_words,
    label_facts,
    row_hash,
    row_hashes,
    table_hashes,
)
from penjing.runtime.open import open_session
from penjing.tasks import described, open_reader

LABELS = ("ham", "spam")
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


def test_certifies_what_the_model_decides_and_counts_the_rest_apart(tmp_path: Path) -> None:
    certificate = made_certificate(policy(tmp_path))
    assert certificate.certified and certificate.rows == 2_000
    assert certificate.forced == certificate.ruled == 0.1
    assert certificate.error is not None and certificate.high is not None
    assert certificate.error < certificate.high <= 0.05
    assert 0.3 < certificate.automation < 0.8
    assert len(set(certificate.thresholds.values())) == 1
    passed = [step for step in certificate.steps if step.passed]
    assert certificate.thresholds["ham"] == passed[-1].threshold
    assert all(step.p_value <= 0.05 for step in passed)
    assert len(certificate.grid[ALL]) <= 50


def test_the_arrays_and_the_policy_agree_at_every_threshold(tmp_path: Path) -> None:
    made = policy(tmp_path, tolerance=0.01)
    labelled = rows(made, 600, 3)
    cases = cases_of(made, labelled)
    for threshold in (0.0, 0.55, 0.7, 0.85, 0.99):
        spec = made.spec.model_copy(update={"thresholds": dict.fromkeys(LABELS, threshold), "audit": 0.0})
        at = Policy(spec=spec, rules=made.rules, release_id="")
        decisions = [at.decide("", facts) for facts in labelled.facts]
        by_policy = [each.route == "automatic" and not each.forced for each in decisions]
        by_arrays = cases.open & (cases.p >= round(threshold * 1e6) + 10_000)
        assert by_arrays.tolist() == by_policy
        wrong = [
            auto and each.outcome != truth
            for auto, each, truth in zip(by_policy, decisions, labelled.truth, strict=True)
        ]
        assert (by_arrays & ~cases.correct).tolist() == wrong


def test_a_limit_for_each_label_has_a_sequence_of_its_own(tmp_path: Path) -> None:
    certificate = made_certificate(policy(tmp_path), {"ham": 0.05, "spam": 0.01})
    ham, spam = certificate.thresholds["ham"], certificate.thresholds["spam"]
    assert ham is not None
    assert spam is None or spam > ham
    assert {step.scope for step in certificate.steps} == {"ham", "spam"}
    assert all(step.p_value <= 0.025 for step in certificate.steps if step.passed)


def test_a_label_without_a_limit_or_with_few_rows_is_reviewed(tmp_path: Path) -> None:
    made = policy(tmp_path)
    assert made_certificate(made, {"ham": 0.05}).thresholds["spam"] is None
    certificate = made_certificate(made, reviewed=("spam",))
    assert certificate.thresholds["spam"] is None and certificate.thresholds["ham"] is not None
    assert certificate.reviewed == ("spam",)


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="unknown label 'spma'"):
        made_certificate(policy(tmp_path), {"spma": 0.05})


def test_too_few_rows_send_everything_to_a_person_and_say_how_many_are_missing(tmp_path: Path) -> None:
    made = policy(tmp_path)
    certificate = made_certificate(made, count=30)
    assert not certificate.certified
    assert set(certificate.thresholds.values()) == {None}
    assert certificate.automation == 0 and certificate.error is None
    assert certificate.rows_missing is not None and 30 < certificate.rows_missing < 2_000
    assert in_words(certificate) == (
        "nothing is certified on 30 calibration rows, every case goes to review: "
        f"about {certificate.rows_missing:,} more labelled rows would certify it"
    )
    both = made_certificate(made, {"ham": 0.05, "spam": 0.05}, count=30)
    assert set(both.missing) <= {"ham", "spam"} and both.rows_missing in both.missing.values()


def test_a_model_that_errs_too_often_says_so(tmp_path: Path) -> None:
    made = policy(tmp_path)
    bad = rows(made, 500, 2, wrong=4.0)
    grid = fix_grid(made, rows(made, 500, 1, wrong=4.0), 500, 0.001)
    certificate = certify(made, grid, bad, 0.001)
    assert not certificate.certified
    if certificate.rows_missing is None:
        assert in_words(certificate).endswith("at the error rate on these rows, more rows alone would not help")


def test_the_certificate_reads_back_from_canonical_json(tmp_path: Path) -> None:
    certificate = made_certificate(policy(tmp_path), used=("b", "a"))
    raw = canonical_json(certificate.model_dump(mode="json"))
    again = Certificate.model_validate_json(raw)
    assert canonical_json(again.model_dump(mode="json")) == raw
    assert again.used == ("a", "b") and len(again.calibration) == 2_000
    assert in_words(certificate).startswith("with 95% confidence the error among automated decisions is at most 5%")


def test_hashes_see_through_case_spaces_and_punctuation() -> None:
    assert row_hash("Hello, World!") == row_hash("hello world") != row_hash("hello worlds")
    assert row_hash("！！") != row_hash("？？")
    assert len(row_hash("退款")) == 16


def test_the_newest_hash_sees_through_width_and_the_first_is_as_it_was() -> None:
    assert row_hash("ＶＩＰ客户") == row_hash("vip客户")
    # As in the certificates of the first releases.
    assert row_hash("Hello, World!", "1") == "ca3c6d945584f1e1" and row_hash("ＶＩＰ", "1") != row_hash("VIP", "1")


@pytest.mark.parametrize("masking", ["1", "2"])
@pytest.mark.parametrize("folding", ["1", "2"])
@pytest.mark.parametrize(
    "copy",
    [
        "VIP card 4239 0424 8611 1484!",
        "ＶＩＰ card ４２３９ ０４２４ ８６１１ １４８４",
        "vip card 4239 0424 8611 1484",
    ],
)
def test_a_row_is_used_whatever_version_listed_it(masking: str, folding: str, copy: str) -> None:
    listed = row_hash(open_masking(masking)("VIP card 4239 0424 8611 1484").text, folding)
    assert listed in row_hashes(copy)
    assert listed not in row_hashes("VIP card 4239 0424 8611 1485 please")
    newest = open_masking(VERSION).prepare(copy).text
    assert row_hashes(copy, {VERSION: newest}) == row_hashes(copy)


def test_facts_of_rows_come_through_the_session_that_serves(tiny_release: Release, maskings: list[str]) -> None:
    from penjing.decide.policy import load_policy

    made, session = load_policy(tiny_release), open_session(tiny_release.artifact, threads=1)
    table = Table(
        ["call ⟦mobile⟧", "lottery"], ["ham", "spam"], fields={"channel": ["web", None], "amount": [1.5, None]}
    )
    maskings.clear()
    labelled = label_facts(session, made, table)
    assert labelled.facts[0]["pii"]["mobile"] == 1 and labelled.facts[0]["fields"] == {"channel": "web", "amount": 1.5}
    assert labelled.facts[1]["contains"]["lottery"] is True
    assert maskings == []  # the rows were masked when they were read
    cases = cases_of(made, labelled)
    assert not cases.open.any()
    with pytest.raises(DataError, match="no labels"):
        label_facts(session, made, Table(["a"]))


NUMBERS = open_reader("score", {"kind": "number", "within": 0.5}).learn(["0", "1.5", "2.25", "4"])


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


def test_numbers_have_one_limit_and_the_certificate_says_what_an_error_is(tmp_path: Path) -> None:
    made = numbers(tmp_path)
    grid = fix_grid(made, numbered(made, 1_000, 1), 2_000, 0.05)
    calibration = numbered(made, 2_000, 2)
    certificate = certify(made, grid, calibration, 0.05)
    assert certificate.certified and set(certificate.thresholds) == set(certificate.grid) == {ALL}
    assert 0.15 < certificate.ruled < 0.35, "a quarter of the values is below 1"
    assert certificate.error is not None and certificate.high is not None and certificate.high <= 0.05
    at = PolicySpec.model_validate({**made.spec.model_dump(), "thresholds": certificate.thresholds, "audit": 0.0})
    decided = [Policy(at, made.rules, "").decide("", facts) for facts in calibration.facts]
    automated = [(one, gold) for one, gold in zip(decided, calibration.truth, strict=True) if one.route == "automatic"]
    missed = sum(abs(float(one.outcome) - float(gold)) > 0.505 for one, gold in automated)
    assert (len(automated) / 2_000, missed / len(automated)) == (certificate.automation, certificate.error)
    assert "(an error is an answer further than 0.5 from the true value)" in in_words(certificate)
    raw = canonical_json(certificate.model_dump(mode="json"))
    again = Certificate.model_validate_json(raw)
    assert again.format == 2 and canonical_json(again.model_dump(mode="json")) == raw


def test_a_task_without_labels_has_no_limits_by_label(tmp_path: Path) -> None:
    made = numbers(tmp_path)
    with pytest.raises(RecipeError, match="the answers of this task are no labels"):
        fix_grid(made, numbered(made, 50, 1), 100, {"1": 0.05})


def test_a_certificate_of_one_label_a_text_has_the_keys_that_it_had(tmp_path: Path) -> None:
    sealed = made_certificate(policy(tmp_path), count=200).model_dump(mode="json")
    assert sealed["format"] == 1 and "an_error" not in sealed


def test_rows_of_one_text_with_other_features_are_other_rows() -> None:
    one, other = beside_text(["amount"], {"amount": 1.0}), beside_text(["amount"], {"amount": 2.0})
    assert len({row_hash("退款"), row_hash("退款", beside=one), row_hash("退款", beside=other)}) == 3
    assert row_hash("退款", beside=one) in row_hashes("退款", beside=one) - row_hashes("退款", beside=other)
    table = Table(["退款", "退款"], fields={"amount": [1.0, 2.0], "note": ["x", "y"]})
    assert table_hashes(table, ["amount"]) == [row_hash("退款", beside=one), row_hash("退款", beside=other)]
    assert table_hashes(table, []) == [row_hash("退款")] * 2
