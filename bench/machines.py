"""The machines on which the units of a result were measured, in one line."""

from __future__ import annotations

from penjing.core.machine import hardware


def with_this_machine(before: str) -> str:
    """The machines named so far, with this one: `A; B`."""
    return "; ".join(sorted({*filter(None, before.split("; ")), hardware()}))
