"""Attacks by load: costly requests beside short decisions, scraping, four times saturation, errors that repeat.

Each runs against a started service, on loopback, for at most some 20 s. The load comes from `bench/load_client.py`.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attack_target import Target, Verdict, make_key, start
from load_client import SECONDS, SHORT_RATE, Seen, Stream, client, cpu_seconds, drive

SHORT_P99_MS, REFUSED_P99_MS, GOODPUT_SHARE = 100.0, 50.0, 0.7
_LINES_A_SECOND = 3
_SENTENCES = (
    "送来的时候已经凉了，包装也破了。",
    "客服态度很好，但是问题没有解决！",
    "The parcel came two days late, and the box was broken.",
    "请尽快处理；订单号在上面，谢谢。",
    "I asked for a refund: nobody has answered yet?",
)
_SHORT = ("送餐太慢了，菜都凉了", "味道很好，下次还来", "see you at lunch", "win cash now", "明天开会")


def short_stream(target: Target, rate: float = SHORT_RATE, **more: Any) -> Stream:
    """Short decisions, one text each."""
    bodies = [json.dumps({"text": f"{text} {number}"}) for number, text in enumerate(_SHORT * 4)]
    return Stream("POST", "/v1/decide", bodies, rate, key=target.key, **more)


def long_text(characters: int, seed: int = 0) -> str:
    """A text of so many characters, of sentences in both languages."""
    drawn, parts, length = random.Random(seed), [], 0
    while length < characters:
        parts.append(drawn.choice(_SENTENCES) + str(drawn.randrange(1000)) + " ")
        length += len(parts[-1])
    return "".join(parts)[:characters]


class Rivals:
    """Threads that ask again and again for something costly; what they were answered is counted by status."""

    def __init__(self, ask: Callable[[int], int], count: int) -> None:
        self.statuses: Counter[int] = Counter()
        self._over = threading.Event()
        self._ask = ask
        self._threads = [threading.Thread(target=self._run, args=[place], daemon=True) for place in range(count)]

    def _run(self, place: int) -> None:
        while not self._over.is_set():
            status = self._ask(place)
            self.statuses[status] += 1
            if status != 200:
                self._over.wait(0.05)

    def begin(self) -> None:
        """Start to ask."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask no more; what was asked may still be answered."""
        self._over.set()


def beside(release: Path, folder: Path, prepare: Callable[[Target], Callable[[int], int]], count: int) -> Verdict:
    """Short decisions beside `count` threads that ask what `prepare` gives; held where their p99 is under 100 ms."""
    with start(release, folder, PENJING_MAX_ITEMS="256", PENJING_STOP_SECONDS="2") as target:
        drive(target, short_stream(target, seconds=1.0))
        alone = drive(target, short_stream(target, seconds=2.0))
        rivals = Rivals(prepare(target), count)
        rivals.begin()
        time.sleep(0.3)
        seen = drive(target, short_stream(target))
        rivals.end()
        bad = {status: count for status, count in seen.statuses.items() if status != "200"}
        p99 = seen.p99_ms.get("200", float("inf"))
        asked = ", ".join(f"{count} x {status}" for status, count in sorted(rivals.statuses.items())) or "none answered"
        said = f"short decisions p50 {seen.p50_ms.get('200', 0):.1f} ms, p99 {p99:.1f} ms beside it ({asked}); "
        said += f"alone p99 {alone.p99_ms.get('200', 0):.1f} ms"
        return Verdict(not bad and p99 < SHORT_P99_MS, said + (f"; other answers {bad}" if bad else ""))


def _many(target: Target, texts: int, characters: int, *, evidence: bool, place: int) -> int:
    items = [{"text": long_text(characters, seed=100 * place + number)} for number in range(texts)]
    return target.post("/v1/decide", {"items": items, "evidence": evidence})[0]


def evidence_on_long_texts(release: Path, folder: Path) -> Verdict:
    """Two requests for evidence, each on six texts of 19,000 characters."""
    return beside(release, folder, lambda target: lambda n: _many(target, 6, 19_000, evidence=True, place=n), 2)


def evidence_on_many_texts(release: Path, folder: Path) -> Verdict:
    """Four requests for evidence, each on sixteen texts that are within its bounds."""
    return beside(release, folder, lambda target: lambda n: _many(target, 16, 3_900, evidence=True, place=n), 4)


def long_texts(release: Path, folder: Path) -> Verdict:
    """Three requests of twenty texts of 19,000 characters each, without evidence."""
    return beside(release, folder, lambda target: lambda n: _many(target, 20, 19_000, evidence=False, place=n), 3)


def large_batches(release: Path, folder: Path) -> Verdict:
    """Two requests of 256 short texts each."""
    return beside(release, folder, lambda target: lambda n: _many(target, 256, 60, evidence=False, place=n), 2)


def replays(release: Path, folder: Path) -> Verdict:
    """Eight clients with a key of scope `read` that replay a decision on 19,000 characters again and again."""

    def prepare(target: Target) -> Callable[[int], int]:
        status, made, _ = target.post("/v1/decide", {"text": long_text(19_000)})
        if status != 200:
            raise RuntimeError(f"no decision to replay: {status} {made}")
        read = make_key(target.db, ("read",))
        time.sleep(1.2)
        return lambda _: target.post(f"/v1/decisions/{made['id']}/replay", {}, key=read)[0]

    return beside(release, folder, prepare, 8)


def scraping(release: Path, folder: Path) -> Verdict:
    """/metrics, /readyz and /healthz without a key, 200 a second each, beside short decisions."""
    with start(release, folder) as target:
        drive(target, short_stream(target, seconds=1.0))
        before = cpu_seconds(target.process.pid)
        paths = ("/metrics", "/readyz", "/healthz")
        streams = [client(target, Stream("GET", path, rate=200, connections=8)) for path in paths]
        with streams[0] as first, streams[1] as second, streams[2] as third:
            ends = [first, second, third]
            found: list[Seen] = [Seen(1, 0, {}, {}, {}, 0)] * 3
            threads = [threading.Thread(target=_keep, args=[found, place, end]) for place, end in enumerate(ends)]
            for thread in threads:
                thread.start()
            seen = drive(target, short_stream(target))
            for thread in threads:
                thread.join()
        spent = cpu_seconds(target.process.pid) - before
        p99, states = seen.p99_ms.get("200", float("inf")), [one.p99_ms.get("200", float("inf")) for one in found]
        good = all(set(one.statuses) == {"200"} for one in [seen, *found])
        said = f"short decisions p99 {p99:.1f} ms, scraped answers p99 {max(states):.1f} ms at 600 a second"
        said += f", service at {spent / SECONDS:.2f} cores"
        return Verdict(good and p99 < SHORT_P99_MS and max(states) < SHORT_P99_MS, said)


def _keep(found: list[Seen], place: int, end: Callable[[], Seen]) -> None:
    found[place] = end()


def overload(release: Path, folder: Path) -> Verdict:
    """Four times the load that saturates the service, from the same cores."""
    with start(release, folder) as target:
        drive(target, short_stream(target, seconds=1.0))
        full = drive(target, short_stream(target, 0, seconds=3.0))
        lines, before = len(target.log().splitlines()), cpu_seconds(target.process.pid)
        seen = drive(target, short_stream(target, 4 * full.good(), seconds=SECONDS, connections=512))
        spent = cpu_seconds(target.process.pid) - before
        lines = len(target.log().splitlines()) - lines
        # Before and after, so that a machine whose speed drifts does not decide.
        saturation = (full.good() + drive(target, short_stream(target, 0, seconds=3.0)).good()) / 2
        share = seen.good() / max(saturation, 1e-9)
        refused = seen.p99_ms.get("503", 0.0)
        others = {status: count for status, count in seen.statuses.items() if status not in {"200", "503"}}
        held = share >= GOODPUT_SHARE and refused < REFUSED_P99_MS and not others and lines <= _LINES_A_SECOND * SECONDS
        said = (
            f"saturation {saturation:.0f}/s; at four times that {seen.good():.0f}/s are answered 200 ({share:.2f}), "
            f"{seen.short()}; the client takes {seen.cpu_seconds / (seen.cpu_seconds + spent):.0%} of the processor "
            f"time; {lines} log lines"
        )
        return Verdict(held, said)


def repeated_errors(release: Path, folder: Path) -> Verdict:
    """A database that another process has locked: every decision fails, and the log stays short."""
    with start(release, folder) as target:
        drive(target, short_stream(target, seconds=1.0))
        lines, began = len(target.log().splitlines()), time.monotonic()
        lock = sqlite3.connect(target.db, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            seen = drive(target, short_stream(target, 50, connections=64))
        finally:
            lock.close()
        time.sleep(1.5)
        spent = time.monotonic() - began
        lines = len(target.log().splitlines()) - lines
        after = target.post("/v1/decide", {"text": "win cash now"})[0]
        held = lines <= _LINES_A_SECOND * spent and after == 200
        return Verdict(
            held, f"{lines} log lines in {spent:.0f} s ({seen.short()}); then a decision is answered {after}"
        )


ATTACKS: dict[str, Callable[[Path, Path], Verdict]] = {
    "evidence on long texts beside short decisions": evidence_on_long_texts,
    "evidence on many texts beside short decisions": evidence_on_many_texts,
    "long texts beside short decisions": long_texts,
    "large batches beside short decisions": large_batches,
    "replays beside short decisions": replays,
    "scraping without a key beside short decisions": scraping,
    "four times saturation": overload,
    "errors that repeat": repeated_errors,
}
