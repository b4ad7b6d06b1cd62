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
_NEEDS = {
    "focal": "one label or several labels for each text or word",
    "asymmetric": "several labels for each text",
    "cost": "one label for each text",
}


def check_fits(options: TrainingOptions, task: Task) -> None:
    """Raise UsageError, with the option as its place, for a loss or a switch that this task cannot have."""
    heads = list(task.heads.values())
    if isinstance(task, CatalogueTask):
        for name, plain in (("loss", "auto"), ("class_weights", "none"), ("rdrop", 0), ("mixup", 0)):
            if getattr(options, name) != plain:
                _refuse(name, task, "it compares texts with the texts of its entries, and has a loss of its own")
    loss = options.loss
    if loss in _LOSSES and any(head.loss not in _LOSSES[loss] for head in heads):
        _refuse("loss", task, f"`{loss}` is for {_NEEDS[loss]}", f"set `loss: auto`{_other_losses(heads, loss)}")
    if loss == "cost" and (len(heads) > 1 or heads[0].kind != "pooled"):
        _refuse("loss", task, f"`cost` is for {_NEEDS['cost']}")
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


def _other_losses(heads: list[Head], loss: str) -> str:
    """Losses that all heads can have, for a message."""
    fitting = [
        name
        for name, losses in _LOSSES.items()
        if name not in ("cost", loss) and all(head.loss in losses for head in heads)
    ]
    return "".join(f" or `loss: {name}`" for name in fitting)


def _refuse(option: str, task: Task, why: str, fix: str = "") -> None:
    what = f"`{option}` does not fit the task {task.name}: {why}"
    raise UsageError(what, where=option, fix=fix or f"take `{option}` out")
