"""Dead rows, contradictions, overlaps and gaps: against trying every case of small sets of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import DAY, Axis, Brute, answers, texts

from penjing.decide.check import check
from penjing.decide.condition import (
    Among,
    Between,
    Condition,
    Contains,
    Empty,
    Is,
    Rule,
    Starts,
    Test,
    Then,
    Within,
    WordList,
)
from penjing.decide.logic.findings import Finding
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable

FIELDS = {"amount": "int", "channel": ("app", "web"), "city": "str", "vip": "bool", "when": "date", "due": "date"}
SCHEMA = FactSchema(("ham", "spam"), FIELDS)
LISTS = {"L": ("急", "退款"), "M": ("退款金额", "快"), "C": ("北京", "南京市")}
TODAY = 20_000 * DAY
Row = tuple[list[tuple[str, Test]], Then]


def table(rows: Sequence[Row], valid: Mapping[int, tuple[int | None, int | None]] | None = None) -> RuleTable:
    """Rules r0, r1, ... in rows 2, 3, ..., which stand for a period where one is given."""
    rules = []
    for place, (tests, then) in enumerate(rows):
        conditions = tuple(Condition(fact, test, f"{type(test).__name__}…") for fact, test in tests)
        low, high = (valid or {}).get(place, (None, None))
        rules.append(Rule(f"r{place}", place + 2, conditions, then, valid_from=low, valid_to=high))
    lists = {name: WordList(name, words, b"") for name, words in LISTS.items()}
    return RuleTable("r.csv", SCHEMA, tuple(rules), lists)


def agree(made: RuleTable, axes: Sequence[Axis]) -> None:
    """Every verdict of the check is what trying every case gives."""
    brute = Brute(axes, made.rules, LISTS)
    found = check(made)
    assert not [each for each in found if each.kind == "undecided"]
    fired = [bool((brute.true[i] & ~brute.before(i)).any()) for i in range(len(made.rules))]
    _agree_on_errors(made, brute, found, fired)
    if all(fired):
        _agree_on_overlaps(made, brute, found)
    open_cases = ~brute.before(len(made.rules))
    covered = [each for each in found if each.kind == "gap" and each.what.startswith("the rules cover every case")]
    assert bool(covered) == (not open_cases.any())


def _agree_on_errors(made: RuleTable, brute: Brute, found: Sequence[Finding], fired: Sequence[bool]) -> None:
    wrong = [each for each in found if each.level == "error"]
    errors = {each.rows[1] if each.kind == "contradiction" else each.rows[0]: each for each in wrong}
    assert set(errors) == {row + 2 for row, fires in enumerate(fired) if not fires}
    for number, error in errors.items():
        row = number - 2
        assert (error.kind == "impossible") == (not brute.true[row].any())
        if error.kind == "contradiction":
            other = error.rows[0] - 2
            assert (brute.standing[other] == brute.standing[row]).all()
            assert made.rules[other].then != made.rules[row].then
        if error.kind == "unreachable":
            by = [brute.standing[each - 2] for each in error.rows[1:]]
            assert not (brute.true[row] & ~np.logical_or.reduce(by)).any()
            for each in range(len(by)):
                fewer = [one for place, one in enumerate(by) if place != each]
                assert not fewer or (brute.true[row] & ~np.logical_or.reduce(fewer)).any()
            waits = (brute.standing[row] & ~brute.before(row)).any()
            assert ("can only send cases without" in error.what) == bool(waits)


def _agree_on_overlaps(made: RuleTable, brute: Brute, found: Sequence[Finding]) -> None:
    said = {each.rows[0]: each.rows[1:] for each in found if each.kind == "overlap"}
    expected = {}
    for row, rule in enumerate(made.rules):
        meet = [
            other + 2
            for other in range(row)
            if made.rules[other].then != rule.then
            and (brute.true[other] & brute.true[row] & ~brute.before(other)).any()
            and (brute.true[other] & ~brute.true[row]).any()
        ]
        if meet:
            expected[row + 2] = tuple(meet)
    assert said == expected


def cells_of(*pairs: tuple[str, Sequence[Test]]) -> st.SearchStrategy[list[tuple[str, Test]]]:
    """Up to three conditions of a row, two of which may be on one fact."""
    one = st.one_of(*(st.tuples(st.just(fact), st.sampled_from(list(tests))) for fact, tests in pairs))
    return st.lists(one, min_size=0, max_size=3)


def rows_of(*pairs: tuple[str, Sequence[Test]]) -> st.SearchStrategy[list[Row]]:
    ends = st.sampled_from([Then("review"), Then("review", "风控"), Then("outcome", "ham"), Then("model")])
    return st.lists(st.tuples(cells_of(*pairs), ends), min_size=1, max_size=6)


def between(low: int | None, high: int | None) -> Between:
    return Between(((low, high),))


TEXT_TESTS: list[Test] = [
    Contains(("退",)),
    Contains(("退款", "急")),
    Contains(("退", "急"), every=True),
    Contains(("退款",), negated=True),
    Contains(("退款", "急"), every=True, negated=True),
    Contains(lists=("L",)),
    Contains(("退",), ("M",), negated=True),
    Contains(lists=("M",)),
    Starts(("退",)),
    Starts(("退款", "急")),
    Starts(("退",), negated=True),
]
ANSWER_TESTS: list[tuple[str, list[Test]]] = [
    ("label", [Among(("ham",)), Among(("spam",)), Among(("ham",), negated=True), Among(("ham", "spam"))]),
    ("p", [between(None, 599_999), between(None, 600_000), between(600_000, None), between(550_000, 800_000)]),
    ("margin", [between(None, 199_999), between(200_000, None), between(400_000, 600_000), between(0, 0)]),
    ("p.ham", [between(300_000, None), between(None, 299_999), between(500_000, 500_000), between(700_000, None)]),
    ("p.spam", [between(400_000, None), between(None, 400_000)]),
]
FIELD_TESTS: list[tuple[str, list[Test]]] = [
    ("amount", [between(0, None), between(None, 1), between(2, 2), Between(((0, 0), (2, None)))]),
    ("amount", [Empty(), Empty(negated=True)]),
    ("channel", [Among(("app",)), Among(("web",)), Among(("app",), negated=True), Empty(), Empty(negated=True)]),
    ("vip", [Is(value=True), Is(value=False), Empty()]),
]
TEXT = Axis(("text",), tuple((each,) for each in texts(("退", "退款", "急", "退款金额", "快"))))
AMOUNT = Axis(("amount",), tuple((each,) for each in (None, -1, 0, 1, 2, 3)))
CHANNEL = Axis(("channel",), (("app",), ("web",), (None,)))
VIP = Axis(("vip",), ((True,), (False,), (None,)))


@settings(max_examples=250, deadline=None)
@given(rows=rows_of(("text", TEXT_TESTS), *FIELD_TESTS))
def test_texts_and_fields_agree_with_trying_every_case(rows: list[Row]) -> None:
    agree(table(rows), [TEXT, AMOUNT, CHANNEL, VIP])


@settings(max_examples=250, deadline=None)
@given(rows=rows_of(*ANSWER_TESTS, *FIELD_TESTS[:2]))
def test_labels_and_probabilities_agree_with_trying_every_case(rows: list[Row]) -> None:
    cuts = (299_999, 300_000, 400_000, 500_000, 550_000, 599_999, 600_000, 700_000, 800_000)
    agree(table(rows), [answers(cuts, (0, 199_999, 200_000, 400_000, 600_000)), AMOUNT])


CITY_TESTS: list[Test] = [
    Among(("北京",)),
    Among(("北京", "南京")),
    Among(("上海",), negated=True),
    Among(lists=("C",)),
    Among(("上海",), ("C",), negated=True),
    Contains(("京",)),
    Contains(("南京",), negated=True),
    Contains(lists=("C",)),
    Starts(("北", "南京")),
    Empty(),
    Empty(negated=True),
]
NAMED = (None, "北京", "南京", "上海", "南京市", "快", *texts(("京", "南京", "北京", "南京市", "北")))
CITY = Axis(("city",), tuple((each,) for each in NAMED))


@settings(max_examples=250, deadline=None)
@given(rows=rows_of(("city", CITY_TESTS), FIELD_TESTS[2]))
def test_fields_of_text_agree_with_trying_every_case(rows: list[Row]) -> None:
    agree(table(rows), [CITY, CHANNEL])


DATE_TESTS: list[Test] = [
    Within(1, None),
    Within(None, 2),
    Within(1, 1, negated=True),
    Within(3, 0),
    between(TODAY, None),
    between(None, TODAY - 1),
    between(TODAY + DAY, TODAY + 3 * DAY - 1),
    Empty(),
    Empty(negated=True),
]
PERIODS = [(None, None), (TODAY, None), (None, TODAY - 1), (TODAY + DAY, TODAY + 2 * DAY - 1), (TODAY + 3, TODAY + 7)]
_DAYS = [None, *(TODAY + day * DAY for day in range(-7, 9))]
TIME = Axis(
    ("clock", "when", "due"),
    tuple(product([TODAY + day * DAY + 5 for day in range(-6, 8)], _DAYS, _DAYS)),
)


@settings(max_examples=250, deadline=None)
@given(
    rows=rows_of(("when", DATE_TESTS), ("due", DATE_TESTS), FIELD_TESTS[2]),
    periods=st.lists(st.sampled_from(PERIODS), min_size=6, max_size=6),
)
def test_dates_and_the_clock_agree_with_trying_every_case(
    rows: list[Row], periods: list[tuple[int | None, int | None]]
) -> None:
    agree(table(rows, dict(enumerate(periods))), [TIME, CHANNEL])
