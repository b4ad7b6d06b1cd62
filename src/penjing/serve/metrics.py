"""The metrics of the service in the format of Prometheus; docs/service.md lists each one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from penjing.runtime.cascade import Tally
from penjing.serve.lane import Lane

_BUCKETS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self, release: str, name: str) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "penjing_requests", "answers by address and status", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "penjing_request_seconds",
            "time from the first byte to the answer",
            ["path"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.decisions = Counter(
            "penjing_decisions",
            "decisions by outcome, route and what decided",
            ["outcome", "route", "decided_by"],
            registry=self.registry,
        )
        self._waiting = Gauge("penjing_waiting_texts", "texts that wait to be decided", registry=self.registry)
        self.review_share = Gauge(
            "penjing_review_share", "share of decisions since the start that went to a person", registry=self.registry
        )
        self.commit_seconds = Histogram(
            "penjing_commit_seconds",
            "time from a decision to its commit on the disk",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        info = Info("penjing_release", "the release in service", registry=self.registry)
        info.info({"id": release, "name": name})
        self._decided = self._reviewed = 0
        self._early: dict[tuple[str, int], Counter] = {}

    def watch(self, tallies: Sequence[Tally]) -> None:
        """Export the sums over all cascades: texts, answers of the first stage, audits, disagreements."""
        stages = Gauge(
            "penjing_cascade_texts",
            "texts since the start, by what became of them in the cascade",
            ["what"],
            registry=self.registry,
        )
        for name in ("texts", "exits", "audited", "differed"):
            stages.labels(name).set_function(partial(_sum, tallies, name))

    def watch_lanes(self, lanes: Sequence[Lane[Any, Any]]) -> None:
        """Export for each lane: its texts, the waiting time of its first request, and its refusals."""
        texts = Gauge("penjing_lane_texts", "texts in a lane, answered ones excepted", ["lane"], registry=self.registry)
        ages = Gauge(
            "penjing_lane_wait_seconds",
            "time that the first request of a lane has waited for an engine",
            ["lane"],
            registry=self.registry,
        )
        refused = Gauge(
            "penjing_lane_refused",
            "requests that a full lane has refused since the start",
            ["lane"],
            registry=self.registry,
        )
        for lane in lanes:
            texts.labels(lane.name).set_function(partial(getattr, lane, "texts"))
            ages.labels(lane.name).set_function(lane.batcher.age)
            refused.labels(lane.name).set_function(partial(getattr, lane, "refused"))
        decided = [lane for lane in lanes if lane.name in {"short", "long", "evidence"}]
        self._waiting.set_function(lambda: float(sum(lane.texts for lane in decided)))

    def count_early(self, path: str, status: int) -> None:
        """Count an early answer."""
        counter = self._early.get((path, status))
        if counter is None:
            counter = self._early[path, status] = self.requests.labels(path, status)
        counter.inc()

    def count_decision(self, outcome: str, route: str, decided_by: str) -> None:
        """Count a decision that was recorded; outcome: a label, or "" if answers are not labels."""
        self.decisions.labels(outcome, route, decided_by).inc()
        self._decided += 1
        self._reviewed += route == "review"
        self.review_share.set(self._reviewed / self._decided)

    def render(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)


def _sum(tallies: Sequence[Tally], name: str) -> float:
    return float(sum(getattr(tally, name) for tally in tallies))
