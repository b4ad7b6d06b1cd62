"""The editions of rules by the version that a release names: which reader reads what was sealed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from penjing.core.errors import UsageError
from penjing.decide.first import reader as first
from penjing.decide.first.table import RuleTable as FirstTable
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable

AnyTable = RuleTable | FirstTable
_FORMS: dict[str, Callable[[Path, FactSchema], AnyTable]] = {
    "1": first.read_rules,
    "2": partial(read_rules, sealed=True),
}
FORMS = tuple(_FORMS)


def open_rules(version: str, where: str | None = None) -> Callable[[Path, FactSchema], AnyTable]:
    """The reader of sealed rules of this edition. Raises UsageError for one that is not known here."""
    known = _FORMS.get(version)
    if known is None:
        raise UsageError(
            f"the rules are written in form {version!r}; this installation reads {', '.join(FORMS)}",
            where=where,
            fix="install the version of penjing that made it, or a newer one",
        )
    return known
