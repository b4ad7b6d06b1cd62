"""The rules file: encodings, spreadsheet habits, and the words of every refusal with its row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.first.check import check
from penjing.decide.first.reader import load_rules, read_rules
from penjing.decide.schema import FactSchema
from penjing.tasks import open_reader

SCHEMA = FactSchema(("ham", "spam"), {"amount": "float", "channel": ("app", "web")})
GOOD = (
    "name,label,p,text,pii.id_card,amount,then,why\n"
    "证件,,,,>=1,,review,人工核对\n"
    "返现,spam,≥0.6,contains 返现|红包,,,outcome spam,\n"
    "大额,,,,,>10000,review,\n"
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_reads_what_spreadsheets_save(tmp_path: Path, encoding: str) -> None:
    table = load_rules(write(tmp_path / "rules.csv", GOOD.replace("\n", "\r\n"), encoding), SCHEMA)
    assert [(rule.name, rule.row, rule.then) for rule in table.rules] == [
        ("证件", 2, "review"),
        ("返现", 3, "outcome spam"),
        ("大额", 4, "review"),
    ]
    assert table.phrases == ("红包", "返现")
    assert table.rules[0].why == "人工核对"


def test_blank_rows_and_empty_columns_are_nothing(tmp_path: Path) -> None:
    table = load_rules(write(tmp_path / "r.csv", "name,p,then,,\n,,,,\n\na,<0.6,review,,\n,,,,\n"), SCHEMA)
    assert [(rule.name, rule.row) for rule in table.rules] == [("a", 4)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,labl,then\na,spam,review\n", ["r.csv:1:2: unknown column `labl`", "did you mean `label`?"]),
        ("name,amuont,then\na,1,review\n", ["unknown column `amuont`", "did you mean `amount`?"]),
        ("name、label、then\na、spam、review\n", ["separate the columns by commas"]),
        ("name;label;then\na;spma;review\n", ["r.csv:2:2", "unknown label 'spma'"]),
        ("name,p,p,then\na,1,1,review\n", ["r.csv:1:3: the column `p` occurs twice"]),
        ("label,then\nspam,review\n", ["the column `name` is missing"]),
        ("name,label\na,spam\n", ["the column `then` is missing"]),
        ("name,label,then\na,spma,review\n", ["r.csv:2:2", "unknown label 'spma'", "did you mean `spam`?"]),
        ("name,p,then\na,<0.5x,review\n", ["r.csv:2:2", "'<0.5x' is not a number", "write `<0.5`"]),
        ("name,p,then\na,<0.6,outcome spma\n", ["r.csv:2:3", "unknown label 'spma'"]),
        ("name,p,then\na,<0.6,spam\n", ["a rule cannot lead to 'spam'", "write `outcome spam`"]),
        ("name,p,then\na,<0.6,\n", ["nothing follows", "write `review` or `outcome LABEL`"]),
        ("name,p,then\n,<0.6,review\n", ["r.csv:2:1: the rule has no name"]),
        ("name,p,then\na,<0.6,review\na,<0.7,review\n", ["two rules have the name 'a': rows 2 and 3"]),
        ("name,p,then\na,<0.6,review,more\n", ["r.csv:2:4: the cell 'more' has no heading"]),
        ('name,p,then\na,"<0.6,review\n', ["not valid CSV"]),
        ("name,p,then\na\0,<0.6,review\n", ["a NUL character"]),
        ("", ["the file is empty", "begin with the line"]),
        (",,\n\n", ["the file is empty"]),
    ],
)
def test_refuses_with_row_and_column(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(RuleError) as raised:
        load_rules(write(tmp_path / "r.csv", text), SCHEMA)
    for word in words:
        assert word in str(raised.value)


def test_refuses_other_encodings_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"name,then\n\xff\xff\xff,review\n")
    with pytest.raises(RuleError, match="neither UTF-8 nor GB18030"):
        load_rules(tmp_path / "r.csv", SCHEMA)
    with pytest.raises(RuleError, match="no such rules file"):
        load_rules(tmp_path / "none.csv", SCHEMA)


def test_refuses_a_contradiction_with_both_rows(tmp_path: Path) -> None:
    text = "name,label,p,then\nfirst,spam,<0.8,review\nother,,,review\nsecond,=spam,<=0.799999,outcome ham\n"
    with pytest.raises(RuleError) as raised:
        load_rules(write(tmp_path / "r.csv", text), SCHEMA)
    said = str(raised.value)
    assert "rows 2 (first) and 4 (second) have the same conditions, but lead to `review` and `outcome ham`" in said
    assert "r.csv:4:1" in said and "keep one of them" in said


def test_refuses_a_row_that_can_never_fire(tmp_path: Path) -> None:
    text = "name,p,then\nlow,<0.7,review\nhigh,>=0.7,outcome ham\nnever,<0.9,outcome spam\n"
    with pytest.raises(RuleError, match=r"row 4 \(never\) can never fire: rows 2 and 3 together decide"):
        load_rules(write(tmp_path / "r.csv", text), SCHEMA)


def test_a_heading_alone_is_a_table_without_rules(tmp_path: Path) -> None:
    table = load_rules(write(tmp_path / "r.csv", "name,label,p,text,then,why\n"), SCHEMA)
    assert table.rules == () and table.first({}) is None


def test_refuses_more_rules_than_can_be_checked(tmp_path: Path) -> None:
    rows = "".join(f"r{i},contains w{i},review\n" for i in range(1001))
    with pytest.raises(RuleError, match="1,001 rules; at most 1,000"):
        read_rules(write(tmp_path / "r.csv", "name,text,then\n" + rows), SCHEMA)


def test_three_hundred_rows_are_checked_exactly(tmp_path: Path) -> None:
    rows = "".join(f"r{i},{'ham' if i % 2 else 'spam'},<0.{501 + i},contains w{i},review\n" for i in range(300))
    table = load_rules(write(tmp_path / "r.csv", "name,label,p,text,then\n" + rows), SCHEMA)
    assert [each.kind for each in check(table)] == ["gap"]


@pytest.mark.parametrize(
    ("mark", "before", "encoding"),
    [
        (";", "", "cp1252"),
        (";", "sep=;\n", "utf-8"),
        ("\t", "", "utf-16"),
        ("|", "", "utf-8"),
        (";", "\n", "utf-8-sig"),
    ],
)
def test_other_marks_between_cells(tmp_path: Path, mark: str, before: str, encoding: str) -> None:
    rows = [
        ["Name", "label", "p", "text", "amount", "then"],
        ["big", "spam", ">=0.6", "contains a, b c d", "", "review"],
    ]
    text = before + "\n".join(mark.join(row) for row in rows) + "\n"
    (rule,) = load_rules(write(tmp_path / "r.csv", text, encoding), SCHEMA).rules
    assert (rule.name, rule.row, rule.then) == ("big", 3 if before else 2, "review")
    assert [condition.fact for condition in rule.conditions] == ["label", "p", "text"]
    with pytest.raises(RuleError, match=f"r.csv:{3 if before else 2}:2"):
        load_rules(write(tmp_path / "r.csv", text.replace("spam", "spma"), encoding), SCHEMA)


def test_a_workbook_is_no_rules_file(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"PK\x03\x04" + bytes(50))
    with pytest.raises(RuleError, match="this is a workbook"):
        load_rules(tmp_path / "r.csv", SCHEMA)


def test_full_width_outcomes(tmp_path: Path) -> None:
    text = "name,label,then\na,spam,ｏｕｔｃｏｍｅ　ham\nb,ham,ｒｅｖｉｅｗ\n"
    assert [rule.then for rule in load_rules(write(tmp_path / "r.csv", text), SCHEMA).rules] == [
        "outcome ham",
        "review",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "name,value,then\nhigh,>7,review\n",
        "name,low,high,then\nturned,>=3,<=1,review\n",
        "name,value,then\na,>=1,review\nb,>=2,review\n",
    ],
)
def test_sealed_rules_load_whatever_a_later_check_finds_in_their_logic(tmp_path: Path, text: str) -> None:
    task = open_reader("score", {"kind": "grades"}).learn(["0", "1", "2", "3", "4"])
    schema = FactSchema((), other={"type": "score", **task.state})
    path = write(tmp_path / "r.csv", text)
    with pytest.raises(RuleError, match="can never"):
        load_rules(path, schema)
    assert len(load_rules(path, schema, sealed=True).rules) == text.count("review")


def test_every_wrong_cell_of_a_row_is_told(tmp_path: Path) -> None:
    text = "name,label,p,then\na,spma,<0.5x,reveiw\n,ham,,review\ngood,ham,<0.5,review\n"
    with pytest.raises(RuleError) as raised:
        load_rules(write(tmp_path / "r.csv", text), SCHEMA)
    said = str(raised.value).splitlines()
    assert said[0].endswith("r.csv:2:2 (column `label`): unknown label 'spma'")
    assert [line.split("r.csv:")[1].split(": ")[0] for line in said[1:4]] == [
        "2:3 (column `p`)",
        "2:4 (column `then`)",
        "3:1",
    ]
    assert "'<0.5x' is not a number" in said[1] and "a rule cannot lead to 'reveiw'" in said[2]


def test_labels_are_no_facts_where_the_answers_are_numbers(tmp_path: Path) -> None:
    scores = FactSchema((), other={"type": "score", **open_reader("score", {}).learn(["1", "2.5", "4", "5.5"]).state})
    with pytest.raises(RuleError) as raised:
        load_rules(write(tmp_path / "r.csv", "name,label,then\na,3,review\n"), scores)
    assert raised.value.fix == "the answers of this task are no labels: write `value`"
