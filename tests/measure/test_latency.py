"""Windows, calls and turns are as promised; the figures come from what was timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from penjing.core.errors import UsageError
from penjing.measure.latency import interleaved, latency, throughput
from penjing.runtime.session import Session


def test_a_session_is_timed_in_windows(open_form: Callable[..., Session]) -> None:
    found = latency(open_form("onnx"), ["房间很干净", "good", "电话 13812345678"], calls=50)
    assert found.calls == 50 and len(found.windows_p50_ms) == len(found.windows_p99_ms) == 5
    assert sorted(found.windows_p50_ms)[2] == found.p50_ms and sorted(found.windows_p99_ms)[2] == found.p99_ms
    assert sorted(found.windows_mean_ms)[2] == found.mean_ms <= found.p99_ms
    assert 0 < found.p50_ms <= found.p99_ms and found.texts_per_s > 0
    assert found.to_json()["calls"] == 50


def test_rivals_take_turns_on_the_same_texts() -> None:
    told: list[tuple[str, int]] = []

    def subject(name: str) -> Callable[[Sequence[str]], object]:
        return lambda texts: told.append((name, len(texts)))

    interleaved({"a": subject("a"), "b": subject("b")}, [str(i) for i in range(100)], calls=150, batch=5)
    timed = [name for name, size in told if size == 1][60:]
    assert timed == (["a"] * 30 + ["b"] * 30) * 5, "thirty untimed calls each, then A B A B"
    assert sum(size for _, size in told if size == 5) == 2 * 6 * 10, "batches take a third, in whole batches"


def test_throughput_alone_is_of_batches_in_turn() -> None:
    told: list[tuple[str, int]] = []

    def slow(texts: Sequence[str]) -> None:
        told.append(("slow", len(texts)))
        time.sleep(0.002)

    found = throughput({"slow": slow, "quick": lambda texts: told.append(("quick", len(texts)))}, ["a"], 50, 5)
    assert told == ([("slow", 5)] * 2 + [("quick", 5)] * 2) * 6, "once untimed, then in turn"
    assert found["slow"] <= 2500 and found["quick"] > found["slow"]


def test_a_slower_one_is_timed_in_every_window_on_a_few_texts_of_all_lengths() -> None:
    told: list[str] = []

    def slow(texts: Sequence[str]) -> None:
        told.extend(texts)
        time.sleep(0.002)

    texts = ["a" * (1 + i % 80) for i in range(400)]
    found = latency(lambda each: time.sleep(0.0002), texts, calls=50, batch=1, reference=slow)  # noqa: ARG005
    assert len(told) == 6 * 40, "once untimed, then in every window"
    assert abs(sum(map(len, told)) / len(told) - sum(map(len, texts)) / len(texts)) < 1
    assert len(found.windows_times_faster) == 5 and min(found.windows_times_faster) > 2
    assert latency(slow, ["a"], calls=5).windows_times_faster == ()


def test_what_is_slow_shows_as_slow() -> None:
    found = interleaved({"slow": lambda texts: time.sleep(0.003), "quick": lambda texts: None}, ["a"], calls=10)  # noqa: ARG005
    assert found["slow"].p50_ms >= 3 > found["quick"].p50_ms
    assert found["quick"].texts_per_s > found["slow"].texts_per_s


def test_texts_are_spread_over_the_whole() -> None:
    seen: set[str] = set()
    latency(lambda texts: seen.update(texts), [str(i) for i in range(1000)], calls=50)
    assert len(seen) == 10 and {"0", "999"} <= seen


def test_more_texts_are_timed_as_long_as_there_is_time() -> None:
    texts, seen = [str(i) for i in range(300)], set[str]()
    found = latency(lambda each: seen.update(each), texts, calls=50, seconds=60)
    assert len(seen) == 300 and found.calls == 5 * 300
    assert latency(lambda each: time.sleep(0.002), ["a", "b", "c"], calls=10, seconds=1e-6).calls == 10  # noqa: ARG005
    told: list[int] = []
    throughput({"": lambda each: told.append(len(each))}, texts, calls=5, batch=100, seconds=60)
    assert sum(told[-3:]) == 300, "a window is every text, in batches"


def test_fewer_are_timed_where_there_is_too_little_time() -> None:
    texts = [str(i) for i in range(300)]

    def slow(texts: Sequence[str]) -> None:  # noqa: ARG001
        time.sleep(0.001)

    assert latency(slow, texts, calls=75, most=250, seconds=1e-6).calls == 75
    assert 75 < latency(slow, texts, calls=75, most=1000, batch=1, seconds=0.5).calls < 500
    assert latency(slow, texts, calls=75, most=250).calls == 75, "without a time no more than `calls`"


def test_no_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="no texts to time"):
        latency(lambda texts: None, [])  # noqa: ARG005


def test_a_batch_of_one_runs_nothing_twice() -> None:
    told: list[int] = []

    def slow(texts: Sequence[str]) -> None:
        told.append(len(texts))
        time.sleep(0.001)

    found = latency(slow, [str(i) for i in range(50)], calls=50, batch=1)
    assert told == [1] * 60, "ten untimed calls and five windows of ten"
    assert found.texts_per_s == pytest.approx(1e3 / found.mean_ms, rel=0.2)
