"""A solution is a case that has just that, or it breaks clauses that hold of every case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Axis, answers
from tests.decide.logic.truths import Query, holds, one_row
from tests.decide.test_check import ANSWER_TESTS, TODAY, between, table

from penjing.decide.condition import Among, Contains, Empty, Is, Starts, Test, Then, Within
from penjing.decide.logic.rows import CLOCK, DAY, DAYS, MadeCase
from penjing.decide.logic.theory import Theory
from penjing.decide.schema import MICRO, FactSchema
from penjing.decide.table import RuleTable

Tests = Sequence[tuple[str, Test]]
ANSWERS = answers((299_999, 300_000, 400_000, 500_000, 550_000, 600_000, 700_000, 800_000), (0, 200_000, 400_000))
PAIRS = [(fact, test) for fact, tests in ANSWER_TESTS for test in tests]
DAYS_TESTS: list[Test] = [
    Within(1, None), Within(None, 2), Within(1, 1, negated=True), Within(3, 0), between(TODAY, None),
    between(TODAY + 5, TODAY + 2 * DAY), Empty(),
]  # fmt: skip
MOMENTS = [TODAY + days * DAY + more for days in range(-4, 5) for more in (0, 5, DAY - 1)]
DATES = Axis(("when", "due", CLOCK), tuple(product((None, *MOMENTS[::4]), MOMENTS[::3], MOMENTS[::2])))
PERIODS: list[tuple[int | None, int | None]] = [(TODAY, None), (None, TODAY - DAY), (TODAY + 3, TODAY + 3)]


def made(*tests: tuple[str, Test], period: tuple[int | None, int | None] = (None, None)) -> RuleTable:
    return table([(list(tests), Then("review"))], {0: period})


def theory(asked: Query, hints: Mapping[str, int | str] | None = None) -> Theory:
    return Theory(asked.rows, asked.variables, asked.rows.hints() | (hints or {}))


def solve(asked: Query, case: Mapping[str, Any], hints: Mapping[str, int | str] | None = None) -> MadeCase:
    """The case of the solution that is true of a real case."""
    found = theory(asked, hints).solve(asked.true(case))
    assert isinstance(found, MadeCase)
    return found


def check(asked: Query, data: st.DataObject, axis: Axis) -> None:
    """Of any solution of the clauses a case in which its conditions are what it says, or clauses that it breaks."""
    wanted = [each for each in sorted(asked.of_the_case()) if data.draw(st.booleans())]
    model = asked.solution(wanted)
    found = theory(asked).solve(model)
    if isinstance(found, MadeCase):
        held = asked.rows.held(found).conditions[:-1].tolist()
        there = [isinstance(test, Empty) or fact not in found.absent for fact, test in asked.rows.tests]
        said = [(each > 0) == (abs(each) in model) for each in asked.literals]
        assert held == [one and other for one, other in zip(said, there, strict=True)]
        return
    assert found
    for clause in found:
        assert not holds(clause, model), "the solution breaks it"
        for values in axis.values:
            case = dict(zip(axis.facts, values, strict=True))
            assert holds(clause, asked.true(case)), case


@settings(max_examples=150, deadline=None)
@given(tests=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=5), data=st.data())
def test_labels_and_probabilities_are_those_of_an_answer(tests: Tests, data: st.DataObject) -> None:
    check(Query(made(*tests)), data, ANSWERS)


@settings(max_examples=100, deadline=None)
@given(
    tests=st.lists(st.tuples(st.sampled_from(("when", "due")), st.sampled_from(DAYS_TESTS)), min_size=1, max_size=4),
    period=st.sampled_from([(None, None), *PERIODS]),
    data=st.data(),
)
def test_all_dates_are_seen_from_one_clock(
    tests: Tests, period: tuple[int | None, int | None], data: st.DataObject
) -> None:
    check(Query(made(*tests, period=period)), data, DATES)


def test_a_clause_names_only_the_bounds_that_cannot_be_together() -> None:
    tests = ("p.ham", between(700_000, None)), ("p.spam", between(400_000, None)), ("margin", between(1, None))
    asked = Query(made(*tests))
    ham, spam, _ = asked.literals
    assert _clauses(asked, {1, *asked.literals}) == [{-ham, -spam}], "the margin has no part in it"
    asked = Query(made(("label", Among(("ham",))), ("p.ham", between(None, 400_000)), ("p", between(600_000, None))))
    label, low, _ = asked.literals
    other = asked.variables.names["label"]["spam"]
    assert _clauses(asked, asked.solution([*asked.literals, -other])) == [{-label, -low}], "p has no part in it"


def test_dates_that_are_too_far_apart_for_one_clock() -> None:
    asked = Query(made(("when", Within(1, 1)), ("when", between(TODAY, None)), period=(None, TODAY - 2 * DAY)))
    (first, last), variables = asked.variables.cuts["when" + DAYS], asked.variables
    days = -variables.cut("when" + DAYS, first), variables.cut("when" + DAYS, last)
    late = variables.cut(CLOCK, TODAY - 2 * DAY + 1)
    assert (first, last) == (-1, 2)
    assert _clauses(asked, asked.solution(asked.literals)) == [{*days, -variables.cut("when", TODAY), late}]


def _clauses(asked: Query, model: set[int]) -> list[set[int]]:
    found = theory(asked).solve(model)
    assert isinstance(found, list)
    return [set(each) for each in found]


def test_a_listed_fact_has_one_value() -> None:
    asked = Query(made(("channel", Among(("app",)))))
    names = asked.variables.names["channel"]
    assert theory(asked).solve({1, *names.values()}) == [[-names["app"], -names["web"]]]
    assert solve(asked, {"channel": "web"}).names == {"channel": "web"}


def test_one_label_is_always_sure() -> None:
    asked = Query(one_row(FactSchema(("only",)), [("p", between(1, None)), ("label", Among(("only",)))]))
    found = solve(asked, {"label": "only", "p": MICRO})
    assert found.numbers | found.names == {"p": MICRO, "margin": MICRO, CLOCK: found.numbers[CLOCK], "label": "only"}
    assert theory(asked).solve({*asked.of_the_case()} - {asked.literals[0]}) == [[asked.literals[0]]]


def test_a_field_without_a_value_has_an_empty_text_and_asks_nothing() -> None:
    asked = Query(
        made(("city", Contains(("京",))), ("city", Empty()), ("vip", Is(value=True)), ("text", Starts(("急",))))
    )
    case = {"city": None, "vip": None, "text": "急"}
    model = asked.true(case) | {asked.variables.of_text("city", "has", "京")}
    found = theory(asked).solve(model)
    assert isinstance(found, MadeCase) and found.absent == {"city"}
    assert found.texts["city"].text("|") == "" and found.texts["text"].text("|") == "急|"
    asked = Query(made(("text", Empty()), ("text", Contains(("退",)))))
    absent, word = asked.literals
    assert theory(asked).solve({1, absent, word}) == [[-absent, -word]], "a text that is empty has no word"
    assert solve(asked, {"text": ""}).texts["text"].text("|") == ""


def test_all_that_cannot_be_is_said_at_once() -> None:
    asked = Query(made(("channel", Among(("app",))), ("text", Contains(("退", "退款"))), ("p", between(None, 400_000))))
    names, texts = asked.variables.names["channel"], asked.variables.texts["text"].literals
    found = theory(asked).solve({1, *names.values(), texts["has", "退款"]})
    assert found == [
        [-names["app"], -names["web"]],
        [-texts["has", "退款"], texts["has", "退"]],
        [asked.variables.cut("p", 400_001)],
    ]
