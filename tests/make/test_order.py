"""What each step needs before it is the same in `check` and in the step."""

from __future__ import annotations

import importlib
import inspect

import pytest

from penjing.compress import METHODS
from penjing.make.order import IN_TORCH


@pytest.mark.parametrize("name", METHODS)
def test_the_table_says_what_the_steps_do(name: str) -> None:
    source = inspect.getsource(importlib.import_module(METHODS[name]))
    assert ("torch_parent(inputs" in source) == (name in IN_TORCH)
