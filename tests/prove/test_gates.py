"""A gate ends held, broken or unproven by its bound, never by the point estimate."""

from __future__ import annotations

from penjing.prove.gates import at_least, at_least_windows, at_most_exact, at_most_windows, in_words, refuses


def test_scores() -> None:
    assert at_least("keep", 0.98, 0.995, 0.985, 1.0, 500).state == "held"
    assert at_least("keep", 0.98, 0.95, 0.93, 0.97, 500).state == "broken"
    unproven = at_least("keep", 0.98, 0.99, 0.97, 1.01, 500)
    assert unproven.state == "unproven"
    assert unproven.rows_needed == 2000, "half-width 0.02 must shrink to 0.01: four times the rows"
    assert at_least("keep", 0.98, 0.98, 0.97, 0.99, 500).rows_needed is None


def test_windows() -> None:
    assert at_most_windows("p99_ms", 20, [10, 12, 11, 19, 13]).state == "held"
    assert at_most_windows("p99_ms", 20, [10, 12, 11, 25, 13]).state == "unproven"
    assert at_most_windows("p99_ms", 9, [10, 12, 11, 25, 13]).state == "broken"
    assert at_most_windows("p99_ms", 20, [10, 12, 11, 19, 13]).measured == 12
    held, unproven, broken = (at_least_windows("times_faster", least, [60, 52, 51, 55, 70]) for least in (51, 53, 71))
    assert (held.state, held.bound, held.measured) == ("held", 51, 55)
    assert (unproven.state, unproven.bound) == ("unproven", 51)
    assert (broken.state, broken.bound) == ("broken", 70)


def test_what_keeps_from_sealing() -> None:
    gates = [
        at_most_exact("size_mb", 60, 61),
        at_least("keep", 0.98, 0.99, 0.97, 1.01, 500),
        at_most_exact("size_mb", 60, 60),
    ]
    assert [gate.state for gate in refuses(gates, "refuse")] == ["broken", "unproven"]
    assert [gate.state for gate in refuses(gates, "allow")] == ["broken"]
    assert "broken" in in_words(gates[0])
    assert "rows are needed to decide" in in_words(gates[1])
