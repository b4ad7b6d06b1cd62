"""Settings: from the environment, bounded, explained."""

from __future__ import annotations

import pytest

from penjing.core.errors import UsageError
from penjing.serve.settings import load_settings


def test_a_value_out_of_its_bound_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENJING_MAX_ITEMS", "0")
    with pytest.raises(UsageError, match="PENJING_MAX_ITEMS is `0`; it must be a whole number from 1") as caught:
        load_settings()
    assert caught.value.fix == "write at least 1, or unset PENJING_MAX_ITEMS"
