"""One tree of exceptions; each says what happened, where, and what to do, and has the exit code of the CLI."""

from __future__ import annotations


def shown(value: object, most: int = 80) -> str:
    """A value that a user or a program gave, for a message: at most `most` characters of it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else text[: most - 2] + " …"


class PenjingError(Exception):
    """A mistake or a failure that a person can act on.

    what: what happened; where: file, line, row or column of the user's input; fix: what to do.
    """

    exit_code = 1
    code = "error"

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class UsageError(PenjingError):
    """A command, a file name or an option that cannot be used."""

    exit_code = 2
    code = "usage"


class RecipeError(UsageError):
    """A recipe that says something unknown, impossible or out of bounds."""

    code = "recipe"


class RuleError(UsageError):
    """A rules file with an unknown name, a contradiction or a row that can never fire."""

    code = "rules"


class MissingPackageError(UsageError):
    """An optional part that is not installed."""

    code = "missing_package"


class RequestError(UsageError):
    """A text or a field that a release refuses to decide (NUL, lone surrogate, wrong type, too large)."""

    code = "bad_request"


class DataError(PenjingError):
    """Data that fails a check and must not be trained on, or cannot be read."""

    exit_code = 3
    code = "data"


class GateError(PenjingError):
    """A promise that was broken, or unproven and refused."""

    exit_code = 4
    code = "gate"


class DamageError(PenjingError):
    """A folder with a changed, missing or unlisted file, or a release that fails its self-check."""

    exit_code = 5
    code = "damage"


class ReplayError(PenjingError):
    """A replay that differs from what was recorded."""

    exit_code = 6
    code = "replay"


class StoreError(PenjingError):
    """A database that cannot be opened, read or written; what was not acknowledged was not recorded."""

    code = "store"


class StoreDamageError(StoreError):
    """A database that was damaged, or changed outside Penjing."""

    exit_code = 5


class RunInterruptedError(PenjingError):
    """A run that was stopped and can be resumed."""

    exit_code = 130
    code = "interrupted"


class TrainingEndedError(PenjingError):
    """A training that its caller ended early, because earlier ones were better at that point."""

    code = "ended"


class RunTerminatedError(RunInterruptedError):
    """The same, where SIGTERM stopped it."""

    exit_code = 143
