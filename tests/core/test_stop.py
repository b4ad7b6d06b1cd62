"""Work ends where its run was asked to stop, and says how it goes on."""

from __future__ import annotations

import pytest

from penjing.core.errors import RunInterruptedError
from penjing.core.stop import check_stop, until


def test_only_a_run_that_was_asked_to_stop_ends() -> None:
    check_stop(lambda: False)
    with pytest.raises(RunInterruptedError, match="stopped") as caught:
        check_stop(lambda: True)
    assert caught.value.fix == "run the same command again to continue"


def test_a_call_is_not_made_after_the_stop() -> None:
    asked, given = list[bool](), list[str]()
    call = until(lambda: bool(asked), lambda text: given.append(text) or len(given))
    assert (call("a"), call("b")) == (1, 2)
    asked.append(True)
    with pytest.raises(RunInterruptedError):
        call("c")
    assert given == ["a", "b"]
