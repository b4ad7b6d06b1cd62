"""Dead rows, contradictions, overlaps, gaps: by their words, and against trying every point of small spaces."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penjing.core.errors import RuleError
from penjing.decide.first import space
from penjing.decide.first.check import Finding, check
from penjing.decide.first.reader import read_rules
from penjing.decide.first.space import margin_bounds
from penjing.decide.schema import FactSchema
from penjing.tasks import open_reader

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web"), "city": "str", "vip": "bool"})


def findings(folder: Path, text: str, schema: FactSchema = SCHEMA) -> list[Finding]:
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return check(read_rules(folder / "r.csv", schema))


def kinds(found: list[Finding]) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.kind, each.rows) for each in found]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Row 3 lies in row 2; in two rows together; in none.
        (["a,,<0.8,,,,review", "b,spam,<0.7,,,,review"], [("unreachable", (3, 2))]),
        (["a,ham,,,,,review", "b,spam,,,,,review", "c,,,,,,review"], [("unreachable", (4, 2, 3))]),
        (["a,ham,<0.7,,,,review", "b,spam,,,,,review", "c,,,,,,review"], []),
        (["a,,,,contains 退款,,review", "b,,,,contains 退款金额,,review"], [("unreachable", (3, 2))]),
        (["a,,,,contains 退款金额,,review", "b,,,,contains 退款,,review"], []),
        (["a,,,,contains x|y,,review", "b,,,,contains y,,review"], [("unreachable", (3, 2))]),
        (["a,,,,contains y,,review", "b,,,,contains x|y,,review"], []),
        # Two labels: the margin is 2p - 1, so these never meet.
        (["a,,<0.6,>0.21,,,review"], [("impossible", (2,))]),
        (["a,,>0.9,<0.7,,,review"], [("impossible", (2,))]),
        (["a,,<0.5,,,,review"], [("impossible", (2,))]),
        (["a,,>=0.81,,,,review", "b,,,>=0.6,,,review"], []),
        (["a,,>=0.8,,,,review", "b,,,>=0.6,,,review"], [("unreachable", (3, 2))]),
        (["a,,,,,in app|web,review", "b,,,,,,review"], [("unreachable", (3, 2))]),
        # The same conditions in other words.
        (["a,,<0.7,,,,review", "b,,<=0.699999,,,,outcome ham"], [("contradiction", (2, 3))]),
        (["a,,,,contains x|y,,review", "b,,,,contains y|x,,outcome ham"], [("contradiction", (2, 3))]),
        (["a,in ham|spam,,,,,review", "b,,,,,,outcome ham"], [("contradiction", (2, 3))]),
        # Partly the same, with another end; an exception above a wider row is meant.
        (["a,,<0.7,,,,review", "b,spam,,,,,outcome ham"], [("overlap", (3, 2))]),
        (["a,spam,<0.7,,,,review", "b,spam,,,,,outcome ham"], []),
        (["a,,<0.7,,,,review", "b,,,,contains x,,review"], []),
    ],
)
def test_finds_exactly(tmp_path: Path, rows: list[str], expected: list[tuple[str, tuple[int, ...]]]) -> None:
    found = findings(tmp_path, "name,label,p,margin,text,channel,then\n" + "\n".join(rows) + "\n")
    assert [each for each in kinds(found) if each[0] != "gap"] == expected


def test_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    text = "name,label,p,margin,then\nlow,,<0.7,,review\nforce,spam,,,outcome spam\nodd,,<0.6,>0.5,review\n"
    odd, gap = findings(tmp_path, text)
    assert odd.level == "error" and odd.where.endswith("r.csv:4:1")
    assert odd.what == "row 4 (odd) can never hold: `p <0.6` and `margin >0.5` never come together"
    assert odd.fix == "with 2 labels p is at least 0.5, and the margin is at most p and at least 2p - 1"
    assert gap.what == "no rule covers label is ham, p >= 0.7: the model decides"
    overlap, _ = findings(tmp_path, text.replace("odd,,<0.6,>0.5,review\n", ""))
    assert overlap.level == "warning"
    assert overlap.what == (
        "row 3 (force) leads to `outcome spam`, but row 2 above it leads elsewhere and wins where both hold, "
        "e.g. row 2 (low, `review`) where label is spam, p < 0.7"
    )


def test_gaps_in_words(tmp_path: Path) -> None:
    text = "name,amount,city,vip,text,then\na,0..100,in 上海|北京,true,,review\nb,,,,contains x,review\n"
    (gap,) = findings(tmp_path, text)
    assert gap.level == "info"
    assert gap.what == (
        "no rule covers amount < 0 or amount > 100; amount >= 0 and amount <= 100, city is any other value; "
        "amount >= 0 and amount <= 100, city is 上海 or 北京, vip is false, where the text holds none of the phrases: "
        "the model decides"
    )


def test_a_table_that_covers_all_is_warned_of(tmp_path: Path) -> None:
    (gap,) = findings(tmp_path, "name,label,then\na,ham,review\nb,spam,review\n")
    assert (gap.level, gap.what) == ("warning", "the rules cover every case: the model alone decides none")


def test_no_rules_leave_all_to_the_model(tmp_path: Path) -> None:
    (gap,) = findings(tmp_path, "name,label,then\n")
    assert gap.what == "no rule covers any case: the model decides"


def test_beyond_the_limit_is_an_error_not_a_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "MAX_WORK", 10)
    rows = "".join(f"r{i},0.{i + 501}..0.{i + 502},{i}..{i + 1},review\n" for i in range(20))
    with pytest.raises(RuleError, match=r"r.csv: the rules overlap in more ways than can be checked exactly"):
        findings(tmp_path, "name,p,amount,then\n" + rows)


def one_of(*cells: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", *cells])


ROW = st.tuples(
    one_of("ham", "spam"),
    one_of("<0.6", "<=0.6", ">=0.6", ">0.6", "0.55..0.8", "=1"),
    one_of("<0.2", "<=0.2", ">=0.2", ">0.6", "0.1..0.6"),
    one_of("contains 退", "contains 退款", "contains 急", "contains 退款|急"),
    one_of("0", ">=1", "1..2"),
    one_of("true", "false"),
    one_of("x", "in x|y"),
    st.sampled_from(["review", "outcome ham"]),
)
P = sorted({max(500_000, min(1_000_000, cut + move)) for cut in (500_000, 550_000, 600_000, 800_000, 1_000_000)
            for move in (-1, 0, 1)} | {525_000, 575_000, 700_000, 900_000, 599_999, 600_000, 600_001})  # fmt: skip
MARGINS = {100_000, 200_000, 600_000}


def points() -> list[dict[str, Any]]:
    pairs = set()
    for p in [*P, *[(1_000_000 + m) // 2 + move for m in MARGINS for move in (-1, 0, 1)]]:
        low, high = margin_bounds(p, 2)
        pairs |= {(p, margin) for margin in range(low, high + 1)}
    texts = ("", "退", "退款", "急", "退|急", "退款|急")
    phrases = ("退", "退款", "急")
    return [
        {
            "label": label,
            "p": p / 1e6,
            "margin": margin / 1e6,
            "too_long": long,
            "pii": {"mobile": count},
            "fields": {"city": city},
            "contains": {phrase: phrase in text for phrase in phrases},
        }
        for label, (p, margin), text, count, long, city in product(
            ("ham", "spam"), pairs, texts, (0, 1, 3), (False, True), ("x", "y", "z")
        )
    ]


POINTS = points()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, min_size=2, max_size=5))
def test_agrees_with_trying_every_point(rows: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("rules") / "r.csv"
    lines = [f"r{i}," + ",".join(row) for i, row in enumerate(rows)]
    path.write_text("name,label,p,margin,text,pii.mobile,too_long,city,then\n" + "\n".join(lines), encoding="utf-8")
    table = read_rules(path, SCHEMA)
    found = check(table)
    needed = set(table.phrases)
    first = set()
    for facts in POINTS:
        facts = {**facts, "contains": {phrase: facts["contains"][phrase] for phrase in needed}}
        first.add(table.matcher.first(facts))
    dead = {i + 2 for i in range(len(rows))} - {i + 2 for i in first if i is not None}
    said = {each.rows[-1] if each.kind == "contradiction" else each.rows[0] for each in found if each.level == "error"}
    assert said == dead
    assert (None not in first) == any(each.kind == "gap" and each.level == "warning" for each in found)


def grades(*values: float) -> FactSchema:
    """The facts of grades."""
    task = open_reader("score", {"kind": "grades"}).learn([str(value) for value in values])
    return FactSchema((), other={"type": task.name, **task.state})


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (",>7,,", "`value` is always one of 0, 1, 2, 4, never `>7`"),
        (",<0,,", "`value` is always one of 0, 1, 2, 4, never `<0`"),
        (",3,,", "`value` is always one of 0, 1, 2, 4, never `3`"),
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


def test_an_interval_whose_order_is_broken_says_the_order(tmp_path: Path) -> None:
    numbers = open_reader("score", {}).learn(["0.5", "1.5", "2"])
    schema = FactSchema((), other={"type": "score", **numbers.state})
    odd = findings(tmp_path, "name,low,value,high,then\na,>3,,<2,review\n", schema)[0]
    assert odd.what == "row 2 (a) can never hold: `low >3` and `high <2` never come together"
    assert odd.fix == "it is always low <= high: loosen one of the conditions, or delete the row"
    # A number may lie beyond all that were seen, and is rounded: its value may lie outside a narrow interval.
    assert [each.level for each in findings(tmp_path, "name,low,value,then\na,>3,<3,review\n", schema)] == ["info"]
    assert [each.level for each in findings(tmp_path, "name,value,then\na,>700,review\n", schema)] == ["info"]


GRADE_ROW = st.tuples(
    one_of("0", ">=1", "<2", ">1"),
    one_of("1", "<=1", ">=2", "1..2", ">1"),
    one_of("<=1", "2", ">=2", ">7"),
    st.sampled_from(["review", "outcome 1"]),
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(GRADE_ROW, min_size=2, max_size=4))
def test_rows_over_grades_agree_with_trying_every_interval(
    rows: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rules") / "r.csv"
    lines = [f"r{i}," + ",".join(row) for i, row in enumerate(rows)]
    path.write_text("name,low,value,high,then\n" + "\n".join(lines), encoding="utf-8")
    table = read_rules(path, grades(0, 1, 2))
    intervals = [(low, value, high) for low in range(3) for value in range(low, 3) for high in range(value, 3)]
    plain = {"p": 0.5, "margin": 0.5, "too_long": False, "pii": {}, "fields": {}, "contains": {}}
    first = {
        table.matcher.first(plain | {"low": float(low), "value": float(value), "high": float(high)})
        for low, value, high in intervals
    }
    dead = {i + 2 for i in range(len(rows))} - {i + 2 for i in first if i is not None}
    found = check(table)
    said = {each.rows[-1] if each.kind == "contradiction" else each.rows[0] for each in found if each.level == "error"}
    assert said == dead
    assert (None not in first) == any(each.kind == "gap" and each.level == "warning" for each in found)
