"""Latency and throughput in process, masking included: windows of calls, the median window, rivals in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from penjing.core.errors import UsageError
from penjing.runtime.session import Session

Call = Callable[[Sequence[str]], object]
WINDOWS = 5
_PROBE = 50
_FEW = 40


@dataclass(frozen=True)
class Latency:
    """Milliseconds at batch 1 over `calls` calls: the figures of the median window, and of every window.

    texts_per_s: texts a second in batches of `batch`, of the median window; mean_ms: mean time of a call, of the same;
    windows_times_faster: the mean time of a reference divided by that of a call, in every window, if there is one.
    """

    p50_ms: float
    p99_ms: float
    texts_per_s: float
    windows_p50_ms: tuple[float, ...]
    windows_p99_ms: tuple[float, ...]
    calls: int
    batch: int
    mean_ms: float = 0.0
    windows_mean_ms: tuple[float, ...] = ()
    windows_times_faster: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Latency:
        """The same from plain values."""
        values: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in found.items()}
        return cls(**values)


def latency(
    subject: Session | Call,
    texts: Sequence[str],
    calls: int = 1000,
    batch: int = 32,
    seconds: float = 0.0,
    most: int | None = None,
    reference: Call | None = None,
) -> Latency:
    """The latency and throughput of a session, or of a callable over raw texts (given one at a time, then in batches).

    A window has as many different texts as calls, in order and spread over all texts; every window has the same. They
    run once before, so that no window contains the engine's preparation for a new shape. Batches take a third of them.
    calls: the least number of calls. seconds: the total time allowed for more calls, up to `most`.
    most: default: every text once a window. The mean of a cascade depends on how many texts are hard. With few texts it
    is a matter of chance, which the windows do not show.
    reference: a slow call that takes the same time for all texts of one length; every window also times it, on a few
    texts of all lengths.
    batch: with 1 the throughput is computed from the single calls, and nothing is run twice.
    Raises UsageError without texts.
    """
    return interleaved({"": subject}, texts, calls, batch, seconds, most, reference)[""]


def interleaved(
    subjects: Mapping[str, Session | Call],
    texts: Sequence[str],
    calls: int = 1000,
    batch: int = 32,
    seconds: float = 0.0,
    most: int | None = None,
    reference: Call | None = None,
) -> dict[str, Latency]:
    """The same for several subjects, window by window in turn (A B A B ...), so that a busy minute slows all alike."""
    runs = {name: _as_call(subject) for name, subject in subjects.items()}
    size = max(1, calls // WINDOWS)
    if seconds:
        limits = (size, len(texts) if most is None else most // WINDOWS)
        # A pass of single calls, and one of batches, which takes about a third as long.
        size = _window(runs, texts, limits, seconds / (WINDOWS + 1) / (4 / 3 if batch > 1 else 1), batch=1)
    sample = _sample(texts, size)
    together = _sample(sample, min(size, max(batch, size // 3 // batch * batch)))
    for run in runs.values():
        _one_by_one(run, sample[: len(texts)])
        if batch > 1:
            _in_batches(run, together, batch)
    singles: dict[str, list[np.ndarray[Any, np.dtype[np.float64]]]] = {name: [] for name in runs}
    rates: dict[str, list[float]] = {name: [] for name in runs}
    few = _of_all_lengths(texts, _FEW)
    reference_ms: list[float] = []
    if reference is not None:
        _one_by_one(reference, few)
    for _ in range(WINDOWS):
        if reference is not None:
            reference_ms.append(float(_one_by_one(reference, few).mean()))
        for name, run in runs.items():
            singles[name].append(_one_by_one(run, sample))
        for name, run in runs.items():
            alone = 1e3 * size / float(singles[name][-1].sum())
            rates[name].append(alone if batch == 1 else _in_batches(run, together, batch))
    return {name: _summary(singles[name], rates[name], size * WINDOWS, batch, reference_ms) for name in runs}


def throughput(
    subjects: Mapping[str, Session | Call],
    texts: Sequence[str],
    calls: int,
    batch: int = 32,
    seconds: float = 0.0,
) -> dict[str, float]:
    """Only texts a second in batches, of the median window, for several subjects in turn; texts as in `interleaved`.

    Raises UsageError without texts.
    """
    runs = {name: _as_call(subject) for name, subject in subjects.items()}
    size = max(1, calls // WINDOWS)
    if seconds:
        size = _window(runs, texts, (size, len(texts)), seconds / (WINDOWS + 1), batch)
    sample = _sample(texts, size)
    for run in runs.values():
        _in_batches(run, sample, batch)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(WINDOWS):
        for name, run in runs.items():
            rates[name].append(_in_batches(run, sample, batch))
    return {name: round(float(np.median(each)), 1) for name, each in rates.items()}


def _window(runs: Mapping[str, Call], texts: Sequence[str], limits: tuple[int, int], seconds: float, batch: int) -> int:
    """The size of a window: as many texts as all subjects answer in that time, within the limits."""
    least, most = limits
    if least >= most:
        return least
    probe = _sample(texts, max(batch, min(_PROBE, least)))
    each = 0.0
    for run in runs.values():
        _in_batches(run, probe, batch)
        each += 1 / _in_batches(run, probe, batch)
    return max(least, min(int(seconds / each), most))


def _sample(texts: Sequence[str], size: int) -> list[str]:
    """`size` texts, spread over all; repeated if there are fewer."""
    if not len(texts):
        raise UsageError("there are no texts to time", fix="give a file of texts with --data")
    chosen = [texts[int(place)] for place in np.linspace(0, len(texts) - 1, min(size, len(texts)))]
    return [chosen[i % len(chosen)] for i in range(size)]


def _of_all_lengths(texts: Sequence[str], size: int) -> list[str]:
    """At most `size` texts, whose lengths are spread as those of all texts."""
    ordered = sorted(texts, key=len)
    size = min(size, len(ordered))
    return [ordered[int((place + 0.5) * len(ordered) / size)] for place in range(size)]


def _as_call(subject: Session | Call) -> Call:
    if not isinstance(subject, Session):
        return subject
    session = subject
    session.warm()
    return lambda texts: session.predict([session.prepare(text).text for text in texts])


def _one_by_one(run: Call, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Milliseconds of each call, (texts,) float64."""
    taken = np.empty(len(texts))
    for place, text in enumerate(texts):
        began = time.perf_counter()
        run([text])
        taken[place] = time.perf_counter() - began
    return taken * 1e3


def _in_batches(run: Call, texts: Sequence[str], batch: int) -> float:
    """Texts a second."""
    began = time.perf_counter()
    for first in range(0, len(texts), batch):
        run(texts[first : first + batch])
    return len(texts) / (time.perf_counter() - began)


def _summary(
    singles: Sequence[np.ndarray[Any, np.dtype[np.float64]]],
    rates: Sequence[float],
    calls: int,
    batch: int,
    reference_ms: Sequence[float],
) -> Latency:
    p50 = tuple(round(float(np.quantile(window, 0.5)), 4) for window in singles)
    p99 = tuple(round(float(np.quantile(window, 0.99)), 4) for window in singles)
    mean = tuple(round(float(window.mean()), 4) for window in singles)
    return Latency(
        p50_ms=float(np.median(p50)),
        p99_ms=float(np.median(p99)),
        texts_per_s=round(float(np.median(rates)), 1),
        windows_p50_ms=p50,
        windows_p99_ms=p99,
        calls=calls,
        batch=batch,
        mean_ms=float(np.median(mean)),
        windows_mean_ms=mean,
        windows_times_faster=tuple(
            round(base / float(window.mean()), 3) for base, window in zip(reference_ms, singles, strict=False)
        ),
    )
