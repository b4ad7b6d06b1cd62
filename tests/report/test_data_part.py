"""The part on the data: of each finding the first rows and the number of all, and the figures of the audit."""

from __future__ import annotations

import pytest

from penjing.data.audit import Audit, DuplicateAudit, Problem
from penjing.report.data_part import FIRST_ROWS, DataPart

ROWS = list(range(2, 2 + FIRST_ROWS + 5))


@pytest.fixture
def audit() -> Audit:
    told = Problem(severity="warning", code="duplicate", message="again", rows={"a.csv": ROWS}, several_files=True)
    return Audit(
        files=[], rows=100, used=90, labels={"a": 80, "b": 10}, splits={"train": 50, "calibration": 20},
        duplicates=DuplicateAudit(exact=7, near=3, across=1), problems=[told],
    )  # fmt: skip


def test_a_finding_has_its_first_rows_and_the_number_of_all(audit: Audit) -> None:
    (found,) = DataPart.of(audit).audit
    assert found.rows == {"a.csv": tuple(ROWS[:FIRST_ROWS])} and found.count == len(ROWS)
    assert (found.level, found.code, found.what, found.several_files) == ("warning", "duplicate", "again", True)


def test_the_figures_are_those_of_the_audit(audit: Audit) -> None:
    part = DataPart.of(audit, "print", ["amount"])
    assert (part.rows, part.duplicates_removed, part.near_duplicates_removed, part.leaks_removed) == (100, 7, 3, 1)
    assert (part.small_labels, part.fingerprint, part.features) == (("b",), "print", ("amount",))
