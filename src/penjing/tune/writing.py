"""Writes a tuned encoder as an artifact: calibrated on the validation rows as they are served, with its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from penjing.core.artifact import write_artifact
from penjing.core.nouns import Artifact, Card, Curves
from penjing.core.task import Item, Outputs
from penjing.data import mask
from penjing.data.features import rows_of
from penjing.engines.fields import FieldsEngine, write_fields
from penjing.engines.protocol import Engine
from penjing.engines.torch import TorchEngine
from penjing.model.encoder import Classifier, padding_id, save_classifier
from penjing.model.fields import WithFields, inner
from penjing.model.prompt import prompt_length
from penjing.runtime.session import Session
from penjing.tasks import card_fields
from penjing.tasks.measure import validation_metrics
from penjing.text.tokens import Tokens
from penjing.train.loop import Outcome
from penjing.train.numerics import repeatable
from penjing.tune.curves import round_scores, rounded, thinned
from penjing.tune.entries import set_last_layer
from penjing.tune.job import Job

Files = Callable[[Path], None]
Merge = Callable[[Classifier, Job], Files]


def no_files(classifier: Classifier, job: Job) -> Files:  # noqa: ARG001
    """A classifier that is plain already, and an artifact of encoder, head and tokenizer."""
    return lambda _: None


@dataclass(frozen=True)
class Trained:
    """A trained model, its learning rate, how its training went, and how those of all rates went that were compared."""

    model: nn.Module
    rate: float
    outcome: Outcome
    tries: Sequence[Outcome] = ()


def write_tuned(job: Job, trained: Trained, merge: Merge = no_files) -> Artifact:
    """The artifact of a trained model, in `run.out`."""
    run, options, task, golds = job.run, job.options, job.task, job.inputs.validation.labels or ()
    model, outcome, rate = trained.model, trained.outcome, trained.rate
    classifier, fields = inner(model), model.weights() if isinstance(model, WithFields) else None
    assert isinstance(classifier, Classifier)
    learned = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    further = merge(classifier, job)
    prompt = prompt_length(classifier.encoder.config)
    set_last_layer(classifier, job.entries, job.budget)
    outputs, items = _validation_outputs(job, classifier, fields)
    calibration = task.fit(outputs, golds, items)
    card = Card(
        **card_fields(task, calibration),
        form="torch",
        method=job.method,
        language=job.inputs.language,
        max_tokens=options.max_tokens,
        masking=mask.VERSION,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=job.data,
        lineage=(
            *job.parent.card.lineage,
            {"method": job.method, "options": options.model_dump(mode="json"), "parent": job.parent.id},
        ),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        base=job.parent.card.base,
        padding_id=padding_id(classifier.encoder),
        features={} if job.fields is None else job.fields.to_json(),
        curves=Curves.model_validate({"loss": thinned(outcome.losses), "validation": rounded(outcome.evaluations)}),
        notes={
            "learning_rate": rate,
            "learning_rates": _rate_results(
                options.learning_rate if trained.tries else (rate,), trained.tries, rate, outcome
            ),
            "layers": job.layers,
            "learned_parameters": learned,
            **({"prompt_tokens": prompt} if prompt else {}),
            "train_texts_cut": job.train.cut,
            "validation_texts_cut": job.validation.cut,
            "train_tokens": int(job.train.lengths.sum()),
            **({"loss_code": job.code_id} if job.code_id else {}),
        },
    )

    def fill(folder: Path) -> None:
        save_classifier(folder, classifier, job.tokenizer)
        if fields is not None:
            write_fields(folder, fields)
        further(folder)

    return write_artifact(run.out, card, fill)


def _validation_outputs(
    job: Job, classifier: Classifier, fields: npt.NDArray[np.float32] | None
) -> tuple[Outputs, list[Item]]:
    """Outputs as a session gives them, with long texts in windows, as they are served; and the texts beside them."""
    options, run = job.options, job.run
    read = {} if job.fields is None else job.fields.to_json()
    card = Card(form="torch", method=job.method, max_tokens=options.max_tokens, features=read, **card_fields(job.task))
    with repeatable(run.seed, run.threads):
        tokens = Tokens(job.tokenizer, options.max_tokens)
        engine: Engine = TorchEngine(classifier.cpu(), tokens, torch.get_num_threads(), tuple(job.task.heads))
        if fields is not None:
            engine = FieldsEngine(engine, fields, {name: head.size for name, head in job.task.heads.items()})
        made = Artifact(run.out, "", card)
        session, rows = Session(made, engine), job.inputs.validation
        return session.outputs(rows.texts, rows_of(rows)), session.items(rows.texts)


def _rate_results(rates: Sequence[float], tries: Sequence[Outcome], rate: float, outcome: Outcome) -> list[Any]:
    """The result of each rate: of the chosen one at its end, of the others where they were compared.

    A method that compares no rates (no `tries`) has the result of its one rate.
    """
    first = {value: one.rung for value, one in zip(rates, tries, strict=True)} if tries else {}
    found = []
    for place, value in enumerate(rates if tries else (rate,)):
        one = outcome if value == rate else tries[place]
        scores = one.scores if value == rate else one.rung
        row = {"learning_rate": value, "steps": len(one.losses), "diverged": one.diverged, **round_scores(scores)}
        found.append(row | ({"rung": round_scores(first[value])} if value in first else {}))
    return found
