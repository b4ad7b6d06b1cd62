"""Files of more labelled rows: they train and never test, and are read as a queue or Label Studio gives them back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError
from penjing.core.nouns import Silent
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.tasks import open_reader

CLASSIFY = open_reader("classify", {})
PLAIN = ["快递", "服务", "价格", "房间", "客服", "态度", "质量", "包装"]


def recipe(folder: Path, data: str) -> RecipeFile:
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n", encoding="utf-8")
    return load_recipe(path)


def write_rows(path: Path, count: int, columns: str = "text,label", more: str = "") -> None:
    lines = [f"{PLAIN[number % 8]}{number * 7919} {label}{more}" for number in range(count) for label in ("", "")]
    cells = [f"{line} 第{place}条,{('好', '差')[place % 2]}" for place, line in enumerate(lines)]
    path.write_text("\n".join([columns, *cells]) + "\n", encoding="utf-8")


def parts(found: Prepared) -> dict[str, list[str]]:
    tables = zip(("train", "validation", "calibration", "test"), found.tables, strict=True)
    return {name: list(table.texts) for name, table in tables}


def test_added_rows_train_and_change_no_other_part(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", 100)
    before = parts(prepare(recipe(tmp_path, "{files: a.csv}"), CLASSIFY, Silent()))
    chosen = [f"另外挑选的第{number}条文本 {number * 131}" for number in range(30)]
    lines = ["id,text,label,note", *(f"x,{text},{('好', '差', '')[place % 3]}," for place, text in enumerate(chosen))]
    (tmp_path / "queue.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv]}"), CLASSIFY, Silent())
    after = parts(found)
    assert set(after["train"]) - set(before["train"]) == {text for place, text in enumerate(chosen) if place % 3 < 2}
    assert {name: texts for name, texts in after.items() if name != "train"} == {
        name: texts for name, texts in before.items() if name != "train"
    }
    assert [(each.name, each.part, each.rows) for each in found.audit.files] == [
        ("a.csv", "train", 200),
        ("queue.csv", "train", 30),
    ]
    unlabelled = next(each for each in found.audit.problems if each.code == "no_label")
    assert unlabelled.rows == {"queue.csv": list(range(4, 32, 3))}
    assert "queue.csv rows 4, 7" in unlabelled.line()


def test_what_a_queue_put_before_a_formula_is_taken_away(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", 60)
    (tmp_path / "queue.csv").write_text("text,label\n'=1+1 等于几,好\n'引用' 的话,差\n", encoding="utf-8")
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv]}"), CLASSIFY, Silent())
    assert {"=1+1 等于几", "'引用' 的话"} <= set(found.train.texts)


def test_a_copy_of_a_row_is_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", 60)
    known = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "queue.csv").write_text("\n".join(["text,label", *known[1:9]]) + "\n", encoding="utf-8")
    alone = prepare(recipe(tmp_path, "{files: a.csv}"), CLASSIFY, Silent())
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv]}"), CLASSIFY, Silent())
    assert found.fingerprint == alone.fingerprint
    assert found.audit.duplicates.exact == alone.audit.duplicates.exact + 8
    (told,) = (problem.line() for problem in found.audit.problems if problem.code == "duplicate")
    assert told.endswith("removed: queue.csv rows 2, 3, 4, 5, 6, 7, 8, 9")
    assert "queue.csv 第 2、3" in chinese(told)


def test_an_added_row_whose_group_tests_is_left_out(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.csv", 60)
    lines = (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()
    grouped = ["text,label,who", *(f"{line},c{place % 40}" for place, line in enumerate(lines[1:]))]
    (tmp_path / "a.csv").write_text("\n".join(grouped) + "\n", encoding="utf-8")
    more = ["text,label,who", *(f"挑选的第{place}条 {place * 97},好,c{place}" for place in range(40))]
    (tmp_path / "queue.csv").write_text("\n".join(more) + "\n", encoding="utf-8")
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv], group: who}"), CLASSIFY, Silent())
    held_out = {group for table in found.tables[1:] for group in table.groups or ()}
    held_out |= set((found.left_out.groups or ()) if found.left_out else ())
    assert held_out and not held_out & set(found.train.groups or ())
    problem = next(each for each in found.audit.problems if each.code == "added")
    assert len(problem.rows["queue.csv"]) == len(held_out)
    # A queue without the column of the groups is read too: its rows are in no group.
    (tmp_path / "queue.csv").write_text("text,label\n没有组的文本,好\n", encoding="utf-8")
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv], group: who}"), CLASSIFY, Silent())
    assert "没有组的文本" in found.train.texts


def exported(texts: dict[str, list[str]]) -> str:
    tasks = [
        {
            "data": {"text": text, "row": 2},
            "annotations": [{"result": [{"from_name": "class", "to_name": "text", "type": "choices",
                                         "value": {"choices": labels}}]}],
        }
        for text, labels in texts.items()
    ]  # fmt: skip
    return json.dumps(tasks, ensure_ascii=False)


def test_an_export_of_label_studio_is_read_beside_a_table(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", 60)
    (tmp_path / "done.json").write_text(exported({"挑选的一条": ["好"], "另一条文本": ["差"]}), encoding="utf-8")
    found = prepare(recipe(tmp_path, "{files: a.csv, add: [done.json]}"), CLASSIFY, Silent())
    golds = dict(zip(found.train.texts, found.train.labels or (), strict=True))
    assert (golds["挑选的一条"], golds["另一条文本"]) == ("好", "差")


def test_several_choices_have_the_separator_of_the_recipe(tmp_path: Path) -> None:
    rows = [f"第{place}条 {place * 7919},{('红;绿', '绿', '红')[place % 3]}" for place in range(120)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "done.json").write_text(exported({"挑选的一条": ["绿", "红"]}), encoding="utf-8")
    file = recipe(tmp_path, '{files: a.csv, add: [done.json], separator: ";"}')
    found = prepare(file, open_reader("several", {"separator": ";"}), Silent())
    golds = dict(zip(found.train.texts, found.train.labels or (), strict=True))
    assert golds["挑选的一条"] in {"绿;红", "红;绿"}


def test_a_file_that_is_not_there_or_has_other_columns_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", 60)
    (tmp_path / "queue.csv").write_text("text,lable\nx,好\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"queue.csv.*there is no column `label`"):
        prepare(recipe(tmp_path, "{files: a.csv, add: [queue.csv]}"), CLASSIFY, Silent())


def test_an_empty_cell_is_not_yet_labelled_even_where_it_means_no_label(tmp_path: Path) -> None:
    rows = [f"第{place}条 {place * 7919},{('红;绿', '', '红')[place % 3]}" for place in range(120)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "queue.csv").write_text("text,label\n没有填的一条,\n没有标签的一条,none\n", encoding="utf-8")
    file = recipe(tmp_path, '{files: a.csv, add: [queue.csv], separator: ";"}')
    found = prepare(file, open_reader("several", {"separator": ";", "empty": "none"}), Silent())
    golds = dict(zip(found.train.texts, found.train.labels or (), strict=True))
    assert golds["没有标签的一条"] == "none" and "没有填的一条" not in golds
    assert "none" in (found.test.labels or ())
