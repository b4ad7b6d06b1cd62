"""Parts of a row: each under its own salt, none mistaken for another."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.canon import canonical_json
from penjing.store.parts import KINDS, digests_of, erase_salts, split_fields

SALT = b"0123456789abcdef"
VALUES = {"status": "done", "closed": "t", "verdict": "spam", "reviewer": "", "note": None}


def test_the_fields_are_cut_out_byte_for_byte() -> None:
    decision = canonical_json(
        {"facts": {"clock": "x", "fields": {"名": "王", "fields": 1}, "p": 1}, "id": "1"}
    ).decode()
    rest, fields = split_fields(decision)
    assert fields == '{"fields":1,"名":"王"}'
    assert rest == '{"facts":{"clock":"x","fields":null,"p":1},"id":"1"}'
    assert split_fields(rest) == (rest, "null")


@pytest.mark.parametrize("decision", ["", "no json", "[]", "{}", '{"facts":1}', None, b"\xff", "[" * 100_000])
def test_what_is_no_decision_is_one_part(decision: Any) -> None:
    assert split_fields(decision) == (decision, "")


@pytest.mark.parametrize("part", list(VALUES))
@pytest.mark.parametrize("value", [None, "", "x", b"x", b"", 1])
def test_every_change_changes_one_digest(part: str, value: Any) -> None:
    kind = KINDS["verdict"]
    before, after = digests_of(kind, VALUES, SALT), digests_of(kind, VALUES | {part: value}, SALT)
    differing = [n for n in range(len(kind.parts)) if before[16 * n : 16 * n + 16] != after[16 * n : 16 * n + 16]]
    same = value == VALUES[part] and isinstance(value, type(VALUES[part]))
    assert differing == ([] if same else [kind.parts.index(part)])


def test_erased_salts_leave_the_others() -> None:
    kind = KINDS["verdict"]
    left = erase_salts(kind, SALT, kind.personal)
    assert len(left) == 16 * len(kind.parts)
    one, other = digests_of(kind, VALUES, SALT), digests_of(kind, VALUES, left)
    assert one[: 16 * 3] == other[: 16 * 3]
    assert one[16 * 3 :] != other[16 * 3 :]
    assert erase_salts(kind, left, kind.personal) == left
