"""What the command line does with mistakes of usage and with Ctrl-C: a message and a code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from penjing.cli import main as module


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["make", "--nope"], "No such option: --nope"),
        (["make"], "Missing argument"),
        (["maek"], "No such command"),
        (["bench", "x", "--threads", "many"], "valid integer"),
    ],
)
def test_a_mistake_of_usage_exits_2(penjing: Callable[..., Any], arguments: list[str], said: str) -> None:
    done = penjing(*arguments)
    assert done.code == 2
    assert said in done.err and "Usage: penjing" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_exits_130(
    penjing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    app = typer.Typer()

    @app.command()
    def stopped() -> None:
        raise raised

    monkeypatch.setattr(module, "app", app)
    done = penjing()
    assert done.code == 130 and "stopped" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("how", ["option before", "option after", "variable", ""])
def test_the_traceback_goes_to_a_file_only_where_it_is_asked_for(
    penjing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("something odd")

    monkeypatch.setattr("penjing.core.recipe.load_recipe", fail)
    if how == "variable":
        monkeypatch.setenv("PENJING_DEBUG", "1")
    before, after = ["--debug"] * (how == "option before"), ["--debug"] * (how == "option after")
    ran = penjing(*before, "check", "recipe.yaml", *after)
    assert ran.code == 1 and "Traceback" not in ran.err
    assert "an unexpected error: ValueError: something odd" in ran.err and "fix:" in ran.err
    logs = list(tmp_path.glob("penjing-error-*.log"))
    assert len(logs) == bool(how) and ("details: " in ran.err) == bool(how)
    for log in logs:
        assert str(log) in ran.err and "Traceback" in log.read_text(encoding="utf-8")


def test_what_fails_again_while_it_is_told_gives_no_traceback(
    penjing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("penjing.core.recipe.load_recipe", fail)
    monkeypatch.setattr("penjing.serve.settings.load_settings", fail)
    ran = penjing("check", "recipe.yaml")
    assert ran.code == 1 and "not enough memory" in ran.err and "Traceback" not in ran.err
