"""What the command line does with mistakes of usage and with Ctrl-C: a message and a code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
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
