"""The language of the messages about a recipe, by one rule: whatever is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penjing.cli import language
from penjing.cli.follow import follow_file, follow_recipe, follow_release
from penjing.cli.language import take_option
from penjing.core.nouns import Release
from penjing.core.recipe import load_recipe
from penjing.data.read import Reading

ROWS = {
    "zh": "内容,类别,金额\n快递太慢了,投诉,12\n想问几点开门,咨询,3\n",
    "en": "body,kind,amount\nToo slow,bad,1\nOpen?,ask,2\n",
}


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PENJING_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    take_option([])


def write(folder: Path, rows: str, text: str, label: str, more: str = "") -> Path:
    (folder / "rows.csv").write_text(ROWS[rows], encoding="utf-8")
    path = folder / "recipe.yaml"
    data = f"{{files: rows.csv, text: {text}, label: {label}}}"
    path.write_text(f"name: t\n{more}data: {data}\nsteps: [tune.linear: {{}}]\n", encoding="utf-8")
    return path


def followed(path: Path) -> str:
    follow_file(path)
    follow_recipe(load_recipe(path))
    return language.language()


@pytest.mark.parametrize(
    ("rows", "text", "label", "more", "wanted"),
    [
        ("zh", "内容", "类别", "", "zh"),
        ("zh", "content", "类别", "", "zh"),  # a wrong column of texts
        ("zh", "内容", "kind", "", "zh"),  # a wrong column of labels
        ("zh", "content", "kind", "", "zh"),
        ("zh", "内容", "类别", "language: en\n", "en"),
        ("en", "body", "kind", "", "en"),
        ("en", "txt", "kind", "", "en"),
        ("en", "body", "kind", "language: zh\n", "zh"),
        ("en", "body", "kind", "# 试一试\n", "en"),
    ],
)
def test_it_is_that_of_the_recipe_then_of_the_rows(
    tmp_path: Path, rows: str, text: str, label: str, more: str, wanted: str
) -> None:
    assert followed(write(tmp_path, rows, text, label, more)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("name: 工单\ndata: {files: none.csv}\nsteps: [tune.linear: {}]\n", "zh"),
        ("name: 工单\ndata: [\n", "zh"),
        ("language: zh\nname: a: b\n", "zh"),
        ("language: 'en' # 英文\nname: a: b\n", "en"),
        ("name: tickets\ndata: [\n", "en"),
    ],
)
def test_a_recipe_that_cannot_be_read_has_that_of_its_words(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    follow_file(path)
    assert language.language() == wanted
    follow_file(tmp_path / "nothing.yaml")
    assert language.language() == wanted


def test_a_missing_file_of_rows_keeps_that_of_the_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, "en", "内容", "类别")
    (tmp_path / "rows.csv").unlink()
    assert followed(path) == "zh"


@pytest.mark.parametrize(
    ("stated", "column", "wanted"),
    [("zh", "body", "zh"), ("en", "内容", "en"), ("mixed", "内容", "zh"), ("mixed", None, "zh")],
)
def test_a_release_has_the_language_that_it_states_or_that_of_its_texts(
    tmp_path: Path, tiny_release: Release, stated: str, column: str | None, wanted: str
) -> None:
    release = replace(tiny_release, info=tiny_release.info.model_copy(update={"language": stated}))
    (tmp_path / "new.csv").write_text(ROWS["zh"], encoding="utf-8")
    follow_release(release, tmp_path / "new.csv", Reading(), column)
    assert language.language() == wanted
