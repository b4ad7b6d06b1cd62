"""Text -> prediction: mask, tokenize, bucket by length, engine, calibrate; one path for evaluation and for serving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Literal, cast

import numpy as np

from penjing.core.abilities import ScopedTask
from penjing.core.nouns import Artifact, Prediction, Scalar
from penjing.core.task import Item, Outputs, PairReader
from penjing.data.features import FieldFeatures
from penjing.data.mask import Masked, open_masking
from penjing.data.pair_text import prepare_texts
from penjing.engines.protocol import Array, Engine, Logits, Placed, one_after_another, run_with
from penjing.runtime.scope import Floats, Scope
from penjing.runtime.windows import cut_rows, join_windows, run_pieces
from penjing.tasks import calibration_of, task_of
from penjing.text.tokens import BUCKETS, Tokens

DIGITS = 6
# Features of the linear engine need no buckets; this many rows a pass bound its memory.
_SLICE = 256
Fields = Sequence[Mapping[str, Scalar]]


class Session:
    """An artifact ready to predict. Safe to use from several threads: its engine takes one run at a time.

    long_texts: "chunk" scores a text of more than `max_tokens` in overlapping windows and takes the mean of their
    logits, each weighted by the tokens that it adds, so that every token counts once; "review" scores the first
    window only and says `too_long`.
    fields, of a model that reads declared fields: those of each text, typed as `FactSchema.read` gives them. What is
    not given is missing, and other models look at none. reads_text: false for a model of declared fields alone, which
    answers an empty text too. reads_pairs: whether a case is two texts, which `core/pair.py` makes one.
    scope: what says of each prediction whether its text is out of scope; None for a model outside a release.
    """

    # The number of stages of which one answers a text, each with energies of its own.
    answering_stages = 1

    def __init__(self, artifact: Artifact, engine: Engine, long_texts: Literal["chunk", "review"] = "chunk") -> None:
        self.artifact = artifact
        self.labels = artifact.card.labels
        self.masking = open_masking(artifact.card.masking, str(artifact.folder))
        self.engine = engine
        self.long_texts = long_texts
        self._tokens: Tokens | None = getattr(engine, "tokens", None)
        self.task = task_of(artifact.card, str(artifact.folder))
        self.calibration = calibration_of(artifact.card)
        self._features = FieldFeatures.from_json(artifact.card.features) if artifact.card.features else None
        self.reads_text: bool = getattr(engine, "reads_text", True)
        self._given: Mapping[str, Scalar] = {}
        self.reads_pairs: bool = isinstance(self.task, PairReader)
        self.scope: Scope | None = None
        self._pooled = all(head.kind == "pooled" for head in self.task.heads.values())

    def prepare(self, raw: str) -> Masked:
        """A raw text cleaned, and masked as the model's data was; a text of `join_texts` where the task reads two.

        Raises RequestError for NUL or a lone surrogate, and where the second text is missing.
        """
        if isinstance(self.task, PairReader):
            return prepare_texts(self.masking, raw, self.task)
        return self.masking.prepare(raw)

    def predict(self, masked: Sequence[str], fields: Fields | None = None) -> list[Prediction]:
        """One prediction a masked text, in their order; probabilities are calibrated and rounded to 1e-6.

        A text's probabilities depend on that text and its fields alone, not on the others of the call.
        """
        if not masked:
            return []
        return self._predictions(masked, *self._score(masked, self._encoded(masked, fields)))

    def given(self, fields: Mapping[str, Scalar]) -> Session:
        """The same session for texts that all have these fields, where a call names none."""
        if self._features is None:
            return self
        made = copy(self)
        made._given = dict(fields)
        return made

    def within(self, scope: Scope | None) -> Session:
        """The same session, whose predictions say whether a text is out of this scope."""
        made = copy(self)
        made.scope = scope
        return made

    def energies(self, masked: Sequence[str], fields: Fields | None = None) -> tuple[Floats, list[int]]:
        """The energy of each text (n,), and the stage that answered it. Only for a `ScopedTask`."""
        outputs, _ = self._score(masked, self._encoded(masked, fields))
        return self._energy(outputs), [0] * len(masked)

    def _energy(self, outputs: Outputs) -> Floats:
        return cast(ScopedTask, self.task).energy(outputs, self.calibration)

    def answering(self, masked: str) -> Session:  # noqa: ARG002 - a session of one model has one answer
        """The session to explain a text with: of several stages the one that answers it, scaled as the answer is."""
        return self

    @property
    def stages(self) -> Mapping[str, Session]:
        """The sessions that this one is made of, by the names of their folders, the encoder last."""
        return {}

    def over(self, change: Callable[[Engine], Engine]) -> Session:
        """The same session over changed engines, such as ones that run in turns; of several stages each one."""
        made = copy(self)
        made.engine = change(self.engine)
        return made

    @property
    def tokens(self) -> Tokens | None:
        """The tokenizer, of a model that reads tokens."""
        return self._tokens

    def _predictions(
        self,
        masked: Sequence[str],
        outputs: Outputs,
        too_long: Sequence[bool],
        energies: tuple[Floats, Sequence[int]] | None = None,
    ) -> list[Prediction]:
        """energies: those of each text and its stage, where the outputs alone do not tell them."""
        items = () if self._pooled else self._items(masked)
        answers = self.task.decode(outputs, self.calibration, items)
        if self.scope is None:
            return [Prediction(self.artifact.id, one, long) for one, long in zip(answers, too_long, strict=True)]
        found, stages = energies or (self._energy(outputs), [0] * len(masked))
        far = self.scope.far(masked, found, stages)
        rows = zip(answers, too_long, far, strict=True)
        return [Prediction(self.artifact.id, one, long, each, self.scope.is_out(each)) for one, long, each in rows]

    def _items(self, masked: Sequence[str]) -> list[Item]:
        """What a head by token needs to give the place of its answer in a text."""
        if self._tokens is None:
            placed = cast(Placed, self.engine).places(masked)
            return [Item(text, one) for text, one in zip(masked, placed, strict=True)]
        places = self._tokens.offsets(masked)
        if self.long_texts == "review":
            places = [self._tokens.first_window(one) for one in places]
        return [Item(text, one) for text, one in zip(masked, places, strict=True)]

    def _encoded(self, masked: Sequence[str], fields: Fields | None) -> Array | None:
        """The numbers of the fields of each text, (n, columns); None for a model that reads the text alone."""
        if self._features is None:
            return None
        return self._features.encode(fields if fields is not None else [self._given] * len(masked))

    def items(self, masked: Sequence[str]) -> list[Item]:
        """The texts as `Task.fit` and `Task.decode` take them, beside the outputs of this session."""
        return [Item(text) for text in masked] if self._pooled else self._items(masked)

    def outputs(self, masked: Sequence[str], fields: Fields | None = None) -> Outputs:
        """Outputs of n masked texts by the name of the head, before the calibration.

        pooled: (n, size) float32; token and span: a list of n arrays (tokens, size), special tokens included.
        """
        if masked:
            return self._score(masked, self._encoded(masked, fields))[0]
        return {
            name: np.zeros((0, head.size), dtype=np.float32) if head.kind == "pooled" else []
            for name, head in self.task.heads.items()
        }

    def logits(self, masked: Sequence[str], fields: Fields | None = None) -> Logits:
        """The output (n, size) of a model of one pooled head, before the calibration."""
        (found,) = self.outputs(masked, fields).values()
        logits: Logits = found
        return logits

    def fingerprint(self) -> dict[str, str]:
        """What the last bits of a probability depend on: engine, version, instruction set, threads.

        Of several stages: the facts of the last one, with the engines and versions of all.
        """
        facts = [stage.fingerprint() for stage in self.stages.values()] or [self.engine.fingerprint()]
        return facts[-1] | {name: " + ".join(each[name] for each in facts) for name in ("engine", "version")}

    def warm(self) -> None:
        """Run every shape once (about a second), so that no request waits while the engine prepares for one."""
        if self.stages:
            for stage in self.stages.values():
                stage.warm()
            return
        if self._tokens is None:
            # A word in Chinese, so that a model with a word segmenter loads its dictionary now (one to two seconds).
            self.engine.run(self.engine.encode(["预热"]))
            return
        body = self._tokens.encode(["a"])[0]
        for length in sorted({min(bucket, self._tokens.limit) for bucket in BUCKETS}):
            self.engine.run([np.resize(body, length)])

    def _score(self, masked: Sequence[str], features: Array | None = None) -> tuple[Outputs, list[bool]]:
        """Outputs of n texts by the name of the head, and whether the end of each text was left out."""
        rows = self.engine.encode(masked)
        outputs, too_long = self._score_rows(rows, features)
        if self._tokens is not None and self.reads_pairs:
            full, windows = self._tokens.limit, self._tokens.passages is not None
            return outputs, [
                long or ((windows or len(row) == full) and self._tokens.is_cut(text))
                for row, text, long in zip(rows, masked, too_long, strict=True)
            ]
        return outputs, too_long

    def _score_rows(self, rows: Sequence[Array], features: Array | None = None) -> tuple[Outputs, list[bool]]:
        """As `_score`, of texts that the engine has encoded."""
        if self._tokens is None and not self._pooled:
            alone = [run_with(self.engine, [row], features) for row in rows]
            found: dict[str, Any] = {name: [one[name][0] for one in alone] for name in self.task.heads}
            pooled = [name for name, head in self.task.heads.items() if head.kind == "pooled"]
            return found | {name: np.stack(found[name]) for name in pooled}, [False] * len(rows)
        if self._tokens is None and len(rows) <= _SLICE:
            return run_with(self.engine, rows, features), [False] * len(rows)
        if self._tokens is None:
            slices = [slice(first, first + _SLICE) for first in range(0, len(rows), _SLICE)]
            parts = [run_with(self.engine, rows[s], None if features is None else features[s]) for s in slices]
            return one_after_another(parts), [False] * len(rows)
        if self._pooled and len(rows) == 1 and len(rows[0]) <= self._tokens.limit:
            return run_with(self.engine, rows, features), [False]
        cut, heads = cut_rows(self._tokens, rows, self.long_texts), self.task.heads
        found = run_pieces(self.engine, self._tokens, cut, heads, features)
        return join_windows(found, cut, heads), cut.too_long
