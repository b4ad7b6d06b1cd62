"""All engines agree with torch; padding and neighbours change nothing; what is missing or damaged is told."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penjing.core.errors import DamageError, MissingPackageError
from penjing.core.machine import cores
from penjing.core.nouns import Artifact
from penjing.runtime.open import open_engine
from penjing.runtime.session import Session

FORMS = ("torch", "onnx", "openvino")
TEXTS = ["房间很干净", "good", "服务员态度也好下次还会再来住", "快递太慢了包装破 bad slow", "", "很 " * 30]


@pytest.mark.parametrize("form", FORMS[1:])
def test_an_engine_agrees_with_torch(open_form: Callable[..., Session], form: str) -> None:
    expected, found = (open_form(each).outputs(TEXTS)["label"] for each in ("torch", form))
    assert found.shape == (len(TEXTS), 2) and found.dtype == np.float32
    assert np.ptp(expected, axis=0).min() > 0.05, "the texts must differ for this to say anything"
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_row_has_the_same_bits_alone_and_among_others(artifacts: dict[str, Artifact], form: str) -> None:
    engine = open_engine(artifacts[form], threads=1)
    rows = engine.encode(TEXTS * 3)
    alone = np.concatenate([engine.run([row])["label"] for row in rows])
    assert np.array_equal(engine.run(rows)["label"], alone)
    assert np.array_equal(engine.run(rows[::-1])["label"], alone[::-1])


def test_padding_does_not_change_a_torch_row(artifacts: dict[str, Artifact]) -> None:
    engine = open_engine(artifacts["torch"], threads=1)
    short, long = engine.encode(["good", "很" * 35])
    np.testing.assert_allclose(engine.run([short, long])["label"][:1], engine.run([short])["label"], rtol=0, atol=1e-5)


def test_no_number_of_threads_means_all_cores(artifacts: dict[str, Artifact]) -> None:
    assert open_engine(artifacts["onnx"]).fingerprint()["threads"] == str(cores())


def test_a_missing_engine_is_named_with_its_install_command(
    artifacts: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'penjing\[openvino\]'"):
        open_engine(artifacts["openvino"], threads=1)


@pytest.mark.parametrize(("form", "name"), [("onnx", "model.onnx"), ("openvino", "model.xml")])
@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_file_that_is_no_model_is_damage(
    artifacts: dict[str, Artifact], tmp_path: Path, form: str, name: str, content: bytes | None
) -> None:
    folder = tmp_path / form
    shutil.copytree(artifacts[form].folder, folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(DamageError, match=name):
        open_engine(Artifact(folder, "", artifacts[form].card), threads=1)
