"""Advice about a refused release fits the promise that refused it."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.certificate import Gate
from penjing.core.chinese import chinese
from penjing.make.advice import advise


def gate(name: str, state: Any) -> Gate:
    return Gate(name=name, promised=1.0, measured=2.0, bound=2.0, state=state)


@pytest.mark.parametrize("name", ["p50_ms", "p99_ms", "mean_ms", "times_faster"])
def test_a_promise_on_time_is_measured_again_and_rows_do_not_help(name: str) -> None:
    said = advise([gate(name, "broken")])
    assert "repeat with `--again` while it is idle" in said and f"`{name}`" in said
    assert "rows" not in said and "labels" not in said and "unproven" not in said


def test_each_other_promise_has_its_own_advice() -> None:
    assert advise([gate("size_mb", "broken")]).startswith("make the model smaller")
    assert advise([gate("keep", "broken")]).startswith("compress less")
    assert advise([gate("macro_f1", "broken")]).startswith("correct wrong labels")
    assert advise([gate("max_miss", "broken")]).startswith("correct the rules")
    assert "more labelled rows" in advise([gate("keep", "unproven")])


def test_only_what_is_unproven_may_be_allowed() -> None:
    first, second, last = advise([gate("p99_ms", "broken"), gate("score", "unproven")]).split("\n")
    assert "`p99_ms`" in first and "`score`" in second and "`unproven: allow` under `gates:`" in last
    assert "unproven" not in advise([gate("p99_ms", "broken"), gate("score", "broken")])


def test_the_same_advice_is_given_once_and_in_chinese_too() -> None:
    said = advise([gate("p99_ms", "broken"), gate("p99_ms", "broken"), gate("score", "unproven")])
    assert len(said.split("\n")) == 3
    lines = chinese(f"fix: {said}").split("\n")
    assert lines[0].startswith("办法：用时取决于机器当时还在做什么") and "`--again`" in lines[0]
    assert lines[2].strip() == "若没有证明也要封装，在配方的 `gates:` 下写 `unproven: allow`"
