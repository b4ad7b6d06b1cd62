"""Confident learning: values by hand, labels that are not judged, sets label by label, and a missing package."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from penjing.core.answers import Answer, Choice, Flags
from penjing.core.errors import MissingPackageError
from penjing.core.task import Task
from penjing.make.label_errors import Judged, choice_errors, finder_of, set_errors
from penjing.tasks import open_reader

LABELS = ("a", "b", "c")


def classified() -> Task:
    return open_reader("classify", {}).learn(LABELS)


def answers(golds: list[str], sure: float = 0.9) -> list[Answer]:
    """An answer that is as given, with this probability."""
    rest = round((1 - sure) / 2, 6)
    return [Choice(LABELS, tuple(sure if label == gold else rest for label in LABELS)) for gold in golds]


def test_rows_that_the_model_contradicts_are_found_with_both_probabilities() -> None:
    golds = ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    said = answers(golds)
    said[3] = Choice(LABELS, (0.02, 0.95, 0.03))
    said[45] = Choice(LABELS, (0.97, 0.02, 0.01))
    found = choice_errors(Judged(classified(), golds, said))
    assert [(each.position, each.suggested, each.p, each.p_given) for each in found.errors] == [
        (45, "a", 0.97, 0.01),
        (3, "b", 0.95, 0.02),
    ]
    assert found.left_out == ()


def test_a_row_of_which_the_model_is_not_sure_is_not_found() -> None:
    golds = ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    said = answers(golds)
    said[3] = Choice(LABELS, (0.4, 0.41, 0.19))
    assert choice_errors(Judged(classified(), golds, said)).errors == ()


def test_labels_that_the_model_hardly_learns_are_left_out() -> None:
    golds = ["a"] * 20 + ["b"] * 20 + ["c"] * 9
    said = answers(golds)
    said[:11] = answers(["c"] * 11)  # of `a` it finds nine of twenty
    found = choice_errors(Judged(classified(), golds, said))
    assert found.errors == () and found.left_out == LABELS, "one label is left, which nothing is compared with"
    more = [*golds, "c"]
    assert choice_errors(Judged(classified(), more, [*said, *answers(["c"])])).left_out == ("a",)


def test_sets_are_judged_label_by_label() -> None:
    task = open_reader("several", {}).learn(["x;y", "x", "y"])
    golds = ["x"] * 20 + ["y"] * 20 + ["x;y"] * 20 + ["none"] * 20
    shares = np.array([[0.95, 0.05]] * 20 + [[0.05, 0.95]] * 20 + [[0.95, 0.95]] * 20 + [[0.05, 0.05]] * 20)
    shares[0] = (0.01, 0.97)  # given x: the model says y
    shares[41] = (0.98, 0.02)  # given both: not y
    shares[60] = (0.99, 0.05)  # given none: x
    said: list[Answer] = [
        Flags(("x", "y"), (float(x), float(y)), (bool(x > 0.5), bool(y > 0.5)), 0.9, 0.4) for x, y in shares
    ]
    found = set_errors(Judged(task, golds, said)).errors
    assert {each.position: each.suggested for each in found} == {0: "y", 41: "x", 60: "x"}
    assert {each.position: (each.p, each.p_given) for each in found}[60] == (0.99, 0.01)


@pytest.mark.parametrize(
    ("name", "golds", "found"),
    [
        ("classify", ["a", "b"], choice_errors),
        ("match", ["0", "1"], choice_errors),
        ("several", ["a;b", "a"], set_errors),
        ("score", ["1", "2.5", "7"], None),
        ("tag", ['[{"start":0,"end":2,"label":"x"}]', '[{"start":0,"end":1,"label":"y"}]'], None),
    ],
)
def test_the_heads_of_a_task_say_how(name: str, golds: list[str], found: object) -> None:
    assert finder_of(open_reader(name, {}).learn(golds)) is found


def test_without_cleanlab_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "cleanlab"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    golds = ["a"] * 20 + ["b"] * 20
    with pytest.raises(MissingPackageError, match="cleanlab") as caught:
        choice_errors(Judged(classified(), golds, answers(golds)))
    assert caught.value.fix == "pip install 'penjing[train]'"
