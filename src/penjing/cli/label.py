"""`penjing label`: texts that a person should label next, and labels that a person should look at again."""

from __future__ import annotations

import typer

from penjing.cli import label_fix, label_suggest
from penjing.cli.command import App


def register(app: typer.Typer) -> None:
    """Add the commands of the group `label`."""
    group = App(help="What to label next, and which labels to look at again.", no_args_is_help=True)
    label_suggest.register_in(group)
    label_fix.register_in(group)
    group.callback()(_group)
    app.add_typer(group, name="label")


def _group() -> None:
    """What to label next, and which labels to look at again."""
