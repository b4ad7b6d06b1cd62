"""TF-IDF with a linear map: the baseline for all comparisons, and a model of its own.

    z_k = w_k x + b_k,   fitted as in `train/linear.py`
    x: TF-IDF of words and characters, and beside it the numbers of declared fields where the recipe names `features`

Source: Fan, Chang, Hsieh, Wang, Lin, LIBLINEAR: A Library for Large Linear Classification, 2008; Wang and Manning,
Baselines and Bigrams, 2012 (how strong it is).
When: labels that depend on words; up to some hundred rows a label; a decision in under a millisecond; no encoder there.
When not: labels that depend on the order of words, on negation over a distance, or on words never seen in training.

Against multinomial L-BFGS it is as good within 0.1 points of macro-F1, up to ten times as fast with many labels, and
needs no choice of its stopping: at scikit-learn's usual tolerances L-BFGS stopped at 85.7 instead of 92.4 on one set.
C is chosen by the task's first metric (macro-F1 for labels) over out-of-fold outputs on at most `rows_to_choose` train
rows. That metric may be coarse for numbers (the share within a limit), but promises refer to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.artifact import write_artifact
from penjing.core.canon import digest
from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.options import Options as _Options
from penjing.core.task import HeadKind, Item
from penjing.data import mask
from penjing.data.features import features_for, rows_fingerprint
from penjing.engines.linear import LinearEngine, columns_of
from penjing.tasks import card_fields, task_for
from penjing.tasks.measure import metric_names, validation_metrics
from penjing.text.tfidf import Features, Row, Terms, fit_features
from penjing.train.linear import STRENGTHS, Candidates, SparseRows, Strength, choose_strength, fit_rows
from penjing.tune.linear_tokens import TokenSetting, apply_tokens

# So that the coefficients (float16) stay under 24 MB and a release under 30.
_COEFFICIENT_BYTES = 24_000_000
HEADS: tuple[HeadKind, ...] = ("pooled", "token")
PAIRS = True
FEATURES = True


class Options(_Options):
    """The options of `tune.linear`."""

    c: tuple[Strength, ...] = Field(
        STRENGTHS,
        min_length=1,
        max_length=12,
        description="values of C (larger: weaker regularisation) among which cross-validation chooses",
    )
    folds: int = Field(3, ge=2, le=10, description="folds of the cross-validation")
    rows_to_choose: int = Field(
        4000, ge=100, le=1_000_000, description="most train rows in the cross-validation; the final fit takes all"
    )
    text: bool = Field(True, description="whether the words of the text count; false: declared features alone")
    words: int = Field(2, ge=0, le=3, description="longest n-gram of words; 0 for none")
    characters: int = Field(4, ge=1, le=6, description="longest n-gram of characters")
    min_df: int = Field(2, ge=1, le=1000, description="fewest train texts in which a term must be")
    max_features: int = Field(
        200_000, ge=100, le=2_000_000, description="most terms kept, by document frequency; fewer with many labels"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fit on `inputs.train`, the calibration on `inputs.validation`. A parent is not used.

    Raises DataError for tables without gold or with one label only, UsageError for a model that would read nothing,
    RunInterruptedError when stopped.
    """
    task, fields = task_for(inputs), features_for(inputs)
    if not options.text and fields is None:
        raise UsageError("without the text and without declared features there is nothing to learn from")
    if any(head.kind != "pooled" for head in task.heads.values()):
        most = min(options.max_features, _COEFFICIENT_BYTES // (2 * sum(head.size for head in task.heads.values())))
        candidates = Candidates(options.c, options.folds, options.rows_to_choose)
        setting = TokenSetting(candidates, options.min_df, most, options.model_dump(mode="json"))
        return apply_tokens(inputs, task, setting, run)
    train_golds, golds = inputs.train.labels or (), inputs.validation.labels or ()
    # The train rows alone must also have at least two labels.
    task.learn(train_golds)
    data = rows_fingerprint(inputs)
    columns = columns_of(task.heads)
    features, matrix = _encode(inputs.train, options, run, columns)
    if fields is not None:
        matrix = _beside(matrix, fields.of_table(inputs.train))
    rows = SparseRows.of(matrix, task, inputs.train, options.text)
    candidates = Candidates(options.c, options.folds, options.rows_to_choose)
    key = digest([data, task.name, task.state, options.model_dump(mode="json"), run.seed])
    title = f"tune.linear: C of {len(options.c)}"
    chosen = choose_strength(rows, task, candidates, run, title=title, key=key)
    run.progress.start(f"tune.linear: C = {chosen.c:g}, all rows", columns)
    coef, bias = fit_rows(rows, task, chosen.c, run)
    terms = len(features)
    of_fields = None if fields is None else coef[terms:].astype(np.float32)
    engine = LinearEngine(features, coef[:terms].astype(np.float16), bias.astype(np.float32), task.heads, of_fields)
    given = None if fields is None else fields.of_table(inputs.validation)
    outputs = engine.run(engine.encode(inputs.validation.texts), given)
    items = [Item(text) for text in inputs.validation.texts]
    calibration = task.fit(outputs, golds, items)
    card = Card(
        **card_fields(task, calibration),
        form="linear",
        method="tune.linear",
        language=inputs.language,
        masking=mask.VERSION,
        parameters=int(coef.size + bias.size),
        data=data,
        lineage=({"method": "tune.linear", "options": options.model_dump(mode="json"), "parent": ""},),
        metrics=validation_metrics(task, outputs, calibration, golds, items),
        features={} if fields is None else fields.to_json(),
        notes={
            "c": chosen.c,
            "cross_validation": [{"c": c, metric_names(task)[0]: score} for c, score in chosen.tried],
            "rows_to_choose": chosen.rows,
            "terms": len(features),
            "segmenter": features.segmenter,
        },
    )
    return write_artifact(run.out, card, engine.write)


def _encode(train: Table, options: Options, run: Run, columns: int) -> tuple[Features, Any]:
    from scipy.sparse import csr_matrix

    if not options.text:
        return Features(Terms(0, 0), (), np.zeros(0, dtype=np.float32)), csr_matrix((len(train), 0))
    most = min(options.max_features, _COEFFICIENT_BYTES // (2 * columns))
    run.progress.start("tune.linear: features", 2 * len(train))

    def seen() -> None:
        _check_stop(run)
        run.progress.advance()

    features = fit_features(train.texts, options.words, options.characters, options.min_df, most, seen)
    encoded: list[Row] = []
    for text in train.texts:
        encoded.append(features.encode(text))
        seen()
    ends = np.cumsum([0, *(len(row) for row in encoded)])
    flat = np.concatenate(encoded)
    matrix = csr_matrix(
        (flat["weight"].astype(np.float64), flat["index"].astype(np.int32), ends.astype(np.int32)),
        shape=(len(train), len(features)),
    )
    return features, matrix


def _beside(matrix: Any, numbers: npt.NDArray[np.float32]) -> Any:
    """TF-IDF columns, and after them those of declared fields."""
    from scipy.sparse import csr_matrix, hstack

    return hstack([matrix, csr_matrix(numbers.astype(np.float64))], format="csr")


def _check_stop(run: Run) -> None:
    if run.stop():
        raise RunInterruptedError("stopped", fix="run the same command again to continue")
