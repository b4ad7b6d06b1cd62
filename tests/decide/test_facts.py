"""Facts name their version; those of the first releases do not."""

from __future__ import annotations

import pytest

from penjing.core.errors import UsageError
from penjing.decide.facts import FIRST, VERSION, check_version, version_of


def test_facts_without_a_version_are_of_the_first() -> None:
    assert version_of({"p": 0.5}) == FIRST == "1"
    assert version_of({"p": 0.5, "version": VERSION}) == VERSION == "5"


def test_a_later_version_is_refused() -> None:
    check_version(FIRST)
    with pytest.raises(UsageError, match=r"recorded in version '6'; this installation knows 1, 2, 3, 4, 5"):
        check_version("6")
