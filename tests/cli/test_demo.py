"""`penjing demo`: the service in a process of its own, five texts decided, one replayed; all of it cleaned up."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.cli import demo
from penjing.core.errors import PenjingError
from penjing.core.nouns import Release
from penjing.make import demo as data
from penjing.serve.run import bind
from penjing.store.database import open_store
from penjing.store.keys import active_keys, match_key
from penjing.store.records import get_record


def reachable(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_a_service_decides_and_its_record_replays(
    tiny_release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A company's proxy in the environment is no way to a service on this machine.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    database = f"sqlite:///{tmp_path / 'demo.db'}"
    key = demo._key(database)
    with demo._Service(tiny_release.folder, database, demo._free_port()) as service:
        record = demo._shown(service.url, key, "彩票 lottery 13812345678")
    assert not reachable(service.url), "the service ends with the demonstration"
    said = capsys.readouterr().out
    # Its channel is not given, so the rule on it may hold.
    assert said.startswith("「彩票 lottery 13812345678」\n  ham, review (missing_field)")
    assert f"record {record}" in said and re.search(r"ham 0\.\d{3}  spam 0\.\d{3}", said)
    assert "evidence: lottery、彩票   rules: vip   record" in said
    store = open_store(database, create=False)
    assert match_key(active_keys(store), key) is not None
    kept = get_record(store, record)
    store.close()
    assert kept is not None and kept.text is not None and "13812345678" not in kept.text
    demo._replayed(database, record)
    said = capsys.readouterr().out
    assert f"$ penjing replay {record}" in said and '"same": true' in said


def test_a_service_that_cannot_start_is_told(
    tiny_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The port is taken by something that accepts and never answers.
    monkeypatch.setattr(demo, "ANSWER_SECONDS", 0.2)
    with bind("127.0.0.1", 0) as taken:
        service = demo._Service(tiny_release.folder, f"sqlite:///{tmp_path / 'demo.db'}", taken.getsockname()[1])
        with pytest.raises(PenjingError, match="the service did not start"), service:
            pass
    assert service._process.poll() is not None


@pytest.mark.slow
@pytest.mark.usefixtures("short_times")
def test_the_whole_way_once(penjing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command as it is, on few rows and with the linear model: the encoder's way has tests of its own.
    steps = "  - tune.full: {full}\n  - compress.int8: {int8}\n"
    assert steps in data.RECIPE
    short = data.RECIPE.replace(steps, "  - tune.linear: {{}}\n").replace("keep: 0.97, p99_ms: {p99_ms}, ", "")
    monkeypatch.setattr(data, "RECIPE", short)
    monkeypatch.setattr(data, "machine_rows", lambda: 300)
    ran = penjing("demo", "--once", "--out", tmp_path / "demo")
    assert ran.code == 0, ran.err
    assert [text for text in data.TEXTS if f"「{text}」" in ran.out] == list(data.TEXTS)
    # The verdict is on the screen, in its language.
    assert "The model is the plain word model, with which all others are compared." in ran.out
    assert "tune.linear" in ran.out and "MB, p50" in ran.out and '"same": true' in ran.out
    assert (tmp_path / "demo" / "report.html").exists()
    url = re.search(r"serving demo-reviews on (http://\S+)", ran.out)
    assert url is not None and not reachable(url[1])
