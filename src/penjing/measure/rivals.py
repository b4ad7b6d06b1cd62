"""What other teams would run, in its best fair setting: the Hugging Face pipeline, ONNX Runtime, embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penjing.core.errors import MissingPackageError, UsageError
from penjing.core.nouns import Artifact
from penjing.engines.export import export_onnx
from penjing.engines.export import onnx_int8 as quantize
from penjing.measure.rival_onnx import answer_onnx, output_names, padded
from penjing.model.encoder import Classifier, load_classifier, load_encoder, quiet_transformers
from penjing.model.heads import mean_pool
from penjing.model.prompt import run_encoder
from penjing.text.tokens import TOKENIZER, Tokens, read_tokenizer

INT8_MODEL = "int8.onnx"
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

    names = output_names(artifact)
    config = _Config(id2label=dict(enumerate(names)), label2id={name: place for place, name in enumerate(names)})
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(artifact.folder / TOKENIZER))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(tokens.pad_id)
    tokenizer.model_max_length = tokens.limit
    torch.set_num_threads(threads)
    with quiet_transformers():  # it would print a list of the classes that it supports
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
    names, encode = output_names(artifact), padded(artifact)
    torch.set_num_threads(threads)
    if compiled:
        model = torch.compile(model, dynamic=True)

    def classify(texts: Sequence[str]) -> list[Any]:
        feed = {name: torch.from_numpy(array) for name, array in encode(texts).items()}
        with torch.inference_mode():
            return [names[place] for place in model(**feed).argmax(dim=1).tolist()]

    return classify


def frozen_embeddings(
    base: Artifact, threads: int, texts: Sequence[str], labels: Sequence[str], validation: tuple[Any, Any]
) -> Run:
    """Mean-pooled states of an untuned encoder and logistic regression on them, C chosen on validation.

    This is what a team without transformer training does (SetFit's second half; Tunstall et al., 2022). Returns a
    callable over texts that gives one label a text.
    """
    encoder, encode = load_encoder(base), padded(base)
    torch.set_num_threads(threads)

    def embed(some: Sequence[str]) -> Any:
        feed = {name: torch.from_numpy(array) for name, array in encode(some).items()}
        with torch.inference_mode():
            states = mean_pool(run_encoder(encoder, **feed), feed["attention_mask"])
        return torch.nn.functional.normalize(states, dim=1).numpy()

    return _regression(embed, texts, labels, validation)


def model2vec(
    base: Artifact,
    threads: int,
    texts: Sequence[str],
    labels: Sequence[str],
    validation: tuple[Any, Any],
    stored: Path,
    dimensions: int = 256,
) -> Run:
    """Model2Vec of an untuned encoder, and logistic regression on it, C chosen on validation.

    The recipe of its authors (van Dongen and Tulkens, 2024): the mean state of every token of the vocabulary by itself,
    its principal components, each token weighted by a / (a + p) with a = 1e-4 and p by Zipf's law; run by their own
    library. The vectors are stored in the file `stored`, and read from it if it exists. Returns a callable over texts
    that gives one label a text. Raises MissingPackageError without `model2vec`.
    """
    try:
        from model2vec import StaticModel
    except ModuleNotFoundError:
        raise MissingPackageError(
            "the rival Model2Vec needs the package `model2vec`", fix="pip install 'penjing[dev]'"
        ) from None
    torch.set_num_threads(threads)
    if not stored.exists():
        states = _token_states(base)
        states -= states.mean(axis=0)
        if dimensions < states.shape[1]:
            # eigh sorts by increasing variance.
            states = states @ np.linalg.eigh(np.cov(states.T))[1][:, : -dimensions - 1 : -1]
        shares = 1 / np.arange(2, len(states) + 2)
        weights = 1e-4 / (1e-4 + shares / shares.sum())
        stored.parent.mkdir(parents=True, exist_ok=True)
        np.save(stored, (states * weights[:, None]).astype(np.float32))
    model = StaticModel(np.load(stored), read_tokenizer(base.folder / TOKENIZER), normalize=True)
    return _regression(lambda some: model.encode(list(some)), texts, labels, validation)


def _token_states(base: Artifact) -> Any:
    """The mean state of every token between the special ones, (vocabulary, width)."""
    encoder, tokenizer = load_encoder(base), read_tokenizer(base.folder / TOKENIZER)
    around = tokenizer.encode("a").ids
    size, parts = tokenizer.get_vocab_size(), []
    for first in range(0, size, 512):
        ids = torch.tensor([[around[0], token, around[-1]] for token in range(first, min(first + 512, size))])
        with torch.inference_mode():
            states = run_encoder(encoder, ids, torch.ones_like(ids))
        parts.append(states.mean(dim=1).numpy())
    return np.concatenate(parts).astype(np.float64)


def _regression(
    embed: Callable[[Sequence[str]], Any], texts: Sequence[str], labels: Sequence[str], validation: tuple[Any, Any]
) -> Run:
    from sklearn.linear_model import LogisticRegression

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
    """The weights of a torch artifact in ONNX Runtime in float32; otherwise as `onnx_int8`."""
    _torch_only(artifact)
    return answer_onnx(artifact, export_onnx(load_classifier(artifact), folder), threads)


def onnx_int8(artifact: Artifact, threads: int, folder: Path) -> Run:
    """The same weights of a torch artifact in ONNX Runtime's dynamic INT8, as a careful engineer would serve them.

    Weights per channel, the raw tokenizer without its Python wrapper, padding to the longest text of a batch; texts
    beyond the model's length are cut. The model is written into `folder`. Returns a callable over texts that gives one
    label a text. Raises UsageError for an artifact of another form.
    """
    _torch_only(artifact)
    small = folder / INT8_MODEL
    quantize(export_onnx(load_classifier(artifact), folder), small)
    return answer_onnx(artifact, small, threads)


def _torch_only(artifact: Artifact) -> None:
    if artifact.card.form != "torch":
        raise UsageError(
            f"it takes a torch artifact, and this one is of form `{artifact.card.form}`",
            where=str(artifact.folder),
            fix="give the artifact of the `tune.full` step",
        )
