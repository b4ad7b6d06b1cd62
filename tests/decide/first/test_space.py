"""The space of facts: cells cut where rules cut, boxes subtracted exactly, and nothing counted that cannot occur."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.first import space
from penjing.decide.first.reader import read_rules
from penjing.decide.first.space import OTHER, Box, Space, found_in, margin_bounds, p_bounds
from penjing.decide.first.table import RuleTable
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web"), "city": "str", "vip": "bool"})


def read(folder: Path, text: str) -> RuleTable:
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return read_rules(folder / "r.csv", SCHEMA)


def cells(box: Box) -> set[tuple[int, ...]]:
    """All cells of a box, one by one."""
    return set(product(*([i for i in range(mask.bit_length()) if mask >> i & 1] for mask in box)))


def test_a_fact_is_cut_where_rules_cut_it(tmp_path: Path) -> None:
    text = "name,p,amount,pii.mobile,channel,city,vip,then\na,<0.7,0..100,>=1,app,上海,true,review\n"
    found = {axis.fact: axis for axis in Space(read(tmp_path, text)).axes}
    assert list(found) == ["p", "amount", "channel", "city", "pii.mobile", "vip"]
    assert found["p"].ranges == ((500_000, 699_999), (700_000, 1_000_000)), "p of two labels begins at one half"
    assert found["amount"].ranges == ((None, -1), (0, 100_000_000), (100_000_001, None))
    assert found["pii.mobile"].ranges == ((0, 0), (1, None))
    assert found["channel"].values == ("app", "web")
    assert found["city"].values == ("上海", OTHER)
    assert found["vip"].values == ("true", "false")


def test_a_box_holds_the_cells_in_which_its_rule_holds(tmp_path: Path) -> None:
    table = read(tmp_path, "name,label,amount,text,then\na,spam,<=5,,review\nb,,in 5|7,contains x,review\n")
    made = Space(table)
    assert [axis.fact for axis in made.axes] == ["label", "amount"]
    assert made.axes[1].ranges == (
        (None, 4_999_999),
        (5_000_000, 5_000_000),
        (5_000_001, 6_999_999),
        (7_000_000, 7_000_000),
        (7_000_001, None),
    )
    assert made.box(table.rules[0]) == (0b10, 0b00011)
    assert made.box(table.rules[1]) == (0b11, 0b01010)
    assert made.whole == (0b11, 0b11111)


def test_what_is_left_and_what_is_taken_make_up_the_whole(tmp_path: Path) -> None:
    rows = ["ham,0..10,app,", "spam,5..20,,true", ",>15,web,false", "ham,,,true", ",3..4,app,"]
    text = "name,label,amount,channel,vip,then\n" + "".join(f"r{i},{row},review\n" for i, row in enumerate(rows))
    table = read(tmp_path, text)
    made = Space(table)
    boxes = [made.box(rule) for rule in table.rules]
    left = [cells(box) for box in made.left(made.whole, boxes)]
    assert sum(map(len, left)) == len(set().union(*left)), "the pieces do not overlap"
    assert set().union(*left) == cells(made.whole) - set().union(*map(cells, boxes))


def test_only_those_that_took_something_are_named(tmp_path: Path) -> None:
    # Two labels: below p = 0.6 the margin is under 0.2, so the first row meets the third in no case.
    table = read(tmp_path, "name,p,margin,then\na,<0.6,,review\nb,,>0.5,review\nc,,>0.6,review\n")
    made = Space(table)
    first, second, third = map(made.box, table.rules)
    used: set[int] = set()
    assert list(made.left(third, [first, second], used)) == []
    assert used == {1}


def test_a_box_without_cells_or_without_possible_pairs_does_not_occur(tmp_path: Path) -> None:
    table = read(tmp_path, "name,p,margin,then\na,<0.6,>0.5,review\nb,>=0.6,>0.1,review\nc,<0.5,,review\n")
    made = Space(table)
    assert [made.occurs(made.box(rule)) for rule in table.rules] == [False, True, False]


def test_the_sparest_texts_of_a_rule_hold_its_phrases_and_those_inside_them(tmp_path: Path) -> None:
    text = "name,text,text,then\na,contains 退款金额|急,contains 投诉,review\nb,contains 退款,,review\nc,,,review\n"
    table = read(tmp_path, text)
    made = Space(table)
    assert made.texts(table.rules[0]) == [frozenset({"退款金额", "退款", "投诉"}), frozenset({"急", "投诉"})]
    assert made.texts(table.rules[2]) == [frozenset()]
    assert found_in(table.rules[1], made.texts(table.rules[0])[0])
    assert not found_in(table.rules[0], {"退款金额"}) and found_in(table.rules[2], ())


def test_more_texts_than_can_be_looked_at_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = read(tmp_path, "name,text,text,then\na,contains a|b|c,contains d|e,review\n")
    assert len(Space(table).texts(table.rules[0])) == 6
    monkeypatch.setattr(space, "MAX_TEXTS", 5)
    with pytest.raises(RuleError, match=r"r.csv: the rules overlap in more ways than can be checked exactly"):
        Space(table).texts(table.rules[0])


@pytest.mark.parametrize("labels", [1, 2, 3, 4])
def test_pairs_of_p_and_margin_are_those_that_rounding_leaves(labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    units = 24
    monkeypatch.setattr(space, "MICRO", units)
    possible = set()
    for rest in product(range(units + 1), repeat=labels - 1):
        for first in range(units + 1):
            if max(rest, default=0) <= first and abs(first + sum(rest) - units) <= labels // 2:
                possible.add((first, first - max(rest, default=0)))
    bottom, top = p_bounds(labels)
    bounded = set()
    for p in range(bottom, top + 1):
        low, high = margin_bounds(p, labels)
        bounded |= {(p, margin) for margin in range(low, high + 1)}
    assert {pair for pair in possible if pair[0] <= units} == bounded
    for low, high in product(range(0, units, 3), repeat=2):
        cell, other = (low, low + 2), (high, high + 2)
        meets = any(cell[0] <= p <= cell[1] and other[0] <= margin <= other[1] for p, margin in bounded)
        assert space._meet(cell, other, labels) == meets
