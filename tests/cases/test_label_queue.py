"""The file that people fill in: the columns that the release was made with, and no formula."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from penjing.cases.label_queue import QueueColumns, write_queue
from penjing.cases.suggest import LabelRequest, Suggested, Unlabelled, suggest
from penjing.core.errors import UsageError
from penjing.core.nouns import Release, Silent
from penjing.data.read import open_table
from penjing.runtime.open import open_served
from penjing.runtime.session import Session

TEXTS = ["=win cash now ⟦mobile⟧", "明天开会 收到谢谢"]


@pytest.fixture
def session(tiny_release: Release) -> Session:
    return open_served(tiny_release, threads=1)


def found(session: Session) -> Suggested:
    texts = [Unlabelled("in.csv", row, text, {}, {"channel": "web"}) for row, text in enumerate(TEXTS, start=2)]
    return suggest(session, texts, LabelRequest(count=9), Silent())


@pytest.mark.parametrize("workbook", [False, True])
def test_texts_and_an_empty_column_of_labels(
    session: Session, tiny_release: Release, tmp_path: Path, workbook: bool
) -> None:
    path = tmp_path / "queue"
    write_queue(found(session), tiny_release, session.task, path, "review", workbook=workbook, chinese=False)
    rows = [cells for _, cells in open_table(path).rows()]
    assert list(rows[0]) == [
        "id", "file", "row", "outcome", "p", "doubt", "out_of_scope", "amount", "channel", "text", "label", "labels",
        "reviewer", "note",
    ]  # fmt: skip
    shown = {row["text"]: row for row in rows}
    assert set(shown) == set(TEXTS)
    assert {row["label"] for row in rows} == {""} and {row["labels"] for row in rows} == {"ham, spam"}
    assert [shown[text]["outcome"] for text in TEXTS] == ["spam", "ham"]
    assert {row["channel"] for row in rows} == {"web"} and {row["amount"] for row in rows} == {""}
    # A spreadsheet would run a cell that begins so; readers take the apostrophe away.
    assert workbook or any("'=" in line for line in path.read_text("utf-8-sig").splitlines())


def test_a_column_for_people_never_has_the_name_of_one_that_trains(
    session: Session, tiny_release: Release, tmp_path: Path
) -> None:
    info = tiny_release.info.model_copy(update={"format": 2, "columns": {"text": "备注", "label": "labels"}})
    release = replace(tiny_release, info=info)
    assert QueueColumns.of(release).own == ("备注", "amount", "channel", "labels")
    for chinese, own in ((False, "labels_"), (True, "备注_")):
        path = tmp_path / "queue.csv"
        write_queue(found(session), release, session.task, path, "review", workbook=False, chinese=chinese)
        names = open_table(path).names or []
        assert own in names and len(set(names)) == len(names)
        assert {"备注", "labels"} <= set(names)
        lists = {cells[names[-3]] for _, cells in open_table(path).rows([])}
        assert lists == {("、" if chinese else ", ").join(session.task.state["labels"])}


def test_pairs_have_no_form_in_label_studio(session: Session, tiny_release: Release, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    write_queue(found(session), tiny_release, session.task, path, "labelstudio", workbook=False, chinese=False)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    assert {task["data"]["text"] for task in tasks} == set(TEXTS)
    assert {task["predictions"][0]["result"][0]["value"]["choices"][0] for task in tasks} == {"ham", "spam"}
    pairs = {"text": "text", "label": "label", "other": "second"}
    release = replace(tiny_release, info=tiny_release.info.model_copy(update={"format": 2, "columns": pairs}))
    with pytest.raises(UsageError, match="several texts"):
        write_queue(found(session), release, session.task, path, "labelstudio", workbook=False, chinese=False)
