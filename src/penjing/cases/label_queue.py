"""Texts that wait for a label, as a file for people: a CSV or a workbook whose label column is empty, or Label Studio.

The columns of texts, fields and labels have the names that the release was made with, so a filled file is read as more
labelled rows by a recipe (`add:` under `data:`). What is beside them is for the person, and training reads none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penjing.cases.suggest import Suggested, Suggestion
from penjing.core.answers import Answer, Choice, Flags
from penjing.core.errors import UsageError
from penjing.core.nouns import Release
from penjing.core.pair import FURTHER, split_texts
from penjing.core.recipe import LABEL_OF, TIME
from penjing.core.task import Task
from penjing.data.annotated.write import lines_of
from penjing.data.masked import counted
from penjing.runtime.annotate import annotated
from penjing.store.case_file import open_case_file

Form = Literal["review", "labelstudio"]
FORMS: tuple[Form, ...] = ("review", "labelstudio")
BEFORE = ("id", "file", "row", "outcome", "p", "doubt", "out_of_scope")
AFTER = ("reviewer", "note")
CHOICES = "labels"
_CHINESE = {
    "id": "编号", "file": "文件", "row": "行号", "outcome": "模型的答案", "p": "概率", "doubt": "不确定程度",
    "out_of_scope": "超出范围", "labels": "可选标签", "reviewer": "标注人", "note": "备注",
}  # fmt: skip


@dataclass(frozen=True)
class QueueColumns:
    """The columns that a release was made with: of the texts of a case, of declared fields, of the labels."""

    texts: tuple[str, ...]
    fields: tuple[str, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, release: Release) -> QueueColumns:
        """Those of a release; a release of an early version has `text` and `label`."""
        made_with = release.info.columns
        further = [made_with[name] for name in FURTHER if name in made_with]
        named = {name: made_with[name] for name in (TIME,) if name in made_with}
        several = [column for name, column in made_with.items() if name.startswith(LABEL_OF)]
        return cls(
            (made_with.get("text", "text"), *further),
            tuple(named.get(name, name) for name in release.info.fields),
            tuple(several) or (made_with.get("label", "label"),),
        )

    @property
    def own(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.texts, *self.fields, *self.labels)


def write_queue(
    found: Suggested, release: Release, task: Task, path: Path, form: Form, *, workbook: bool, chinese: bool
) -> None:
    """Write the texts in the order of the choice.

    chinese: whether the columns for the person, and what is said in them, are in Chinese. Raises UsageError for answers
    or cases that Label Studio cannot show.
    """
    if form == "labelstudio":
        path.write_text("".join(_tasks(found.chosen, release)), encoding="utf-8")
        return
    columns = QueueColumns.of(release)
    names = [_beside(name, columns.own, chinese) for name in (*BEFORE, CHOICES, *AFTER)]
    split = len(BEFORE)
    with open_case_file(path, workbook=workbook) as add:
        add([*names[:split], *columns.fields, *columns.texts, *columns.labels, *names[split:]])
        for one in found.chosen:
            add(_cells(one, task, columns, chinese=chinese))


def _beside(name: str, taken: Sequence[str], chinese: bool) -> str:
    """The name of a column for the person, which is none of those that training reads."""
    shown = _CHINESE[name] if chinese else name
    while shown in taken:
        shown += "_"
    return shown


def _cells(one: Suggestion, task: Task, columns: QueueColumns, *, chinese: bool) -> list[object]:
    answer, text = one.prediction.answer, one.text
    facts = task.facts(answer)
    outside = ("是" if chinese else "yes") if one.prediction.out_of_scope else ""
    choices = ("、" if chinese else ", ").join(_labels(answer))
    cells = [text.id, text.file, text.row, task.outcome(facts), facts.get("p", ""), one.doubt, outside]
    cells += [text.cells.get(name, "") for name in columns.fields]
    return [*cells, *split_texts(text.text), *[""] * len(columns.labels), choices, "", ""]


def _labels(answer: Answer) -> tuple[str, ...]:
    return answer.labels if isinstance(answer, Choice | Flags) else ()


def _tasks(chosen: Sequence[Suggestion], release: Release) -> Sequence[str]:
    if len(QueueColumns.of(release).texts) > 1:
        what = "a case of this release is several texts, and Label Studio shows one"
        raise UsageError(what, where=str(release.folder), fix="write a CSV or a workbook: leave `--form` out")
    documents = []
    for one in chosen:
        text = one.text.text
        # The text is masked already: its places are those of the answer.
        documents.append(annotated(one.text.row, text, counted(text), one.prediction.answer))
    return list(lines_of("label_studio", documents, release.id))
