"""A rules file is read and its logic checked in one go: cells first, all faults at once, warnings refuse nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.check import check
from penjing.decide.condition import WordList
from penjing.decide.examine import examine_rules, load_rules
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web")})
GOOD = "name,channel,amount,then\nlarge,app,>10,review\nsmall,web,<=10,outcome ham\n"
# Row 3 can never fire, because row 2 decides each of its cases.
DEAD = "name,amount,then\nlarge,>10,review\nlarger,>20,outcome ham\n"
SAME = "name,amount,then\na,>10,outcome ham\nb,>10,outcome spam\n"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "rules.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_good_rules_have_no_faults_and_the_findings_of_the_check(write: Write) -> None:
    path = write(GOOD)
    table, faults, findings = examine_rules(path, SCHEMA)
    assert table is not None and [rule.name for rule in table.rules] == ["large", "small"] and faults == []
    assert findings == check(table) and findings and {each.level for each in findings} <= {"warning", "info"}
    assert load_rules(path, SCHEMA) == table == read_rules(path, SCHEMA)


def test_warnings_refuse_nothing(write: Write) -> None:
    path = write("name,channel,amount,then\na,app,,outcome ham\nb,,>10,outcome spam\n")
    table, faults, findings = examine_rules(path, SCHEMA)
    assert [(each.kind, each.rows) for each in findings if each.level == "warning"] == [("overlap", (3, 2))]
    assert faults == [] and load_rules(path, SCHEMA) == table


def test_word_lists_are_read_with_the_rules(write: Write, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "legal.txt").write_text("律师\n法院\n", encoding="utf-8")
    table = load_rules(write("name,text,then\na,contains @legal,review\n"), SCHEMA)
    assert table.lists == {"legal": WordList("legal", ("律师", "法院"), "律师\n法院\n".encode())}


def test_faults_of_cells_come_all_at_once_and_without_a_table(write: Write) -> None:
    path = write("name,channel,amount,then\na,fax,many,review\nb,app,>1,maybe\nc,web,>1,review\n")
    table, faults, findings = examine_rules(path, SCHEMA)
    assert (table, findings) == (None, [])
    assert [each.where for each in faults] == [
        f"{path}:2:2 (column `channel`)",
        f"{path}:2:3 (column `amount`)",
        f"{path}:3:4 (column `then`)",
    ]
    with pytest.raises(RuleError) as raised:
        load_rules(path, SCHEMA)
    assert raised.value.where == faults[0].where
    assert all(each.what in str(raised.value) for each in faults) and raised.value.fix == faults[-1].fix


def test_where_nothing_can_be_read_faults_before_it_are_kept(write: Write, tmp_path: Path) -> None:
    path = write("name,colour,amount\na,red,>1\n")
    table, faults, findings = examine_rules(path, SCHEMA)
    assert (table, findings) == (None, [])
    assert [each.what for each in faults] == ["unknown column `colour`", "the column `then` is missing"]
    table, faults, findings = examine_rules(tmp_path / "none.csv", SCHEMA)
    assert (table, findings, len(faults)) == (None, [], 1) and str(tmp_path / "none.csv") in str(faults[0])
    with pytest.raises(RuleError):
        load_rules(tmp_path / "none.csv", SCHEMA)


def test_the_logic_is_not_checked_while_a_cell_is_wrong(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wrong row others would seem to decide, or not to."""
    monkeypatch.setattr("penjing.decide.examine.check", lambda _: pytest.fail("the logic was checked"))
    path = write(DEAD + "odd,many,review\n")
    _, faults, findings = examine_rules(path, SCHEMA)
    assert ([each.where for each in faults], findings) == ([f"{path}:4:2 (column `amount`)"], [])


@pytest.mark.parametrize(
    ("text", "kind", "rows", "said"),
    [
        (DEAD, "unreachable", (3, 2), "row 3 (larger) can never fire"),
        (SAME, "contradiction", (2, 3), "rows 2 (a) and 3 (b) have the same conditions"),
    ],
)
def test_errors_of_logic_are_faults_with_the_table_and_the_findings(
    write: Write, text: str, kind: str, rows: tuple[int, ...], said: str
) -> None:
    path = write(text)
    table, faults, findings = examine_rules(path, SCHEMA)
    assert table == read_rules(path, SCHEMA), "the table can be read, and is shown"
    errors = [each for each in findings if each.level == "error"]
    assert [(each.kind, each.rows) for each in errors] == [(kind, rows)] and len(findings) > len(errors)
    assert [(each.what, each.where, each.fix) for each in faults] == [(e.what, e.where, e.fix) for e in errors]
    with pytest.raises(RuleError) as raised:
        load_rules(path, SCHEMA)
    assert said in raised.value.what and (raised.value.where or "").startswith(f"{path}:3")
