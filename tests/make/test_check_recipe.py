"""The whole recipe is checked before anything is trained: all faults at once, by `check` and by `make` alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import DataError, PenjingError, RecipeError, RuleError, UsageError
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.decide.condition import Then
from penjing.make.check_recipe import RECIPE, Checked, check_recipe
from penjing.make.run import make_release

PLACES = ["前台", "客房", "早餐", "电梯", "泳池", "停车场", "大堂", "走廊"]


def rows(count: int = 300, labels: tuple[str, ...] = ("好", "差"), start: int = 0) -> list[str]:
    named = [(i, labels[i % len(labels)]) for i in range(start, start + count)]
    return [f"{PLACES[i % 8]}{PLACES[i // 8 % 8]}{label}{i * 37},{label},{i % 5},{i % 2}" for i, label in named]


def write(folder: Path, data: str = "files: a.csv", more: str = "", lines: list[str] | None = None) -> Path:
    (folder / "a.csv").write_text("\n".join(["text,label,visits,vip", *(lines or rows())]), encoding="utf-8")
    path = folder / "recipe.yaml"
    steps = "" if "steps:" in more else "steps: [{tune.linear: {}}]\n"
    path.write_text(f"name: t\ndata: {{{data}}}\n{steps}{more}", encoding="utf-8")
    return path


def check(path: Path) -> Checked:
    return check_recipe(load_recipe(path), Silent())


def said(path: Path) -> str:
    checked = check(path)
    with pytest.raises(PenjingError) as caught:
        checked.raise_faults()
    return str(caught.value)


def test_a_sound_recipe_is_all_that_make_needs(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,label,visits,then\na,好,>3,review\n", encoding="utf-8")
    more = "decide: {max_error: {好: 0.1}, rules: rules.csv}\n"
    checked = check(write(tmp_path, "files: a.csv, fields: {visits: int, vip: bool}", more))
    checked.raise_faults()
    assert checked.audit.trainable and checked.data and checked.rules and checked.base is None
    assert [step.name for step in checked.steps] == ["tune.linear"]


def test_a_field_that_rows_leave_empty_is_told_where_a_rule_needs_it(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,label,visits,then\na,好,>3,review\n", encoding="utf-8")
    sparse = [line if place % 3 else ",".join((*line.split(",")[:2], "", "")) for place, line in enumerate(rows())]
    recipe = write(
        tmp_path, "files: a.csv, fields: {visits: int, vip: bool}", "decide: {rules: rules.csv}\n", lines=sparse
    )
    checked = check(recipe)
    checked.raise_faults()
    told = [problem.message for problem in checked.audit.problems if "missing_field" in problem.message]
    assert len(told) == 1, "vip is empty too, and no rule asks for it"
    assert f"the field `visits` is empty in 100 of {checked.audit.used} rows" in told[0] and "row 2 (a)" in told[0]
    (tmp_path / "rules.csv").write_text("name,label,then\na,好,review\n", encoding="utf-8")
    assert not [each for each in check(recipe).audit.problems if "missing_field" in each.message]


PLAIN = "files: a.csv"


@pytest.mark.parametrize(
    ("data", "more", "kind", "words"),
    [
        (PLAIN, "decide: {max_error: {好啊: 0.1}}", RecipeError, ["yaml:4:22: `max_error` has the unknown label"]),
        (PLAIN, "decide: {rules: no.csv}", RuleError, ["yaml:4:10: there is no rules file `no.csv`"]),
        (PLAIN, "steps: [{tune.liner: {}}]", RecipeError, ["yaml:3:10: unknown step", "did you mean `tune.linear`"]),
        (
            PLAIN,
            "steps: [{tune.full: {epochs: -1, layers: al}}]\nbase: none",
            RecipeError,
            [
                "yaml:3:22: `epochs` is `-1`; it must be a number above 0",
                "yaml:3:34: `layers` is `al`",
                "did you mean `all`?",
                "there is no folder of the base `none`",
            ],
        ),
        (PLAIN, "steps: [{compress.int8: {}}, {tune.full: {}}]", RecipeError, ["nothing is tuned before it"]),
        (PLAIN, "steps: [{tune.linear: {}}, {compress.int8: {}}]", RecipeError, ["compresses an encoder"]),
        (PLAIN, "base: none\nsteps: [{tune.full: {}}]", UsageError, ["there is no folder of the base `none`"]),
        ("files: a.csv, fields: {p: float}", "", RecipeError, ["yaml:2:31: a field cannot be named `p`"]),
        ("files: a.csv, fields: {city: str}", "", DataError, ["no column `city`", "take `city` out of `fields:`"]),
        ("files: a.csv, label: lable", "", DataError, ["did you mean `label`?"]),
        ("files: b.csv", "", UsageError, ["b.csv: no such file"]),
        (
            "files: {train: a.csv, test: b.csv}, unlabelled: [c.txt]",
            "trials: 3",
            RecipeError,
            ["b.csv: no such file", "c.txt: no such file", "`trials`"],
        ),
    ],
)
def test_every_fault_has_its_place(
    tmp_path: Path, data: str, more: str, kind: type[PenjingError], words: list[str]
) -> None:
    path = write(tmp_path, data, more)
    for word in words:
        assert word in said(path)
    assert not check(path).audit.trainable
    with pytest.raises(kind):
        make_release(path, tmp_path / "out")
    assert not (tmp_path / "out" / "cache").exists(), "nothing was trained"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text(
        "name,label,city,then\na,好啊,,review\nb,,!=北京,outcome 坏\nc,,北京,review\n", encoding="utf-8"
    )
    data = "files: a.csv, fields: {city: str}"
    lines = [f"{row},{'北京' if i % 2 else '上海'}" for i, row in enumerate(rows())]
    more = "steps: [{tune.liner: {}}]\ndecide: {max_error: {坏: 0.1, 好: 0.2}, rules: rules.csv}\ntrials: 3\n"
    path = write(tmp_path, data, more, lines=["x"])
    (tmp_path / "a.csv").write_text("\n".join(["text,label,visits,vip,city", *lines]), encoding="utf-8")
    checked = check(path)
    messages = [problem.message for problem in checked.audit.errors if problem.code == RECIPE]
    assert len(messages) == 5 == len(checked.faults)
    whole = said(path)
    for words in (
        "unknown step",
        "`trials`",
        "`max_error` has the unknown label `坏`",
        "unknown label '好啊'",
        "unknown label '坏'",
    ):
        assert words in whole and any(words in message for message in messages)


@pytest.mark.parametrize("part", ["test", "validation", "calibration"])
def test_a_label_that_only_another_file_has(tmp_path: Path, part: str) -> None:
    path = write(tmp_path, f"files: {{train: a.csv, {part}: b.csv}}")
    lines = ["text,label,visits,vip", *rows(60, start=1000), "一条新的,很好,1,0", "另一条,很好,1,0"]
    (tmp_path / "b.csv").write_text("\n".join(lines), encoding="utf-8")
    whole = said(path)
    assert "label of which no row is in train: `很好`: b.csv rows 62, 63" in whole
    assert "add such rows to train" in whole
    with pytest.raises(DataError, match="no row is in train"):
        make_release(path, tmp_path / "out")


def test_a_share_for_all_labels_is_no_unknown_label_where_the_rows_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\none,a;b\n", encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: x\nlanguage: en\ntask: {type: several}\ndata: {files: a.csv, separator: ';'}\n"
        "steps: [{tune.linear: {}}]\ndecide: {certify: label, max_error: 0.2, max_miss: 0.2}\n",
        encoding="utf-8",
    )
    checked = check(path)
    assert any("1 usable row" in problem.message for problem in checked.audit.problems)
    assert not any("unknown label" in str(fault) for fault in checked.faults)


def test_labels_that_look_alike_are_told_with_the_line_that_merges_them(tmp_path: Path) -> None:
    lines = [*rows(300, ("FAQ", "other")), *rows(3, ("ＦＡＱ",), 400), "新的一条,faq,1,1"]
    checked = check(write(tmp_path, lines=lines))
    (problem,) = [problem for problem in checked.audit.problems if problem.code == "alike_labels"]
    assert problem.severity == "warning"
    assert "`faq` (1) and `FAQ` (150), `ＦＡＱ` (3) and `FAQ` (150)" in problem.message
    assert problem.rows == {"a.csv": [302, 303, 304, 305]}
    line = problem.fix.split("in the recipe: ")[1]
    assert line == "labels: {faq: FAQ, ＦＡＱ: FAQ}"
    more = "decide: {max_error: {ＦＡＱ: 0.1}, rules: rules.csv}\n"
    (tmp_path / "rules.csv").write_text("name,label,then\na,faq,outcome ＦＡＱ\n", encoding="utf-8")
    merged = check(write(tmp_path, f"files: a.csv, {line}", more, lines))
    merged.raise_faults()
    assert not merged.audit.problems or {problem.code for problem in merged.audit.problems} <= {"margin", "rules"}
    assert merged.audit.labels == {"FAQ": 154, "other": 150}
    assert merged.file.recipe.decide.max_error == {"FAQ": 0.1}
    assert merged.rules is not None and merged.rules.rules[0].then == Then("outcome", "FAQ")


def test_labels_of_one_value_are_one_and_idle_merges_are_told(tmp_path: Path) -> None:
    lines = [*rows(300, ("1", "0")), *rows(10, ("1.0", "0.0"), 400)]
    checked = check(write(tmp_path, "files: a.csv, labels: {问答: FAQ}", "", lines))
    assert checked.audit.labels == {"0": 155, "1": 155}
    codes = {problem.code: problem.message for problem in checked.audit.problems}
    assert "`0.0` as `0`" in codes["same_labels"] and "`问答`" in codes["idle_labels"]


def test_a_limit_that_is_told_twice(tmp_path: Path) -> None:
    more = "decide: {max_error: {好: 0.1, 好评: 0.2}}\n"
    assert "limits `好` twice" in said(write(tmp_path, "files: a.csv, labels: {好评: 好}", more))


def test_days_from_the_clock_need_the_time_of_each_row(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,visits,then\na,within last 30 days,review\n", encoding="utf-8")
    written = [f"{line.rsplit(',', 2)[0]},2026-01-05,2026-01-20" for line in rows()]
    for fields, faults in (("visits: date}", 1), ("visits: date, time: date}", 0), ("visits: date}, time: time", 0)):
        more = "decide: {rules: rules.csv}\n"
        path = write(tmp_path, f"files: a.csv, fields: {{{fields}", more, lines=written)
        csv = tmp_path / "a.csv"
        csv.write_text(csv.read_text(encoding="utf-8").replace("vip", "time", 1), encoding="utf-8")
        checked = check(path)
        assert len(checked.faults) == faults, checked.faults
        assert not faults or "no calibration row has a time" in str(checked.faults[0])


def test_warnings_of_rules_are_among_the_warnings(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,then\nall,review\n", encoding="utf-8")
    checked = check(write(tmp_path, more="decide: {rules: rules.csv}\n"))
    assert any("the rules cover every case" in problem.message for problem in checked.audit.problems)
    assert checked.audit.trainable


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        ("[{tune.full: {}}, {compress.int8: {}}, {compress.int8: {}}]", "follows a step that has made INT8 already"),
        ("[{tune.full: {}}, {compress.int8: {}}, {compress.distill: {}}]", "already"),
        ("[{tune.full: {}}, {compress.export: {engine: onnx}}, {compress.heads: {}}]", "changes a model in torch"),
        ("[{tune.full: {}}, {compress.static: {}}, {compress.export: {}}]", "before it is an artifact by"),
        ("[{tune.full: {}}, {compress.cascade: {}}, {compress.int8: {}}]", "before it is an artifact by"),
        ("[{tune.full: {}}, {compress.ngrams: {}}, {compress.int8: {}}]", "put `compress.ngrams` last, or take one of"),
        ("[{tune.full: {}}, {compress.ngrams: {}}, {compress.ngrams: {}}]", "take one of them out"),
        ("[{tune.full: {layers: 99}}]", "this base has"),
        ("[{tune.full: {max_tokens: 8192}}]", "this base takes at most"),
        ("[{tune.full: {layers: 1}}, {compress.layers: {keep: 99}}]", "this model has"),
        ("[{tune.full: {}}, {compress.layers: {keep: 2}}, {compress.layers: {keep: 2}}]", "this model has 2 layers"),
        ("[{tune.full: {}}, {compress.exit: {after: [99]}}]", "cannot exit early after"),
        ("[{tune.full: {}}, {compress.int8: {engine: openvino, scales: dynamic}}]", "OpenVINO would take the scales"),
        ("[{tune.full: {}}, {compress.export: {engine: openvino}}, {compress.embeddings: {}}]", "cannot become `onnx`"),
        ("[{tune.full: {}}, {compress.embeddings: {}}, {compress.int8: {scales: static}}]", "static scales"),
        ("[{tune.full: {}}, {compress.int8: {keep: ['[']}}]", "no regular expression"),
    ],
)
def test_a_step_that_cannot_follow_is_found_before_anything_is_trained(tmp_path: Path, steps: str, what: str) -> None:
    message = said(write(tmp_path, more=f"steps: {steps}\n"))
    assert what in message and "recipe.yaml:3:" in message


@pytest.mark.parametrize(
    "steps",
    [
        "[{tune.full: {}}, {compress.layers: {keep: 2}}, {compress.distill: {}}, {compress.int8: {}}]",
        "[{tune.full: {}}, {compress.int8: {engine: onnx}}, {compress.cascade: {}}]",
        "[{tune.full: {}}, {compress.int8: {engine: onnx}}, {compress.ngrams: {}}, {compress.cascade: {}}]",
        "[{tune.full: {}}, {compress.export: {engine: onnx}}, {compress.embeddings: {}}]",
        "[{tune.full: {}}, {compress.embeddings: {}}, {compress.int8: {engine: onnx}}]",
        "[{tune.full: {}}, {compress.vocabulary: {}}, {compress.static: {}}]",
    ],
)
def test_steps_that_can_follow_are_left_alone(tmp_path: Path, steps: str) -> None:
    assert not check(write(tmp_path, more=f"steps: {steps}\n")).faults


SCORES = [
    f"{PLACES[i % 8]}{PLACES[i // 8 % 8]}分{i % 3}{i * 37},{i % 3 + i % 7 / 10},{i % 5},{i % 2}" for i in range(300)
]


@pytest.mark.parametrize(
    ("more", "where", "what", "fix"),
    [
        (
            "gates: {macro_f1: 0.8}\n",
            "recipe.yaml:5:9",
            "measured by within, mae",
            "write `score: 0.8`",
        ),
        ("decide: {max_error: {1: 0.1}}\n", "recipe.yaml:5:10", "are no labels", "write one share for all answers"),
    ],
)
def test_a_promise_that_is_not_for_the_task_is_refused(
    tmp_path: Path, more: str, where: str, what: str, fix: str
) -> None:
    told = said(write(tmp_path, more=f"task: {{type: score, kind: number}}\n{more}", lines=SCORES))
    assert where in told and what in told and fix in told


def test_a_promise_on_the_score_is_for_every_task(tmp_path: Path) -> None:
    check(write(tmp_path, more="gates: {score: 0.8, macro_f1: 0.8}\n")).raise_faults()
    more = "task: {type: score, kind: number}\ngates: {score: 0.8}\n"
    check(write(tmp_path, more=more, lines=SCORES)).raise_faults()


def test_rules_name_the_facts_of_the_task(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,value,then\na,>2,review\n", encoding="utf-8")
    more = "task: {type: score, kind: number}\ndecide: {rules: rules.csv}\n"
    checked = check(write(tmp_path, more=more, lines=SCORES))
    checked.raise_faults()
    assert checked.rules is not None and checked.rules.rules[0].conditions[0].fact == "value"
