"""What a user can do about the promises that prevented a release."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.certificate import Gate
from penjing.prove.forced import MISS
from penjing.prove.gates import TIMES


def advise(refusing: Sequence[Gate]) -> str:
    """Advice about the gates that refused, one line for each kind of gate and the first one first."""
    lines = dict.fromkeys(_about(gate) for gate in refusing)
    if any(gate.state == "unproven" for gate in refusing):
        lines["set `unproven: allow` under `gates:` in the recipe to seal without that proof"] = None
    return "\n    ".join(lines) or "correct what the report shows, and run `penjing make` again"


def _about(gate: Gate) -> str:
    if gate.name in TIMES:
        return (
            "time depends on what else the machine does: repeat with `--again` while it is idle, or loosen the promise "
            f"`{gate.name}`"
        )
    if gate.name == MISS:
        return "correct the rules that are named, or the labels of these rows, or loosen the limit `max_miss`"
    if gate.name == "size_mb":
        return "make the model smaller by another step, or loosen the promise `size_mb`"
    if gate.state == "unproven":
        return f"give more labelled rows, or loosen the promise `{gate.name}`"
    if gate.name == "keep":
        return "compress less, or loosen the promise `keep`"
    return f"correct wrong labels, give more labelled rows, or loosen the promise `{gate.name}`"
