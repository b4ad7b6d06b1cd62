"""Where the records are: the command line first, then the environment; the key goes with the URL."""

from __future__ import annotations

import pytest

from penjing.store.settings import database_url


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENJING_DB", raising=False)
    assert database_url(None) == "sqlite:///penjing.db"
    monkeypatch.setenv("PENJING_DB", "sqlite:///other.db")
    assert database_url(None) == "sqlite:///other.db"
    assert database_url("sqlite:///given.db") == "sqlite:///given.db"


def test_the_signing_key_goes_with_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENJING_SIGNING_KEY", "/safe/a key&b.key")
    assert database_url("sqlite:///x.db") == "sqlite:///x.db?signing_key=/safe/a%20key%26b.key"
    assert database_url("postgresql://h/n?a=1").endswith("?a=1&signing_key=/safe/a%20key%26b.key")
    assert database_url("sqlite:///x.db?signing_key=y") == "sqlite:///x.db?signing_key=y"
