"""Bases: opens the `base` of a recipe, a shipped one or a local Hugging Face folder, as an Artifact."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from penjing.core.artifact import open_artifact, open_release
from penjing.core.canon import digest, digest_file
from penjing.core.certificate import INFO
from penjing.core.errors import DamageError, MissingPackageError, UsageError
from penjing.core.folder import MANIFEST, verify
from penjing.core.nouns import Artifact, Card
from penjing.core.options import nearest
from penjing.text.tokens import open_tokenizer

# The package that holds the files of each base. Those outside `penjing` are optional: `pip install ./bases/NAME`.
SHIPPED = {
    "penjing/mini": "penjing.bases.mini",
    "penjing/nano": "penjing.bases.nano",
    "penjing/small": "penjing_small",
}
NEEDED = ("config.json", "model.safetensors", "tokenizer.json")
# Heads of models that generate text: these read only the tokens to the left, so their states are not pooled.
_WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForSeq2SeqLM")


def open_base(name: str, relative_to: Path) -> Artifact:
    """The base of that name; its id is the hash of the files that are read.

    name: `penjing/mini`, or another name in SHIPPED, or a folder (relative to `relative_to`) in Hugging Face form, or
    the folder of an artifact that an earlier run wrote, or a release, whose trainable parent must be next to it.
    Raises UsageError for a missing folder, a missing file, or a model that is no encoder, MissingPackageError for a
    shipped base that is not installed, DamageError for truncated weights.
    """
    artifact = open_network(name, relative_to)
    if artifact.card.method == "base" or artifact.card.method.startswith("pretrain."):
        _refuse_writers(config_of(artifact), artifact.folder)
    return artifact


def open_network(name: str, relative_to: Path) -> Artifact:
    """As `open_base`, for a model of any family: pre-training goes on with those that write text too."""
    folder = _shipped(name) if name in SHIPPED else _find(name, relative_to)
    if (folder / INFO).is_file():
        folder = _trainable_of(folder)
    if (folder / "card.json").is_file():
        return open_artifact(folder)
    for needed in NEEDED:
        if not (folder / needed).is_file():
            raise UsageError(f"the base has no {needed}", where=str(folder), fix=_fix_missing(folder, needed))
    _check_weights(folder / "model.safetensors")
    config = _read_config(folder / "config.json")
    open_tokenizer(folder)  # a damaged one is known here, and not after the steps before it
    identity = digest({needed: digest_file(folder / needed) for needed in NEEDED})
    named = name if name in SHIPPED else folder.name
    card = Card(form="torch", method="base", base=named, notes={"model_type": config["model_type"]})
    return Artifact(folder=folder, id=identity, card=card)


def base_is_installed(name: str) -> bool:
    """Whether a shipped base of that name is in this installation."""
    return name in SHIPPED and _folder_of(SHIPPED[name]) is not None


def how_to_install(name: str) -> str:
    """What to do where a shipped base is missing."""
    if SHIPPED.get(name, "").startswith("penjing."):
        return "install penjing again"
    return f"in the folder of Penjing's source: pip install ./bases/{name.removeprefix('penjing/')}"


def depth_of(artifact: Artifact) -> int:
    """How many layers the encoder of a base or of a torch artifact has. Raises UsageError where it does not say."""
    config, path = config_of(artifact), encoder_folder(artifact) / "config.json"
    layers = config.get("num_hidden_layers", config.get("n_layers"))
    if not isinstance(layers, int) or layers < 1:
        raise UsageError("config.json does not say how many layers there are", where=str(path), fix="copy it again")
    return layers


def config_of(artifact: Artifact) -> dict[str, Any]:
    """The configuration of the encoder of a base or of a torch artifact. Raises UsageError where it is not valid."""
    return _read_config(encoder_folder(artifact) / "config.json")


def encoder_folder(artifact: Artifact) -> Path:
    """The folder of the encoder's configuration and weights, in a base or in a torch artifact."""
    inner = artifact.folder / "encoder"
    return inner if inner.is_dir() else artifact.folder


def _trainable_of(folder: Path) -> Path:
    """The folder of the torch artifact that a release was made from: next to it, where `make` put it."""
    wanted = open_release(folder).info.trainable
    if not wanted:
        raise UsageError(
            "this release names no model that can be trained on: word counts were sealed, or it is an older release",
            where=str(folder),
            fix="name another base, such as `penjing/mini`, or OUT/trainable of the run that made it",
        )
    beside = sorted(folder.resolve().parent.glob("trainable*"))
    found = next((path for path in beside if (path / MANIFEST).is_file() and verify(path) == wanted), None)
    if found is None:
        raise UsageError(
            f"the model that this release was made from ({wanted[:12]}) is missing: it is not next to the release",
            where=str(folder.resolve().parent / "trainable"),
            fix="put OUT/trainable of the run that made the release there, or make it again with the same recipe",
        )
    return found


def _shipped(name: str) -> Path:
    package = SHIPPED[name]
    folder = _folder_of(package)
    if folder is None:
        what = f"the base `{name}` is not installed: there is no package `{package}`"
        raise MissingPackageError(what, fix=how_to_install(name))
    return folder


def _folder_of(package: str) -> Path | None:
    """The folder of a package that holds a base; None if it is not installed. Nothing of it is imported."""
    found = importlib.util.find_spec(package)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    return next((Path(place) for place in places if (Path(place) / "config.json").is_file()), None)


def _find(name: str, relative_to: Path) -> Path:
    if name.startswith("penjing/"):
        raise UsageError(f"unknown base `{name}`", fix=nearest(name, SHIPPED))
    folder = (relative_to / Path(name).expanduser()).resolve()
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder of the base `{name}`",
            where=str(folder),
            fix="give `penjing/mini`, or a folder with config.json, model.safetensors and tokenizer.json; "
            "nothing is downloaded",
        )
    return folder


def _fix_missing(folder: Path, needed: str) -> str:
    if needed == "model.safetensors" and (folder / "model.safetensors.index.json").is_file():
        return "its weights are in several files: save it again with save_pretrained(DIR, max_shard_size='100GB')"
    if needed == "model.safetensors" and (folder / "pytorch_model.bin").is_file():
        return "its weights are pickled, which is never read: save it again with save_pretrained(DIR)"
    if needed == "tokenizer.json":
        return "save its fast tokenizer: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)"
    return "give a folder that transformers' save_pretrained wrote"


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"config.json is not valid: {error}", where=str(path), fix="copy the base again") from None
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise UsageError("config.json names no model_type", where=str(path), fix=_fix_missing(path.parent, path.name))
    return config


def _check_weights(path: Path) -> None:
    """Raise DamageError for a file that is not safetensors, or is truncated; its tensors are not read."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise DamageError(f"the weights cannot be read: {error}", where=str(path), fix="copy the base again") from None


def _refuse_writers(config: dict[str, Any], folder: Path) -> None:
    names = [str(name) for name in config.get("architectures") or ()]
    writer = next((name for name in names if name.endswith(_WRITERS)), None)
    if writer or config.get("is_decoder") or config.get("is_encoder_decoder"):
        raise UsageError(
            f"`{writer or config['model_type']}` is not an encoder",
            where=str(folder),
            fix="give an encoder such as BERT, RoBERTa, ELECTRA or DistilBERT, or `penjing/mini`",
        )
