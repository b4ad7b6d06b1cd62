"""`penjing rules`: check, test, fmt and explain on a recipe with rows, in words and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from penjing.cli.main import app
from penjing.core.errors import RuleError, UsageError

RULES = (
    "name,label,p,text,amount,then,why\n"
    "lawyer,,,contains @legal|律师,,review legal,the legal team answers\n"
    "large,bad,,,>1000,review,\n"
    "unsure,,<0.8,,,review,\n"
)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    rows = [f"row {i} is {['fine', 'broken'][i % 2]},{['good', 'bad'][i % 2]},{i}" for i in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,amount", *rows]), encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(
        "name: t\ndata: {files: a.csv, fields: {amount: float}}\nsteps: [{tune.linear: {}}]\n", encoding="utf-8"
    )
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "legal.txt").write_text("lawsuit\ncourt\n", encoding="utf-8")
    (tmp_path / "rules.csv").write_text(RULES, encoding="utf-8")
    return tmp_path / "rules.csv"


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, args)])


def test_check_prints_every_finding(rules: Path) -> None:
    done = run("check", rules)
    assert done.exit_code == 0, done.output
    assert "rules.csv:3:1: row 3 (large)" in done.output and "info: " in done.output
    assert done.output.splitlines()[-1] == "3 rules: no errors, 2 warnings"
    assert done.output.count("  fix of these 2: move the row that must win") == 1 and done.output.count("fix") == 1
    rules.write_text(RULES + "never,,<0.7,,,review,\nword,,,contains @legl,,review,\n", encoding="utf-8")
    done = run("check", rules)
    assert isinstance(done.exception, RuleError)
    assert "there is no word list `legl`" in str(done.exception) and "did you mean `legal`?" in str(done.exception)
    rules.write_text(RULES + "never,,<0.7,,,review,\n", encoding="utf-8")
    done = run("check", rules, "--json")
    assert done.exit_code == 2
    assert "row 5 (never) can never fire" in json.loads(done.stdout)["errors"][0]["what"]


def test_test_prints_what_differs_and_which_rows_never_decided(rules: Path) -> None:
    cases = rules.with_name("cases.csv")
    cases.write_text(
        "text,label,p,amount,expected,rule\nsee you in COURT,good,0.9,1,review legal,lawyer\nx,good,0.7,1,good,\n"
        "y,good,0.9,1,model,-\n",
        encoding="utf-8",
    )
    done = run("test", rules, cases)
    assert done.exit_code == 3, done.output
    lines = done.stdout.splitlines()
    assert lines[0].endswith("cases.csv:3: expected `outcome good`, got `review` by row 4 (unsure)")
    assert lines[1] == "3 cases: 3 with an expectation, 1 failed"
    assert lines[-1] == "1 of 3 rows never decided: 3 (large)"
    found = json.loads(run("test", rules, cases, "--json").stdout)
    assert [each["decided"] for each in found["rows"]] == [1, 0, 1] and found["no_row"] == 1
    cases.write_text("text,label,p,amount,rule\nx,good,0.7,1,unsure\n", encoding="utf-8")
    assert run("test", rules, cases).exit_code == 0


def test_fmt_prints_or_replaces(rules: Path) -> None:
    done = run("fmt", rules, "--to", "zh")
    assert done.stdout.splitlines()[:2] == [
        "名称,标签,概率,文本,amount,则,理由",
        "lawyer,,,包含 @legal|律师,,转人工 legal,the legal team answers",
    ]
    assert rules.read_text(encoding="utf-8") == RULES
    assert run("fmt", rules, "--to", "zh", "--write").exit_code == 0
    assert rules.read_text(encoding="utf-8-sig") == done.stdout
    assert run("fmt", rules, "--write").exit_code == 0
    assert rules.read_text(encoding="utf-8-sig") == RULES
    assert not list(rules.parent.glob(".*.new"))


def test_explain_says_why_each_row_above_does_not_hold(rules: Path) -> None:
    facts = ("--fact", "label=bad", "--fact", "p=0.7", "--fact", "amount=5")
    done = run("explain", rules, "--text", "hello", *facts)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "row 2 (lawyer) does not hold: `text contains @legal|律师` is false; the rules find nothing in it",
        "row 3 (large) does not hold: `amount >1000` is false; it is 5.0",
        "row 4 (unsure) decides: `review`",
        "  `p <0.8` is true",
    ]
    done = run("explain", rules, "--text", "a LAWSUIT", *facts)
    assert "row 2 (lawyer) decides: `review legal`" in done.stdout and "the legal team answers" in done.stdout
    done = run("explain", rules, "--text", "x", "--fact", "label=bad", "--fact", "p=0.9")
    assert "row 3 (large) decides: `review`, because it needs `amount`" in done.stdout
    done = run("explain", rules, "--text", "x", "--fact", "label=good", "--fact", "p=0.9")
    assert done.stdout.splitlines()[-1] == "no row holds: the model decides by its threshold"


def test_usage(rules: Path) -> None:
    rules.with_name("recipe.yaml").unlink()
    done = run("check", rules)
    assert isinstance(done.exception, UsageError) and "--for recipe.yaml" in str(done.exception)
    done = run("explain", rules, "--fact", "p")
    assert isinstance(done.exception, UsageError)


def test_faults_of_explain_are_those_of_its_options(rules: Path) -> None:
    for given, place, words in (
        (["--fact", "label=bda", "--fact", "p=0.7"], "--fact", "unknown label 'bda'"),
        (["--fact", "p=0.7"], "--fact", "--fact label=refund"),
        (["--fact", "lable=bad"], "--fact", "did you mean `label`?"),
        (["--fact", "label=bad", "--fact", "p=0.7", "--fact", "amount=x"], "--fact", "amount"),
        (["--fact", "label=bad", "--fact", "p=0.7", "--clock", "soon"], "--clock", "'soon' is not a time"),
    ):
        done = run("explain", rules, "--text", "x", *given)
        assert isinstance(done.exception, UsageError), done.output
        assert done.exception.where == place and words in str(done.exception)


def test_test_reads_the_columns_of_the_recipe_and_shows_all_bad_cases(rules: Path) -> None:
    recipe = rules.with_name("recipe.yaml")
    recipe.write_text(recipe.read_text().replace("files: a.csv", "files: b.csv, text: Inhalt, label: Art"))
    rows = rules.with_name("a.csv").read_text().replace("text,label", "Inhalt,Art")
    rules.with_name("b.csv").write_text(rows)
    cases = rules.with_name("cases.csv")
    cases.write_text("Inhalt,Art,p,expected\nin COURT,good,0.9,review legal\n")
    done = run("test", rules, cases)
    assert done.exit_code == 0, (done.output, done.exception)
    cases.write_text("Inhalt,Art,p,expected\na,godo,0.9,review\nb,good,7,review\nc,good,0.9,reveiw\nd,good,8,\n")
    done = run("test", rules, cases)
    assert isinstance(done.exception, RuleError)
    lines = [line for line in str(done.exception).splitlines() if not line.startswith("  fix")]
    assert [line.split("cases.csv:")[1][:2] for line in lines] == ["2:", "3:", "4:"]
    assert "not between 0 and 1, in 1 more cases too" in lines[1]
