"""Dead rows, contradictions, overlaps and gaps: against trying every case of small sets of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import DAY, Axis, Brute, answers, texts

from penjing.core.chinese import chinese
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
from penjing.decide.logic.questions import WORK
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable
from penjing.tasks import open_reader

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


@settings(max_examples=150, deadline=None)
@given(rows=rows_of(("text", TEXT_TESTS), *FIELD_TESTS))
def test_texts_and_fields_agree_with_trying_every_case(rows: list[Row]) -> None:
    agree(table(rows), [TEXT, AMOUNT, CHANNEL, VIP])


@settings(max_examples=150, deadline=None)
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


@settings(max_examples=150, deadline=None)
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
    tuple(product([TODAY + day * DAY + second for day in range(-6, 8) for second in (5, 100)], _DAYS, _DAYS)),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=rows_of(("when", DATE_TESTS), ("due", DATE_TESTS), FIELD_TESTS[2]),
    periods=st.lists(st.sampled_from(PERIODS), min_size=6, max_size=6),
)
def test_dates_and_the_clock_agree_with_trying_every_case(
    rows: list[Row], periods: list[tuple[int | None, int | None]]
) -> None:
    agree(table(rows, dict(enumerate(periods))), [TIME, CHANNEL])


def findings(folder: Path, text: str, schema: FactSchema = SCHEMA, work: int = WORK) -> list[Finding]:
    """What the check says of a file as people write it."""
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return check(read_rules(folder / "r.csv", schema), work)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # A text that has the long word has the short one; a start is in the text.
        ("a,contains 退款,,review\nb,contains 退款金额,,review\n", [("unreachable", (3, 2))]),
        ("a,contains 退款金额,,review\nb,contains 退款,,review\n", []),
        ("a,contains 退,,review\nb,starts 退款,,review\n", [("unreachable", (3, 2))]),
        ("a,contains 退,,review\nb,not contains 退,,review\nc,,,review\n", [("unreachable", (4, 2, 3))]),
        ("a,contains all 退款|急,,review\nb,contains 急,,outcome ham\n", []),
        # Patterns: the words that they need, and the texts in which they are found.
        ("a,contains 款,,review\nb,matches 退.?款,,review\n", [("unreachable", (3, 2))]),
        ("a,matches 退|换,,review\nb,contains 退款,,review\n", [("unreachable", (3, 2))]),
        ("a,matches ^退,,review\nb,contains 退款,,review\n", []),
        # Facts of the answer: a label has the largest probability, two labels sum to one.
        ("a,,ham,review\nb,,spam,review\nc,,,review\n", [("unreachable", (4, 2, 3))]),
        # An end with a queue is another end.
        ("a,contains 急,,review 风控\nb,contains 急,,review\n", [("contradiction", (2, 3))]),
        ("a,contains 急,,model\nb,contains 急,,model\n", [("unreachable", (3, 2))]),
        ("a,contains 急,,model\nb,contains 退,,review\n", [("overlap", (3, 2))]),
    ],
)
def test_finds_exactly(tmp_path: Path, rows: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    found = findings(tmp_path, "name,text,label,then\n" + rows)
    assert [(each.kind, each.rows) for each in found if each.kind != "gap"] == expected


def test_priorities_decide_which_row_comes_first(tmp_path: Path) -> None:
    text = "name,label,then,priority\na,ham,review,\nb,,review,5\n"
    assert [(each.kind, each.rows) for each in findings(tmp_path, text)] == [("unreachable", (2, 3)), ("gap", ())]


def test_rows_of_another_priority_do_not_overlap(tmp_path: Path) -> None:
    text = "name,text,label,then,priority\na,contains x,,review,{}\nb,contains y,,outcome ham,\n"
    kinds = {mark: [each.kind for each in findings(tmp_path, text.format(mark))] for mark in ("", "5")}
    assert kinds == {"": ["overlap", "gap"], "5": ["gap"]}


def test_says_what_is_wrong_and_where_in_both_languages(tmp_path: Path) -> None:
    text = "名称,标签,概率,margin,则\nlow,,<0.7,,转人工\nforce,spam,,,结论 spam\nodd,,<0.6,>0.5,转人工\n"
    odd, gap = findings(tmp_path, text)
    assert odd.level == "error" and odd.where.endswith("r.csv:4:1")
    assert odd.what == "row 4 (odd) can never hold: `p <0.6` and `margin >0.5` never come together"
    assert odd.fix == "with 2 labels p is at least 0.5, and the margin is at most p and at least 2p - 1"
    assert gap.what == "no rule covers label is ham, p >= 0.7: the model decides"
    overlap, _ = findings(tmp_path, text.replace("odd,,<0.6,>0.5,转人工\n", ""))
    assert overlap.level == "warning"
    assert overlap.what == (
        "row 3 (force) leads to `outcome spam`, but row 2 above it leads elsewhere and wins where both hold, "
        "e.g. row 2 (low, `review`) where label is spam, p = 0.6"
    )
    assert chinese(overlap.what) == (
        "第 3 行（force）的结果是 `结论 spam`，但上面的第 2 行结果不同，两行都成立时以上面的为准，"
        "例如第 2 行（low，`转人工`）：标签是 spam、概率 = 0.6"
    )


def test_a_row_that_only_waits_for_a_field_is_said_to_do_so(tmp_path: Path) -> None:
    dead, _ = findings(tmp_path, "name,amount,then\na,not empty,review\nb,<5,outcome ham\n")
    assert (dead.level, dead.kind, dead.rows) == ("error", "unreachable", (3, 2))
    assert dead.what == (
        "row 3 (b) can only send cases without `amount` to a person: row 2 decides every case in which it holds"
    )
    assert chinese(dead.what) == "第 3 行（b）只会把没有 `amount` 的案例转给人：它成立的情形都已由第 2 行决定"


def test_gaps_in_words(tmp_path: Path) -> None:
    text = "name,amount,city,vip,text,then\na,0..100,in 上海|北京,true,,review\nb,,,,contains x,review\n"
    gap = findings(tmp_path, text)[-1]
    assert gap.level == "info"
    assert gap.what == (
        "no rule covers amount < 0 or amount > 100; vip is false; city is not 上海 or 北京, "
        "where the text holds none of the phrases: the model decides"
    )
    covered = findings(tmp_path, "name,label,then\na,ham,review\nb,spam,model\n")[-1]
    assert covered.what == "the rules cover every case: the model decides only by rows with `model`, e.g. row 3"
    assert findings(tmp_path, "name,label,then\n")[0].what == "no rule covers any case: the model decides"


def test_a_pattern_that_no_text_settles_is_undecided_and_not_guessed(tmp_path: Path) -> None:
    first = findings(tmp_path, 'name,text,then\na,"matches 退.{0,3}款",review\nb,matches 退货?款,outcome ham\n')[0]
    assert (first.level, first.kind, first.rows) == ("warning", "undecided", (3,))
    assert "it is undecided whether row 3 (b) can ever fire: it depends on what" in first.what
    assert chinese(first.what).startswith("第 3 行（b）能否轮到，尚无定论：取决于 `")


def test_a_search_that_is_ended_is_undecided_and_not_guessed(tmp_path: Path) -> None:
    text = "name,amount,then\n" + "".join(f"r{i},{i}..{i + 1},review\n" for i in range(4))
    found = findings(tmp_path, text, work=3)
    assert [each.rows for each in found if each.kind == "undecided"] == [(4,), (5,), ()]
    assert found[-1].what.startswith("it is undecided whether the rules cover every case")


def grades(*values: float) -> FactSchema:
    """The facts of grades."""
    task = open_reader("score", {"kind": "grades"}).learn([str(value) for value in values])
    return FactSchema((), other={"type": task.name, **task.state})


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (",>7,,", "`value` is always one of 0, 1, 2, 4, never `>7`"),
        (",2.1..3.9,,", "`value` is always one of 0, 1, 2, 4, never `2.1..3.9`"),
        ("<-1,,,", "`low` is always one of 0, 1, 2, 4, never `<-1`"),
        (">1,<=1,,", "`low >1` and `value <=1` never come together"),
        (">2,,<2.5,", "`low >2` and `high <2.5` never come together"),
    ],
)
def test_a_row_beyond_the_grades_or_against_their_order_can_never_hold(tmp_path: Path, row: str, what: str) -> None:
    text = f"name,low,value,high,p,then\nsure,,4,,,review\nodd,{row},review\n"
    odd = findings(tmp_path, text, grades(0, 1, 2, 4))[0]
    assert (odd.level, odd.kind, odd.rows) == ("error", "impossible", (3,))
    assert odd.what == f"row 3 (odd) can never hold: {what}"


GRADE_TESTS: list[Test] = [between(None, 0), between(1, None), between(None, 1_999_999), between(2_000_000, 2_000_000)]


@settings(max_examples=150, deadline=None)
@given(rows=rows_of(("low", GRADE_TESTS), ("value", GRADE_TESTS), ("high", GRADE_TESTS)))
def test_grades_agree_with_trying_every_interval(rows: list[Row]) -> None:
    triples = [
        tuple(each * 1_000_000 for each in three)
        for three in product((0, 1, 2), repeat=3)
        if three[0] <= three[1] <= three[2]
    ]
    rules = [(tests, then if then.kind != "outcome" else Then("outcome", "1")) for tests, then in rows]
    made = replace(table(rules), schema=grades(0, 1, 2))
    agree(made, [Axis(("low", "value", "high"), tuple(triples))])


def test_a_row_behind_a_larger_priority_is_told_to_raise_its_own(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("name,p,priority,then\nall,<0.9,5,review\nsome,<0.6,,model\n", encoding="utf-8")
    schema = FactSchema(("ham", "spam"), {})
    found = check(read_rules(path, schema))
    assert found[0].kind == "unreachable"
    assert found[0].fix == "give it a `priority` larger than 5, which row 2 has, or delete it"
    path.write_text("name,p,priority,then\nall,<0.9,5,review\nsome,<0.6,5,model\n", encoding="utf-8")
    assert check(read_rules(path, schema))[0].fix == "move it above row 2, or delete it"


@pytest.mark.parametrize(("fields", "column"), [({}, "priority"), ({"priority": "int"}, "rule priority")])
def test_the_advice_names_the_column_that_is_the_priority_of_a_rule(tmp_path: Path, fields, column: str) -> None:
    """A user who follows it gets a file without the finding."""
    path, schema = tmp_path / "r.csv", FactSchema(("ham", "spam"), fields)
    path.write_text("name,label,text,then\na,ham,,review\nb,,contains x,outcome spam\n", encoding="utf-8")
    (found,) = [each for each in check(read_rules(path, schema)) if each.kind == "overlap"]
    assert found.fix is not None and f"give it a larger `{column}`, or" in found.fix
    assert f"更大的优先级（`{column}`），或" in chinese(found.fix)
    raised = f"name,label,text,{column},then\na,ham,,,review\nb,,contains x,5,outcome spam\n"
    path.write_text(raised, encoding="utf-8")
    assert [each.kind for each in check(read_rules(path, schema)) if each.level == "warning"] == []
