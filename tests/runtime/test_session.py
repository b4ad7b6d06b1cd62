"""One path from text to prediction: exact whatever stands beside a text, whole for long ones, without torch."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from penjing.core.errors import RequestError, UsageError
from penjing.core.nouns import Artifact
from penjing.runtime.open import open_session
from penjing.runtime.session import Session
from penjing.tasks.metrics import softmax

TEXTS = ["房间很干净", "good", "服务员态度也好", "快递太慢了包装破 bad slow", "住" * 30] * 6
LONG = "房间很干净服务员态度也好" * 20


@pytest.mark.parametrize("form", ["torch", "onnx", "openvino"])
def test_probabilities_are_calibrated_and_rounded(open_form: Callable[..., Session], form: str) -> None:
    session = open_form(form)
    expected = softmax(session.outputs(TEXTS)["label"], 1.7)
    for prediction, row in zip(session.predict(TEXTS), expected, strict=True):
        assert prediction.artifact == session.artifact.id and prediction.answer.labels == ("bad", "good")
        assert list(prediction.answer.probabilities) == [round(float(p), 6) for p in row]
        assert not prediction.too_long


@pytest.mark.parametrize(
    ("version", "masked"), [("1", "4239 ⟦landline⟧"), ("", "4239 ⟦landline⟧"), ("2", "⟦bank_card⟧")]
)
def test_each_artifact_masks_by_its_own_version(torch_artifact: Artifact, version: str, masked: str) -> None:
    card = torch_artifact.card.model_copy(update={"masking": version})
    session = open_session(Artifact(torch_artifact.folder, "", card), threads=1)
    assert session.prepare("4239 0424 8611 1484").text == masked


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_a_prediction_is_the_same_alone_and_in_any_company(open_form: Callable[..., Session], form: str) -> None:
    session = open_form(form)
    alone = [session.predict([text])[0] for text in [*TEXTS, LONG]]
    assert session.predict([*TEXTS, LONG]) == alone
    assert session.predict([LONG, *TEXTS[::-1]]) == [alone[-1], *alone[-2::-1]]


def test_no_texts_give_no_predictions(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    assert session.predict([]) == []
    assert session.outputs([])["label"].shape == (0, 2)


def test_a_long_text_is_the_mean_of_its_windows_by_the_tokens_they_add(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    tokens = session.engine.tokens  # type: ignore[attr-defined]
    windows = tokens.windows(tokens.encode([LONG])[0])
    assert len(windows) > 3
    parts = np.concatenate([session.engine.run([window.ids])["label"] for window in windows])
    expected = np.average(parts, axis=0, weights=[window.weight for window in windows])
    np.testing.assert_allclose(session.outputs([LONG])["label"][0], expected, atol=1e-6)
    assert not session.predict([LONG])[0].too_long, "it was scored as a whole"
    changed = LONG[:-2] + "破慢"
    assert session.predict([changed])[0].answer.probabilities != session.predict([LONG])[0].answer.probabilities


def test_review_scores_the_first_window_and_says_so(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx", long_texts="review")
    long, short = session.predict([LONG, "good"])
    assert long.too_long and not short.too_long
    assert session.predict([LONG])[0] == long
    tokens = session.engine.tokens  # type: ignore[attr-defined]
    first = session.engine.run([tokens.windows(tokens.encode([LONG])[0])[0].ids])["label"]
    assert list(long.answer.probabilities) == [round(float(p), 6) for p in softmax(first, 1.7)[0]]


def test_prepare_cleans_and_masks_and_refuses_what_is_no_text(open_form: Callable[..., Session]) -> None:
    session = open_form("onnx")
    masked = session.prepare("  电话 13812345678\u200b ")
    assert masked.text == "电话 ⟦mobile⟧" and masked.counts["mobile"] == 1
    for bad in ("a\x00b", "a\ud800b"):
        with pytest.raises(RequestError):
            session.prepare(bad)


@pytest.mark.parametrize("form", ["torch", "onnx", "openvino"])
def test_many_threads_may_ask_at_once(open_form: Callable[..., Session], form: str) -> None:
    session = open_form(form)
    expected = [session.predict([text])[0] for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: session.predict([text])[0], TEXTS * 5))
    assert found == expected * 5


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_warming_meets_every_length(open_form: Callable[..., Session], form: str) -> None:
    session = open_form(form)
    before = session.predict(TEXTS)
    session.warm()
    assert session.predict(TEXTS) == before


def test_an_artifact_without_labels_is_refused(torch_artifact: Artifact) -> None:
    card = torch_artifact.card.model_copy(update={"labels": (), "method": "base"})
    with pytest.raises(UsageError, match="predicts nothing"):
        open_session(Artifact(torch_artifact.folder, "", card))


def test_a_masking_that_is_not_known_is_refused(torch_artifact: Artifact) -> None:
    card = torch_artifact.card.model_copy(update={"masking": "0"})
    with pytest.raises(UsageError, match="masked by version '0'; this installation knows 1, 2"):
        open_session(Artifact(torch_artifact.folder, "", card))


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_an_exported_model_predicts_where_torch_cannot_be_imported(
    artifacts: dict[str, Artifact], open_form: Callable[..., Session], form: str
) -> None:
    script = """
        import sys

        class NoTorch:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {"torch", "transformers", "sklearn", "polars", "nncf", "accelerate"}:
                    raise ModuleNotFoundError(name, name=name)

        sys.meta_path.insert(0, NoTorch())
        from pathlib import Path
        from penjing.core.artifact import open_artifact
        from penjing.runtime.open import open_session

        session = open_session(open_artifact(Path(sys.argv[1])), threads=1)
        print(session.predict([session.prepare(sys.argv[2]).text])[0].answer.probabilities)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(artifacts[form].folder), TEXTS[3]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(open_form(form).predict([TEXTS[3]])[0].answer.probabilities)
