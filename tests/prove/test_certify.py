"""The certificate on a policy with rules: what counts, what stands outside, limits by label, and its words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.labelled_cases import LABELS, made_certificate, numbered, numbers, policy, rows

from penjing.core.canon import canonical_json
from penjing.core.certificate import Certificate
from penjing.core.errors import DataError, RecipeError
from penjing.core.nouns import Release, Table
from penjing.core.task import ALL
from penjing.data.features import beside_text
from penjing.data.mask import VERSION, open_masking
from penjing.decide.policy import Policy, PolicySpec
from penjing.prove.certify import (
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
    assert certificate.needs[ALL].answer == "unknown"
    assert in_words(certificate) == (
        "nothing is certified on 30 calibration rows, cases without a rule go to review: "
        "these rows do not show whether more rows would be enough"
    )
    both = made_certificate(made, {"ham": 0.05, "spam": 0.05}, count=30)
    assert set(both.needs) == {"ham", "spam"} and not both.certified


def test_a_model_that_errs_too_often_says_so(tmp_path: Path) -> None:
    made = policy(tmp_path)
    bad = rows(made, 500, 2, wrong=4.0)
    grid = fix_grid(made, rows(made, 500, 1, wrong=4.0), 500, 0.001)
    certificate = certify(made, grid, bad, 0.001)
    assert not certificate.certified
    assert certificate.needs[ALL].answer == "no_help"
    assert in_words(certificate).endswith(
        "the error is above the limit at every threshold tested, so more rows alone would not help"
    )


def test_of_two_limits_one_proven_the_other_says_what_more_rows_would_do(tmp_path: Path) -> None:
    certificate = made_certificate(policy(tmp_path), {"ham": 0.05, "spam": 0.0005}, count=2_000)
    assert certificate.certified and set(certificate.needs) == {"spam"}


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
    assert again.format == 3 and canonical_json(again.model_dump(mode="json")) == raw


def test_a_task_without_labels_has_no_limits_by_label(tmp_path: Path) -> None:
    made = numbers(tmp_path)
    with pytest.raises(RecipeError, match="the answers of this task are no labels"):
        fix_grid(made, numbered(made, 50, 1), 100, {"1": 0.05})


def test_a_certificate_says_what_more_rows_would_do_instead_of_an_estimate(tmp_path: Path) -> None:
    sealed = made_certificate(policy(tmp_path), count=200).model_dump(mode="json")
    assert sealed["format"] == 3 and {"needs", "max_miss", "path", "path_steps"} <= sealed.keys()
    assert not {"rows_missing", "missing"} & sealed.keys()


def test_rows_of_one_text_with_other_features_are_other_rows() -> None:
    one, other = beside_text(["amount"], {"amount": 1.0}), beside_text(["amount"], {"amount": 2.0})
    assert len({row_hash("退款"), row_hash("退款", beside=one), row_hash("退款", beside=other)}) == 3
    assert row_hash("退款", beside=one) in row_hashes("退款", beside=one) - row_hashes("退款", beside=other)
    table = Table(["退款", "退款"], fields={"amount": [1.0, 2.0], "note": ["x", "y"]})
    assert table_hashes(table, ["amount"]) == [row_hash("退款", beside=one), row_hash("退款", beside=other)]
    assert table_hashes(table, []) == [row_hash("退款")] * 2
