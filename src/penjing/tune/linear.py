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

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.core.abilities import ChainedTask
from penjing.core.artifact import write_artifact
from penjing.core.canon import digest
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.options import Options as _Options
from penjing.core.stop import check_stop
from penjing.core.task import CatalogueTask, HeadKind, Item, JointTask, Task
from penjing.data import mask
from penjing.data.features import features_for, rows_fingerprint
from penjing.engines.linear import LinearEngine, columns_of
from penjing.engines.linear_joint import JointLinearEngine
from penjing.engines.linear_tokens import TokenLinearEngine
from penjing.tasks import card_fields, task_for
from penjing.tasks.measure import metric_names, validation_metrics
from penjing.text.tfidf import Features, Row, Terms, fit_features
from penjing.train.linear import STRENGTHS, Candidates, Chosen, SparseRows, Strength, choose_strength, fit_rows
from penjing.tune.augmented import Copies, with_copies
from penjing.tune.linear_catalogue import CatalogueSetting, fit_catalogue, refuse_fields
from penjing.tune.linear_tokens import TokenSetting, apply_tokens, fit_tokens

# So that the coefficients (float16) stay under 24 MB and a release under 30.
_COEFFICIENT_BYTES = 24_000_000
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
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
    chain: bool = Field(
        True,
        description="whether tags in a text are learned as a chain; false: each by itself, and then what follows what",
    )
    augment: Copies = Field(
        default_factory=lambda: Copies(), description="altered copies of the train rows: `{swap: 0.1, copies: 2}`"
    )


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Fit on `inputs.train`, the calibration on `inputs.validation`. A parent is not used.

    Raises DataError for tables without gold or with one label only, UsageError for a model that would read nothing,
    RunInterruptedError when stopped.
    """
    inputs = with_copies(inputs, options.augment, run)
    task, fields = task_for(inputs), features_for(inputs)
    kinds = {head.kind for head in task.heads.values()}
    if isinstance(task, JointTask) and kinds != {"pooled"}:
        return apply_joint(inputs, task, options, run)
    if not options.text and fields is None:
        raise UsageError("without the text and without declared features there is nothing to learn from")
    if kinds != {"pooled"}:
        return apply_tokens(inputs, task, _for_tokens(task, options), run)
    golds = inputs.validation.labels or ()
    data = rows_fingerprint(inputs)
    engine, chosen = _fit(inputs, task, options, run)
    features = engine.features
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
        parameters=engine.parameters,
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


def _for_tokens(task: Task, options: Options) -> TokenSetting:
    most = min(options.max_features, _COEFFICIENT_BYTES // (2 * sum(head.size for head in task.heads.values())))
    candidates = Candidates(options.c, options.folds, options.rows_to_choose)
    return TokenSetting(candidates, options.min_df, most, options.chain, options.model_dump(mode="json"))


def _fit(inputs: Inputs, task: Task, options: Options, run: Run) -> tuple[LinearEngine, Chosen]:
    """The model of pooled heads on `inputs.train`, and the strength that was chosen."""
    fields = features_for(inputs)
    if isinstance(task, CatalogueTask):
        refuse_fields(fields)
        setting = CatalogueSetting(options.words, options.characters, options.max_features)
        return fit_catalogue(inputs.train, task, setting, run)
    # The train rows alone must also have at least two labels.
    task.learn(inputs.train.labels or ())
    columns = columns_of(task.heads)
    features, matrix = _encode(inputs.train, options, run, columns)
    if fields is not None:
        matrix = _beside(matrix, fields.of_table(inputs.train))
    rows = SparseRows.of(matrix, task, inputs.train, options.text)
    candidates = Candidates(options.c, options.folds, options.rows_to_choose)
    key = digest([rows_fingerprint(inputs), task.name, task.state, options.model_dump(mode="json"), run.seed])
    title = f"tune.linear: C of {len(options.c)}"
    chosen = choose_strength(rows, task, candidates, run, title=title, key=key)
    run.progress.start(f"tune.linear: C = {chosen.c:g}, all rows", columns)
    coef, bias = fit_rows(rows, task, chosen.c, run)
    terms = len(features)
    of_fields = None if fields is None else coef[terms:].astype(np.float32)
    weights = coef[:terms].astype(np.float16)
    return LinearEngine(features, weights, bias.astype(np.float32), task.heads, of_fields), chosen


def apply_joint(inputs: Inputs, task: JointTask, options: Options, run: Run) -> Artifact:
    """A model of all tasks about whole texts together, and one of each about pieces of the text, as one artifact.

    Each is fitted on the rows that have gold for it. Raises UsageError for declared features.
    """
    whole = cast(Task, task)
    if features_for(inputs) is not None or not options.text:
        raise UsageError(
            "`tune.linear` reads no declared features where a task answers with pieces of the text",
            fix="take `features:` out, or leave that task out",
        )
    apart = {name: task.only([name]) for name in whole.scopes}
    by_token = [name for name, one in apart.items() if any(head.kind != "pooled" for head in one.heads.values())]
    parts: dict[str, TokenLinearEngine] = {}
    chosen: dict[str, float] = {}
    following: dict[str, Any] = {}
    for name in by_token:
        sub = apart[name]
        fit = fit_tokens(_with_gold(inputs, sub), sub, _for_tokens(sub, options), _inside(run, name))
        parts |= {head: fit.engine.only(head) for head in sub.heads}
        chosen[name], following = fit.chosen.c, following | dict(fit.following)
    pooled = None
    if rest := [name for name in whole.scopes if name not in by_token]:
        sub = task.only(rest)
        pooled, strength = _fit(_with_gold(inputs, sub), sub, options, _inside(run, "whole"))
        chosen |= dict.fromkeys(rest, strength.c)
    engine = JointLinearEngine(whole.heads, pooled, {name: parts[name] for name in whole.heads if name in parts})
    whole = whole.chained(following) if following and isinstance(whole, ChainedTask) else whole
    outputs = engine.alone(inputs.validation.texts)
    texts, golds = inputs.validation.texts, inputs.validation.labels or ()
    items = [Item(text, places) for text, places in zip(texts, engine.places(texts), strict=True)]
    calibration = whole.fit(outputs, golds, items)
    card = Card(
        **card_fields(whole, calibration),
        form="linear",
        method="tune.linear",
        language=inputs.language,
        masking=mask.VERSION,
        parameters=engine.parameters,
        data=rows_fingerprint(inputs),
        lineage=({"method": "tune.linear", "options": options.model_dump(mode="json"), "parent": ""},),
        metrics=validation_metrics(whole, outputs, calibration, golds, items),
        notes={"c": chosen, "segmenter": pooled.features.segmenter if pooled is not None else ""},
    )
    return write_artifact(run.out, card, engine.write)


def _with_gold(inputs: Inputs, task: Task) -> Inputs:
    """The inputs with the rows that have gold for some of these tasks."""
    tables = []
    for table in (inputs.train, inputs.validation):
        strata = task.strata(table.labels or ())
        tables.append(table.take([row for row, stratum in enumerate(strata) if stratum]))
    return replace(inputs, train=tables[0], validation=tables[1])


def _inside(run: Run, name: str) -> Run:
    """The run with a scratch folder of its own for one of several models."""
    return replace(run, scratch=run.scratch / name)


def _encode(train: Table, options: Options, run: Run, columns: int) -> tuple[Features, Any]:
    from scipy.sparse import csr_matrix

    if not options.text:
        return Features(Terms(0, 0), (), np.zeros(0, dtype=np.float32)), csr_matrix((len(train), 0))
    most = min(options.max_features, _COEFFICIENT_BYTES // (2 * columns))
    run.progress.start("tune.linear: features", 2 * len(train))

    def seen() -> None:
        check_stop(run.stop)
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
