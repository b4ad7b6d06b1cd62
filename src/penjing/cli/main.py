"""The command `penjing`: gathers the groups of commands and turns errors into a message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys

import typer
from typer.exceptions import TyperException

from penjing.core.errors import PenjingError, RunInterruptedError

GROUPS = (
    "demo",
    "init",
    "check",
    "make",
    "predict",
    "decide",
    "replay",
    "verify",
    "amend",
    "impact",
    "review",
    "serve",
    "keys",
    "bench",
    "card",
    "doctor",
)

app = typer.Typer(
    name="penjing",
    help="From labelled texts and written rules to one sealed, offline, replayable decision service. 盆景",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _group in GROUPS:
    importlib.import_module(f"penjing.cli.{_group}").register(app)


def main() -> None:
    """Run the command line; exits 0, or with the code of the error (docs/cli.md lists them)."""
    try:
        code = app(prog_name="penjing", standalone_mode=False)
    except PenjingError as error:
        _tell(str(error))
        sys.exit(error.exit_code)
    except typer.Abort:
        _tell("stopped")
        sys.exit(RunInterruptedError.exit_code)
    except TyperException as error:
        # Typer carries a click of its own: its usage errors show themselves with the usage of the command.
        show = getattr(error, "show", None)
        if show is not None:
            show()
        else:
            _tell(error.format_message())
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _tell(f"{error.filename or 'file system'}: {error.strerror or error}\n  fix: check the disk and permissions")
        sys.exit(1)
    if code == RunInterruptedError.exit_code:
        _tell("stopped; the same command goes on where it was")
    sys.exit(code if isinstance(code, int) else 0)


def _tell(line: str) -> None:
    print(f"penjing: {line}", file=sys.stderr)
