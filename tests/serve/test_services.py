"""Several services of one base in one real server: routes, keys, records, replays, states; and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import BASE_WORDS
from tests.serve.conftest import Served
from tests.serve.tenant_releases import NAMES

from penjing.core.nouns import Release
from penjing.runtime.open import open_session
from penjing.serve.services import joined_metrics

TEXT = "delivery1 delivery2 common3"


@dataclass
class Running:
    """A server of all three: `ask` sends a request to one of them."""

    url: str
    services: dict[str, Any]
    keys: dict[str, str]
    process: subprocess.Popen[str]
    folder: Path

    def ask(self, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.request(method, self.url + path, headers=headers, **more)

    def decide(self, name: str, text: str = TEXT) -> dict[str, Any]:
        answer = self.ask("POST", f"/services/{name}/v1/decide", self.keys[name], json={"text": text})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made


@contextmanager
def served(releases: Sequence[Release], folder: Path) -> Iterator[Running]:
    """A server of these releases, each with a key of its own."""
    command = [sys.executable, "-m", "penjing", "serve", *(str(one.folder) for one in releases), "--port", "0"]
    command += ["--key-file", str(folder / "{name}.key"), "--workers", "1", "--threads", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=(folder / "stderr").open("w"), text=True, cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PENJING_STATE_SECONDS": "0"},
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("{"):
        process.kill()
        pytest.fail(f"the service printed {line!r}: " + (folder / "stderr").read_text())
    shown = json.loads(line)
    keys = {one.info.name: (folder / f"{one.info.name}.key").read_text().strip() for one in releases}
    try:
        yield Running(shown["url"], shown["services"], keys, process, folder)
    finally:
        ended = Served(shown["url"], "", process, {}).stop()
        process.stdout.close()
    assert ended == 0


@pytest.fixture(scope="module")
def running(tenants: list[Release], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tenants, tmp_path_factory.mktemp("running")) as all_three:
        yield all_three


def test_each_service_decides_by_its_own_release(running: Running, tenants: list[Release]) -> None:
    assert {name: one["release"] for name, one in running.services.items()} == {
        release.info.name: release.id for release in tenants
    }
    for name, release in zip(NAMES, tenants, strict=True):
        made = running.decide(name)
        assert made["release"] == release.id
        assert made["outcome"] in release.info.labels
    assert running.decide("third")["outcome"].endswith("-x")


def test_mixed_traffic_gives_what_each_gives_alone(running: Running, tenants: list[Release]) -> None:
    texts = [" ".join(BASE_WORDS[place : place + 3]) for place in range(0, 36, 3)]
    sessions = {name: open_session(release.artifact, threads=1) for name, release in zip(NAMES, tenants, strict=True)}
    wanted = {
        (name, text): session.predict([text])[0].to_json() for name, session in sessions.items() for text in texts
    }
    found: dict[tuple[str, str], Any] = {}

    def go(name: str) -> None:
        for text in texts:
            found[name, text] = running.ask(
                "POST", f"/services/{name}/v1/predict", running.keys[name], json={"text": text}
            ).json()

    threads = [threading.Thread(target=go, args=(name,)) for name in NAMES for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


def test_word_counts_are_served_beside_a_tenant_in_either_order(
    tenants: list[Release], tiny_release: Release, tmp_path: Path
) -> None:
    for place, releases in enumerate(([tenants[0], tiny_release], [tiny_release, tenants[0]])):
        folder = tmp_path / str(place)
        folder.mkdir()
        with served(releases, folder) as both:
            for release in releases:
                made = both.decide(release.info.name, "free prize win cash now")
                alone = open_session(release.artifact, threads=1).predict(["free prize win cash now"])[0].to_json()
                key, service = both.keys[release.info.name], f"/services/{release.info.name}/v1"
                found = both.ask("POST", f"{service}/predict", key, json={"text": "free prize win cash now"}).json()
                again = both.ask("POST", f"{service}/decisions/{made['id']}/replay", key).json()
                assert (made["release"], found, again["same"]) == (release.id, alone, True)
            assert both.ask("GET", "/readyz").json()["ready"]


def test_keys_and_records_belong_to_one_service(running: Running) -> None:
    made = running.decide("desk")
    assert (
        running.ask("POST", "/services/third/v1/decide", running.keys["desk"], json={"text": TEXT}).status_code == 401
    )
    path = f"/v1/decisions/{made['id']}"
    assert running.ask("GET", f"/services/desk{path}", running.keys["desk"]).json()["id"] == made["id"]
    assert running.ask("GET", f"/services/third{path}", running.keys["third"]).status_code == 404
    assert sorted(each.name for each in running.folder.glob("*.db")) == sorted(f"penjing.{name}.db" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_slow_lanes_serve_every_release(running: Running, name: str) -> None:
    made = running.decide(name)
    answer = running.ask("POST", f"/services/{name}/v1/decisions/{made['id']}/replay", running.keys[name])
    assert answer.status_code == 200, answer.text
    assert answer.json()["same"] is True, answer.text
    body = {"text": TEXT, "evidence": True}
    shown = running.ask("POST", f"/services/{name}/v1/decide", running.keys[name], json=body).json()
    assert shown["outcome"] == made["outcome"] and shown["evidence"]


def test_the_states_name_every_service(running: Running, tenants: list[Release]) -> None:
    ready = running.ask("GET", "/readyz")
    assert ready.status_code == 200 and ready.json()["ready"]
    assert {name: one["release"] for name, one in ready.json()["services"].items()} == {
        release.info.name: release.id for release in tenants
    }
    assert running.ask("GET", "/healthz").json() == {"ok": True}
    before = running.ask("GET", "/metrics").text
    running.decide("投诉")
    families = {one.name: one for one in text_string_to_metric_families(running.ask("GET", "/metrics").text)}
    assert {sample.labels["service"] for sample in families["penjing_release_info"].samples} == set(NAMES)
    assert all("service" in sample.labels for family in families.values() for sample in family.samples)
    counted = {name: decisions(page, "投诉") for name, page in (("before", before),)}
    assert decisions(running.ask("GET", "/metrics").text, "投诉") == counted["before"] + 1
    alone = running.ask("GET", "/services/desk/readyz").json()
    assert alone["name"] == "desk"


def decisions(page: str, name: str) -> float:
    found = {one.name: one for one in text_string_to_metric_families(page)}["penjing_decisions"]
    return sum(
        one.value for one in found.samples if one.labels["service"] == name and one.name == "penjing_decisions_total"
    )


@pytest.mark.parametrize("path", ["/", "/v1/decide", "/services", "/services/desk", "/services/other/v1/decide"])
def test_other_addresses_say_where_the_services_are(running: Running, path: str) -> None:
    answer = running.ask("POST", path, running.keys["desk"], json={"text": TEXT})
    assert answer.status_code == 404
    assert "/services/desk" in answer.json()["error"]["fix"]


def test_a_second_path_inside_a_service_is_not_found(running: Running) -> None:
    answer = running.ask("POST", "/services/desk/services/third/v1/decide", running.keys["third"], json={"text": TEXT})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path", ["/services/desk%2Fv1/decide", "/services%2fdesk/v1/decide", "/services/desk/v1%5cdecide"]
)
def test_an_encoded_slash_is_refused_before_the_address_is_cut(running: Running, path: str) -> None:
    answer = running.ask("POST", path, running.keys["desk"], json={"text": TEXT})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_path"


def test_joined_metrics_have_each_family_once() -> None:
    registries = {name: CollectorRegistry() for name in ("a", "b")}
    for number, registry in enumerate(registries.values()):
        Counter("penjing_requests", "answers", ["path"], registry=registry).labels("/x").inc(number + 1)
        Histogram("penjing_request_seconds", "time", registry=registry).observe(0.1)
    page = joined_metrics(registries).decode()
    assert page.count("# TYPE penjing_requests_total counter") == 1
    assert 'penjing_requests_total{path="/x",service="b"} 2.0' in page
    assert page.count("# TYPE penjing_request_seconds histogram") == 1
