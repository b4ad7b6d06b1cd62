"""How every command parses its arguments: each option once, `~` as the home folder, near names for a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from penjing.cli.help import format_help
from penjing.core.options import nearest
from penjing.core.paths import local_path

F = TypeVar("F", bound=Callable[..., Any])


class Command(TyperCommand):
    """A command that refuses an option that is given twice, because the intended value is unclear."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, then check that each option is given once."""
        _refuse_repeated(self, ctx, list(args))
        rest: list[str] = super().parse_args(ctx, args)
        for name, value in ctx.params.items():
            if isinstance(value, Path):
                ctx.params[name] = local_path(value)
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help in the language of messages."""
        if not format_help(self, ctx, formatter):
            super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group that lists its commands if an unknown one is given."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            known = list(self.list_commands(ctx))
            raise usage(ctx, f"No such command '{name[:80]}'; {nearest(name, known)}")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help in the language of messages."""
        if not format_help(self, ctx, formatter):
            super().format_help(ctx, formatter)


class App(typer.Typer):
    """A Typer whose commands are of these classes."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, add_completion=False, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        """Register a command."""
        return super().command(name, **{"cls": Command} | settings)


def usage(ctx: Any, what: str) -> TyperException:
    """A usage error, shown with the usage of the command of `ctx`."""
    try:
        ctx.fail(what)
    except TyperException as error:
        return error
    raise AssertionError("Context.fail returned")


def _refuse_repeated(command: TyperCommand, ctx: Any, args: Sequence[str]) -> None:
    try:
        _, _, order = command.make_parser(ctx).parse_args(args=list(args))
    except TyperException:
        return  # the real parse reports it
    counted = [param for param in order if param.param_type_name == "option" and not param.multiple]
    for param in counted:
        if counted.count(param) > 1:
            raise usage(ctx, f"Option '{param.opts[0]}' is given twice: give it once")
