"""Sealed rules files: every encoding and delimiter that could be sealed, and what cannot be read, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RuleError
from penjing.decide.first.cells import Among, Between, Contains
from penjing.decide.first.reader import read_rules
from penjing.decide.first.table import Condition, Rule
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_reads_what_spreadsheets_save(tmp_path: Path, encoding: str) -> None:
    table = read_rules(write(tmp_path / "rules.csv", GOOD.replace("\n", "\r\n"), encoding), SCHEMA)
    assert table.rules == (
        Rule("证件", (Condition("pii.id_card", Between(((1, None),))),), None, "人工核对"),
        Rule(
            "返现",
            (
                Condition("label", Among(("spam",))),
                Condition("p", Between(((600_000, None),))),
                Condition("text", Contains(("返现", "红包"))),
            ),
            "spam",
        ),
        Rule("大额", (Condition("amount", Between(((10_000_000_001, None),))),), None),
    )


def test_blank_rows_and_empty_columns_are_nothing(tmp_path: Path) -> None:
    table = read_rules(write(tmp_path / "r.csv", "name,p,then,,\n,,,,\n\na,<0.6,review,,\n,,,,\n"), SCHEMA)
    assert [rule.name for rule in table.rules] == ["a"]


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
    (rule,) = read_rules(write(tmp_path / "r.csv", text, encoding), SCHEMA).rules
    assert (rule.name, rule.outcome) == ("big", None)
    assert [condition.fact for condition in rule.conditions] == ["label", "p", "text"]
    with pytest.raises(RuleError, match=f"r.csv:{3 if before else 2}:2"):
        read_rules(write(tmp_path / "r.csv", text.replace("spam", "spma"), encoding), SCHEMA)


def test_headings_labels_and_outcomes_are_read_in_any_width(tmp_path: Path) -> None:
    text = "Name,ＬＡＢＥＬ,Amount,THEN\na,問い,5,ｏｕｔｃｏｍｅ　問い\nb,ham,,ｒｅｖｉｅｗ\n"
    schema = FactSchema(SCHEMA.labels, SCHEMA.fields, {"問い": "ham"})
    first, second = read_rules(write(tmp_path / "r.csv", text), schema).rules
    assert (first.outcome, second.outcome) == ("ham", None)
    assert [condition.fact for condition in first.conditions] == ["label", "amount"]
    with pytest.raises(RuleError, match="unknown label '問い'"):
        read_rules(tmp_path / "r.csv", SCHEMA)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("name,labl,then\na,spam,review\n", ":1:2", "unknown column `labl`"),
        ("\nname,labl,then\na,spam,review\n", ":2:2", "unknown column `labl`"),
        ("label,then\nspam,review\n", ":1:1", "the column `name` is missing"),
        ("name,label\na,spam\n", ":1:1", "the column `then` is missing"),
        ("name,label,then\na,spma,review\n", ":2:2 (column `label`)", "unknown label 'spma'"),
        ("name,p,then\na,<0.6,outcome spma\n", ":2:3 (column `then`)", "unknown label 'spma'"),
        ("name,p,then\na,<0.6,spam\n", ":2:3 (column `then`)", "a rule cannot lead to 'spam'"),
        ("name,p,then\na,<0.6,\n", ":2:3 (column `then`)", "nothing follows"),
        ("name,p,then\n,<0.6,review\n", ":2:1", "the rule has no name"),
        ("name,p,then\na,<0.6,review,more\n", ":2:4", "the cell 'more' has no heading"),
        ('name,p,then\na,"<0.6,review\n', "", "not valid CSV: unexpected end of data"),
        ("name,p,then\na\0,<0.6,review\n", ":2:1", "the text has a NUL character at character 2"),
        ("", "", "the file is empty"),
        (",,\n\n", "", "the file is empty"),
    ],
)
def test_the_first_thing_that_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    path = write(tmp_path / "r.csv", text)
    with pytest.raises(RuleError) as raised:
        read_rules(path, SCHEMA)
    assert (raised.value.where, raised.value.what) == (f"{path}{where}", what)
    assert raised.value.fix == "make the release again"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"name,then\n\xff\xff\xff,review\n")
    with pytest.raises(RuleError, match="neither UTF-8 nor GB18030"):
        read_rules(tmp_path / "r.csv", SCHEMA)


def test_a_heading_alone_is_a_table_without_rules(tmp_path: Path) -> None:
    table = read_rules(write(tmp_path / "r.csv", "name,label,p,text,then,why\n"), SCHEMA)
    assert table.rules == () and table.first({}) is None


@pytest.mark.parametrize(
    "text",
    [
        "name,value,then\nhigh,>7,review\n",
        "name,low,high,then\nturned,>=3,<=1,review\n",
        "name,value,then\na,>=1,review\nb,>=2,review\n",
    ],
)
def test_a_row_that_can_never_fire_is_read_too(tmp_path: Path, text: str) -> None:
    task = open_reader("score", {"kind": "grades"}).learn(["0", "1", "2", "3", "4"])
    schema = FactSchema((), other={"type": "score", **task.state})
    table = read_rules(write(tmp_path / "r.csv", text), schema)
    assert len(table.rules) == text.count("review")
    facts = {"low": 2.0, "value": 2.0, "high": 2.0}
    assert table.first(facts) == ((table.rules[0], ()) if text.startswith("name,value,then\na") else None)
