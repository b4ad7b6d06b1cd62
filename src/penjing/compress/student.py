"""A smaller base in the place of the tuned encoder, with a head that answers from the start; distillation follows.

    logits = W mean_t h_t + b,   h: states of the smaller base, W and b: ridge regression to the teacher's logits

The step before is the teacher: the encoder that `tune.full` made of a larger base. The student has the encoder and the
tokenizer of `base`, and heads of the same task, fitted on the pooled states of train texts and of texts without labels
(compress/parts/ridge). Heads by token are fitted token by token, on train texts, and both must have the same tokens
(compress/parts/token_fit). It only begins here: `compress.distill` after this step trains all of it.
Source: Turc, Chang, Lee, Toutanova, Well-Read Students Learn Better, 2019 (a pre-trained small student, then
distillation); Kumar and others, Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution, 2022
(a fitted head first, so that the first steps do not spoil the encoder).
When: the release must be as small as `penjing/nano` or `penjing/mini` and there are many texts to learn from. When not:
the tuned encoder may be cut instead, which keeps what it learned (`compress.layers`); or few texts and no corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from pydantic import Field
from torch import nn

from penjing.compress.parts.by_token import check_same_tokens, check_several_texts
from penjing.compress.parts.pooled import pooled_states
from penjing.compress.parts.ridge import LinearMap, fit_ridge
from penjing.compress.parts.sealing import Compression, complete_folder, score, seal, torch_parent
from penjing.compress.parts.teacher import teacher_outputs
from penjing.compress.parts.token_fit import fit_token_map
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind
from penjing.model.encoder import (
    Classifier,
    fit_vocabulary,
    load_classifier,
    load_encoder,
    longest_input,
    padding_id,
    save_classifier,
)
from penjing.model.heads import Heads
from penjing.tasks import task_of
from penjing.text.tokens import open_tokenizer
from penjing.train.numerics import repeatable
from penjing.train.rows import fit_tokenizer, read_rows

HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
LONGEST = 512


class Options(BaseOptions):
    """The options of `compress.student`."""

    base: str = Field("penjing/nano", description="the smaller base, named as the recipe's `base:` is")
    texts: int = Field(
        8192, ge=8, le=100_000, description="most texts on which the first head is fitted: train texts, then unlabelled"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The base `inputs.base` with heads for the parent's task. Raises UsageError for none or an unfit one."""
    parent = torch_parent(inputs, "compress.student")
    if inputs.base is None:
        raise UsageError("`compress.student` was given no base", fix="name one, such as `base: penjing/nano`")
    if parent.card.features:
        raise UsageError(
            "`compress.student` makes a model that reads the text alone, and its teacher reads declared fields",
            fix="leave the step out, or take `features:` out",
        )
    if not len(inputs.train):
        raise UsageError("`compress.student` needs training texts to learn from", fix="give at least some rows")
    base, limit = inputs.base, parent.card.max_tokens or LONGEST
    task = task_of(parent.card)
    check_several_texts("compress.student", task)
    encoder, tokenizer = load_encoder(base), fit_tokenizer(open_tokenizer(base.folder), task)
    check_student(encoder, limit)
    fit_vocabulary(encoder, tokenizer)
    by_token = any(head.kind != "pooled" for head in task.heads.values())
    if by_token:
        check_same_tokens(same=open_tokenizer(parent.folder).get_vocab() == tokenizer.get_vocab())
        texts = list(_drawn(inputs.train.texts, options.texts, run.seed))
        kept = set(texts)
        table = inputs.train.take([row for row, text in enumerate(inputs.train.texts) if text in kept])
        ids = read_rows(task, tokenizer, table, limit).encoded.ids
        fitted = fit_token_map(encoder, load_classifier(parent), ids, run)
    else:
        parts = _texts(inputs, options.texts, run.seed)
        outputs = teacher_outputs(parent, parts, run, "compress.student: the teacher on its texts")
        texts = [text for part in parts for text in part]
        states = pooled_states(base, texts, limit, run, "compress.student: states of the smaller base")
        fitted = fit_ridge(states, outputs, run)
    with repeatable(run.seed, run.threads):
        classifier = Classifier(encoder, task.heads).eval()
    set_heads(classifier.head, fitted)
    title = "compress.student: the teacher on validation"
    return seal(
        Compression(inputs, options, run, parent, "compress.student"),
        form="torch",
        folder=complete_folder(run.scratch / "student", lambda target: save_classifier(target, classifier, tokenizer)),
        notes={
            "base": base.card.base,
            "padding_id": padding_id(encoder),
            "parameters": sum(parameter.numel() for parameter in classifier.parameters()),
            "sparsity": None,
            "sparse_embeddings": False,
            "base_id": base.id,
            "teacher": parent.id,
            "head_texts": len(texts),
            "head_error": round(fitted.left_out, 6),
        },
        compare=score(parent.folder, parent.card, inputs.validation, run, title)
        if by_token
        else teacher_outputs(parent, [inputs.validation.texts], run, title),
    )


def check_student(encoder: nn.Module, tokens: int) -> None:
    """Raise UsageError for a base that takes shorter texts than its teacher does."""
    limit = longest_input(encoder)
    if limit < tokens:
        raise UsageError(
            f"this base takes at most {limit} tokens, and its teacher {tokens}",
            where="base",
            fix=f"set `max_tokens: {limit}` or less in `tune.full`, or name another base",
        )


def set_heads(head: nn.Module, fitted: LinearMap) -> None:
    """Write a map to the outputs of all heads side by side into the heads."""
    maps = [head[name] for name in head.kinds] if isinstance(head, Heads) else [head]
    start = 0
    with torch.no_grad():
        for each in maps:
            end = start + each.out_features  # type: ignore[operator]
            each.weight.copy_(fitted.weight[start:end])  # type: ignore[operator]
            each.bias.copy_(fitted.bias[start:end])  # type: ignore[operator]
            start = end  # type: ignore[assignment]


def _texts(inputs: Inputs, most: int, seed: int) -> list[Sequence[str]]:
    """At most that many texts, drawn at random: train texts first, then those without a label."""
    train, left = inputs.train.texts, max(0, most - len(inputs.train))
    return [_drawn(train, most, seed), _drawn(inputs.unlabelled, left, seed)]


def _drawn(texts: Sequence[str], most: int, seed: int) -> Sequence[str]:
    if len(texts) <= most:
        return texts
    return [texts[place] for place in sorted(np.random.default_rng(seed).permutation(len(texts))[:most].tolist())]
