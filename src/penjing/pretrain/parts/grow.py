"""One pre-training, whatever its objectives: tokens, terms, loop, measurements before and after, the base written."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penjing.core.artifact import write_artifact
from penjing.core.canon import digest
from penjing.core.errors import DataError, UsageError
from penjing.core.machine import cpu_flags
from penjing.core.nouns import Artifact, Card, Curves, Family, Inputs, Run
from penjing.core.options import Options
from penjing.data.corpus.tokens import TokenSettings, TokenStore, open_tokens
from penjing.model.block_attention import can_pack
from penjing.model.pretrained import family_of, fit_tokens, load_network, longest_row, save_network
from penjing.model.token_head import TokenHead, save_token_head
from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.marks import find_marks
from penjing.pretrain.parts.mixture import Builder, Mixture, check_terms
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.options import LoopOptions
from penjing.pretrain.parts.perplexity import Perplexity
from penjing.pretrain.parts.stream import SHORTEST_PIECE, RowShape, Stream
from penjing.pretrain.parts.term import Kit, Term
from penjing.text.tokens import open_tokenizer
from penjing.train.guard import Guard, trained_steps
from penjing.train.loop import Outcome, Plan, Precision, fit
from penjing.train.numerics import repeatable
from penjing.train.optim import Optimizing
from penjing.train.throughput import CourseLog, ThroughputHook, matmul_peak, operations_a_token

# (name, weight, options) of an objective of a training.
Chosen = tuple[str, float, Options]
VERSIONS = ("penjing", "torch", "transformers", "tokenizers", "numpy")
_CURVE_POINTS = 200
_GOOD_STATES = 20  # of a training, for its guard
_HELD_SEED = 11


@dataclass(frozen=True)
class GrowJob:
    """What a training is made of, once everything is open.

    terms: (weight, term) by name; by_domain: held-out batches; key: of all that the training depends on; held_out:
    whether the corpus has held-out documents, else losses are those of documents that are trained on.
    """

    name: str
    kit: Kit
    options: LoopOptions
    network: NetworkWithHeads
    terms: Mapping[str, tuple[float, Term]]
    mixture: Mixture
    by_domain: Mapping[str, Sequence[TextBatch]]
    key: str
    held_out: bool = True

    @property
    def run(self) -> Run:
        return self.kit.run


def grow(
    name: str, inputs: Inputs, options: LoopOptions, run: Run, chosen: Sequence[Chosen], builders: Mapping[str, Builder]
) -> Artifact:
    """Train `inputs.parent` on `inputs.corpora` by the chosen objectives, and write the base that results.

    The base is a Hugging Face folder with a card; an encoder has no head in its weights, and the head of `mlm` beside
    them. Raises UsageError for no parent, no corpus or a family that an objective does not suit, DataError for a corpus
    without text or a training that diverges, RunInterruptedError when stopped.
    """
    run.scratch.mkdir(parents=True, exist_ok=True)
    job = _prepare(name, inputs, options, run, chosen, builders)
    before = _perplexities(job, known=True)
    outcome = _train(job)
    after = _perplexities(job)
    for domain, found in after.items():
        run.progress.say(f"{_measure(job)} of held-out text, {domain}: {found.value:.2f}")
    return _write(job, outcome, before, after)


def _prepare(
    name: str, inputs: Inputs, options: LoopOptions, run: Run, chosen: Sequence[Chosen], builders: Mapping[str, Builder]
) -> GrowJob:
    parent = inputs.parent
    if parent is None or not inputs.corpora:
        raise UsageError(f"`pretrain.{name}` was given no network or no corpus", fix="name both in the recipe")
    model, tokenizer = load_network(parent), open_tokenizer(parent.folder)
    family = family_of(model.config)
    for each, _, _ in chosen:
        check_family(each, builders[each].families, family)
    marks = find_marks(tokenizer, family)
    fit_tokens(model, tokenizer)
    check_length(longest_row(model.config), options.length)
    folder = parent.folder / "encoder" if (parent.folder / "encoder").is_dir() else parent.folder
    kit = Kit(inputs, run, family, model, tokenizer, marks, options.length, folder)
    with repeatable(run.seed, run.threads, run.device):
        terms = {each: (weight, builders[each](kit, own)) for each, weight, own in chosen}
        check_terms({each: term for each, (_, term) in terms.items()})
        network = NetworkWithHeads(
            model, {each: head for each, (_, term) in terms.items() if (head := term.head()) is not None}
        )
    if options.checkpointing:
        model.config.use_cache = False  # type: ignore[union-attr]
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})  # type: ignore[operator]
    words, version = _words_of(chosen)
    settings = TokenSettings(tokenizer, words, version)
    place = run.shared or run.scratch
    train, held = (
        open_tokens(inputs.corpora, part, settings, place, run.progress, run.stop) for part in ("train", "held_out")
    )
    shape = RowShape(
        options.length,
        options.batch_tokens,
        can_pack(model.config) and all(term.packs for _, term in terms.values()),
        max(term.spare for _, term in terms.values()),
    )
    stream = Stream(train, marks, shape, run.seed, options.tokens)
    held_out = bool(len(held.lengths))
    if not held_out:
        run.progress.say("the corpus has no held-out documents: losses are those of documents that are trained on")
        held = train
    batches = _held_batches(held, kit, shape, options.held_out)
    mixture = Mixture(terms, stream, batches, options.parts, options.evaluations)
    about: list[Any] = [name, parent.id, [one.id for one in inputs.corpora], [list(pair) for pair in inputs.pairs]]
    about += [[each, weight, own.model_dump(mode="json")] for each, weight, own in chosen]
    about += [{key: teacher.id for key, teacher in sorted(inputs.teachers.items())}]
    key = digest([*about, options.model_dump(mode="json"), run.seed, run.threads, run.device, torch.__version__])
    by_domain = _by_domain(held, kit, shape, options) if held_out else {}
    return GrowJob(name, kit, options, network, terms, mixture, by_domain, key, held_out)


def _train(job: GrowJob) -> Outcome:
    options, run, steps = job.options, job.run, job.mixture.stream.steps
    with repeatable(run.seed, run.threads, run.device):
        peak = matmul_peak(run.device)
    config = job.kit.config
    seen = options.length // 2 if job.kit.family == "decoder" else options.length
    log = CourseLog(
        log_of(run.out),
        run.out.with_name(run.out.name + ".board"),
        job.mixture.tokens,
        operations_a_token(job.network.model, int(config.num_hidden_layers), int(config.hidden_size), seen),
        peak,
        options.learning_rate,
    )
    plan = Plan(
        epochs=len(job.mixture.sizes()),
        optimizing=Optimizing(
            options.learning_rate,
            1.0,
            options.weight_decay,
            options.warmup,
            options.clip,
            options.schedule,
            options.decay,
        ),
        metric="loss",
        patience=steps,
        guard=Guard(max(1, math.ceil(steps / _GOOD_STATES)), options.spike),
        precision=precision_of(options.precision, run.device),
    )
    outcome = fit(
        job.network, job.mixture, plan, run, run.scratch / "training", job.key, [ThroughputHook(log, run.progress)]
    )
    if outcome.diverged or not outcome.scores:
        raise DataError(
            f"the training diverged: {len(outcome.skipped) + 1} times its loss was not finite or far above the others",
            fix="give a lower `learning_rate`, or a longer `warmup`",
        )
    return outcome


def log_of(out: Path) -> Path:
    """The log of the training that made the artifact in that folder: beside it, because it holds times."""
    return out.with_name(out.name + ".log.jsonl")


def precision_of(asked: str, device: str) -> Precision:
    """The numbers of matrix products; `auto` means bf16 only where the hardware multiplies it."""
    if asked != "auto":
        return "bf16" if asked == "bf16" else "float32"
    if device != "cpu":
        return "bf16" if torch.cuda.is_bf16_supported() else "float32"
    return "bf16" if {"amx_bf16", "avx512_bf16"} & cpu_flags() else "float32"


def _words_of(chosen: Sequence[Chosen]) -> tuple[Any, str]:
    """What marks the beginnings of words, if an objective hides whole words or cuts before them, and its version."""
    if not any(getattr(own, "unit", "word") != "token" and name in ("mlm", "nsp", "sop") for name, _, own in chosen):
        return None, ""
    from penjing.text.whole_words import word_starts
    from penjing.text.words import segmenter_version

    return word_starts, segmenter_version()


def check_family(name: str, suits: Sequence[Family], family: Family) -> None:
    """Raise UsageError for an objective that does not suit networks of that family."""
    if family not in suits:
        fix = {"encoder": "mlm", "decoder": "clm", "encoder-decoder": "denoise"}[family]
        raise UsageError(
            f"the objective `{name}` does not suit a network of the family {family}",
            fix=f"take `{fix}`, or another network",
        )


def check_length(most: int | None, length: int) -> None:
    """Raise UsageError for rows that are longer than a network reads. most: as `longest_row` gives it."""
    if most is not None and length > most:
        raise UsageError(
            f"this network reads at most {most} tokens", where="length", fix=f"set `length: {most}` or less"
        )


def _held_batches(store: TokenStore, kit: Kit, shape: RowShape, tokens: int) -> list[TextBatch]:
    """The same rows of held-out documents in every evaluation, at most so many tokens."""
    stream = Stream(store, kit.marks, shape, _HELD_SEED, 1)
    stream.tokens = min(tokens, stream.pass_tokens)
    return [stream.read(rows) for rows in stream.batches(0, stream.steps)]


def _by_domain(store: TokenStore, kit: Kit, shape: RowShape, options: LoopOptions) -> dict[str, list[TextBatch]]:
    """Rows of one document each, of every domain that has held-out documents."""
    found: dict[str, list[TextBatch]] = {}
    for number, name in enumerate(store.names):
        if (store.lengths[store.domains == number] >= SHORTEST_PIECE).any():
            alone = RowShape(shape.length, shape.tokens, packed=False)
            stream = Stream(store, kit.marks, alone, _HELD_SEED, 1, number)
            stream.tokens = min(options.held_out, stream.pass_tokens)
            found[name] = [stream.read(rows) for rows in stream.batches(0, stream.steps)]
    return found


def _perplexities(job: GrowJob, *, known: bool = False) -> dict[str, Perplexity]:
    """(Pseudo-)perplexity by domain, where an objective has one. known: only of a head that was read from the base."""
    found: dict[str, Perplexity] = {}
    job.network.to(job.run.device).eval()
    with repeatable(job.run.seed, job.run.threads, job.run.device):
        for _, term in job.terms.values():
            if known and not term.known:
                continue
            for domain, batches in job.by_domain.items():
                value = term.perplexity(job.network, batches, job.options.positions)
                if value is not None:
                    found[domain] = value
    return found


def _measure(job: GrowJob) -> str:
    return "perplexity" if job.kit.family == "decoder" else "pseudo-perplexity"


def _write(
    job: GrowJob, outcome: Outcome, before: Mapping[str, Perplexity], after: Mapping[str, Perplexity]
) -> Artifact:
    inputs, options, parent = job.kit.inputs, job.options, job.kit.inputs.parent
    assert parent is not None
    model = job.network.model
    prefix = "held_out" if job.held_out else "train"
    steps = trained_steps(len(outcome.losses) + sum(end - first for first, end in outcome.skipped), outcome.skipped)
    if options.checkpointing:
        model.gradient_checkpointing_disable()  # type: ignore[operator]
    card = Card(
        form="torch",
        method=f"pretrain.{job.name}",
        language=inputs.language,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        data=digest([one.id for one in inputs.corpora]),
        lineage=(
            *parent.card.lineage,
            {"method": f"pretrain.{job.name}", "options": options.model_dump(mode="json"), "parent": parent.id},
        ),
        metrics={f"{prefix}_{name}": round(value, 6) for name, value in outcome.scores.items()},
        base=parent.card.base,
        padding_id=job.kit.marks.padding,
        curves=Curves.model_validate(
            {
                "loss": _thinned(steps, outcome.losses),
                "validation": [{name: round(value, 6) for name, value in one.items()} for one in outcome.evaluations],
            }
        ),
        notes={
            "family": job.kit.family,
            "held_out": job.held_out,
            "model_type": str(job.kit.config.model_type),
            "corpora": [one.id for one in inputs.corpora],
            "objectives": {name: weight for name, (weight, _) in job.terms.items()},
            "steps": len(steps),
            "tokens_seen": tokens_seen(job, steps),
            "skipped_steps": outcome.skipped,
            "precision_of_training": precision_of(options.precision, job.run.device),
            _measure(job).replace("-", "_"): {
                domain: {
                    "before": round(before[domain].value, 4) if domain in before else None,
                    "after": round(found.value, 4),
                    **({"error": round(found.error, 4)} if found.error is not None else {}),
                }
                for domain, found in after.items()
            },
            "versions": {name: _version(name) for name in VERSIONS},
        },
    )

    def fill(folder: Path) -> None:
        save_network(folder, model, job.kit.tokenizer)
        for name, head in job.network.heads.items():
            if name == "mlm" and isinstance(head, TokenHead):
                save_token_head(folder, head)

    return write_artifact(job.run.out, card, fill)


def tokens_seen(job: GrowJob, steps: Sequence[int]) -> int:
    """Tokens of the batches of those steps (from 1), without padding."""
    stream, taken = job.mixture.stream, set(steps)
    return sum(stream.count(rows) for step, rows in enumerate(stream.batches(0, stream.steps), 1) if step in taken)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _thinned(steps: Sequence[int], losses: Sequence[float]) -> list[list[float]]:
    """At most _CURVE_POINTS pairs (last step of a span, mean loss in it)."""
    spans = np.array_split(np.arange(len(losses)), min(_CURVE_POINTS, max(1, len(losses))))
    return [[steps[int(span[-1])], round(float(np.mean([losses[i] for i in span])), 6)] for span in spans if len(span)]
