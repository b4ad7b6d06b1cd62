"""Versions of the facts that decisions are based on. A record names the version of its facts, and all are read.

1  of the first releases, whose records do not name it: the answer, `too_long`, `pii`, `fields`, `contains`, `clock`
2  names itself as `version`, and has `features`: declared fields whose value the model did not meet in training
3  of rules of the second edition: instead of `contains`, which has an entry for every phrase of the rules, `text` has
   only what was found (`Matcher.seen` in `match.py`); `audit`: what the case drew (`draw.py`), with the probability
   of an audit; and where there are some, `unknown`: enumerated fields that were given with a value which is not listed
4  as 3, and of a release that has a scope `out_of_scope`: whether the text is unlike those of training
5  as 4, and of each fact about words or numbers of the pieces of a text that a rule tests (`entity.TYPE.text`), or
   about one of several texts (`head.text`), what the rules ask of it (`Matcher.quoted`), null without such a piece

A later version may add kinds of facts. A release fills those of its own version, which is in its policy, so that its
records stay the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penjing.core.errors import UsageError

VERSIONS = ("1", "2", "3", "4", "5")
FIRST, VERSION = VERSIONS[0], VERSIONS[-1]
# Those of rules of the second edition: they have `text` and `audit`.
OF_TEXT = VERSIONS[2:]
# Those with facts about the words and numbers of pieces.
OF_PIECES = VERSIONS[4:]


def version_of(facts: Mapping[str, Any]) -> str:
    """The version in which facts were recorded."""
    return str(facts.get("version", FIRST))


def check_version(version: str, where: str | None = None) -> None:
    """Raise UsageError for a version that this installation does not know."""
    if version not in VERSIONS:
        raise UsageError(
            f"the facts are recorded in version {version!r}; this installation knows {', '.join(VERSIONS)}",
            where=where,
            fix="install the version of penjing that made it, or a newer one",
        )
