"""Every compressed form says which texts are out of scope: alone as among others, each stage by its own energies."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from penjing.compress import cascade, exit, export, int8, ngrams, static
from penjing.core.errors import DamageError
from penjing.core.nouns import Inputs, Release, ReleaseInfo, Run
from penjing.core.options import Options
from penjing.prove.scope import fit_scope
from penjing.runtime.cascade import CascadeSession
from penjing.runtime.open import open_served, open_session
from penjing.runtime.scope import read_scope

FORMS: dict[str, tuple[ModuleType, Options]] = {
    "onnx": (export, export.Options(engine="onnx")),
    "openvino": (export, export.Options(engine="openvino")),
    "int8": (int8, int8.Options(engine="onnx")),
    "static": (static, static.Options(bits=12, epochs=2, copies=0)),
    "ngrams": (ngrams, ngrams.Options(engine="onnx")),
    "exit": (exit, exit.Options(epochs=1.0, int8=False)),
    "cascade": (cascade, cascade.Options(bits=12, epochs=1, copies=0, agreement=0.97)),
}
OUTSIDE = ["今天天气怎么样", "@@@@ #### ~~~~", "xqzv kkwj zzpl"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_knows_what_is_outside(form: str, inputs: Inputs, tmp_path: Path) -> None:
    method, options = FORMS[form]
    made = method.apply(inputs, options, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    session = open_session(made, threads=1)
    scope = fit_scope(session, inputs.train.texts, inputs.validation, 0.02)
    scope.write(tmp_path)
    served = session.within(read_scope(tmp_path))
    usual = list(inputs.validation.texts)
    found = served.predict([*usual, *OUTSIDE])
    assert [each.answer for each in found] == [each.answer for each in session.predict([*usual, *OUTSIDE])]
    assert [served.predict([text])[0] for text in [*usual[:10], *OUTSIDE]] == [*found[:10], *found[-3:]]
    assert sum(each.out_of_scope for each in found[:-3]) <= 0.02 * (len(usual) + 1)
    assert [each.out_of_scope for each in found[-3:]] == [True] * 3
    assert served.over(lambda engine: engine).predict(usual[:5]) == found[:5]
    assert len(scope.spec.stages) == (2 if form == "cascade" else 1)


def test_each_stage_of_a_cascade_has_the_energies_of_its_own_logits(inputs: Inputs, tmp_path: Path) -> None:
    method, options = FORMS["cascade"]
    session = open_session(method.apply(inputs, options, Run(tmp_path / "out", tmp_path / "scratch", threads=1)))
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    energies, stages = session.energies(texts)
    assert stages == [0 if early else 1 for early in session.exits_early(texts)] and set(stages) == {0, 1}
    both = [session.first, session.second]
    apart = [both[stage].energies([text])[0][0] for text, stage in zip(texts, stages, strict=True)]
    assert energies == pytest.approx(np.array(apart), abs=1e-5)
    one = fit_scope(session.second, inputs.train.texts, inputs.validation, 0.02)
    one.write(tmp_path)
    info = ReleaseInfo(
        name="a", language="en", labels=session.labels, masking="", artifact="", tolerance=0, fingerprint={}
    )
    with pytest.raises(DamageError, match="the scope of the release has 1 stages"):
        open_served(Release(tmp_path, "a", info, session.artifact), threads=1)
