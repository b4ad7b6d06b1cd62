"""What other teams would run, as fast as they fairly could: the Hugging Face pipeline, and ONNX Runtime in INT8."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.model.encoder import Classifier, load_classifier
from penjing.runtime.export import export_onnx
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
    run = pipeline("text-classification", model=_Model(config, classifier).eval(), tokenizer=tokenizer, device="cpu")

    def classify(texts: Sequence[str]) -> list[Any]:
        with torch.inference_mode():
            results: list[Any] = run(list(texts), truncation=True, padding=True, batch_size=len(texts))
        return results

    return classify


def onnx_int8(artifact: Artifact, threads: int, folder: Path) -> Run:
    """The same weights of a torch artifact in ONNX Runtime's dynamic INT8, as a careful engineer would serve them.

    Weights per channel, the raw tokenizer without its Python wrapper, padding to the longest text of a batch; texts
    beyond the model's length are cut. The model is written into `folder`. Returns a callable over texts that gives one
    label a text. Raises UsageError for an artifact of another form.
    """
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    _torch_only(artifact)
    full = export_onnx(load_classifier(artifact), folder)
    model = onnx.load(full)
    # The quantizer infers the shapes itself and refuses to go on where those in the file differ.
    del model.graph.value_info[:]
    small = folder / "int8.onnx"
    # It advises on the root logger to prepare the model first, which for an encoder changes nothing.
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(model, small, per_channel=True, weight_type=QuantType.QInt8)
    finally:
        logging.disable(logging.NOTSET)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    session = onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
    labels, tokens = artifact.card.labels, Tokens.load(artifact)
    tokenizer = read_tokenizer(artifact.folder / TOKENIZER)
    tokenizer.enable_truncation(tokens.limit)
    tokenizer.enable_padding(pad_id=tokens.pad_id)

    def classify(texts: Sequence[str]) -> list[Any]:
        encoded = tokenizer.encode_batch_fast(list(texts))
        feed = {
            "input_ids": np.array([row.ids for row in encoded], dtype=np.int64),
            "attention_mask": np.array([row.attention_mask for row in encoded], dtype=np.int64),
        }
        return [labels[place] for place in session.run(["logits"], feed)[0].argmax(axis=1)]

    return classify


def _torch_only(artifact: Artifact) -> None:
    if artifact.card.form != "torch":
        raise UsageError(
            f"it takes a torch artifact, and this one is of form `{artifact.card.form}`",
            where=str(artifact.folder),
            fix="give the artifact of the `tune.full` step",
        )
