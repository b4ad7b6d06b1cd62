"""The collector of a service: what was there is frozen, and all is as before at the end."""

from __future__ import annotations

import gc

from penjing.serve.garbage import set_up_collector


def test_what_is_there_is_passed_over_until_the_end() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    undo = set_up_collector()
    assert gc.get_freeze_count() > frozen + 10_000
    assert gc.get_threshold()[0] > before[0]
    undo()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
