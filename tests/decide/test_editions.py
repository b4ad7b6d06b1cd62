"""Editions of rules: each version has its reader, which keeps what its cells meant; an unknown version is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RuleError, UsageError
from penjing.decide.condition import Contains
from penjing.decide.editions import FORMS, open_rules
from penjing.decide.first.cells import Contains as FirstContains
from penjing.decide.first.table import RuleTable as FirstTable
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A cell that is in the syntax of neither list nor phrase: without the seal it is refused."""
    path = tmp_path / "rules.csv"
    path.write_text('name,text,amount,then\nreturns,"contains Refund, return",>2,review\n', encoding="utf-8")
    return path


def test_every_known_form_has_a_reader_of_its_own_and_the_newest_is_last() -> None:
    assert FORMS == ("1", "2")
    assert len({id(open_rules(form)) for form in FORMS}) == len(FORMS)


def test_the_first_form_gives_the_tables_of_the_first_edition(file: Path) -> None:
    table = open_rules("1")(file, SCHEMA)
    assert isinstance(table, FirstTable)
    (rule,) = table.rules
    assert (rule.name, rule.outcome, [each.fact for each in rule.conditions]) == ("returns", None, ["text", "amount"])
    assert isinstance(rule.conditions[0].test, FirstContains) and table.phrases == ("refund, return",)


def test_the_second_form_reads_a_sealed_cell_that_a_new_file_may_not_have(file: Path) -> None:
    table = open_rules("2")(file, SCHEMA)
    assert isinstance(table, RuleTable)
    (rule,) = table.rules
    assert rule.conditions[0].test == Contains(("refund, return",)) and table.raw == file.read_bytes()
    with pytest.raises(RuleError, match=r"rules\.csv:2:2"):
        read_rules(file, SCHEMA)
    assert read_rules(file, SCHEMA, sealed=True) == table


def test_rows_stand_in_the_order_of_their_edition(tmp_path: Path) -> None:
    """Priorities are of the second edition; the first takes the rows as they come and knows no such column."""
    path = tmp_path / "rules.csv"
    path.write_text("name,amount,priority,then\na,>1,,review\nb,>5,9,review\n", encoding="utf-8")
    assert [rule.name for rule in open_rules("2")(path, SCHEMA).rules] == ["b", "a"]
    with pytest.raises(RuleError, match="priority"):
        open_rules("1")(path, SCHEMA)
    path.write_text("name,amount,then\na,>1,review\nb,>5,review\n", encoding="utf-8")
    assert [[rule.name for rule in open_rules(form)(path, SCHEMA).rules] for form in FORMS] == [["a", "b"]] * 2


@pytest.mark.parametrize("version", ["", "0", "3", "02", "2 ", "first"])
def test_an_unknown_form_is_refused_with_the_known_ones_and_its_place(version: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_rules(version, "releases/r/policy.json")
    said = f"the rules are written in form {version!r}; this installation reads 1, 2"
    assert (raised.value.what, raised.value.where) == (said, "releases/r/policy.json")
    assert raised.value.fix == "install the version of penjing that made it, or a newer one"
    with pytest.raises(UsageError) as raised:
        open_rules(version)
    assert raised.value.where is None
