"""Canonical bytes: the same content, the same hash."""

from __future__ import annotations

import pytest

from penjing.core.canon import canonical_json, digest, digest_lines, unit_hash


def test_order_and_space_do_not_matter() -> None:
    assert canonical_json({"b": 1, "a": "盆"}) == '{"a":"盆","b":1}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_joins_do_not_collide() -> None:
    assert digest_lines(["ab", "c"]) != digest_lines(["a", "bc"])


def test_unit_hash_is_uniform_enough_and_fixed() -> None:
    draws = [unit_hash("release", str(i)) for i in range(4000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert abs(sum(draws) / 4000 - 0.5) < 0.03
    assert unit_hash("a", "b") == unit_hash("a", "b") != unit_hash("ab")
