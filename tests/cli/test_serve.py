"""`penjing serve`: what cannot be served is told before anything listens; a first key goes where it is asked to."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path
from typing import get_args

import pytest

from penjing.cli.serve import example_body
from penjing.core.recipe import FieldType
from penjing.data.fields import read_field
from penjing.serve.run import bind
from penjing.store.database import open_store
from penjing.store.keys import active_keys, match_key


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--host", "0.0.0.0"], 2, "there is no key yet, so 0.0.0.0 is not opened"),
        (["--host", "0.0.0.0", "--no-key"], 2, "without keys the service listens on this machine alone"),
        (["--host", "example.org"], 2, "`example.org` is not an address"),
        (["--port", "70000"], 2, "65535"),
        (["--db", "sqlite:////nowhere/x.db"], 2, "folder of the database does not exist"),
        (["--expect", "abc"], 5, "not the expected abc"),
    ],
)
def test_mistakes_are_explained(penjing, tiny_release, options: list[str], code: int, words: str) -> None:
    port = () if "--port" in options else ("--port", 0)
    ran = penjing("serve", tiny_release.folder, *port, *options)
    assert ran.code == code
    assert words in ran.err
    assert ran.out == ""


def test_a_wrong_setting_is_explained(penjing, tiny_release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENJING_PORT", "http")
    ran = penjing("serve", tiny_release.folder)
    assert ran.code == 2
    assert "PENJING_PORT is `http`" in ran.err


def test_a_taken_port_is_told_and_a_key_file_holds_the_first_key(penjing, tiny_release, tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        ran = penjing("serve", tiny_release.folder, "--port", port, "--key-file", "key")
        assert ran.code == 2
        assert f"cannot listen on 127.0.0.1:{port}" in ran.err
    secret = (tmp_path / "key").read_text().strip()
    assert secret not in ran.out + ran.err
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    store = open_store("sqlite:///penjing.db")
    assert match_key(active_keys(store), secret) is not None
    store.close()


def test_the_example_gives_every_declared_field() -> None:
    assert example_body({}) == """'{"text": "..."}'"""
    kinds = {"amount": "float", "visits": "int", "vip": "bool", "city": "str", "mood": ("isn't", "fine")}
    (body,) = shlex.split(example_body(kinds))
    fields = {"amount": 1.5, "visits": 1, "vip": True, "city": "...", "mood": "isn't"}
    assert json.loads(body) == {"text": "...", "fields": fields}


def test_the_example_of_each_kind_is_a_value_of_that_kind() -> None:
    kinds = {str(kind): str(kind) for kind in get_args(FieldType)}
    (body,) = shlex.split(example_body(kinds))
    assert all(read_field(name, value, name) is not None for name, value in json.loads(body)["fields"].items())
