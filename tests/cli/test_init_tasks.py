"""`penjing init` with several columns of labels: names of tasks, and numbers of columns that do not fit."""

from __future__ import annotations

import pytest

from penjing.cli.init_tasks import check_labels, name_of, scalar, with_further, with_tasks
from penjing.core.errors import UsageError
from penjing.data.guessed import Guess
from penjing.tasks import about_task

GUESS = Guess("text", "topic", "auto", None, ())


def test_each_of_several_columns_is_a_task() -> None:
    level = Guess("text", "level", "auto", None, (), numbers="many")
    found, about = with_tasks(
        ["topic", "级 别"], GUESS, about_task("classify"), lambda *_: (level, about_task("score"))
    )
    assert found.label == "" and about.joint
    assert about.line == (
        '{type: together, tasks: {topic: {type: classify, label: topic}, 级_别: {type: score, label: "级 别"}}}'
    )
    assert with_tasks(["topic"], GUESS, about_task("classify"), lambda *_: (level, about_task("score")))[0] is GUESS


@pytest.mark.parametrize(
    ("labels", "task", "said"),
    [(["a"], "together", "for each of its tasks"), (["a", "b"], "classify", "has one column of labels"),
     (["a", "b", "a"], None, "named twice")],
)  # fmt: skip
def test_columns_that_do_not_fit_the_task_are_refused(labels: list[str], task: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_labels(labels, None if task is None else about_task(task))


@pytest.mark.parametrize(("column", "name"), [("topic", "topic"), ("a b", "a_b"), ("p", "task_3"), ("1", "task_3")])
def test_a_task_is_named_after_its_column_where_rules_can_write_it(column: str, name: str) -> None:
    assert name_of(column, 2) == name


@pytest.mark.parametrize(
    ("word", "written"), [("topic", "topic"), ("主题", "主题"), ("yes", '"yes"'), ("a: b", '"a: b"'), ("", '""')]
)
def test_words_are_bare_in_yaml_where_that_is_safe(word: str, written: str) -> None:
    assert scalar(word) == written


def test_the_columns_of_further_texts_are_told() -> None:
    assert with_further(GUESS) == {}
    assert with_further(Guess("a", "l", "auto", None, (), other="b")) == {"other": "b"}
    assert with_further(Guess("s", "l", "auto", None, (), ends=("h", "t"))) == {"head": "h", "tail": "t"}
