"""Whether the steps of a recipe can work on its base: the base is opened as in the steps, and nothing is trained.

The errors are those of the steps themselves: texts longer than its positions, layers that cannot be removed,
weights that do not fit their configuration.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penjing.core.errors import DamageError, MissingPackageError, PenjingError, RecipeError, UsageError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact
from penjing.core.recipe import RecipeFile
from penjing.data.audit import Problem
from penjing.data.prepare import Prepared
from penjing.make.choose_rows import rows_of_choice
from penjing.make.named import Named
from penjing.make.plan import on_engine
from penjing.tune.options import TrainingOptions

if TYPE_CHECKING:
    from torch import nn

# Copies of the weights that a training stores: the weights, Adam's two moments, and the weights of the best epoch.
_COPIES_IN_TRAINING = 4
_FLOAT = 4  # bytes
_TOKENS_A_CHARACTER = 0.5  # fewer than most tokenizers make of Chinese, so that only a clear lack of room is reported
_TUNES: dict[str, tuple[str, ...]] = {"adalora": ("peft",), "ia3": ("peft",), "lora": ("peft",)}
_COMPRESSES: dict[str, tuple[str, ...]] = {
    "int8": ("onnx", "nncf"),
    "exit": ("onnx",),
    "export": ("onnx",),
    "embeddings": ("onnx",),
    "tenant": ("onnx",),
}


def base_faults(
    file: RecipeFile, steps: Sequence[Step], base: Artifact, named: Sequence[Named] = ()
) -> list[PenjingError]:
    """Faults for every step that the base does not support; without steps, a fault if it cannot be opened.

    named: what each step names itself; from `compress.student` on, the steps work on its base.
    """
    try:
        present = _opened(base)
    except PenjingError as error:
        return [type(error)(error.what, where=error.where or file.where("base"), fix=error.fix)]
    faults: list[PenjingError] = []
    tokens = 0
    for index, step in enumerate(steps):
        tokens = getattr(step.options, "max_tokens", tokens)
        own = named[index].base if index < len(named) else None
        try:
            if own is not None:
                present = _student(own, present, tokens)
            _check(step, present)
            _check_gap(step, base, present)
            if isinstance(step.options, TrainingOptions) and step.options.augment.shares.get("mlm"):
                _check_filler(base)
        except PenjingError as error:
            option = [error.where] if error.where in type(step.options).model_fields else []
            where = file.where("steps", index, step.name, *option)
            what = error.what if option or error.where is None else f"{error.where}: {error.what}"
            kind = type(error) if isinstance(error, DamageError) else RecipeError
            faults.append(kind(what, where=where, fix=error.fix))
        if step.name == "compress.vocabulary":
            present = replace(present, same_tokens=False)
    return faults


def faults_of_forms(base: Artifact, forms: Sequence[Step]) -> list[PenjingError | None]:
    """The fault of each of several forms of the first step on this base; None where it has none.

    Raises what the base raises where it cannot be opened.
    """
    present, found = _opened(base), list[PenjingError | None]()
    for step in forms:
        try:
            _check(step, present)
            found.append(None)
        except PenjingError as error:
            found.append(error)
    return found


@dataclass(frozen=True)
class _Present:
    """The encoder on which a step works; same_tokens, same_width: whether its states compare with the teacher's."""

    encoder: nn.Module
    vocabulary: Mapping[str, int]
    same_tokens: bool = True
    same_width: bool = True


def _opened(base: Artifact) -> _Present:
    from penjing.model.encoder import fit_vocabulary, load_encoder
    from penjing.text.tokens import open_tokenizer

    encoder, tokenizer = load_encoder(base), open_tokenizer(base.folder)
    fit_vocabulary(encoder, tokenizer)
    return _Present(encoder, tokenizer.get_vocab())


def _student(base: Artifact, teacher: _Present, tokens: int) -> _Present:
    """The encoder of a step's own base. Raises UsageError where it cannot be the student of that teacher."""
    from penjing.compress.student import check_student

    found = _opened(base)
    check_student(found.encoder, tokens)
    widths = {int(each.encoder.config.hidden_size) for each in (found, teacher)}  # type: ignore[union-attr, arg-type]
    same = teacher.same_tokens and found.vocabulary == teacher.vocabulary
    return replace(found, same_tokens=same, same_width=len(widths) == 1)


# The packages that kinds of noise need.
_NOISE = {"homophones": "pypinyin", "traditional": "opencc"}


def package_faults(file: RecipeFile, steps: Sequence[Step]) -> list[PenjingError]:
    """A fault for each step whose packages are not installed; every run also makes `tune.linear`."""
    faults: list[PenjingError] = []
    for index, step in enumerate(steps):
        room, _, short = step.name.partition(".")
        packages = {"tune": _TUNES, "compress": _COMPRESSES}.get(room, {})
        needed = ["sklearn", *packages.get(short, ())]
        if getattr(on_engine(step, file.recipe.engine).options, "engine", None) == "openvino":
            needed.append("openvino")
        for name in needed:
            if importlib.util.find_spec(name) is None:
                what = f"the step `{step.name}` needs the package `{name}`"
                fix = "install the packages for training: pip install 'penjing[train]'"
                faults.append(MissingPackageError(what, where=file.where("steps", index), fix=fix))
    for kind in file.recipe.robustness.strengths:
        package = _NOISE.get(kind)
        if package is not None and importlib.util.find_spec(package) is None:
            what = f"the noise `{kind}` needs the package `{package}`"
            fix = "install the packages for training: pip install 'penjing[train]'"
            faults.append(MissingPackageError(what, where=file.where("robustness"), fix=fix))
    return faults


def room_problems(file: RecipeFile, steps: Sequence[Step], base: Artifact, data: Prepared) -> list[Problem]:
    """A warning if the disk of the recipe clearly has less free space than the steps will write.

    The models of a choice out of fold are kept until the run ends.
    """
    choice, texts = rows_of_choice(file, data, base), (*data.train.texts, *data.validation.texts)
    folds = 0 if choice is None else choice.folds
    from penjing.model.base import config_of, encoder_folder

    weights = sum(_FLOAT * count for count in _sizes(encoder_folder(base)))
    width, needed = int(config_of(base).get("hidden_size", 0)), folds * weights
    for step in steps:
        options: Any = step.options
        if isinstance(step.options, TrainingOptions):
            needed += weights * (1 + _COPIES_IN_TRAINING * len(options.learning_rate))
            if options.layers != "all":
                tokens = sum(min(_TOKENS_A_CHARACTER * len(text) + 2, options.max_tokens) for text in texts)
                needed += int(tokens) * width * _FLOAT
        elif step.name == "compress.distill":
            needed += weights * (1 + _COPIES_IN_TRAINING) // 2
        else:
            needed += weights // 4
    free = shutil.disk_usage(file.path.parent).free
    if free >= needed:
        return []
    message = f"the steps write about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free beside the recipe"
    fix = "free some space, or give `--out` a folder on a larger disk"
    return [Problem(severity="warning", code="room", message=message, fix=fix)]


def _check(step: Step, present: _Present) -> None:
    """Raise the step's UsageError if it cannot work on this encoder."""
    from penjing.compress.distill import check_vocabularies, check_widths
    from penjing.model.depths import check_known
    from penjing.model.encoder import longest_input
    from penjing.model.layers import heads_of, layers_of, neurons_of
    from penjing.tune.job import check_tokens

    options: Any = step.options
    encoder = present.encoder
    if isinstance(step.options, TrainingOptions):
        check_tokens(options.max_tokens, longest_input(encoder) - options.further_tokens)
        options.check_encoder(encoder)
        if isinstance(options.layers, int):
            layers_of(encoder)
        by_depth = {"layer_decay": options.layer_decay != 1, "unfreeze": options.unfreeze, "reinit": options.reinit}
        if (asked := next((name for name, on in by_depth.items() if on), None)) is not None:
            check_known(str(encoder.config.model_type), asked)  # type: ignore[union-attr]
        return
    short = step.name.partition(".")[2]
    if short in ("layers", "exit", "heads", "width", "magnitude"):
        layers = layers_of(encoder)
        for layer in layers:
            if short == "heads":
                heads_of(layer)
            elif short == "width":
                neurons_of(layer)
    elif short == "distill" and (options.relations or options.hidden):
        check_vocabularies(same=present.same_tokens)
        check_widths(same=present.same_width or not options.hidden)
        heads_of(layers_of(encoder)[-1])


def _check_gap(step: Step, base: Artifact, present: _Present) -> None:
    """Raise the UsageError of a step that fills gaps if this base cannot."""
    from penjing.tune.cloze import Options, check_gap

    if isinstance(step.options, Options):
        check_gap(step.options, base, present.encoder)


def _check_filler(base: Artifact) -> None:
    """Raise UsageError where the base cannot fill hidden words."""
    from penjing.train.fill import open_filler

    try:
        open_filler(base)
    except UsageError as error:
        raise UsageError(error.what, where="augment", fix=error.fix) from None


def _sizes(folder: Path) -> list[int]:
    """Number of elements of each weight tensor in this folder, read from the file header alone."""
    from math import prod

    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="numpy") as stored:
        return [prod(stored.get_slice(name).get_shape()) for name in stored.keys()]  # noqa: SIM118 - no mapping
