"""The fields that a rule tests and a recorded case lacks: that rule neither holds nor fails, and gives no reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penjing.decide.policy import Policy

_LACKING = ("missing_field", "unknown_value")


def absent_fields(policy: Policy, decided: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields without a value for which a rule sent the case to a person; none where they were erased.

    decided: as `Decision.to_json` gives it, by the release of the policy.
    """
    facts, fired = decided["facts"], tuple(decided.get("fired") or ())
    if decided["reason"] not in _LACKING or policy.rules is None or facts.get("fields") is None:
        return ()
    found = policy.rules.first(facts)
    return found[1] if found is not None and (found[0].name,) == fired else ()


def rule_reasons(policy: Policy, decided: Mapping[str, Any]) -> dict[str, str]:
    """The column `why` of each rule that fired and has one, by its name.

    Of a rule that lacks a field there is none: its reason would name what nobody knows of the case.
    """
    lacks = decided["reason"] == "missing_field" or bool(absent_fields(policy, decided))
    fired = () if lacks else decided.get("fired") or ()
    return {name: policy.reasons[name] for name in fired if name in policy.reasons}
