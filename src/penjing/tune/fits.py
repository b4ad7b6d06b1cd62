"""Whether the losses and switches of a recipe fit a task: known before anything is trained, from heads alone."""

from __future__ import annotations

from collections.abc import Mapping

from penjing.core.errors import DataError, UsageError
from penjing.core.task import CatalogueTask, Head, Loss, Task
from penjing.tune.options import TrainingOptions

_LOSSES: Mapping[str, tuple[Loss, ...]] = {
    "focal": ("cross_entropy", "binary_cross_entropy"),
    "asymmetric": ("binary_cross_entropy",),
    "cost": ("cross_entropy",),
}
# What says how a batch becomes a loss, with the values that leave it to the task.
_PLAIN = {"loss": "auto", "class_weights": "none", "rdrop": 0, "mixup": 0}
_NEEDS = {
    "focal": "one label or several labels for each text or word",
    "asymmetric": "several labels for each text",
    "cost": "one label for each text",
}


def check_fits(options: TrainingOptions, task: Task) -> None:
    """Raise UsageError, with the option as its place, for a loss or a switch that this task cannot have."""
    heads, loss = list(task.heads.values()), options.loss
    if changed := [name for name, plain in _PLAIN.items() if getattr(options, name) != plain]:
        if options.fixed_loss:
            what = f"`{changed[0]}` has no effect in this step, which learns by a loss of its own"
            raise UsageError(what, where=changed[0], fix=f"take `{changed[0]}` out")
        if isinstance(task, CatalogueTask):
            _refuse(changed[0], task, "it compares texts with the texts of its entries, and has a loss of its own")
    if options.reinit and options.keeps_base:
        what = "`reinit` draws layers anew, and this step needs those of the base"
        raise UsageError(what, where="reinit", fix="take `reinit` out, or use `tune.full`")
    if loss in _LOSSES and any(head.loss not in _LOSSES[loss] for head in heads):
        _refuse("loss", task, f"`{loss}` is for {_NEEDS[loss]}", _other_loss(heads, loss))
    if loss == "cost" and (len(heads) > 1 or heads[0].kind != "pooled"):
        _refuse("loss", task, f"`{loss}` is for {_NEEDS[loss]}")
    if options.mixup and any(head.kind != "pooled" for head in heads):
        _refuse("mixup", task, "only answers about whole texts have vectors that can be mixed")
    if options.mixup and options.rdrop:
        what = "`mixup` and `rdrop` both say how a batch goes through the model"
        raise UsageError(what, where="mixup", fix="take one of them out")
    _check_weights(options, task)
    _check_costs(options, task)


def label_place(task: Task, label: str, where: str) -> int:
    """The position of a label in the outputs of a task of one head. Raises UsageError for an unknown one."""
    ((name, head),) = task.heads.items()
    try:
        found = task.encode([task.read(label)], ())[name][0]
    except DataError as error:
        raise UsageError(error.what, where=where, fix=error.fix) from None
    if head.loss != "binary_cross_entropy":
        return int(found)
    places = [place for place, given in enumerate(found) if given]
    if len(places) != 1:
        raise UsageError(f"`{label[:60]}` is not one label", where=where, fix="name one label a line")
    return places[0]


def _check_weights(options: TrainingOptions, task: Task) -> None:
    weights, heads = options.class_weights, list(task.heads.values())
    if weights == "none":
        return
    if ":" in options.loss:
        what = "a loss of your own says itself how much a row counts"
        raise UsageError(what, where="class_weights", fix="take `class_weights` out")
    if any(head.loss not in ("cross_entropy", "binary_cross_entropy") or head.kind == "span" for head in heads):
        _refuse("class_weights", task, "only labels have weights")
    if isinstance(weights, Mapping):
        if len(heads) > 1 or heads[0].kind != "pooled":
            fix = "set `class_weights: balanced`"
            _refuse("class_weights", task, "weights by name are for the labels of one answer a text", fix)
        for label in weights:
            label_place(task, label, "class_weights")


def _check_costs(options: TrainingOptions, task: Task) -> None:
    if options.loss == "cost" and not options.costs:
        fix = "write `costs: {true label: {said label: 5}}`, or take `loss: cost` out"
        raise UsageError("`loss: cost` needs `costs`", where="loss", fix=fix)
    if options.costs and options.loss != "cost":
        raise UsageError("`costs` are read by `loss: cost` only", where="costs", fix="add `loss: cost`")
    for label, row in options.costs.items():
        if label_place(task, label, "costs") in [label_place(task, said, "costs") for said in row]:
            what = f"`costs` has a cost of saying `{label[:60]}` where it is true"
            raise UsageError(what, where="costs", fix="take it out: a right answer costs nothing")


def _other_loss(heads: list[Head], loss: str) -> str:
    """What to do where a loss does not fit: the loss of the task, or another one that all heads can have."""
    named = [name for name in _LOSSES if name not in ("cost", loss)]
    fitting = [name for name in named if all(head.loss in _LOSSES[name] for head in heads)]
    return f"set `loss: auto` or `loss: {fitting[-1]}`" if fitting else "set `loss: auto`"


def _refuse(option: str, task: Task, why: str, fix: str = "") -> None:
    what = f"`{option}` does not fit the task {task.name}: {why}"
    raise UsageError(what, where=option, fix=fix or f"take `{option}` out")
