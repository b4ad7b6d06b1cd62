"""What the services of one process share: the base of their models, the layout of engines, the process of slow lanes.

Each service has its own release, policy, database, keys and lanes. Their models are tenants of one base
(engines/tenant.py), which a process opens once, and texts of different services share its passes. A model of word
counts needs no base and may be among them: `make` seals it wherever the tenant is not proven better.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penjing.cases.record import Answer, Ask
from penjing.cases.replay_record import ReplayAsk
from penjing.core.errors import UsageError
from penjing.core.machine import cores
from penjing.core.nouns import Release
from penjing.engines.tenant import read_info
from penjing.measure.workers import WorkerLayout, measured_layout
from penjing.runtime.cascade import Tally
from penjing.serve.settings import Settings
from penjing.serve.slow_engine import SlowEngine

TENANT = "tenant"
# Forms that need no base: they take a megabyte or so.
SMALL = ("linear",)
_ALONE = "serve each in a process of its own, or make them with `tune.lora` and `compress.tenant` on one base"


class SharedEngines:
    """What services with these releases share. Raises UsageError where their models have no base in common."""

    def __init__(self, releases: Sequence[Release], settings: Settings) -> None:
        check_one_base(releases)
        tenants = [one for one in releases if one.artifact.card.form == TENANT]
        self.layout = layout_of((tenants or releases)[0], settings)
        self._places = {release.id: place for place, release in enumerate(releases)}
        first, *others = releases
        self._engine = SlowEngine(first, self.layout.threads, settings.device, b"", others)
        self._open = len(releases)
        self._lock = threading.Lock()

    def slow(self, release: Release, secret: bytes) -> SlowShare:
        """The slow lanes of one of the services. secret: the key by which its audits are drawn."""
        return SlowShare(self._engine, self._places[release.id], secret, self._leave)

    def _leave(self) -> None:
        """A service ends; the process ends with the last one."""
        with self._lock:
            self._open -= 1
        if not self._open:
            self._engine.close()


class SlowShare:
    """A service's part of the process of the slow lanes, with the methods of `SlowEngine`."""

    def __init__(self, engine: SlowEngine, place: int, secret: bytes, leave: Any) -> None:
        self._engine, self._place, self._secret, self._leave = engine, place, secret.hex(), leave
        self.tally = Tally()

    @property
    def pid(self) -> int | None:
        """The id of the process; None if none runs."""
        return self._engine.pid

    def start(self) -> None:
        """Start the process if none runs."""
        self._engine.start()

    def wait_until_ready(self) -> None:
        """Return when the process can answer. Raises PenjingError if it cannot."""
        self._engine.wait_until_ready()

    def decide(self, lane: str, asks: Sequence[Ask]) -> list[Answer]:
        """As `SlowEngine.decide`, by the release of this service."""
        return self._engine.decide_for(self._place, self._secret, lane, asks)

    def replay(self, asks: Sequence[ReplayAsk]) -> list[dict[str, Any]]:
        """As `SlowEngine.replay`, by the release of this service."""
        return self._engine.replay_for(self._place, asks)

    def close(self) -> None:
        """Leave the process to the other services; it ends with the last one."""
        self._leave()


def check_one_base(releases: Sequence[Release]) -> None:
    """Raise UsageError for releases of different bases, of another form, or whose names are the same or one file.

    Those of a form in `SMALL` may be among them.
    """
    for release in releases:
        form = release.artifact.card.form
        if form not in (TENANT, *SMALL):
            raise UsageError(
                f"`{release.info.name}` has a model of form `{form}`, which shares no base with others",
                where=str(release.folder),
                fix=_ALONE,
            )
    tenants = [release for release in releases if release.artifact.card.form == TENANT]
    for other in tenants[1:]:
        first = tenants[0]
        base = read_info(first.artifact.folder).base
        if (found := read_info(other.artifact.folder).base) != base:
            raise UsageError(
                f"`{first.info.name}` and `{other.info.name}` have different bases: the files are "
                f"{base[:12]} and {found[:12]}",
                where=str(other.folder),
                fix=_ALONE + ", with the same `rank` and `targets`",
            )
    _check_names([one.info.name for one in releases])


def _check_names(names: Sequence[str]) -> None:
    """Raise UsageError for two equal names, and for two that some file systems take for one: each has a database."""
    seen: dict[str, str] = {}
    for name in names:
        same = unicodedata.normalize("NFC", name).casefold()
        if same not in seen:
            seen[same] = name
            continue
        if (earlier := seen[same]) == name:
            raise UsageError(
                f"two of the releases have the name `{name[:60]}`",
                fix="give each once; a service is addressed by the `name` of its recipe",
            )
        raise UsageError(
            f"the names `{earlier[:60]}` and `{name[:60]}` differ in case alone, and so would their databases: "
            "some file systems take them for one",
            fix="change `name:` in one of the recipes, and make it again",
        )


def layout_of(release: Release, settings: Settings) -> WorkerLayout:
    """How many engines a service has, and with how many threads each: as the settings say, else measured."""
    if settings.threads or settings.workers:
        workers = settings.workers or 1
        return WorkerLayout(workers, settings.threads or max(1, cores() // workers))
    kept = Path(settings.cache).expanduser() / "layout.json"
    return measured_layout(release.artifact, cores(), kept, settings.device)
