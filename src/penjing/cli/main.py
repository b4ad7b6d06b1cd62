"""The command `penjing`: registers all commands; every failure ends in a message and an exit code."""

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
    "corpus",
    "grow",
    "make",
    "predict",
    "decide",
    "replay",
    "verify",
    "erase",
    "amend",
    "impact",
    "rules",
    "review",
    "audits",
    "label",
    "export",
    "serve",
    "keys",
    "bench",
    "card",
    "tokenizer",
    "doctor",
)
# The exit code that a shell gives for SIGPIPE: the reader of the output has closed it.
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
        str, typer.Option("--lang", help="zh or en: language of messages and of a report; may follow the command")
    ] = "",
) -> None:
    """Options before the name of a command."""


def main() -> None:
    """Run the command line; exits 0, or with the code of the error (docs/cli.md lists them)."""
    prepare_streams()
    arguments, debug = _without_debug(sys.argv[1:])
    try:
        arguments = take_option(arguments)
        code = _run_reported(arguments, debug)
        flush()
    except KeyboardInterrupt:  # a second one, while the first was reported
        code = RunInterruptedError.exit_code
    except BrokenPipeError:
        drop_output()
        code = NO_READER
    except PenjingError as error:
        drop_output()
        _show_error(error)
        code = error.exit_code
    sys.exit(code)


def _run_reported(arguments: Sequence[str], debug: bool) -> int:
    """Run a command, show its error, and return the exit code."""
    try:
        with catching():
            return _run(arguments)
    except Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, typer.Abort) as error:
        ending = error if isinstance(error, KeyboardInterrupt) else KeyboardInterrupt()
        failure: PenjingError = interrupted(ending, "run the same command to start again")
        _show_error(failure)
        return failure.exit_code
    except TyperException as error:
        _show_usage(error, arguments)
        return UsageError.exit_code if arguments else 0
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: every exception is shown as a plain message
        failure = explain(error)
        with contextlib.suppress(OSError, PenjingError):
            flush()  # print finished results before the error
        _show_error(failure)
        if (debug or _debug_setting()) and not isinstance(error, RunInterruptedError):
            _show_details(error)
        return failure.exit_code


def _run(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    with command.make_context("penjing", list(arguments)) as context:
        code = command.invoke(context)
    return code if isinstance(code, int) else 0


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without `--debug`, which may be anywhere before `--`; and whether it was given."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [each for each in arguments[:end] if each != "--debug"]
    return [*kept, *arguments[end:]], len(kept) < end


def _debug_setting() -> bool:
    try:
        from penjing.serve.settings import load_settings

        return load_settings().debug
    except Exception:  # noqa: BLE001 - this runs after a failure: without memory or file handles it fails too
        return False


def _show_usage(error: TyperException, arguments: Sequence[str]) -> None:
    # Typer includes its own copy of click, whose usage errors print the usage of the command.
    show = getattr(error, "show", None)
    if show is None:
        _show_error(UsageError(error.format_message()))
    elif arguments:
        # Pydantic checks values, and its messages begin with names of its own types.
        error.message = error.message.removeprefix("Value error, ").replace("Input should be", "it must be")
        if language() == "en":
            show()
        else:
            print(usage_error(error), file=sys.stderr)
    else:  # no command was given: show the help
        print(error.format_message())


def _show_error(error: PenjingError) -> None:
    where = f"{translate(error.where)}: " if error.where else ""
    fix = f"\n  {translate('fix: ' + error.fix)}" if error.fix else ""
    print(f"penjing: {where}{translate(error.what)}{fix}", file=sys.stderr)


def _show_details(error: BaseException) -> None:
    written = write_details(error)
    if written is None:
        tell("  details: no file could be written for them")
    else:
        tell(f"  details: {written} (it may contain pieces of your texts)")
