"""The command `penjing`: gathers the groups of commands; whatever goes wrong ends in a message and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import platform
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.main
from typer.exceptions import Exit, TyperException

import penjing
from penjing.cli.command import App
from penjing.cli.failures import explain, write_details
from penjing.cli.help import usage_error
from penjing.cli.interrupts import catching, interrupted
from penjing.cli.language import language, take_option, translate
from penjing.cli.show import flush, tell
from penjing.cli.streams import drop_output, prepare_streams
from penjing.core.errors import PenjingError, RunInterruptedError, UsageError

GROUPS = (
    "demo",
    "init",
    "check",
    "make",
    "predict",
    "decide",
    "replay",
    "verify",
    "erase",
    "amend",
    "impact",
    "review",
    "serve",
    "keys",
    "bench",
    "card",
    "doctor",
)
# As the shell gives it for a program that SIGPIPE ended: the reader of the output had seen enough.
NO_READER = 141

app = App(
    name="penjing",
    help="From labelled texts and written rules to one sealed, offline, replayable decision service. 盆景",
    epilog="`penjing help COMMAND` explains a command; `penjing --debug COMMAND ...` writes the details of an error "
    "to a file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _group in GROUPS:
    importlib.import_module(f"penjing.cli.{_group}").register(app)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"penjing {penjing.__version__}, Python {platform.python_version()}")
        raise Exit(0)


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="print the version and exit")
    ] = False,
    lang: Annotated[
        str, typer.Option("--lang", help="zh or en: what you are told, and a report; also behind the command")
    ] = "",
) -> None:
    """Options before the name of a command."""


def main() -> None:
    """Run the command line; exits 0, or with the code of the error (docs/cli.md lists them)."""
    prepare_streams()
    arguments, debug = _without_debug(sys.argv[1:])
    try:
        arguments = take_option(arguments)
        code = _told(arguments, debug)
        flush()
    except KeyboardInterrupt:  # another one, while the first was told
        code = RunInterruptedError.exit_code
    except BrokenPipeError:
        drop_output()
        code = NO_READER
    except PenjingError as error:
        drop_output()
        _tell(error)
        code = error.exit_code
    sys.exit(code)


def _told(arguments: Sequence[str], debug: bool) -> int:
    """Run a command, tell what went wrong, and return the exit code."""
    try:
        with catching():
            return _run(arguments)
    except Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, typer.Abort) as error:
        ending = error if isinstance(error, KeyboardInterrupt) else KeyboardInterrupt()
        told: PenjingError = interrupted(ending, "run the same command to start again")
        _tell(told)
        return told.exit_code
    except TyperException as error:
        _show_usage(error, arguments)
        return UsageError.exit_code if arguments else 0
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: a person is told of every exception in plain words
        told = explain(error)
        with contextlib.suppress(OSError, PenjingError):
            flush()  # what was done comes before what was not
        _tell(told)
        if (debug or _debug_setting()) and not isinstance(error, RunInterruptedError):
            _tell_details(error)
        return told.exit_code


def _run(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    with command.make_context("penjing", list(arguments)) as context:
        code = command.invoke(context)
    return code if isinstance(code, int) else 0


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The line without `--debug`, which may be anywhere before `--`; and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [each for each in arguments[:end] if each != "--debug"]
    return [*kept, *arguments[end:]], len(kept) < end


def _debug_setting() -> bool:
    try:
        from penjing.serve.settings import load_settings

        return load_settings().debug
    except Exception:  # noqa: BLE001 - asked where something failed: with no memory or no files left, this fails too
        return False


def _show_usage(error: TyperException, arguments: Sequence[str]) -> None:
    # Typer carries a click of its own: its usage errors show themselves with the usage of the command.
    show = getattr(error, "show", None)
    if show is None:
        _tell(UsageError(error.format_message()))
    elif arguments:
        # Values are checked by pydantic, whose first words name its own types.
        error.message = error.message.removeprefix("Value error, ").replace("Input should be", "it must be")
        if language() == "en":
            show()
        else:
            print(usage_error(error), file=sys.stderr)
    else:  # nothing was asked: the help is the answer
        print(error.format_message())


def _tell(error: PenjingError) -> None:
    where = f"{translate(error.where)}: " if error.where else ""
    fix = f"\n  {translate('fix: ' + error.fix)}" if error.fix else ""
    print(f"penjing: {where}{translate(error.what)}{fix}", file=sys.stderr)


def _tell_details(error: BaseException) -> None:
    written = write_details(error)
    if written is None:
        tell("  details: no file could be written for them")
    else:
        tell(f"  details: {written} (it may contain pieces of your texts)")
