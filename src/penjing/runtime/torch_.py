"""The torch engine, for teachers and for what is not exported yet; and the plain Hugging Face pipeline beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import torch

from penjing.core.nouns import Artifact
from penjing.model.encoder import Classifier, load_classifier
from penjing.runtime.engine import Array, Logits, fingerprint
from penjing.runtime.tokens import TOKENIZER, Tokens


class TorchEngine:
    """A torch classifier in inference mode; calls from several threads take turns.

    `torch.set_num_threads` holds for the whole process: two torch engines share the number of the later one.
    """

    def __init__(self, classifier: Classifier, tokens: Tokens, threads: int) -> None:
        self.tokens = tokens
        self._classifier = classifier.eval()
        self._threads = threads
        self._lock = Lock()

    @classmethod
    def load(cls, artifact: Artifact, threads: int) -> TorchEngine:
        """The classifier of a torch artifact. Raises UsageError or DamageError as `load_classifier` does."""
        return cls(load_classifier(artifact), Tokens.load(artifact), threads)

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Logits:
        """Logits (batch, labels) float32."""
        ids, mask = self.tokens.pad(batch)
        with self._lock, torch.inference_mode():
            if torch.get_num_threads() != self._threads:
                torch.set_num_threads(self._threads)
            logits: Logits = self._classifier(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        return logits

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""
        return fingerprint("torch", torch.__version__, self._threads)


def hugging_face_pipeline(artifact: Artifact, threads: int) -> Callable[[Sequence[str]], list[Any]]:
    """The plain `pipeline("text-classification")` of a torch artifact: what most teams would run.

    The baseline gets its fair setting: dynamic padding, the same threads, inference mode, sdpa. Returns a callable
    over texts that gives one `{"label", "score"}` a text; texts beyond the model's length are cut by it.
    """
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast, pipeline
    from transformers.modeling_outputs import SequenceClassifierOutput

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
