"""Ids of records: length, order in time, no repetition, and which given ids are refused."""

from __future__ import annotations

import pytest

from penjing.core.errors import RequestError
from penjing.decide.identity import check_id, encode_id, new_id


def test_ids_are_26_characters_in_the_order_of_time() -> None:
    ids = [encode_id(milliseconds, bytes(10)) for milliseconds in (0, 1, 31, 32, 1_800_000_000_000, 2**48 - 1)]
    assert ids == sorted(ids) and {len(each) for each in ids} == {26}
    assert ids[0] == "0" * 26
    assert encode_id(2**48 - 1, b"\xff" * 10) == "7" + "Z" * 25


def test_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
    assert check_id(new_id())


@pytest.mark.parametrize("given", ["", "-a", "a b", "a" * 65, "中", "a\n", "../x"])
def test_refuses_ids_that_could_not_stand_in_a_path(given: str) -> None:
    with pytest.raises(RequestError, match="the id cannot be used"):
        check_id(given)
