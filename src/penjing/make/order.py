"""Whether each step can follow the one before it, from what the steps make, before any of them runs.

The errors are those of the steps themselves, so that `check` and `make` report the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penjing.core.errors import PenjingError, RecipeError, UsageError
from penjing.core.methods import Step, check_catalogue, check_heads, check_joint, check_pairs, check_unlabelled
from penjing.core.nouns import Artifact, Card
from penjing.core.recipe import RecipeFile
from penjing.core.task import JointTask, Task
from penjing.make.named import Named
from penjing.make.plan import on_engine
from penjing.model.base import depth_of
from penjing.tune.options import TrainingOptions

# Steps that change weights: the model must still be in torch, and it stays in torch except after `exit` and `tenant`.
IN_TORCH = frozenset(("distill", "exit", "heads", "layers", "magnitude", "student", "tenant", "vocabulary", "width"))
_TUNED = Card(form="torch", method="tune", labels=("a", "b"))


def order_faults(
    file: RecipeFile, steps: Sequence[Step], base: Artifact, named: Sequence[Named] = ()
) -> list[PenjingError]:
    """The fault of the first step that cannot be at its position.

    steps: all of the recipe, that which tunes the encoder first; named: what each step names itself.
    """
    card, depth = _TUNED, depth_of(base)
    for index, step in enumerate(steps):
        try:
            card, depth = _after(on_engine(step, file.recipe.engine), card, depth)
            if index < len(named) and (own := named[index].base) is not None:
                depth = depth_of(own)
        except UsageError as error:
            option = [error.where] if error.where else []
            return [RecipeError(error.what, where=file.where("steps", index, step.name, *option), fix=error.fix)]
    return []


def head_faults(file: RecipeFile, steps: Sequence[Step], task: Task) -> list[PenjingError]:
    """A fault for every step whose method does not declare support for the recipe's task."""
    faults: list[PenjingError] = []
    for index, step in enumerate(steps):
        try:
            check_heads(step.name, step.method.heads, step.method.losses, task)
            check_pairs(step.method, task)
            check_joint(step.method, task)
            check_catalogue(step.method, task)
            _check_words(step, task)
            _check_by_token(step, task)
        except UsageError as error:
            option = [error.where] if error.where else []
            where = file.where("steps", index, step.name, *option)
            faults.append(RecipeError(error.what, where=where, fix=error.fix))
    if isinstance(task, JointTask) and file.recipe.search:
        what = f"`search` tries models that give one answer a text, and the task `{task.name}` gives several"
        faults.append(RecipeError(what, where=file.where("search"), fix="write the steps out"))
    if isinstance(task, JointTask) and file.recipe.data.features:
        what = f"`features` are not read by models of the task `{task.name}`"
        faults.append(RecipeError(what, where=file.where("data", "features"), fix="take `features:` out"))
    return faults


def _check_words(step: Step, task: Task) -> None:
    """Raise the UsageError of a step that has words of labels if the task has no such label."""
    words = getattr(step.options, "words", None)
    if isinstance(words, Mapping):
        from penjing.tune.gap import check_labels

        check_labels(task.scopes, words)


def _check_by_token(step: Step, task: Task) -> None:
    """Raise the UsageError of a step that teaches a model if it cannot teach this task, or not with these options."""
    if step.name in ("compress.distill", "compress.student"):
        from penjing.compress.distill import check_by_token
        from penjing.compress.parts.by_token import check_several_texts

        check_several_texts(step.name, task)
        if step.name == "compress.distill":
            check_by_token(task, step.options)  # type: ignore[arg-type]


def unlabelled_faults(file: RecipeFile, steps: Sequence[Step], texts: int) -> list[PenjingError]:
    """A fault for every step that learns from texts without labels where there are none. texts: how many there are."""
    faults: list[PenjingError] = []
    for index, step in enumerate(steps):
        try:
            check_unlabelled(step.name, step.method, texts)
        except UsageError as error:
            faults.append(RecipeError(error.what, where=file.where("steps", index, step.name), fix=error.fix))
    return faults


def feature_faults(file: RecipeFile, steps: Sequence[Step]) -> list[PenjingError]:
    """What cannot read the declared fields that the recipe names as features, and what needs some where it names none.

    The linear model that is measured beside every encoder reads them too.
    """
    faults: list[PenjingError] = []
    named = file.recipe.data.features
    for index, step in enumerate(steps):
        place = ("steps", index, step.name)
        if named and not step.method.features:
            what = f"`{step.name}` makes a model that reads the text alone, and the recipe names `features`"
            fix = "leave the step out, or take `features:` out"
            faults.append(RecipeError(what, where=file.where(*place), fix=fix))
        elif not named and not getattr(step.options, "text", True):
            what = "`text: false` leaves the model nothing to read: the recipe names no `features`"
            fix = "name some under `data:`, such as `features: [amount]`, or take `text: false` out"
            faults.append(RecipeError(what, where=file.where(*place, "text"), fix=fix))
    if named and file.recipe.search:
        what = "`search` tries models that read the text alone, and the recipe names `features`"
        fix = "write the steps out, or take `features:` out"
        faults.append(RecipeError(what, where=file.where("search"), fix=fix))
    return faults


def _after(step: Step, card: Card, depth: int) -> tuple[Card, int]:
    """The model after a step: the fields of its card that other steps check, and its layers. Raises UsageError."""
    from penjing.compress.distill import check_states
    from penjing.compress.embeddings import check_table
    from penjing.compress.exit import check_prompt, ends_of
    from penjing.compress.export import check_form, engine_of
    from penjing.compress.int8 import scales_of
    from penjing.compress.layers import check_keep
    from penjing.compress.parts.sealing import check_parent
    from penjing.compress.tenant import check_adapter
    from penjing.model.start import check_count
    from penjing.tune.job import check_layers

    options, short = step.options, step.name.partition(".")[2]
    if isinstance(options, TrainingOptions):
        check_layers(options.layers, depth)
        check_count(options.reinit, options.layers if isinstance(options.layers, int) else depth)
        notes: dict[str, Any] = {"kind": getattr(options, "kind", "")}
        notes |= {"prompt_tokens": options.further_tokens} if options.further_tokens else {}
        return card.model_copy(update={"method": step.name, "notes": notes}), depth
    parent = check_parent(
        Artifact(folder=Path(), id="", card=card),
        step.name,
        int8=short in ("cascade", "ngrams"),
        torch=short in IN_TORCH,
        ngrams=short == "cascade",
    )
    form, bits, precision = card.form, card.embedding_bits, card.precision
    if short == "distill":
        check_states(_prompt_of(card), options)  # type: ignore[arg-type]
    elif short == "layers":
        check_keep(options.keep, depth)  # type: ignore[attr-defined]
        depth = options.keep  # type: ignore[attr-defined]
    elif short == "exit":
        check_prompt(_prompt_of(card))
        ends_of(options.after, depth)  # type: ignore[attr-defined]
        form = "exit"
    elif short == "tenant":
        check_adapter(card, str(card.notes["kind"]))
        form = "tenant"
    elif short in ("static", "cascade", "ngrams"):
        form = short  # type: ignore[assignment]
    elif short == "embeddings":
        check_table(parent)
        form, bits = "onnx", options.bits  # type: ignore[attr-defined]
    elif short == "export":
        form = engine_of(options.engine, parent)  # type: ignore[attr-defined]
        check_form(parent, form)
    elif short == "int8":
        form, _ = scales_of(parent, options)  # type: ignore[arg-type]
        precision = "int8"
    # A student has an encoder of its own, without the prompt of its teacher.
    notes = card.notes | {"prompt_tokens": 0} if short == "student" else card.notes
    changed = {"form": form, "method": step.name, "embedding_bits": bits, "precision": precision, "notes": notes}
    return card.model_copy(update=changed), depth


def _prompt_of(card: Card) -> int:
    """How many tokens the soft prompt of a model has."""
    return int(card.notes.get("prompt_tokens", 0))
