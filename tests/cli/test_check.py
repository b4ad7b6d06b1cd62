"""`penjing check`: words, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from tests.conftest import tiny_texts
from typer.testing import CliRunner

from penjing.cli import check
from penjing.core.errors import MissingPackageError, UsageError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make.check_recipe import check_recipe
from penjing.make.plan import step_faults
from penjing.prove.certify import table_hashes
from penjing.prove.openings import LEDGER, Opening, open_planned

PLACES = ["前台", "客房", "早餐", "电梯", "泳池", "停车场", "大堂", "走廊"]


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    check.register(app)
    return app


def recipe(folder: Path, lines: list[str], data: str = "files: a.csv", name: str = "a.csv") -> str:
    (folder / name).write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\ndata: {{{data}}}\nsteps: [{{tune.linear: {{}}}}]\n", encoding="utf-8")
    return str(path)


def good(count: int = 600) -> list[str]:
    rows = [f'"{PLACES[i % 8]}{PLACES[i // 8 % 8]}{["很好", "很差"][i % 2]}{i * 37}",{i % 2}' for i in range(count)]
    return ["text,label", *rows]


def test_good_data(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, good())])
    assert done.exit_code == 0, done.output
    said = done.stdout
    assert "a.csv: 600 rows, utf-8" in said
    assert "usable: 600 of 600 rows" in said
    assert "Chinese (100% zh, 0% en)" in said
    assert (
        "84 calibration rows: an error among automated decisions of 3.50% or more, if none of them is decided wrongly"
        in said
    )
    assert "84 test rows: accuracy to ±0.064" in said
    assert said.rstrip().endswith("This data can be trained on: 0 warnings.")
    assert "reading the data" in done.stderr


def test_the_ledger_is_shown_before_the_next_opening(app: typer.Typer, tmp_path: Path) -> None:
    path = recipe(tmp_path, good())
    first = CliRunner().invoke(app, ["check", path])
    assert "calibration rows: not opened yet; the first promise is tested at a level of 5 %" in first.stdout
    checked = check_recipe(load_recipe(Path(path), step_faults), Silent())
    assert checked.data is not None and checked.ledger is not None and checked.ledger.earlier == ()
    rows = table_hashes(checked.data.calibration, ())
    about = {"max_error": 0.02, "model": "3f2a"}
    open_planned(tmp_path / LEDGER, rows, Opening("a", frozenset(), 0.05, "2026-01-05T00:00:00Z", about))
    before = (tmp_path / LEDGER).read_bytes()
    said = CliRunner().invoke(app, ["check", path]).stdout
    assert (
        "opened for 1 promise\n  2026-01-05, at a level of 5 %, on 84 of the 84: max_error 0.02, model 3f2a\n" in said
    )
    assert "84 more new calibration rows (about 600 more labelled rows)" in said
    found = json.loads(CliRunner().invoke(app, ["check", path, "--json"]).stdout)["ledger"]
    assert (found["next_level"], found["new_rows_for_full_level"], len(found["opened"])) == (0.025, 84, 1)
    assert (tmp_path / LEDGER).read_bytes() == before, "nothing is opened"


def test_the_menu_is_shown_where_it_is_asked_for(app: typer.Typer, tmp_path: Path) -> None:
    path = recipe(tmp_path, good())
    done = CliRunner().invoke(app, ["check", path, "--menu"])
    assert done.exit_code == 0, done.output
    said = done.stdout.replace("\u00a0", " ")
    assert "of the plain word model; an encoder that is better can promise more:" in said
    assert "  errors at most 20 %: 100 % without a person" in said and "\n  1 alone: " in said
    told = json.loads(CliRunner().invoke(app, ["check", path, "--menu", "--json"]).stdout)
    assert told["menu"]["rows"] == 84 and next(one["max_error"] for one in told["menu"]["offers"]) == 0.005


def test_labels_that_are_perhaps_wrong_are_listed_by_row(app: typer.Typer, tmp_path: Path) -> None:
    lines = good()
    planted = [row for row in range(2, 602) if row % 13 == 0]
    for row in planted:
        lines[row - 1] = lines[row - 1][:-1] + "10"[int(lines[row - 1][-1])]
    path = recipe(tmp_path, lines)
    said = CliRunner().invoke(app, ["check", path]).stdout
    told = json.loads(CliRunner().invoke(app, ["check", path, "--json"]).stdout)["doubts"]
    rows = {each["row"] for each in told["doubts"]}
    assert told["looked"] == 432 and told["count"] == len(rows) > 20 and rows <= set(planted)
    first = told["doubts"][0]
    assert f"{len(rows)} of 432 train and validation rows are perhaps labelled wrongly\n  row {first['row']}: " in said
    assert said.count("more probable is") == 10 and f"({first['p']:.0%})  {first['text']}\n" in said
    assert f"next: penjing label fix {path} --out questions.csv" in said
    bare = CliRunner().invoke(app, ["check", path, "--no-labels", "--json"]).stdout
    assert (
        "doubts" not in json.loads(bare)
        and "perhaps labelled" not in CliRunner().invoke(app, ["check", path, "--no-labels"]).stdout
    )


def test_without_cleanlab_check_still_works(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingPackageError("looking for wrong labels needs the package `cleanlab`, which is not installed")

    monkeypatch.setattr("penjing.make.doubted.find_doubts", missing)
    path = recipe(tmp_path, good())
    done = CliRunner().invoke(app, ["check", path])
    assert done.exit_code == 0 and "perhaps wrong are not looked for: looking for wrong labels needs" in done.stdout
    assert isinstance(CliRunner().invoke(app, ["check", path, "--labels"]).exception, MissingPackageError)


def test_the_base_of_auto_is_said_with_its_reason(app: typer.Typer, tmp_path: Path) -> None:
    path = Path(recipe(tmp_path, good()))
    text = path.read_text(encoding="utf-8").replace("steps: [{tune.linear: {}}]", "steps: [{tune.full: {}}]")
    path.write_text(f"{text}base: auto\ngates: {{size_mb: 40}}\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(path)])
    assert done.exit_code == 0, done.output
    reason = "`base: auto` takes penjing/nano: penjing/mini is expected to need"
    assert (
        any(line.startswith(reason) for line in done.stdout.splitlines()) and "`size_mb` promises 40 MB" in done.stdout
    )
    told = json.loads(CliRunner().invoke(app, ["check", str(path), "--json"]).stdout)
    assert told["base"] == "penjing/nano" and told["base_why"].startswith(reason)


def test_json_is_the_whole_audit(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, [*good(), good()[5]]), "--json"])
    audit = json.loads(done.stdout)
    assert audit["trainable"] is True
    assert audit["duplicates"]["exact"] == 1
    assert audit["splits"] == {"train": 360, "validation": 72, "calibration": 84, "test": 84}
    assert [(problem["code"], problem["rows"]) for problem in audit["problems"]] == [("duplicate", {"a.csv": [602]})]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (good(3), ["error: 3 usable rows; fewer than 30", "label more texts"]),
        ([good()[0], *good()[1::2]], ["error: one label only: `0`", "is `label: label` the right column?"]),
        (["text,label", *["  ,1"] * 50], ["error: all texts are empty"]),
        ([*good(), "a,b,c"], ["error: 3 cells, but the header has 2: row 602", "quotes around a cell"]),
        ([*good(), "a\0b,1"], ["error: the text has a NUL character at character 2: row 602"]),
        ([*good(), "\ud800,1"], ["error: ", "line 602 is not UTF-8, as the others are"]),
        (["words,label", *good()[1:]], ["there is no column `text`; the columns are `words`, `label`"]),
    ],
)
def test_data_that_must_not_be_trained_on(app: typer.Typer, tmp_path: Path, lines: list[str], said: list[str]) -> None:
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, lines)])
    assert done.exit_code == 3, done.output
    assert "This data must not be trained on: 1 error" in done.stdout
    for words in said:
        assert words in done.stdout
    assert "  fix: " in done.stdout


def test_hostile_json_lines(app: typer.Typer, tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"{PLACES[i % 8]}一般般{i * 37}", "label": i % 2}) for i in range(100)]
    deep = '{"text": ' + "[" * 100_000 + "]" * 100_000 + ', "label": 1}'
    lines += ['{"text": "x\\ud800y", "label": 1}', deep, '{"text": "' + "长" * 400_000 + '", "label": 0}']
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, lines, "files: a.jsonl", "a.jsonl")])
    assert done.exit_code == 3, done.output
    assert "error: the text has a lone surrogate (\\ud800) at character 2: row 101" in done.stdout
    assert "error: JSON nested too deeply: row 102" in done.stdout
    assert "400,000 at most" in done.stdout


def test_too_little_to_certify_is_a_warning_with_the_number_needed(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, good(300))])
    assert done.exit_code == 0
    assert "42 calibration rows certify an error of 6.88% at best, not `max_error` 0.05" in done.stdout
    assert "at least 59 calibration rows are needed, of about 422 labelled rows in all" in done.stdout


def test_conflicts_and_small_labels_by_row(app: typer.Typer, tmp_path: Path) -> None:
    lines = [*good(), "同样的话,0", "同样的 话！,1", "就这一条,2"]
    said = CliRunner().invoke(app, ["check", recipe(tmp_path, lines)]).stdout
    assert "warning: 2 rows: one text under several labels, removed: rows 602, 603" in said
    assert "warning: labels with fewer than 30 rows: `2` 1" in said


def test_a_missing_file_is_a_usage_error(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", recipe(tmp_path, good(), "files: b.csv")])
    assert isinstance(done.exception, UsageError)
    assert "no such file" in str(done.exception)


def test_what_more_rows_would_buy(penjing, tmp_path: Path) -> None:
    texts, labels = tiny_texts(640)
    for count in (640, 100):
        lines = ["text,label", *(f"{text},{label}" for text, label in zip(texts[:count], labels[:count], strict=True))]
        (tmp_path / f"{count}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        recipe = f"name: t\ndata: {{files: {count}.csv}}\nsteps: [{{tune.linear: {{}}}}]\n"
        (tmp_path / f"{count}.yaml").write_text(recipe, encoding="utf-8")
    ran = penjing("check", "640.yaml", "--curve", "--json")
    assert ran.code == 0, ran.err
    found = ran.lines[0]["forecast_rows"]
    assert found["rows"] == ran.lines[0]["splits"]["train"] and found["more"] == 200
    assert found["low"] <= found["gain"] <= found["high"] and len(found["points"]) == 5
    ran = penjing("check", "100.yaml", "--curve")
    assert ran.code == 0 and "is measured for 320 to 20,000 train rows" in ran.out
    assert "forecast_rows" not in penjing("check", "100.yaml", "--curve", "--json").lines[0]
    assert "measured for" not in penjing("check", "100.yaml").out
