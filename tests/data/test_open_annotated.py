"""Annotated files through a recipe: rows of the table with gold in the masked text, faults by line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.data.table_files import read_table_file

from penjing.core.errors import UsageError
from penjing.core.recipe import Data, RecipeFile, load_recipe
from penjing.core.task import MaskedText
from penjing.data.annotated import FORMS
from penjing.data.intake import Intake, take_in
from penjing.data.mask import VERSION, open_masking
from penjing.data.open_annotated import open_annotated


class SpanReader:
    """Gold of spans, moved into the masked text."""

    golds_are_names = False
    golds_are_lists = True

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        spans = json.loads(cell)
        assert masked is not None
        return json.dumps([[*masked.offsets.to_masked(one["start"], one["end"]), one["label"]] for one in spans])

    def strata(self, golds: Sequence[str]) -> list[str]:
        return ["some"] * len(golds)

    def learn(self, golds: Sequence[str]) -> Any:  # noqa: ARG002
        return self


def recipe(folder: Path, data: str) -> RecipeFile:
    path = folder / "recipe.yaml"
    path.write_text(f"name: t\ndata: {data}\nsteps: [{{tune.linear: {{}}}}]\n", encoding="utf-8")
    return load_recipe(path)


def taken(folder: Path, data: str) -> Intake:
    return take_in(recipe(folder, data), SpanReader(), open_masking(VERSION))


def test_the_recipe_knows_every_form() -> None:
    assert set(get_args(Data.model_fields["format"].annotation)) == {"auto", *FORMS}


def test_spans_move_into_the_masked_text(tmp_path: Path) -> None:
    row = {"text": " 👍 电话13812345678找张三", "label": [[17, 19, "NAME"], [5, 16, "PHONE"]]}
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    intake = taken(tmp_path, "{files: a.jsonl, format: doccano}")
    (text,), (gold,) = intake.table.texts, intake.table.labels or ()
    assert [(text[start:end], label) for start, end, label in json.loads(gold)] == [
        ("⟦mobile⟧", "PHONE"),
        ("张三", "NAME"),
    ]
    assert [(file.rows, file.encoding) for file in intake.files] == [(1, "utf-8")]


def test_every_part_is_read_in_the_form(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("张 B-NAME\n三 E-NAME\n来 O\n\n他 O\n来 I-NAME\n", encoding="utf-8")
    (tmp_path / "b.conll").write_text("李 B-NAME\n四 E-NAME\n走 O\n\n走\n", encoding="utf-8")
    intake = taken(tmp_path, "{files: {train: a.conll, test: b.conll}, format: conll, encoding: auto}")
    assert list(intake.table.texts) == ["张三来", "他来", "李四走"]
    found = {problem.message: problem.rows for problem in intake.problems}
    assert found["one column only, no tag: `走`"] == {"b.conll": [5]}


def test_a_folder_of_pairs_and_labels_of_the_whole_text(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "a.txt").write_text("ab cd", encoding="utf-8")
    (tmp_path / "pairs" / "a.ann").write_text("T1\tX 0 2\tab\n", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text('{"text": "ab", "label": ["good"]}\n', encoding="utf-8")
    assert json.loads((taken(tmp_path, "{files: pairs, format: brat}").table.labels or ())[0]) == [[0, 2, "X"]]
    data = recipe(tmp_path, "{files: c.jsonl, format: doccano, label: classes}").recipe.data
    assert read_table_file(tmp_path / "c.jsonl", data).labels == ["good"]


def test_texts_that_come_again_with_other_spans_are_noted(tmp_path: Path) -> None:
    rows = [{"text": "ab", "label": [[0, end, "X"]]} for end in (1, 1, 2)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert open_annotated(tmp_path / "a.jsonl", "jsonl").notes == [
        "texts that come again with other annotations: 1, in rows 1, 3"
    ]


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown format `conl`") as caught:
        open_annotated(tmp_path, "conl")
    assert caught.value.fix == "did you mean `conll`?"
