"""The limits on misses that `penjing init` proposes for labels, by what their rows can prove, and its question."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import typer

from penjing.cli import show
from penjing.cli.language import translate
from penjing.core.whole_number import whole_number
from penjing.data.audit import SMALL_LABEL, Audit

# Limits that are proposed, and how many labels are.
_LIMITS = (0.01, 0.02, 0.05, 0.10, 0.20)
_MOST = 5
_BARE = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w\u4e00-\u9fff-]*")


@dataclass(frozen=True)
class Misses:
    """The limits that the user chose, and those that could be proven; `left_out` is the most frequent label."""

    asked: Mapping[str, float] = field(default_factory=dict)
    possible: Mapping[str, float] = field(default_factory=dict)
    left_out: str = ""


def proposals(audit: Audit) -> dict[str, float]:
    """The smallest limit that each label's calibration rows prove with one of them wrong; rarest label first.

    The most frequent label is left out: `max_error` is about it already. So are labels whose rows prove no limit.
    """
    from penjing.prove.sequence import DELTA, upper_bound

    found: dict[str, float] = {}
    calibration = audit.split_labels.get("calibration", {})
    level = DELTA / 2 if audit.margin is not None and audit.margin.shared else DELTA
    for label, rows in reversed(list(audit.labels.items())[1:]):
        bound = upper_bound(1, calibration.get(label, 0), level)
        limit = next((each for each in _LIMITS if bound <= each), None)
        if limit is not None and rows >= SMALL_LABEL and len(found) < _MOST:
            found[label] = limit
    return found


def most_frequent(audit: Audit) -> str:
    """The label that is left out of the proposals."""
    return next(iter(audit.labels), "")


def ask_misses(proposed: Mapping[str, float], left_out: str = "") -> dict[str, float]:
    """The labels that the user chooses of these, by number; none without an answer. left_out: `most_frequent`."""
    labels = list(proposed)
    show.tell("of which labels should few cases be decided wrongly without a person?")
    show.tell("these limits are proven if at most one calibration row of the label is decided wrongly:")
    for place, (label, limit) in enumerate(proposed.items(), start=1):
        show.tell(f"  {place}  {label}: {limit:g}")
    if left_out:
        show.tell(f"`{left_out}` is left out: `max_error` limits the errors of the most frequent label")
    while True:
        question = translate("their numbers, such as 1,2; nothing for none")
        answer = str(typer.prompt(question, default="", show_default=False, err=True))
        given = [whole_number(each, 1, len(labels)) for each in re.findall(r"[^\s,，、]+", answer)]
        chosen = [labels[each - 1] for each in dict.fromkeys(given) if each is not None]
        if None not in given:
            return {label: proposed[label] for label in chosen}
        show.tell(f"numbers from 1 to {len(labels)}")


def in_yaml(limits: Mapping[str, float]) -> str:
    """Limits as a mapping of YAML on one line."""
    return "{" + ", ".join(f"{yaml_name(label)}: {limit:g}" for label, limit in limits.items()) + "}"


def yaml_name(label: str) -> str:
    """A label as a key of YAML: bare where that is safe, else in JSON quotes."""
    return label if _BARE.fullmatch(label) else json.dumps(label, ensure_ascii=False)
