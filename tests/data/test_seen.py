"""What the train rows had of a field, and what a model cannot be trusted with."""

from __future__ import annotations

import json

import pytest

from penjing.core.nouns import Scalar
from penjing.data.seen import Seen, learn_seen


@pytest.mark.parametrize(
    ("kind", "column", "faults"),
    [
        ("float", [1.0, 3.0], {None: "missing", "": "missing", 0.9: "outside", 1: "", 3.0: "", 3.1: "outside"}),
        ("int", [0, None], {None: "", 0: "", 1: "outside", -1: "outside"}),
        ("float", [None], {None: "", 1.0: "unseen"}),
        ("bool", [True, True], {None: "missing", True: "", False: "unseen"}),
        (("app", "web", "fax"), ["web", None, "app"], {None: "", "app": "", "fax": "unseen"}),
        # Dates 10 days apart: 10 more on either side.
        ("date", ["2026-01-11", "2026-01-21"], {
            "2026-01-01": "", "2025-12-31": "outside", "2026-01-31": "", "2026-02-01": "outside",
            "2026-01-15T10:00:00": "unseen", "2026-01-15T00:00:00": "", "2026-01-15T00:00:00Z": "unseen",
            None: "missing",
        }),
        ("date", ["2026-01-11T10:00:00", "2026-01-11T11:00:00"], {
            "2026-01-11T23:59:59": "", "2026-01-12T00:00:00": "outside", "2026-01-11": "",
            "2026-01-11T10:00:00Z": "unseen",
        }),
        ("date", [None], {None: "", "2026-01-11": "unseen"}),
    ],
)  # fmt: skip
def test_what_the_rows_had(kind: str | tuple[str, ...], column: list[Scalar], faults: dict[Scalar, str]) -> None:
    seen = learn_seen(kind, column)
    assert {value: seen.fault(value) for value in faults} == faults
    assert Seen.model_validate(json.loads(json.dumps(seen.model_dump(mode="json")))) == seen


def test_only_what_a_kind_has_is_written() -> None:
    assert learn_seen("float", [0.0, 2.0]).model_dump(mode="json") == {"empty": False, "low": 0.0, "high": 2.0}
    assert learn_seen("bool", [True, None]).model_dump(mode="json") == {"empty": True, "values": [True]}
