"""Writes `adapter/` of an artifact: what a method with few parameters has changed in its base, as a small folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from penjing.model.adapters import FOLDER, VALUE, Changes, adapter_info, save_adapter
from penjing.model.encoder import Classifier
from penjing.model.inserted import inserted_in
from penjing.tune.job import Job
from penjing.tune.trained import learned_names
from penjing.tune.writing import Files, Merge


def keep_apart(kind: str, classifier: Classifier, job: Job, changes: Changes, **about: Any) -> Files:
    """What writes the folder of changes that are made in the classifier's encoder already.

    about: further fields of `AdapterInfo`, such as rank and scale.
    """
    labels = tuple(getattr(job.task, "labels", ()))
    config = classifier.encoder.config
    inserted = {key: getattr(config, key) for key in inserted_in(config)}

    def write(folder: Path) -> None:
        named = {"task": job.task.name, "labels": labels, "inserted": inserted, **about}
        info = adapter_info(kind, classifier, job.parent, changes, **named)
        save_adapter(folder / FOLDER, info, changes, classifier)

    return write


def keep_learned(kind: str) -> Merge:
    """What keeps apart the values of all parameters that learned, of a method that changes the encoder in place."""

    def merge(classifier: Classifier, job: Job) -> Files:
        return keep_apart(kind, classifier, job, values_of(classifier.encoder, learned_names(classifier.encoder)))

    return merge


def values_of(encoder: nn.Module, names: set[str]) -> Changes:
    """The present values of parameters of an encoder, as changes that replace them."""
    return {f"{name}:{VALUE}": one.detach().clone() for name, one in encoder.named_parameters() if name in names}
