"""What other teams would run, as fast as they fairly could: the Hugging Face pipeline, and ONNX Runtime in INT8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.model.encoder import Classifier, load_classifier, load_encoder, mean_pool, quiet_transformers
from penjing.runtime.export import export_onnx
from penjing.runtime.export import onnx_int8 as quantize
from penjing.runtime.tokens import TOKENIZER, Tokens, read_tokenizer

Run = Callable[[Sequence[str]], list[Any]]


def hugging_face_pipeline(artifact: Artifact, threads: int) -> Run:
    """The plain `pipeline("text-classification")` of a torch artifact: what most teams would run.

    The baseline gets its fair setting: dynamic padding, the same threads, inference mode, sdpa. Returns a callable
    over texts that gives one `{"label", "score"}` a text; texts beyond the model's length are cut by it.
    Raises UsageError for an artifact of another form.
    """
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast, pipeline
    from transformers.modeling_outputs import SequenceClassifierOutput

    _torch_only(artifact)
    classifier = load_classifier(artifact)
    tokens = Tokens.load(artifact)

    class _Config(PretrainedConfig):  # type: ignore[misc]
        model_type = "penjing-classifier"

    class _Model(PreTrainedModel):  # type: ignore[misc]
        config_class = _Config

        def __init__(self, config: Any, inner: Classifier) -> None:
            super().__init__(config)
            self.inner = inner

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            return SequenceClassifierOutput(logits=self.inner(input_ids, attention_mask))

    labels = artifact.card.labels
    config = _Config(id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)})
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(artifact.folder / TOKENIZER))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(tokens.pad_id)
    tokenizer.model_max_length = tokens.limit
    torch.set_num_threads(threads)
    with quiet_transformers():  # it lists every class that it would rather see
        run = pipeline(
            "text-classification", model=_Model(config, classifier).eval(), tokenizer=tokenizer, device="cpu"
        )

    def classify(texts: Sequence[str]) -> list[Any]:
        with torch.inference_mode():
            results: list[Any] = run(list(texts), truncation=True, padding=True, batch_size=len(texts))
        return results

    return classify


def plain_torch(artifact: Artifact, threads: int, *, compiled: bool = False) -> Run:
    """The teacher in torch without the pipeline around it, with the raw tokenizer; compiled: by `torch.compile`.

    Returns a callable over texts that gives one label a text. Raises UsageError for an artifact of another form.
    """
    _torch_only(artifact)
    model: Any = load_classifier(artifact)
    labels, encode = artifact.card.labels, _encoder(artifact)
    torch.set_num_threads(threads)
    if compiled:
        model = torch.compile(model, dynamic=True)

    def classify(texts: Sequence[str]) -> list[Any]:
        feed = {name: torch.from_numpy(array) for name, array in encode(texts).items()}
        with torch.inference_mode():
            return [labels[place] for place in model(**feed).argmax(dim=1).tolist()]

    return classify


def frozen_embeddings(
    base: Artifact, threads: int, texts: Sequence[str], labels: Sequence[str], validation: tuple[Any, Any]
) -> Run:
    """Mean-pooled states of an encoder as it came and logistic regression on them, C chosen on validation.

    What a team does that trains no transformer (SetFit's second half; Tunstall et al., 2022). Returns a callable over
    texts that gives one label a text.
    """
    from sklearn.linear_model import LogisticRegression

    encoder, encode = load_encoder(base), _encoder(base)
    torch.set_num_threads(threads)

    def embed(some: Sequence[str]) -> Any:
        feed = {name: torch.from_numpy(array) for name, array in encode(some).items()}
        with torch.inference_mode():
            states = mean_pool(encoder(**feed).last_hidden_state, feed["attention_mask"])
        return torch.nn.functional.normalize(states, dim=1).numpy()

    def embed_all(some: Sequence[str]) -> Any:
        order = sorted(range(len(some)), key=lambda i: len(some[i]))
        parts = [embed([some[i] for i in order[first : first + 64]]) for first in range(0, len(order), 64)]
        found = np.concatenate(parts)
        found[order] = found.copy()
        return found

    rows, watched = embed_all(texts), embed_all(validation[0])
    fitted = [LogisticRegression(C=c, max_iter=2000).fit(rows, list(labels)) for c in (1.0, 10.0, 100.0, 1000.0)]
    best = max(fitted, key=lambda one: one.score(watched, list(validation[1])))
    return lambda some: best.predict(embed(some)).tolist()


def onnx_float32(artifact: Artifact, threads: int, folder: Path) -> Run:
    """The weights of a torch artifact in ONNX Runtime's float32; for the rest as `onnx_int8`."""
    _torch_only(artifact)
    return _onnx(artifact, export_onnx(load_classifier(artifact), folder), threads)


def onnx_int8(artifact: Artifact, threads: int, folder: Path) -> Run:
    """The same weights of a torch artifact in ONNX Runtime's dynamic INT8, as a careful engineer would serve them.

    Weights per channel, the raw tokenizer without its Python wrapper, padding to the longest text of a batch; texts
    beyond the model's length are cut. The model is written into `folder`. Returns a callable over texts that gives one
    label a text. Raises UsageError for an artifact of another form.
    """
    _torch_only(artifact)
    small = folder / "int8.onnx"
    quantize(export_onnx(load_classifier(artifact), folder), small)
    return _onnx(artifact, small, threads)


def _onnx(artifact: Artifact, path: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    labels, encode = artifact.card.labels, _encoder(artifact)

    def classify(texts: Sequence[str]) -> list[Any]:
        return [labels[place] for place in session.run(["logits"], encode(texts))[0].argmax(axis=1)]

    return classify


def _encoder(artifact: Artifact) -> Callable[[Sequence[str]], dict[str, Any]]:
    """Texts -> `input_ids` and `attention_mask`, (texts, tokens) int64, padded to the longest of them."""
    tokens = Tokens.load(artifact)
    tokenizer = read_tokenizer(artifact.folder / TOKENIZER)
    tokenizer.enable_truncation(tokens.limit)
    tokenizer.enable_padding(pad_id=tokens.pad_id)

    def encode(texts: Sequence[str]) -> dict[str, Any]:
        encoded = tokenizer.encode_batch_fast(list(texts))
        return {
            "input_ids": np.array([row.ids for row in encoded], dtype=np.int64),
            "attention_mask": np.array([row.attention_mask for row in encoded], dtype=np.int64),
        }

    return encode


def _torch_only(artifact: Artifact) -> None:
    if artifact.card.form != "torch":
        raise UsageError(
            f"it takes a torch artifact, and this one is of form `{artifact.card.form}`",
            where=str(artifact.folder),
            fix="give the artifact of the `tune.full` step",
        )
