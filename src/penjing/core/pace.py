"""The time that is left of counted work, and times in words.

    time left = time spent / units done * units to do

The first unit often takes the longest, so a speed is believed after a tenth of the units, or after a minute.
"""

from __future__ import annotations

SHARE, SECONDS = 0.1, 60.0


def time_left(done: int, total: int, spent: float) -> float | None:
    """Seconds until `total` units are done, by the speed of the `done` ones; None while they are too few to tell."""
    if done <= SHARE * total and not (done > 1 and spent >= SECONDS):
        return None
    return spent / done * max(0, total - done) if done else 0.0


def time_in_words(seconds: float) -> str:
    """`40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
