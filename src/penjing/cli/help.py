"""The help of commands and their usage errors, in the language of messages.

Typer composes both in English; in Chinese the same parts are translated and wrapped by the width of their characters.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any
from unicodedata import east_asian_width

from penjing.cli.language import language, translate

_EXTRA = re.compile(r"^(.*?) *\[((?:default|env var|required|x[<>]|\d)[^\[\]]*)\]$", re.DOTALL)
_FIRST = 30  # columns of the longest name that has its help on the same line
_PIECES = re.compile(r"[\[(“（《]*(?:[\x21-\x7e]+|.)", re.DOTALL)
_NO_START = frozenset("，。；：、）》！？…”’")


def format_help(command: Any, context: Any, formatter: Any) -> bool:
    """Write the help of a command in the language of messages; False for English, which Typer writes."""
    _name_tasks(command.get_params(context))
    if language() == "en":
        return False
    width = formatter.width
    formatter.write(usage_line(context) + "\n")
    for part in paragraphs(command.help or ""):
        formatter.write("\n" + "\n".join(_wrapped(translate(part), width, 2)) + "\n")
    listed = [param for param in command.get_params(context) if param.get_help_record(context)]
    for title, kind in (("Arguments:", "argument"), ("Options:", "option")):
        records = [param.get_help_record(context) for param in listed if param.param_type_name == kind]
        _write_list(formatter, title, [(name, _param_help(description)) for name, description in records])
    commands = getattr(command, "commands", {})
    shown = [(name, command.commands[name]) for name in (command.list_commands(context) if commands else ())]
    _write_list(formatter, "Commands:", [(name, _short(each)) for name, each in shown if not each.hidden])
    if command.epilog:
        formatter.write("\n" + "\n".join(_wrapped(translate(command.epilog), width, 0)) + "\n")
    return True


def _name_tasks(params: Sequence[Any]) -> None:
    """Put the names of the tasks into the help of options; their table is read only where help is shown."""
    for param in params:
        if "{tasks}" in (getattr(param, "help", None) or ""):
            from penjing.tasks import TASKS

            param.help = param.help.replace("{tasks}", ", ".join(TASKS))


def usage_line(context: Any) -> str:
    """The usage line of the command of a context."""
    line = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    return translate(f"Usage: {line}")


def usage_error(error: Any) -> str:
    """Typer's usage error in the language of messages; for a group without a command, its help."""
    lines = []
    if error.ctx is not None:
        if error.format_message() == error.ctx.get_help():
            return str(error.format_message())
        command = f"{error.ctx.command_path} {error.ctx.help_option_names[0]}"
        lines = [usage_line(error.ctx), translate(f"Try '{command}' for help."), ""]
    return "\n".join([*lines, translate(f"Error: {error.format_message()}")])


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, each on one line."""
    return [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n") if part.strip()]


def _short(command: Any) -> str:
    text = translate(next(iter(paragraphs(command.short_help or command.help or "")), ""))
    return text.split("。")[0].removesuffix("：")


def _param_help(description: str) -> str:
    found = _EXTRA.match(description)
    if not found:
        return translate(description)
    extra = "；".join(translate(each.strip()) for each in found[2].split(";"))
    return f"{translate(found[1])}  [{extra}]".strip()


def _write_list(formatter: Any, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if not rows:
        return
    first = min(_FIRST, max(_columns(name) for name, _ in rows)) + 4
    formatter.write(f"\n{translate(title)}\n")
    for name, description in rows:
        lines = list(_wrapped(description, formatter.width, first)) or [""]
        if _columns(name) + 4 > first:
            formatter.write(f"  {name}\n")
        else:
            lines[0] = f"  {name}" + lines[0][_columns(name) + 2 :]
        formatter.write("".join(f"{line.rstrip()}\n" for line in lines))


def _wrapped(text: str, width: int, indent: int) -> Iterator[str]:
    """Lines of at most `width` columns: a line may end after any Chinese character, or at a space."""
    line, used = "", indent
    for piece in _PIECES.findall(text):
        columns = _columns(piece)
        if used + columns > width and line.strip() and piece not in _NO_START:
            yield " " * indent + line.rstrip()
            line, used = "", indent
            piece = piece.lstrip()
        line += piece
        used += _columns(piece)
    if line.strip():
        yield " " * indent + line.rstrip()


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)
