"""The torch engine, for teachers and for models that are not exported yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

import torch

from penjing.core.nouns import Artifact
from penjing.engines.protocol import Array, Outputs, fingerprint, heads_of
from penjing.model.encoder import Classifier, load_classifier
from penjing.text.tokens import Tokens


class TorchEngine:
    """A torch classifier in inference mode; calls from several threads take turns.

    `torch.set_num_threads` applies to the whole process: two torch engines use the number of the one that ran last.
    """

    def __init__(self, classifier: Classifier, tokens: Tokens, threads: int, heads: Sequence[str]) -> None:
        """heads: the names of the heads; a model of one head returns its output without a name."""
        self.tokens, self._heads = tokens, tuple(heads)
        self._classifier = classifier.eval()
        self._threads = threads
        self._lock = Lock()

    @classmethod
    def load(cls, artifact: Artifact, threads: int) -> TorchEngine:
        """The classifier of a torch artifact. Raises UsageError or DamageError as `load_classifier` does."""
        return cls(load_classifier(artifact), Tokens.load(artifact), threads, tuple(heads_of(artifact)))

    def encode(self, texts: Sequence[str]) -> list[Array]:
        """Token ids of each text, (tokens,) int64."""
        return list(self.tokens.encode(texts))

    def run(self, batch: Sequence[Array]) -> Outputs:
        """Outputs of each head, float32."""
        ids, mask = self.tokens.pad(batch)
        with self._lock, torch.inference_mode():
            if torch.get_num_threads() != self._threads:
                torch.set_num_threads(self._threads)
            found = self._classifier(torch.from_numpy(ids), torch.from_numpy(mask))
            named = found if isinstance(found, Mapping) else {self._heads[0]: found}
            return {name: named[name].numpy() for name in self._heads}

    def fingerprint(self) -> dict[str, str]:
        """Engine, version, instruction set, threads."""
        return fingerprint("torch", torch.__version__, self._threads)
