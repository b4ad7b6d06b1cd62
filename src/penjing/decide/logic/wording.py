"""Cases and sets of cases in the words of a rules file, for the findings of the static check."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain

from penjing.data.dates import written_at
from penjing.decide.condition import Among, Contains, Matches, Rule, Starts, Within
from penjing.decide.logic.boxes import Box, Side, TextTest
from penjing.decide.logic.rows import CLOCK, DAYS, MadeCase, TableRows
from penjing.decide.schema import MICRO, Kind

_SHOWN = 6  # values or words of one list
_PARTS = 6  # conditions of one set of cases


def rows_of(rules: Collection[Rule]) -> str:
    """Rows by their numbers in the file: `row 2`, `rows 2, 3 and 5`."""
    words = [str(rule.row) for rule in rules]
    return f"row {words[0]}" if len(words) == 1 else f"rows {', '.join(words[:-1])} and {words[-1]}"


def conditions_of(rule: Rule) -> str:
    """The conditions of a row as they are written."""
    return " and ".join(f"`{each.fact} {each.written}`" for each in rule.conditions)


def number_of(whole: int, kind: Kind) -> str:
    """A number of a fact as a rule writes it."""
    if kind not in ("unit", "float"):
        return str(whole)
    return f"{whole / MICRO:.6f}".rstrip("0").rstrip(".")


def example_of(case: MadeCase, rows: TableRows, rules: Collection[Rule]) -> str:
    """What a case has of the facts that some rows test."""
    named = {condition.fact for rule in rules for condition in rule.conditions}
    parts = [_value(fact, case, rows) for fact in rows.facts if fact in named and fact != "text"]
    periods = (rule.valid_from is not None or rule.valid_to is not None for rule in rules)
    if any(periods) or any(isinstance(each.test, Within) for rule in rules for each in rule.conditions):
        parts.append([f"clock = {written_at('=', case.numbers[CLOCK])}"])
    if "text" in named:
        parts.append(_pieces("text", case))
    return ", ".join(chain.from_iterable(parts)) or "always"


def _value(fact: str, case: MadeCase, rows: TableRows) -> list[str]:
    if fact in case.absent:
        return [f"{fact} is empty"]
    if rows.is_text(fact):
        return _pieces(fact, case)
    if not rows.is_number(fact):
        return [f"{fact} is {case.names[fact]}"]
    kind, whole = rows.kinds[fact], case.numbers[fact]
    return [f"{fact} = {written_at('=', whole) if kind == 'date' else number_of(whole, kind)}"]


def _pieces(fact: str, case: MadeCase) -> list[str]:
    written = case.texts[fact]
    if written.exact:
        return [f"{fact} is {written.start}"] if written.start else []
    start = [f"{fact} starts with {written.start}"] if written.start else []
    longer = [
        each
        for each in written.pieces
        if not any(each in other for other in (written.start, *written.pieces) if each != other)
    ]
    return [*start, *(f"{fact} contains {piece}" for piece in dict.fromkeys(longer))]


def box_of(box: Box, rows: TableRows) -> str:
    """A set of cases, fact by fact, without texts in which only words are missing: `is_plain` says those."""
    facts = [fact for fact in rows.kinds if fact in box]
    parts = list(chain.from_iterable(_side(fact, box[fact], rows) for fact in facts))
    more = len(parts) - _PARTS
    return ", ".join(parts if more <= 0 else [*parts[:_PARTS], f"{more} more conditions"])


def is_plain(box: Box, rows: TableRows) -> bool:
    """Whether a box is about texts in which words, starts and patterns are missing."""
    return any(_missing(fact, box[fact]) for fact in box if rows.kinds[fact] == "text")


def _missing(fact: str, side: Side) -> bool:
    return fact == "text" and bool(side.failing) and not any(test.negated for test in side.failing)


def _side(fact: str, side: Side, rows: TableRows) -> list[str]:
    absent = rows.may_be_absent(fact) and side.absent
    if rows.is_text(fact):
        if _missing(fact, side):
            return []
        parts = [_test(fact, test) for test in sorted(side.failing, key=repr)[:_SHOWN]] if side.present else []
        return parts or [f"{fact} is {'empty' if absent else 'not empty'}"]
    shown = fact.removesuffix(DAYS).strip()
    if not side.values:
        return [f"{shown} is empty"]
    values = side.values
    words = _listed(fact, values, rows) if isinstance(values, frozenset) else _spans(fact, values, rows)
    if not words:
        return [] if absent else [f"{shown} is not empty"]
    return [f"{words} or {shown} is empty" if absent else words]


def _listed(fact: str, values: frozenset[str], rows: TableRows) -> str:
    known = rows.values(fact)
    taken, rest = [each for each in known if each in values], [each for each in known if each not in values]
    if not rest:
        return ""
    return _among(fact, rest, no=True) if len(rest) < len(taken) else _among(fact, taken)


def _among(fact: str, values: list[str], *, no: bool = False) -> str:
    """Values of a fact; many of them as a rules file lists them."""
    if len(values) < 3 or len(values) > _SHOWN:
        return f"{fact} is {'not ' if no else ''}{_or(values)}"
    return f"{fact} is {'none' if no else 'one'} of {'|'.join(values)}"


def _or(words: list[str]) -> str:
    return " or ".join(words) if len(words) <= _SHOWN else f"one of {len(words)} values, e.g. {words[0]}"


def _test(fact: str, test: TextTest) -> str:
    """That a test fails, which is a positive form of one that is negated."""
    no = not test.negated
    lists = [f"@{name}" for name in getattr(test, "lists", ())]
    if isinstance(test, Contains):
        words = ("all of " if test.every else "") + "|".join([*test.words, *lists][:_SHOWN])
        return f"{fact} does not contain {words}" if no else f"{fact} contains {words}"
    if isinstance(test, Starts):
        words = "|".join(test.words[:_SHOWN])
        return f"{fact} does not start with {words}" if no else f"{fact} starts with {words}"
    if isinstance(test, Matches):
        return f"{fact} does not match {test.pattern}" if no else f"{fact} matches {test.pattern}"
    assert isinstance(test, Among)
    return _among(fact, [*test.values, *lists], no=no)


def _spans(fact: str, spans: tuple[tuple[int, int], ...], rows: TableRows) -> str:
    limits = rows.limits(fact)
    if spans == (limits,):
        return ""
    if fact.endswith(DAYS):
        return " or ".join(_days(fact.removesuffix(DAYS), low, high, limits) for low, high in spans)
    kind = rows.kinds[fact]
    write = written_at if kind == "date" else lambda _, whole: number_of(whole, kind)
    words = [_span(fact.strip(), low, high, limits, write) for low, high in spans[:_SHOWN]]
    return " or ".join([*words, *(["other values"] if len(spans) > _SHOWN else [])])


def _days(fact: str, low: int, high: int, limits: tuple[int, int]) -> str:
    """Days from the clock to a date; low < 0: before it."""
    if low == high and low:
        days = abs(low)
        return f"{fact} is exactly {days} day{'s' if days != 1 else ''} {'before' if low < 0 else 'after'} the clock"
    if low == high:
        return f"{fact} is on the day of the clock"
    if low == limits[0]:
        if high < 0:
            return f"{fact} is {-high} day{'s' if high != -1 else ''} or more before the clock"
        if high:
            return f"{fact} is at most {high} day{'s' if high != 1 else ''} after the clock"
        return f"{fact} is not after the day of the clock"
    if high == limits[1]:
        if low > 0:
            return f"{fact} is {low} day{'s' if low != 1 else ''} or more after the clock"
        if low:
            return f"{fact} is at most {-low} day{'s' if low != -1 else ''} before the clock"
        return f"{fact} is not before the day of the clock"
    if low < 0 < high:
        return f"{fact} is at most {-low} days before and at most {high} days after the clock"
    if low < 0:
        return f"{fact} is {-high} to {-low} days before the clock"
    return f"{fact} is {low} to {high} days after the clock"


def _span(fact: str, low: int, high: int, limits: tuple[int, int], write: Callable[[str, int], str]) -> str:
    if low == high:
        return f"{fact} = {write('=', low)}"
    above = None if low == limits[0] else _shorter(fact, (">=", low), (">", low - 1), write)
    below = None if high == limits[1] else _shorter(fact, ("<", high + 1), ("<=", high), write)
    return " and ".join(part for part in (above, below) if part)


def _shorter(fact: str, one: tuple[str, int], other: tuple[str, int], write: Callable[[str, int], str]) -> str:
    words, others = (f"{fact} {operator} {write(operator, bound)}" for operator, bound in (one, other))
    return words if len(words) <= len(others) else others
