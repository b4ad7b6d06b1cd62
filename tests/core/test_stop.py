"""Work ends where its run was asked to stop, and says how it goes on."""

from __future__ import annotations

import pytest

from penjing.core.errors import RunInterruptedError
from penjing.core.stop import check_stop


def test_only_a_run_that_was_asked_to_stop_ends() -> None:
    check_stop(lambda: False)
    with pytest.raises(RunInterruptedError, match="stopped") as caught:
        check_stop(lambda: True)
    assert caught.value.fix == "run the same command again to continue"
