"""Texts without labels for a tuning: which of them are used, in which order, and as rows that its model reads.

The same texts are drawn for the same seed. A text of the train or validation rows is left out: its label is known, or
it chooses the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penjing.core.canon import digest, digest_lines
from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs
from penjing.data import mask
from penjing.model.encoder import Classifier, padding_id
from penjing.model.layers import Lower
from penjing.text.tokens import encode
from penjing.train.activations import hidden_rows
from penjing.train.batches import Budget
from penjing.train.supervised import IdRows, Rows
from penjing.tune.job import Job


def unlabelled_texts(method: str, inputs: Inputs, most: int, seed: int) -> list[str]:
    """At most so many of the texts without a label, drawn at random (0: all), each once.

    Raises UsageError where there are none.
    """
    known = {*inputs.train.texts, *inputs.validation.texts}
    texts = sorted({text for text in inputs.unlabelled if text not in known})
    if not texts:
        raise UsageError(
            f"`{method}` learns from texts without labels, and there are none",
            fix="name files of such texts under `data:`, such as `unlabelled: [texts.csv]`",
        )
    order = np.random.default_rng(seed).permutation(len(texts))
    return [texts[place] for place in order[: most or len(texts)].tolist()]


def rows_of_texts(texts: Sequence[str], job: Job, classifier: Classifier) -> Rows:
    """Texts as rows of what is trained: token ids, or hidden states where the lowest layers stay as they are."""
    ids, padding = encode(job.tokenizer, texts, job.options.max_tokens).ids, padding_id(classifier.encoder)
    if job.layers == "all":
        return IdRows(ids, padding)
    about = [job.parent.id, digest_lines(texts), job.layers, job.options.max_tokens, job.run.threads, mask.VERSION]
    width = int(classifier.encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
    budget = Budget(rows=64, tokens=4096)
    return hidden_rows(Lower(classifier, job.layers), ids, padding, width, budget, job.run, digest(about))
