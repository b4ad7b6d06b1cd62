"""The rules file of the second edition: headings in both languages, rows, order of decision, every fault at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from penjing.core.chinese import chinese, is_english
from penjing.core.errors import RuleError
from penjing.decide.condition import Among, Between, Contains, Then
from penjing.decide.rules import MAX_RULES, SHOWN, parse_rules, read_rules
from penjing.decide.schema import FactSchema
from penjing.tasks import open_reader

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web")})
GOOD = (
    "name,label,p,p.spam,text,pii.id_card,amount,then,why,owner,priority,valid_from,valid_to\n"
    "证件,,,,,>=1,,review 法务,人工核对,王,,,\n"
    "返现,spam,≥0.6,>=0.2,contains 返现|红包,,,outcome spam,,,7,2026-01-01,2026/12/31\n"
    "大额,,,,,,>10000,model,,,7,,\n"
)
CHINESE = (
    "名称,标签,概率,概率.spam,文本,脱敏.身份证,amount,则,理由,负责人,优先级,生效日期,失效日期\n"
    "证件,,,,,>=1,,转人工 法务,人工核对,王,,,\n"
    "返现,spam,≥0.6,>=0.2,包含 返现|红包,,,结论 spam,,,7,2026-01-01,2026/12/31\n"
    "大额,,,,,,>10000,交给模型,,,7,,\n"
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("text", [GOOD, CHINESE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_reads_both_languages_in_the_encodings_of_spreadsheets(tmp_path: Path, text: str, encoding: str) -> None:
    table = read_rules(write(tmp_path / "rules.csv", text.replace("\n", "\r\n"), encoding), SCHEMA)
    assert [(rule.name, rule.row, rule.priority) for rule in table.rules] == [
        ("返现", 3, 7),
        ("大额", 4, 7),
        ("证件", 2, 0),
    ]
    assert [rule.then for rule in table.rules] == [Then("outcome", "spam"), Then("model"), Then("review", "法务")]
    first, _, last = table.rules
    assert {each.fact: each.test for each in first.conditions} == {
        "label": Among(("spam",)),
        "p": Between(((600_000, None),)),
        "p.spam": Between(((200_000, None),)),
        "text": Contains(("返现", "红包")),
    }
    days = [(date(2026, 1, 1) - date(1970, 1, 1)).days, (date(2027, 1, 1) - date(1970, 1, 1)).days]
    assert (first.valid_from, first.valid_to) == (days[0] * 86_400, days[1] * 86_400 - 1)
    assert (last.owner, last.why, last.valid_from) == ("王", "人工核对", None)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_marks_between_cells_are_found_by_chinese_headings_too(tmp_path: Path, mark: str) -> None:
    text = f"名称{mark}文本{mark}则\na{mark}包含 退款, 退货{mark}转人工\n"
    (rule,) = read_rules(write(tmp_path / "r.csv", text), SCHEMA, sealed=True).rules
    assert rule.then == Then("review") and len(rule.conditions) == 1


def test_a_workbook_is_read_and_sealed_as_csv(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["名称", "amount", "priority", "则"])
    book.active.append([None, None, None, None])
    book.active.append(["大额", ">5000", 3, "转人工"])
    book.save(tmp_path / "rules.xlsx")
    table = read_rules(tmp_path / "rules.xlsx", SCHEMA)
    assert [(rule.name, rule.row, rule.priority) for rule in table.rules] == [("大额", 3, 3)]
    again = read_rules(write(tmp_path / "rules.csv", table.raw.decode()), SCHEMA)
    assert again.rules == table.rules and again.raw == table.raw


def test_a_declared_field_keeps_its_name(tmp_path: Path) -> None:
    schema = FactSchema(("a", "b"), {"优先级": "int", "priority": "int", "标签": "str"})
    text = "name,优先级,priority,rule priority,标签,label,then\nx,>1,>2,3,vip,a,review\n"
    (rule,) = read_rules(write(tmp_path / "r.csv", text), schema).rules
    assert rule.priority == 3
    assert [each.fact for each in rule.conditions] == ["优先级", "priority", "标签", "label"]


def test_two_columns_of_one_fact_are_two_conditions(tmp_path: Path) -> None:
    text = "name,amount,Amount,text,文本,then\nx,>1,<5,contains a,不包含 b,review\n"
    (rule,) = read_rules(write(tmp_path / "r.csv", text), SCHEMA).rules
    assert [each.fact for each in rule.conditions] == ["amount", "amount", "text", "text"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,labl,then\na,spam,review\n", ["r.csv:1:2: unknown column `labl`", "did you mean `label`?"]),
        ("名称,负责任,则\na,1,转人工\n", ["unknown column `负责任`", "did you mean `负责人`?"]),
        ("name,城市,then\na,1,review\n", ["unknown column `城市`", "`fields: {城市: int}`"]),
        ("name,p.spma,then\na,1,review\n", ["unknown column `p.spma`", "did you mean `p.spam`?"]),
        ("name、label、then\na、spam、review\n", ["separate the columns by commas"]),
        ("name,then,则\na,review,\n", ["r.csv:1:3: the column `then` occurs twice"]),
        ("label,then\nspam,review\n", ["the column `name` is missing"]),
        ("名称,标签\na,spam\n", ["the column `then` is missing", "heading is: 名称, 标签"]),
        ("name,p,then\na,<0.6,outcome spma\n", ["r.csv:2:3", "unknown label 'spma'"]),
        ("name,p,then\na,<0.6,spam\n", ["a rule cannot lead to 'spam'", "write `outcome spam`"]),
        ("name,p,then\na,<0.6,\n", ["nothing follows", "`review QUEUE` or `model`"]),
        ("name,p,then\n,<0.6,review\n", ["r.csv:2:1: the rule has no name"]),
        ("name,p,then\na,<0.6,review\na,<0.7,review\n", ["two rules have the name 'a': rows 2 and 3"]),
        (
            "name,p,then\na,<0.6,review,more\n",
            ["r.csv:2:4: the row has 4 cells, and the heading 3: `,`", "double quotes"],
        ),
        ("name,then,priority\na,review,high\n", ["r.csv:2:3 (column `priority`): 'high' is no priority"]),
        ("name,then,priority\na,review,1.5\n", ["'1.5' is no priority", "whole number"]),
        ("name,then,valid_from\na,review,soon\n", ["r.csv:2:3 (column `valid_from`): 'soon' is not a date"]),
        (
            "name,then,valid_from,valid_to\na,review,2026-02-01,2026-01-01\n",
            ["r.csv:2:4", "the rule ends before it begins"],
        ),
        (f"name,then\n{'a' * 201},review\n", ["`name` has 201 characters; at most 200"]),
        ('name,p,then\na,"<0.6,review\n', ["not valid CSV"]),
        ("name,p,then\na\0,<0.6,review\n", ["a NUL character"]),
        (",,\n\n", ["the file is empty"]),
    ],
)
def test_refuses_with_row_and_column(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(RuleError) as raised:
        read_rules(write(tmp_path / "r.csv", text), SCHEMA)
    for word in words:
        assert word in str(raised.value), raised.value


def test_every_fault_is_told_at_once_and_good_rows_are_kept(tmp_path: Path) -> None:
    text = "name,label,p,priority,then\na,spma,<0.5x,high,reveiw\n,ham,,,review\ngood,ham,<0.5,,review\n"
    faults: list[RuleError] = []
    table = parse_rules(write(tmp_path / "r.csv", text), SCHEMA, faults)
    assert [rule.name for rule in table.rules] == ["good"]
    assert [(each.where or "").split("r.csv:")[1] for each in faults] == [
        "2:2 (column `label`)",
        "2:3 (column `p`)",
        "2:5 (column `then`)",
        "2:4 (column `priority`)",
        "3:1",
    ]


def test_refuses_more_rules_than_are_read(tmp_path: Path) -> None:
    rows = "".join(f"r{i},review\n" for i in range(MAX_RULES + 1))
    with pytest.raises(RuleError, match="more than 10,000 rules"):
        read_rules(write(tmp_path / "r.csv", "name,then\n" + rows), SCHEMA)


def test_labels_are_no_facts_where_the_answers_are_numbers(tmp_path: Path) -> None:
    scores = FactSchema((), other={"type": "score", **open_reader("score", {}).learn(["1", "2.5", "4", "5.5"]).state})
    with pytest.raises(RuleError) as raised:
        read_rules(write(tmp_path / "r.csv", "name,标签,then\na,3,review\n"), scores)
    assert raised.value.fix == "the answers of this task are no labels: write `value`"
    (rule,) = read_rules(write(tmp_path / "r.csv", "名称,数值,则\na,>3,结论 4\n"), scores).rules
    assert rule.then == Then("outcome", "4")


@pytest.mark.parametrize(
    ("line", "place", "fix"),
    [
        ("a,contains 退款,谢谢,review,why", "r.csv:2:2", '`"contains 退款,谢谢"`'),
        ("a,contains 退款,review,one, two", "r.csv:2:4", '`"one, two"`'),
        ("a,contains 退款,outcome spam,one,two,three", "r.csv:2:4", '`"one,two,three"`'),
        ("a, b,contains 退款,review,why", "r.csv:2:1", '`"a, b"`'),
    ],
)
def test_a_comma_without_quotes_is_the_only_fault_of_its_row(tmp_path: Path, line: str, place: str, fix: str) -> None:
    faults: list[RuleError] = []
    parse_rules(write(tmp_path / "r.csv", f"name,text,then,why\n{line}\n"), SCHEMA, faults)
    assert [str(each.where).endswith(place) for each in faults] == [True]
    assert "`,` in a cell divides the cell" in faults[0].what and fix in str(faults[0].fix)
    assert not is_english(chinese(str(faults[0])).replace("r.csv", ""))


def test_an_unknown_column_is_one_fault(tmp_path: Path) -> None:
    faults: list[RuleError] = []
    parse_rules(write(tmp_path / "r.csv", "name,sum,then\na,>5,review\nb,>6,review\n"), SCHEMA, faults)
    assert [each.what for each in faults] == ["unknown column `sum`"]


def test_all_faults_are_shown_each_with_its_place_and_fix_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = "".join(f"r{number},spma,reveiw\n" for number in range(15))
    with pytest.raises(RuleError) as error:
        read_rules(write(tmp_path / "r.csv", f"name,label,then\n{rows}"), SCHEMA)
    lines = str(error.value).splitlines()
    assert len(lines) == 60 and all(line.startswith("  fix: ") for line in lines[1::2])
    assert [line.split(": ")[0].rsplit("r.csv:")[1] for line in lines[::4]] == [
        f"{row}:2 (column `label`)" for row in range(2, 17)
    ]
    said = chinese(str(error.value)).splitlines()
    assert said[0].endswith("未知的标签 'spma'") and said[2].endswith("规则的结果不能是 'reveiw'")
    assert all(line.startswith("  办法：") for line in said[1::2])


def test_more_faults_than_one_message_shows_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"r{number},review\n" * 2 for number in range(SHOWN + 7))
    with pytest.raises(RuleError) as error:
        read_rules(write(tmp_path / "r.csv", f"name,then\n{rows}"), SCHEMA)
    assert str(error.value).endswith("7 more faults are not shown\n  fix: `penjing rules check --json` lists them all")


@pytest.mark.parametrize("column", ["text", "amount", "channel", "shop", "label"])
def test_a_cell_that_only_looks_empty_is_refused_where_it_is_not_sealed(tmp_path: Path, column: str) -> None:
    schema = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web"), "shop": "str"})
    path = write(tmp_path / "r.csv", f"name,{column},then\nr1,\u200b ,review\nr2,,review\n")
    with pytest.raises(RuleError, match="the cell looks empty, and holds U\\+200B") as raised:
        read_rules(path, schema)
    assert raised.value.where == f"{path}:2:2 (column `{column}`)"
    if column == "shop":
        assert len(read_rules(path, schema, sealed=True).rules[0].conditions) == 1
