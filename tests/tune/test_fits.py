"""Losses and switches against every kind of task: what fits is taken, what does not is refused with its option."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.errors import UsageError
from penjing.core.task import Task
from penjing.tasks import open_reader
from penjing.tune import continual, lora
from penjing.tune.fits import check_fits, label_place
from penjing.tune.options import TrainingOptions

ENTITY = '[{"start": 0, "end": 2, "label": "%s"}]'


def task(kind: str) -> Task:
    given: dict[str, Any] = {
        "classify": ("classify", {}, ["a", "b", "c"]),
        "several": ("several", {"separator": ";"}, ["a;b", "c", "a"]),
        "score": ("score", {"kind": "number"}, [str(number / 7) for number in range(40)]),
        "grades": ("score", {"kind": "grades"}, ["1", "2", "3"]),
        "tag": ("tag", {}, [ENTITY % "PER", ENTITY % "ORG"]),
    }[kind]
    return open_reader(given[0], given[1]).learn(given[2])


FITS = [
    ("classify", {"loss": "focal"}),
    ("classify", {"loss": "cost", "costs": {"a": {"b": 5.0}}}),
    ("classify", {"class_weights": {"b": 3.0}}),
    ("classify", {"mixup": 0.2, "class_weights": "balanced"}),
    ("classify", {"rdrop": 1.0, "loss": "losses.py:mine"}),
    ("several", {"loss": "asymmetric", "class_weights": {"a": 2.0}}),
    ("several", {"loss": "focal", "rdrop": 1.0}),
    ("score", {"rdrop": 1.0, "mixup": 0.0}),
    ("score", {"mixup": 0.3, "loss": "losses.py:mine"}),
    ("tag", {"loss": "focal", "class_weights": "balanced", "rdrop": 1.0}),
]
DOES_NOT = [
    ("classify", {"loss": "asymmetric"}, "loss", "several labels", "`loss: focal`"),
    ("classify", {"loss": "cost"}, "loss", "needs `costs`", "costs:"),
    ("classify", {"costs": {"a": {"b": 5.0}}}, "costs", "`loss: cost` only", "add `loss: cost`"),
    ("classify", {"loss": "cost", "costs": {"x": {"b": 5.0}}}, "costs", "unknown label|`x`", ""),
    ("classify", {"loss": "cost", "costs": {"a": {"a": 5.0}}}, "costs", "where it is true", "costs nothing"),
    ("classify", {"class_weights": {"x": 2.0}}, "class_weights", "`x`", ""),
    ("classify", {"rdrop": 1.0, "mixup": 0.2}, "mixup", "both say how a batch", "one of them"),
    ("classify", {"class_weights": "balanced", "loss": "l.py:f"}, "class_weights", "itself how much", "take"),
    ("several", {"loss": "cost", "costs": {"a": {"b": 5.0}}}, "loss", "one label", "`loss: asymmetric`"),
    ("several", {"class_weights": {"a;b": 2.0}}, "class_weights", "not one label", "one label a line"),
    ("score", {"loss": "focal"}, "loss", "one label or several", "set `loss: auto`"),
    ("score", {"class_weights": "balanced"}, "class_weights", "only labels have weights", "take"),
    ("grades", {"class_weights": "balanced"}, "class_weights", "only labels have weights", "take"),
    ("grades", {"loss": "focal"}, "loss", "one label or several", "set `loss: auto`"),
    ("tag", {"mixup": 0.2}, "mixup", "whole texts", "take `mixup` out"),
    ("tag", {"loss": "cost", "costs": {"PER": {"ORG": 2.0}}}, "loss", "one label", "take `loss` out"),
    ("tag", {"class_weights": {"PER": 2.0}}, "class_weights", "weights by name", "balanced"),
]


@pytest.mark.parametrize(("kind", "given"), FITS)
def test_what_fits_is_taken(kind: str, given: dict[str, Any]) -> None:
    check_fits(TrainingOptions(**given), task(kind))


@pytest.mark.parametrize("kind", ["classify", "several", "score", "grades", "tag"])
def test_the_defaults_fit_every_task(kind: str) -> None:
    check_fits(TrainingOptions(), task(kind))


@pytest.mark.parametrize(("kind", "given", "option", "what", "fix"), DOES_NOT)
def test_what_does_not_fit_is_refused_with_its_option(kind: str, given: Any, option: str, what: str, fix: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        check_fits(TrainingOptions(**given), task(kind))
    assert caught.value.where == option
    assert fix in (caught.value.fix or "")


def test_a_label_is_found_in_the_outputs() -> None:
    assert [label_place(task(kind), "b", "costs") for kind in ("classify", "several")] == [1, 1]


class FixedOptions(TrainingOptions):
    fixed_loss = True


@pytest.mark.parametrize("given", [{"loss": "focal"}, {"class_weights": "balanced"}, {"rdrop": 1.0}, {"mixup": 0.1}])
def test_a_method_with_a_loss_of_its_own_takes_no_other(given: dict[str, Any]) -> None:
    check_fits(FixedOptions(ema=0.9, adversarial="fgm"), task("classify"))
    with pytest.raises(UsageError, match="has no effect in this step") as caught:
        check_fits(FixedOptions(**given), task("classify"))
    assert caught.value.where == next(iter(given))


def test_a_catalogue_has_a_loss_of_its_own() -> None:
    near = open_reader("nearest", {}).learn(["red shoe", "blue hat"])
    check_fits(TrainingOptions(ema=0.9), near)
    with pytest.raises(UsageError, match="texts of its entries"):
        check_fits(TrainingOptions(loss="focal"), near)


@pytest.mark.parametrize("options", [lora.Options, continual.Options])
def test_new_layers_are_refused_where_those_of_the_base_are_needed(options: type[TrainingOptions]) -> None:
    check_fits(options(), task("classify"))
    with pytest.raises(UsageError, match="this step needs those of the base") as told:
        check_fits(options(reinit=1), task("classify"))
    assert told.value.where == "reinit"
    check_fits(TrainingOptions(reinit=1), task("classify"))
