"""`penjing init` as a newcomer runs it."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner

from penjing.cli import check, init
from penjing.core.errors import DataError, UsageError
from penjing.core.recipe import load_recipe
from penjing.data.choice import ChoiceError
from penjing.model.base import base_is_installed

PLACES = ["前台", "客房", "早餐", "电梯", "泳池", "停车场", "大堂", "走廊"]


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    init.register(app)
    check.register(app)
    return app


def csv(folder: Path, name: str = "mine.csv", encoding: str = "utf-8") -> Path:
    lines = ["内容,类别"]
    for i in range(200):
        word, label = [("很好很满意", "好评"), ("太差了退款", "差评")][i % 2]
        lines.append(f'"{PLACES[i % 8]}{PLACES[i // 8 % 8]}{word}，单号{i * 37}",{label}')
    path = folder / name
    path.write_bytes(("\n".join([*lines, lines[3], '" ",好评']) + "\n").encode(encoding))
    return path


def test_writes_a_recipe_and_rules_and_lists_what_is_wrong(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path))])
    assert done.exit_code == 0, done.output
    said = done.stdout
    assert "texts: column `内容`; labels: column `类别`" in said
    assert "warning: empty texts, left out: row 203" in said
    assert "warning: 1 row: the same text again, removed: row 202" in said
    assert "This data can be trained on: 3 warnings." in said
    assert f"next: penjing make {tmp_path / 'job' / 'recipe.yaml'}" in said
    file = load_recipe(tmp_path / "job" / "recipe.yaml")
    assert file.recipe.data.files == "../mine.csv"
    base = "penjing/small" if base_is_installed("penjing/small") else "penjing/mini"
    tuned = {"layers": 3, "learning_rate": 3e-4} if base == "penjing/small" else {}
    assert file.recipe.step_list() == [("tune.full", tuned), ("compress.int8", {})]
    assert file.recipe.base == base and f"base: {base}, " in said
    (line,) = [line for line in file.path.read_text(encoding="utf-8").splitlines() if line.startswith("base:")]
    assert line.endswith("; or write auto, or a folder in Hugging Face form") and "# " in line
    minutes = re.search(r"^tuning: about (\d+) min on two server cores$", said, re.MULTILINE)
    (line,) = [line for line in file.path.read_text(encoding="utf-8").splitlines() if "tune.full" in line]
    assert minutes is not None and line.endswith(f" on the train rows, about {minutes[1]} min on two server cores")
    assert file.resolve(file.recipe.decide.rules or "").read_text(encoding="utf-8").splitlines() == [
        "name,label,p,margin,text,pii.id_card,then,why",
        "id-card-to-a-person,,,,,>=1,review,contains an identity card number",
    ]


@pytest.mark.parametrize(("least", "shared"), [(201, True), (200, False)])
def test_with_few_rows_score_and_certificate_share_theirs(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, shared: bool
) -> None:
    monkeypatch.setattr(init, "FEW_ROWS", least)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path))])
    assert "usable: 200 of" in done.stdout
    assert done.stderr.count("reading the data") == done.stderr.count("looking for near duplicates") == 1
    written = (tmp_path / "job" / "recipe.yaml").read_text(encoding="utf-8")
    assert load_recipe(tmp_path / "job" / "recipe.yaml").recipe.data.held_out == ("shared" if shared else "apart")
    assert ("the same held-out rows give the score and the certificate, each at 97.5 %" in done.stdout) == shared
    lines = [line for line in written.splitlines() if line.startswith("  held_out:")]
    assert [line.partition(" # ")[2] for line in lines] == (
        ["few rows: the same ones give the score and the certificate, so more train; or apart"] if shared else []
    )


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig", "utf-16"])
def test_other_encodings_need_no_word(app: typer.Typer, tmp_path: Path, encoding: str) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path, encoding=encoding))])
    assert done.exit_code == 0, done.output
    assert "can be trained on" in done.stdout


def test_nothing_is_overwritten_without_force(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("mine", encoding="utf-8")
    call = ["init", str(tmp_path), "--data", str(csv(tmp_path))]
    done = CliRunner().invoke(app, call)
    assert isinstance(done.exception, UsageError)
    assert "this file is there already" in str(done.exception)
    assert (tmp_path / "rules.csv").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "recipe.yaml").exists()
    assert CliRunner().invoke(app, [*call, "--force"]).exit_code == 0


def test_json_and_names_that_need_quotes(app: typer.Typer, tmp_path: Path) -> None:
    lines = ['"my: text",yes', *(f'"{PLACES[i % 8]} is {i}","{["a: b", "no"][i % 2]}"' for i in range(80))]
    (tmp_path / "a b.csv").write_text("\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(tmp_path / "true"), "--data", str(tmp_path / "a b.csv"), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["text"], said["label"]) == ("my: text", "yes")
    assert said["audit"]["labels"] == {"a: b": 40, "no": 40}
    data = load_recipe(tmp_path / "true" / "recipe.yaml").recipe
    assert (data.name, data.data.text, data.data.label) == ("true", "my: text", "yes")


def test_the_recipe_of_init_is_one_that_check_takes(app: typer.Typer, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path))])
    assert CliRunner().invoke(app, ["check", str(tmp_path / "job" / "recipe.yaml")]).exit_code == 0


def test_a_file_without_labels(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("just\nlines\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(tmp_path / "a.txt")])
    assert isinstance(done.exception, DataError)
    assert "one column only" in str(done.exception)
    assert not (tmp_path / "job").exists()


def tickets(folder: Path) -> Path:
    lines = ["投诉内容,问题类型,业务类型"]
    lines += [f"{PLACES[i % 8]}{PLACES[i // 8 % 8]}太差了{i},{'甲乙丙'[i % 3]},{'子丑'[i % 2]}" for i in range(90)]
    path = folder / "tickets.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_several_columns_that_fit_stop_with_the_choices(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(tickets(tmp_path))])
    assert isinstance(done.exception, UsageError)
    assert done.exception.exit_code == 2
    assert "问题类型: 3 different values: 甲, 乙, 丙" in str(done.exception)
    assert "--text 投诉内容 --label 问题类型" in str(done.exception)
    assert not (tmp_path / "job").exists()


def test_at_a_terminal_a_person_is_asked(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = ChoiceError("label", {"问题类型": "3 different values", "业务类型": "2 different values"}, "a.csv", "")
    answers = iter(["7", "2"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(answers))
    assert init._ask(question) == "业务类型"
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "2")
    monkeypatch.setattr(init, "at_a_terminal", lambda: True)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(tickets(tmp_path))])
    assert done.exit_code == 0, done.output
    assert load_recipe(tmp_path / "job" / "recipe.yaml").recipe.data.label == "业务类型"


def test_the_sheet_and_the_header_are_written_into_the_recipe(app: typer.Typer, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["说明"])
    sheet = book.create_sheet("数 据")
    for row in (["明细", None], ["内容", "类别"], *([f"{PLACES[i % 8]}{i}很好", "甲乙"[i % 2]] for i in range(90))):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    call = ["init", str(tmp_path / "job"), "--data", str(tmp_path / "a.xlsx")]
    done = CliRunner().invoke(app, call)
    assert isinstance(done.exception, UsageError)
    assert "several sheets" in str(done.exception)
    done = CliRunner().invoke(app, [*call, "--sheet", "数 据", "--header", "2"])
    assert done.exit_code == 0, done.output
    data = load_recipe(tmp_path / "job" / "recipe.yaml").recipe.data
    assert (data.sheet, data.header, data.text, data.label) == ("数 据", 2, "内容", "类别")
    assert CliRunner().invoke(app, ["check", str(tmp_path / "job" / "recipe.yaml")]).exit_code == 0


def test_titles_that_were_passed_over_are_said(app: typer.Typer, tmp_path: Path) -> None:
    path = csv(tmp_path)
    path.write_text("10月明细\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(path)])
    assert done.exit_code == 0, done.output
    assert "row 1 above the header (`10月明细`): skipped" in done.stdout


def test_standard_input_cannot_be_trained_on(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", "-"])
    assert isinstance(done.exception, UsageError)
    assert "a file that stays" in str(done.exception)


def test_comments_stand_in_one_column_beside_chinese_names(app: typer.Typer, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path))]).exit_code == 0
    lines = (tmp_path / "job" / "recipe.yaml").read_text(encoding="utf-8").splitlines()
    before = [line.rpartition(" # ")[0] for line in lines if line.startswith(("  text:", "  label:", "  group:"))]
    assert len({cell_len(each) for each in before}) == 1 and len(before) == 3


def test_rows_without_a_label_are_counted(app: typer.Typer, tmp_path: Path) -> None:
    file = csv(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + "一条没有标签的留言,\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(file)])
    assert "1 empty, 1 without a label)" in done.stdout


@pytest.mark.parametrize("at", [1, 2])
def test_a_full_disk_leaves_both_files_or_none(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls: list[Path] = []
    write = Path.write_text

    def full(path: Path, text: str, **more: Any) -> int:
        calls.append(path)
        if len(calls) == at:
            write(path, text[:10], **more)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, text, **more)

    arguments = ["init", str(tmp_path / "job"), "--data", str(csv(tmp_path))]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert isinstance(CliRunner().invoke(app, arguments).exception, OSError)
    assert not list((tmp_path / "job").iterdir())
    assert CliRunner().invoke(app, arguments).exit_code == 0, "the same command again needs no --force"


def test_labels_with_decimals_are_numbers_to_predict(app: typer.Typer, tmp_path: Path) -> None:
    rows = [(f"a plain sentence about item number {i}", f"{1 + i % 40 / 10}") for i in range(200)]
    data = tmp_path / "ratings.csv"
    data.write_text("text,rating\n" + "".join(f"{text},{value}\n" for text, value in rows), encoding="utf-8")
    ran = CliRunner().invoke(app, ["init", str(tmp_path / "svc"), "--data", str(data)])
    assert ran.exit_code == 0, ran.output
    assert "task: score, because the labels are numbers" in ran.stdout
    assert load_recipe(tmp_path / "svc" / "recipe.yaml").recipe.task.type == "score"
    assert (tmp_path / "svc" / "rules.csv").read_text(encoding="utf-8").startswith("name,value,p,text,")


@pytest.mark.parametrize("name", ["a.conll", "a.csv"])
def test_pieces_of_texts_are_entities_to_find(app: typer.Typer, tmp_path: Path, name: str) -> None:
    words = [("Acme", "ORG"), ("Lima", "CITY"), ("it", "")]
    lines = ["text,spans\n"] if name == "a.csv" else []
    for i in range(60):
        word, label = words[i % 3]
        span = f'[{{""start"": 0, ""end"": {len(word)}, ""label"": ""{label}""}}]' if label else "[]"
        tag = f"B-{label}" if label else "O"
        lines.append(f'{word} sold {i},"{span}"\n' if name == "a.csv" else f"{word} {tag}\nsold O\n{i} O\n\n")
    (tmp_path / name).write_text("".join(lines), encoding="utf-8")
    named = ["--text", "text", "--label", "spans"] if name == "a.csv" else []
    ran = CliRunner().invoke(app, ["init", str(tmp_path / "svc"), "--data", str(tmp_path / name), *named])
    assert ran.exit_code == 0, ran.output
    assert "task: tag, because the labels are pieces of the text" in ran.stdout
    made = load_recipe(tmp_path / "svc" / "recipe.yaml").recipe
    assert made.task.type == "tag" and made.data.format == ("conll" if name == "a.conll" else made.data.format)
    assert dict(made.step_list())["tune.full"]["epochs"] == 10
    assert (tmp_path / "svc" / "rules.csv").read_text(encoding="utf-8").startswith("name,entities,p,text,")


def test_few_whole_numbers_are_labels_unless_grades_are_asked_for(app: typer.Typer, tmp_path: Path) -> None:
    rows = [(f"a plain sentence about item number {i}", str(i % 4)) for i in range(200)]
    data = tmp_path / "grades.csv"
    data.write_text("text,level\n" + "".join(f"{text},{value}\n" for text, value in rows), encoding="utf-8")
    ran = CliRunner().invoke(app, ["init", str(tmp_path / "a"), "--data", str(data)])
    assert "where the labels are grades in order, write `--task score`" in ran.stdout
    assert load_recipe(tmp_path / "a" / "recipe.yaml").recipe.task.type == "classify"
    graded = CliRunner().invoke(app, ["init", str(tmp_path / "b"), "--data", str(data), "--task", "score"])
    assert graded.exit_code == 0, graded.output
    assert load_recipe(tmp_path / "b" / "recipe.yaml").recipe.task.type == "score"
    wrong = CliRunner().invoke(app, ["init", str(tmp_path / "c"), "--data", str(data), "--task", "scroe"])
    assert isinstance(wrong.exception, UsageError) and "did you mean `score`?" in str(wrong.exception)


def test_codes_of_labels_stay_labels_and_a_name_may_hold_a_hash(app: typer.Typer, tmp_path: Path) -> None:
    rows = [(f"a plain sentence about item number {i}", str(100 + i % 17)) for i in range(600)]
    data = tmp_path / "C# news.csv"
    data.write_text("text,the # code\n" + "".join(f"{text},{value}\n" for text, value in rows), encoding="utf-8")
    ran = CliRunner().invoke(app, ["init", str(tmp_path / "a # b"), "--data", str(data), "--label", "the # code"])
    assert ran.exit_code == 0, ran.output
    recipe = load_recipe(tmp_path / "a # b" / "recipe.yaml").recipe
    assert (recipe.task.type, recipe.data.files, recipe.data.label) == ("classify", "../C# news.csv", "the # code")


@pytest.mark.parametrize(("name", "shown"), [("受理时间", "受理时间"), ("date: received at", '"date: received at"')])
def test_a_column_of_times_is_proposed(app: typer.Typer, tmp_path: Path, name: str, shown: str) -> None:
    rows = [f"{PLACES[i % 8]} is {i},{['good', 'bad'][i % 2]},2026-01-{1 + i % 28:02}" for i in range(80)]
    (tmp_path / "a.csv").write_text("\n".join([f"text,label,{name}", *rows]), encoding="utf-8")
    done = CliRunner().invoke(app, ["init", str(tmp_path / "job"), "--data", str(tmp_path / "a.csv")])
    assert done.exit_code == 0, done.output
    recipe = tmp_path / "job" / "recipe.yaml"
    written = recipe.read_text(encoding="utf-8")
    (line,) = [line for line in written.splitlines() if line.startswith("  time:")]
    assert line.startswith("  time: null ") and line.endswith(f"`{shown}`")
    recipe.write_text(written.replace("  time: null ", f"  time: {shown} "), encoding="utf-8")
    assert load_recipe(recipe).recipe.data.time == name
    assert CliRunner().invoke(app, ["check", str(recipe)]).exit_code == 0


@pytest.mark.parametrize(
    ("language", "said", "takes"),
    [
        ("en", "few labels (16 rows each)", r"^`make` takes about (?:\d\d s|2 min) on two server cores$"),
        ("zh", "标注很少（每个标签 16 行）", r"^`make` 约需 (?:\d\d 秒|2 分钟)（两个服务器核心）$"),
    ],
)
def test_few_labels_get_a_step_of_their_own_with_its_reason(
    tmp_path: Path, language: str, said: str, takes: str, penjing: Any
) -> None:
    rows = ["内容,类别"]
    for place in range(32):
        word, label = [("很好很满意", "好评"), ("太差了退款", "差评")][place % 2]
        rows.append(f'"{PLACES[place % 8]}{PLACES[place // 8 % 8]}{word}，单号{place * 37}",{label}')
    (tmp_path / "few.csv").write_text("\n".join(rows), encoding="utf-8")
    done = penjing("--lang", language, "init", tmp_path / "job", "--data", tmp_path / "few.csv")
    assert done.code == 0, done.err
    written = (tmp_path / "job" / "recipe.yaml").read_text(encoding="utf-8")
    assert load_recipe(tmp_path / "job" / "recipe.yaml").recipe.step_list()[0] == ("tune.prototype", {})
    assert said in written and said in done.out
    assert re.search(takes, done.out, re.MULTILINE)
