"""Texts without labels: none that is known, the same ones for the same seed, as rows of what is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run
from penjing.model.encoder import Classifier
from penjing.model.fields import inner
from penjing.train.supervised import IdRows
from penjing.tune.full import Options
from penjing.tune.further import rows_of_texts, unlabelled_texts
from penjing.tune.job import prepare_job, whole_model

MORE = tuple(f"price{number} common{number}" for number in range(10))


def test_known_texts_are_left_out_and_each_is_drawn_once(inputs: Inputs) -> None:  # noqa: F811
    given = replace(inputs, unlabelled=(*MORE, *MORE, inputs.train.texts[0], inputs.validation.texts[0]))
    assert sorted(unlabelled_texts("a", given, 0, 0)) == sorted(MORE)
    assert unlabelled_texts("a", given, 4, 1) == unlabelled_texts("a", given, 4, 1)
    assert len(set(unlabelled_texts("a", given, 4, 1))) == 4
    assert unlabelled_texts("a", given, 0, 1) != unlabelled_texts("a", given, 0, 2)


def test_without_any_the_method_is_named(inputs: Inputs) -> None:  # noqa: F811
    with pytest.raises(UsageError, match=r"`tune\.selftrain` learns from texts without labels") as told:
        unlabelled_texts("tune.selftrain", replace(inputs, unlabelled=inputs.train.texts), 0, 0)
    assert "unlabelled: [texts.csv]" in (told.value.fix or "")


@pytest.mark.parametrize(("layers", "width"), [("all", None), (1, 32)])
def test_rows_are_ids_or_the_states_below_the_trained_layers(
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
    layers: str | int,
    width: int | None,
) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    run.scratch.mkdir()
    job = prepare_job("tune.full", inputs, Options(**QUICK | {"layers": layers}), run)
    classifier = inner(whole_model(job)[0])
    assert isinstance(classifier, Classifier)
    rows = rows_of_texts(MORE[:3], job, classifier)
    given, mask = rows.load(np.array([0, 2]))
    assert isinstance(rows, IdRows) == (width is None)
    assert mask.shape == (2, 4), "two words between the first and the last token"
    assert given.shape == ((2, 4) if width is None else (2, 4, width))
