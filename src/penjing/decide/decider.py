"""Text and fields -> decision: the one code path of command line, service and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from penjing.core.errors import DamageError, RequestError
from penjing.core.nouns import Decision, Prediction, Release, Scalar
from penjing.data.mask import Masked, open_masking
from penjing.data.pair_text import empty_text
from penjing.decide.draw import Drawer
from penjing.decide.identity import check_id, new_id
from penjing.decide.policy import Policy, load_policy
from penjing.engines.protocol import Device
from penjing.runtime.open import open_served
from penjing.runtime.selfcheck import run_selfcheck
from penjing.runtime.session import Session

MAX_CHARACTERS = 100_000


@dataclass(frozen=True)
class Request:
    """A text to decide; `fields` as the release declares them; `id` only if the caller has one of its own.

    text: as the user sent it, or already masked by the masking of the release: then its fields are masked too, and
    neither is masked again.
    where: the name of this request in errors; None: its position among those that are decided together.
    """

    text: str | Masked
    fields: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Decided:
    """A decision with the masked text and the prediction on which it is based."""

    decision: Decision
    masked: Masked
    prediction: Prediction


class Decider:
    """A release ready to decide: session, policy, self-check. Safe for reading from several threads.

    drawer: draws the audits; a service gives it a secret key. Without one the key is the id of the release.
    """

    def __init__(self, release: Release, threads: int = 0, device: Device = "cpu") -> None:
        """Open a verified release. Raises DamageError if it cannot be trusted on this machine, UsageError if it
        names a masking, a folding or a form of rules that this installation does not know.
        """
        masking = open_masking(release.info.masking, str(release.folder))
        self.release = release
        self.session: Session = open_served(release, threads=threads, device=device)
        run_selfcheck(self.session, release)
        self.policy: Policy = load_policy(release)
        self.drawer = Drawer(release.id.encode())
        self.policy.compile()
        named = {masking.version, self.session.masking.version, self.policy.spec.masking}
        if len(named) > 1:
            raise DamageError(
                f"the release, its model and its policy name different maskings: {', '.join(sorted(named))}",
                where=str(release.folder),
                fix="make the release again",
            )

    def decide(self, requests: Sequence[Request], clock: str | None = None) -> list[Decided]:
        """One decision a request, in their order; all or none. `clock`: ISO 8601, now if it is not given.

        Raises RequestError for the first request that cannot be decided.
        """
        clock = clock or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        ready = [self.read(one, one.where or place(i, len(requests))) for i, one in enumerate(requests)]
        predictions = self.session.predict([masked.text for _, masked, _ in ready], [fields for _, _, fields in ready])
        return [
            Decided(
                decision=self.policy.decide(record, self._facts(prediction, masked, fields, clock)),
                masked=masked,
                prediction=prediction,
            )
            for (record, masked, fields), prediction in zip(ready, predictions, strict=True)
        ]

    def _facts(
        self, prediction: Prediction, masked: Masked, fields: Mapping[str, Scalar], clock: str
    ) -> dict[str, Any]:
        return self.policy.facts(prediction, masked, fields, clock, self.drawer.draw(masked.text, fields))

    def read(self, request: Request, where: str | None = None) -> tuple[str, Masked, dict[str, Scalar]]:
        """Id, masked text and typed fields of a request. Raises RequestError."""
        masked = self.masked(request.text, where)
        record = new_id() if request.id is None else check_id(request.id, where)
        schema = self.policy.schema
        if isinstance(request.text, Masked):
            return record, masked, schema.recorded(request.fields)
        return record, masked, schema.read(request.fields, where)

    def masked(self, text: str | Masked, where: str | None = None) -> Masked:
        """A raw text as the model sees it. Raises RequestError if it is not a text, too long, or empty."""
        written = text.text if isinstance(text, Masked) else text
        if not isinstance(written, str):
            raise RequestError(f"the text is of type {type(text).__name__}", where=where, fix="send a string")
        if len(written) > MAX_CHARACTERS:
            raise RequestError(
                f"the text has {len(written):,} characters; at most {MAX_CHARACTERS:,} are decided",
                where=where,
                fix="send the part that matters, or split it",
            )
        try:
            masked = text if isinstance(text, Masked) else self.session.prepare(text)
        except RequestError as error:
            raise RequestError(error.what, where=where, fix=error.fix) from None
        if not masked.text and self.session.reads_text:
            empty = empty_text(written, self.session.task)
            raise RequestError(empty.what, where=where, fix=empty.fix)
        return masked


def place(index: int, count: int) -> str | None:
    """The name of a request among several, for errors."""
    return f"request {index + 1}" if count > 1 else None
