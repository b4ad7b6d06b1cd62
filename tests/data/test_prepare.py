"""From files to four tables, end to end on small data and on the real sets where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError, RecipeError, UsageError
from penjing.core.nouns import Silent, Table
from penjing.core.recipe import PARTS, RecipeFile, load_recipe
from penjing.data.augment.rows import text_digest
from penjing.data.fold import fold
from penjing.data.prepare import IfFew, Prepared, examine, prepare
from penjing.tasks import open_reader

PLACES = ["前台", "客房", "早餐", "电梯", "泳池", "停车场", "大堂", "走廊", "浴室", "餐厅", "健身房", "花园"]


def rows(count: int, label: str) -> list[tuple[str, str]]:
    word = {"好": "非常满意", "差": "太糟糕了"}.get(label, label)
    return [(f"{PLACES[i % 12]}{PLACES[i // 12 % 12]}{word}第{i}次", label) for i in range(count)]


def write(path: Path, pairs: list[tuple[str, str]]) -> Path:
    path.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in pairs), encoding="utf-8")
    return path


def recipe(folder: Path, data: str, **more: Any) -> RecipeFile:
    path = folder / "recipe.yaml"
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    path.write_text(f"name: t\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n{extra}", encoding="utf-8")
    return load_recipe(path)


def tables(prepared: Prepared) -> dict[str, Table]:
    return {name: getattr(prepared, name) for name in PARTS}


def test_one_file_becomes_four_tables_that_share_no_text(tmp_path: Path) -> None:
    pairs = rows(150, "好") + rows(100, "差")
    write(tmp_path / "a.csv", [*pairs, *pairs[:20], ("电话13812345678", "好"), ("", "差"), ("没有标签", "")])
    prepared = prepare(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent())
    sizes = {name: len(table) for name, table in tables(prepared).items()}
    assert sum(sizes.values()) == 251
    assert prepared.audit.splits == sizes
    assert prepared.labels == ("好", "差") if "好" < "差" else ("差", "好")
    assert prepared.language == "zh"
    assert prepared.audit.masked["mobile"] == 1
    assert prepared.audit.empty == 1
    assert prepared.audit.duplicates.exact == 20
    texts = [fold(text) for table in tables(prepared).values() for text in table.texts]
    assert len(set(texts)) == len(texts)
    assert len(prepared.held_out) == 251 - sizes["train"]
    assert not {text_digest(text) for text in prepared.train.texts} & prepared.held_out
    assert text_digest(prepared.test.texts[0] + " !") in prepared.held_out
    assert any("⟦mobile⟧" in text for table in tables(prepared).values() for text in table.texts)
    codes = {problem.code: problem.rows for problem in prepared.audit.problems}
    assert codes["empty"] == {"a.csv": [273]}
    assert codes["no_label"] == {"a.csv": [274]}
    assert codes["duplicate"] == {"a.csv": list(range(252, 272))}


def test_the_same_content_gives_the_same_fingerprint(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", rows(60, "好") + rows(60, "差"))
    first = prepare(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent())
    assert (
        prepare(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent()).fingerprint
        == first.fingerprint
    )
    other = prepare(recipe(tmp_path, "{files: a.csv}", seed=1), open_reader("classify", {}), Silent())
    assert other.fingerprint != first.fingerprint


def test_given_parts_are_kept_and_train_loses_what_leaks(tmp_path: Path) -> None:
    test = rows(30, "好") + rows(30, "差")
    write(tmp_path / "test.csv", test)
    write(tmp_path / "train.csv", [*rows(150, "好"), *rows(150, "差"), (test[0][0], "差"), (test[1][0], "好")])
    prepared = prepare(
        recipe(tmp_path, "{files: {train: train.csv, test: test.csv}}"), open_reader("classify", {}), Silent()
    )
    assert list(prepared.test.texts) == [text for text, _ in test]
    assert prepared.audit.splits["test"] == 60
    assert prepared.audit.duplicates.across == 60
    assert prepared.audit.conflicts[0].rows == {"train.csv": [2, 302], "test.csv": [2]}
    assert not set(map(fold, prepared.train.texts)) & set(map(fold, prepared.test.texts))
    assert {len(prepared.validation), len(prepared.calibration)} == {34, 40}
    assert prepared.copied == tuple(range(60))


def test_which_test_rows_another_file_has_a_copy_of(tmp_path: Path) -> None:
    both = rows(200, "好")[150:] + rows(200, "差")[150:]
    write(tmp_path / "test.csv", [*both[50:], *both[:50]])
    write(tmp_path / "train.csv", [*rows(150, "好"), *rows(150, "差"), both[3], (both[4][0], "差")])
    prepared = prepare(
        recipe(tmp_path, "{files: {train: train.csv, test: test.csv}}"), open_reader("classify", {}), Silent()
    )
    # A copy under another label is a copy too.
    assert [prepared.test.texts[place] for place in prepared.copied] == [both[3][0], both[4][0]]
    write(tmp_path / "all.csv", [*rows(60, "好"), *rows(60, "差"), *rows(10, "差")])
    assert prepare(recipe(tmp_path, "{files: all.csv}"), open_reader("classify", {}), Silent()).copied == ()


def test_groups_and_fields_and_unlabelled(tmp_path: Path) -> None:
    lines = ["text,label,who,note,amount"]
    for i, (text, label) in enumerate(rows(120, "好") + rows(120, "差")):
        lines.append(f"{text},{label},user{i % 40},电话13812345678,{i}")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "more.txt").write_text("没有标签的 文字 13812345678\n\n前台前台非常满意第0次\n", encoding="utf-8")
    data = "{files: a.csv, group: who, fields: {note: str, amount: int}, unlabelled: [more.txt]}"
    prepared = prepare(recipe(tmp_path, data), open_reader("classify", {}), Silent())
    sides: dict[str, set[str]] = {}
    for name, table in tables(prepared).items():
        assert table.groups is not None
        for who in table.groups:
            sides.setdefault(who, set()).add(name)
    assert all(len(side) == 1 for side in sides.values())
    assert set(prepared.train.fields["note"]) == {"电话⟦mobile⟧"}
    assert isinstance(prepared.train.fields["amount"][0], int)
    assert "没有标签的 文字 ⟦mobile⟧" in prepared.unlabelled
    held_out = {fold(text) for name in PARTS[1:] for text in tables(prepared)[name].texts}
    assert not held_out & set(map(fold, prepared.unlabelled))


def test_shared_rows_are_one_part_with_one_row_of_a_group(tmp_path: Path) -> None:
    lines = ["text,label,who"]
    for i, (text, label) in enumerate(rows(120, "好") + rows(120, "差")):
        lines.append(f"{text},{label},{f'user{i % 40}' if i % 3 else ''}")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    prepared = prepare(
        recipe(tmp_path, "{files: a.csv, group: who, held_out: shared}"), open_reader("classify", {}), Silent()
    )
    assert prepared.shared and prepared.calibration is prepared.test and len(prepared.tables) == 3
    groups = [group for group in prepared.test.groups or () if group]
    assert len(groups) == len(set(groups)) > 0
    left, audit = prepared.left_out, prepared.audit
    assert left is not None and set(left.groups or ()) <= set(groups)
    assert audit.used + len(left) == 240 == sum(map(len, prepared.tables)) + len(left)
    assert sum(audit.labels.values()) == audit.used and audit.splits["calibration"] == audit.splits["test"]
    assert not {*prepared.train.texts, *prepared.validation.texts} & {*prepared.test.texts}
    assert audit.margin is not None and audit.margin.shared
    assert audit.margin.certifiable_error == pytest.approx(1 - 0.025 ** (1 / len(prepared.test)), abs=1e-4)


def test_shared_rows_take_no_rows_from_training_that_they_do_not_need(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", rows(600, "好") + rows(400, "差"))
    shared = prepare(recipe(tmp_path, "{files: a.csv, held_out: shared}"), open_reader("classify", {}), Silent())
    apart = prepare(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent())
    assert len(shared.train) >= 0.7 * shared.audit.used > 0.6 * apart.audit.used == len(apart.train)
    one, other = shared.audit.margin, apart.audit.margin
    assert one is not None and other is not None and one.certifiable_error is not None
    assert one.certifiable_error == pytest.approx(other.certifiable_error, rel=0.02), "17 % prove what 14 % prove"


def test_rows_that_are_few_are_read_once_and_split_as_their_own_recipe_says(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", rows(120, "好") + rows(80, "差"))
    apart, shared = (recipe(tmp_path, f"{{files: a.csv, held_out: {name}}}") for name in ("apart", "shared"))
    reader = open_reader("classify", {})
    for below, wanted in ((201, shared), (200, apart)):
        audit, found = examine(apart, reader, Silent(), if_few=IfFew(below, shared))
        alone = examine(wanted, reader, Silent())
        assert found is not None and alone[1] is not None and audit == alone[0]
        assert (found.shared, found.fingerprint) == (wanted is shared, alone[1].fingerprint)


def test_rows_of_their_own_are_not_shared(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is `shared`, and `files:` gives calibration or test rows"):
        recipe(tmp_path, "{files: {train: a.csv, test: b.csv}, held_out: shared}")


def test_one_row_of_a_group_enters_a_bound(tmp_path: Path) -> None:
    lines = ["text,label,who"]
    for i, (text, label) in enumerate(rows(120, "好") + rows(120, "差")):
        lines.append(f"{text},{label},{f'user{i % 40}' if i % 3 else ''}")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    file = recipe(tmp_path, "{files: a.csv, group: who}")
    prepared = prepare(file, open_reader("classify", {}), Silent())
    for table in (prepared.calibration, prepared.test):
        groups = [group for group in table.groups or () if group]
        assert len(groups) == len(set(groups)) > 0
        assert "" in (table.groups or ()), "a row without a group is a group of its own"
    assert prepared.train.groups is not None
    assert len(prepared.train.groups) > len(set(prepared.train.groups)), "every row of a group is learned from"
    left = prepared.left_out
    assert left is not None and left.groups is not None
    held_out = {*(prepared.calibration.groups or ()), *(prepared.test.groups or ())}
    assert set(left.groups) <= held_out
    assert sum(prepared.audit.splits.values()) + len(left) == 240
    (problem,) = [one for one in prepared.audit.problems if one.code == "sibling"]
    assert problem.message == f"{len(left)} rows: another row of the group is in the same part, left out"
    plain = prepare(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent())
    assert plain.left_out is None


def test_a_group_is_one_however_it_is_written_and_a_blank_is_none(tmp_path: Path) -> None:
    lines = ["text,label,who"]
    for i, (text, label) in enumerate(rows(120, "好") + rows(120, "差")):
        written = f"客户{i % 40}"
        lines.append(f"{text},{label},{[written, f' {written} ', written.replace('1', '１'), '   '][i % 4]}")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    prepared = prepare(recipe(tmp_path, "{files: a.csv, group: who}"), open_reader("classify", {}), Silent())
    parts = [prepared.train, prepared.validation, prepared.calibration, prepared.test]
    named = [{group for group in part.groups or () if group} for part in parts]
    assert all(
        group == group.strip() and group.isascii() is False and "１" not in group for each in named for group in each
    )
    assert sum(map(len, named)) == len(set().union(*named)), "no group is in two parts"
    assert all("" in (part.groups or ()) for part in parts)
    assert not [one for one in prepared.audit.problems if one.code == "large_group"]


def test_a_group_that_holds_many_rows_is_named(tmp_path: Path) -> None:
    lines = ["text,label,who"]
    for i, (text, label) in enumerate(rows(120, "好") + rows(120, "差")):
        lines.append(f"{text},{label},{'NaN' if i % 4 == 0 else i}")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    prepared = prepare(recipe(tmp_path, "{files: a.csv, group: who}"), open_reader("classify", {}), Silent())
    (problem,) = [one for one in prepared.audit.problems if one.code == "large_group"]
    assert problem.message == "the group `NaN` has 60 of 240 rows, and all of them are in one part"
    assert problem.rows["a.csv"][:3] == [2, 6, 10] and "leave these cells empty" in problem.fix
    assert chinese(problem.message) == "组 `NaN` 有 60 行（共 240 行），它们都在同一部分"
    assert "请把这些单元格留空" in chinese(problem.fix)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (rows(3, "好"), "3 usable rows; fewer than 30"),
        (rows(60, "好"), "one label only: `好`"),
        ([(" ", "好")] * 40, "all texts are empty"),
        (rows(60, "好") + rows(9, "差"), "fewer than two labels have 10 rows"),
        ([(text, text) for text, _ in rows(60, "好")], "60 labels in 60 rows: `label` looks like free text"),
        ([*rows(60, "好"), *rows(60, "差"), ("a\0b", "好")], "the text has a NUL character at character 2: row 122"),
    ],
)
def test_what_forbids_training(tmp_path: Path, pairs: list[tuple[str, str]], said: str) -> None:
    write(tmp_path / "a.csv", pairs)
    file = recipe(tmp_path, "{files: a.csv}")
    audit, prepared = examine(file, open_reader("classify", {}), Silent())
    assert prepared is None
    assert not audit.trainable
    with pytest.raises(DataError) as caught:
        prepare(file, open_reader("classify", {}), Silent())
    assert said in str(caught.value)
    assert "fix:" in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error_of_the_audit(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text,label\n" + bytes(range(0x80, 0xA0)) * 8 + b",1\n")
    audit, _ = examine(recipe(tmp_path, "{files: a.csv}"), open_reader("classify", {}), Silent())
    assert audit.errors[0].code == "unreadable"
    assert "`encoding:` in a recipe" in audit.errors[0].fix
    with pytest.raises(UsageError, match="no such file"):
        examine(recipe(tmp_path, "{files: b.csv}"), open_reader("classify", {}), Silent())


REAL = {
    "sms": ("{files: %s/en-spam-sms/sms.tsv, columns: [label, text]}", 5574, "en", 2),
    "phrasebank": ("{files: %s/en-finance-phrasebank/all-data.csv, text: news, encoding: cp1252}", 4846, "en", 3),
    "medical": (
        "{files: %s/zh-medical-dialogue/sample_internal_medicine_5000-6000.csv.gz, text: ask, label: department}",
        7644,
        "zh",
        11,
    ),
    "chnsenticorp": (
        "{files: {train: %s/zh-sentiment-chnsenticorp/train.tsv.gz, test: %s/zh-sentiment-chnsenticorp/test.tsv},"
        " text: text_a}",
        10800,
        "zh",
        2,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_data(tmp_path: Path, name: str) -> None:
    folder = os.environ.get("PENJING_DATA")
    if not folder:
        pytest.skip("PENJING_DATA is not set: the folder of the public data sets")
    data, count, language, labels = REAL[name]
    prepared = prepare(recipe(tmp_path, data.replace("%s", folder)), open_reader("classify", {}), Silent())
    assert prepared.audit.rows == count
    assert (prepared.language, len(prepared.labels)) == (language, labels)
    assert all(set(table.labels or ()) == set(prepared.labels) for table in tables(prepared).values())
    folded = [set(map(fold, table.texts)) for table in tables(prepared).values()]
    assert len(set.union(*folded)) == sum(map(len, folded))


def amounts(folder: Path, text: str, steps: str) -> RecipeFile:
    """200 rows of one text with other amounts, and the first of them again under another label and amount."""
    lines = [f"{text},{i},{'好' if i % 2 else '差'}" for i in range(200)]
    (folder / "a.csv").write_text("text,amount,label\n" + "\n".join([*lines, f"{text},7,好"]) + "\n", encoding="utf-8")
    (folder / "recipe.yaml").write_text(
        "name: t\ndata: {files: a.csv, fields: {amount: int}, features: [amount]}\n"
        f"steps: [{{tune.linear: {steps}}}]\n",
        encoding="utf-8",
    )
    return load_recipe(folder / "recipe.yaml")


@pytest.mark.parametrize("text", ["", "客户申请贷款"])
def test_a_model_of_fields_alone_tells_rows_apart_by_them(tmp_path: Path, text: str) -> None:
    """Rows of one text, or of none, are in all parts; the same amount twice is one row."""
    prepared = prepare(amounts(tmp_path, text, "{text: false}"), open_reader("classify", {}), Silent())
    assert prepared.audit.splits == {"train": 120, "validation": 24, "calibration": 28, "test": 28}
    found = prepared.audit.duplicates
    assert (found.exact, found.near, found.conflicts, prepared.audit.empty) == (1, 0, 0, 0)


def test_a_model_that_reads_the_text_keeps_one_text_in_one_part(tmp_path: Path) -> None:
    audit, _ = examine(amounts(tmp_path, "客户申请贷款", "{}"), open_reader("classify", {}), Silent())
    assert sorted(audit.splits.values()) == [0, 0, 0, 200]
    assert audit.duplicates.conflicts == 0 and audit.duplicates.exact == 1
    audit, _ = examine(amounts(tmp_path, "", "{}"), open_reader("classify", {}), Silent())
    assert audit.empty == 201
