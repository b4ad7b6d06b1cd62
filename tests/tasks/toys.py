"""Toy tasks that the contract must fit before the real ones are written: spans of a text, one passage, two at once.

Gold is JSON: `[[start, end, label], ...]` of `tag`, `[start, end]` of `answer` (none: `[]`), {name: gold} of both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Answer, Joint, Span, Spans, Written, as_kind
from penjing.core.errors import DataError
from penjing.core.task import ALL, IGNORED, FactKind, Head, Item, MaskedText, Outputs, Section, Task, Unit
from penjing.tasks import open_task
from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.metrics import softmax

Floats = npt.NDArray[np.float64]


def restore(state: Mapping[str, Any]) -> Task:
    """The toy of a state."""
    if state["toy"] == "tag":
        return Tag(tuple(state["labels"]))
    if state["toy"] == "answer":
        return Passage()
    return Together({name: open_task(kind, inner) for name, (kind, inner) in state["parts"].items()})


class Toy:
    """What all of them have in common: one scope, no bands, no report."""

    golds_are_names = False
    golds_are_lists = False
    scopes = (ALL,)

    def strata(self, golds: Sequence[str]) -> list[str]:
        return ["some" if gold not in ("", "[]") else "none" for gold in golds]

    def learn(self, golds: Sequence[str]) -> Any:  # noqa: ARG002
        return self

    def with_rows(self, rows: Mapping[str, int]) -> Any:  # noqa: ARG002
        return self

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002
        return ALL

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        return bool(band) and facts["p"] < 0.5

    def wrong(self, outcome: str, gold: str) -> bool:
        return bool(json.loads(outcome) != json.loads(gold))

    def error_in_words(self) -> dict[str, str]:
        return {}

    errors = ()

    def plain(self) -> dict[str, Any]:
        return {"temperature": 1.0}

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:  # noqa: ARG002
        return ()

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        outcome = self.outcome(facts)  # type: ignore[attr-defined]
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def moved(self, one: Answer, other: Answer) -> float:
        first, second = self.facts(one), self.facts(other)  # type: ignore[attr-defined]
        alike = self.outcome(first) == self.outcome(second)  # type: ignore[attr-defined]
        return abs(first["p"] - second["p"]) if alike else 1.0


@dataclass(frozen=True)
class Tag(Toy):
    """Spans with labels: O, then B and I of each label, one a token."""

    labels: tuple[str, ...]
    name = "tag"

    @property
    def state(self) -> dict[str, Any]:
        return {"toy": "tag", "labels": list(self.labels)}

    @property
    def heads(self) -> Mapping[str, Head]:
        return {"tags": Head("token", 1 + 2 * len(self.labels), "cross_entropy")}

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        spans = json.loads(cell)
        if any(label not in self.labels for _, _, label in spans):
            raise DataError("unknown label")
        if masked is not None:
            spans = [[*masked.offsets.to_masked(start, end), label] for start, end, label in spans]
        return json.dumps(sorted(spans))

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        targets = []
        for gold, item in zip(golds, items, strict=True):
            tags = np.where(item.offsets[:, 1] > item.offsets[:, 0], 0, IGNORED)
            for start, end, label in json.loads(gold):
                inside = np.flatnonzero((item.offsets[:, 0] >= start) & (item.offsets[:, 1] <= end) & (tags != IGNORED))
                tags[inside] = 2 + 2 * self.labels.index(label)
                tags[inside[:1]] -= 1
            targets.append(tags.astype(np.int64))
        return {"tags": targets}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        table, targets = np.concatenate(outputs["tags"]), np.concatenate(self.encode(golds, items)["tags"])
        return {"temperature": fit_temperature(table[targets != IGNORED], targets[targets != IGNORED])}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        answers: list[Answer] = []
        for table, item in zip(outputs["tags"], items, strict=True):
            shares = softmax(table, calibration["temperature"])
            spans: list[Span] = []
            sure, open_tag = 1.0, -1
            for (start, end), row in zip(item.offsets.tolist(), shares, strict=True):
                if end <= start:
                    continue
                tag, p = int(row.argmax()), float(row.max())
                sure *= p
                label = self.labels[(tag - 1) // 2] if tag else ""
                if tag and tag % 2 == 0 and open_tag in (tag, tag - 1):
                    last = spans.pop()
                    spans.append(Span(last.start, end, label, round(min(last.p, p), 6)))
                elif tag:
                    spans.append(Span(start, end, label, round(p, 6)))
                open_tag = tag
            answers.append(Spans(tuple(spans), round(sure, 6)))
        return answers

    def kinds(self) -> dict[str, FactKind]:
        return {"count": "count", "p": "unit"}

    def facts(self, answer: Answer) -> dict[str, Any]:
        spans = as_kind(answer, Spans)
        listed = [[one.start, one.end, one.label] for one in spans.spans]
        return {"count": len(listed), "p": spans.p, "spans": listed}

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return json.dumps(sorted(facts["spans"]))

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:  # noqa: ARG002
        return lambda outputs: np.array([table[:, 1:].max() - table[:, 0].min() for table in outputs["tags"]])

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 4): spans that are right, said, meant; whether all of a text is right."""
        rows = []
        for answer, gold in zip(answers, golds, strict=True):
            said = {(one.start, one.end, one.label) for one in as_kind(answer, Spans).spans}
            meant = {tuple(one) for one in json.loads(gold)}
            rows.append((len(said & meant), len(said), len(meant), said == meant))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 4)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        hits, said, meant, _ = np.moveaxis(np.asarray(sums), -1, 0)
        return {"f1": 2 * hits / np.maximum(said + meant, 1), "precision": hits / np.maximum(said, 1)}


@dataclass(frozen=True)
class Passage(Toy):
    """The passage of a text that answers its question (`Item.other`)."""

    name = "answer"

    @property
    def state(self) -> dict[str, Any]:
        return {"toy": "answer"}

    @property
    def heads(self) -> Mapping[str, Head]:
        return {"passage": Head("span", 2, "cross_entropy")}

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        found = json.loads(cell)
        return json.dumps(list(masked.offsets.to_masked(*found)) if masked is not None and found else found)

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        pairs = np.full((len(golds), 2), IGNORED, dtype=np.int64)
        for row, (gold, item) in enumerate(zip(golds, items, strict=True)):
            # The first token, which is no piece of the text, stands for no answer.
            start, end = json.loads(gold) or (0, 0)
            pairs[row] = 0
            if end > start:
                pairs[row, 0] = np.flatnonzero((item.offsets[:, 0] <= start) & (item.offsets[:, 1] > start))[0]
                pairs[row, 1] = np.flatnonzero((item.offsets[:, 0] < end) & (item.offsets[:, 1] >= end))[0]
        return {"passage": pairs}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        first = self.encode(golds, items)["passage"][:, 0]
        # Of starts alone, each over its own text, with what lies beyond it out of reach.
        width = max(len(table) for table in outputs["passage"])
        rows = [
            np.pad(np.asarray(table)[:, 0], (0, width - len(table)), constant_values=-50)
            for table in outputs["passage"]
        ]
        return {"temperature": fit_temperature(np.array(rows), first)}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        answers: list[Answer] = []
        for table, item in zip(outputs["passage"], items, strict=True):
            shares = softmax(np.asarray(table).T, calibration["temperature"])
            both = np.triu(shares[0][:, None] * shares[1][None, :])
            first, last = np.unravel_index(int(both.argmax()), both.shape)
            start, end = int(item.offsets[first, 0]), int(item.offsets[last, 1])
            p = round(float(both.max()), 6)
            none = end <= start
            answers.append(Written("", p) if none else Written(item.text[start:end], p, start, end))
        return answers

    def kinds(self) -> dict[str, FactKind]:
        return {"text": "text", "p": "unit"}

    def facts(self, answer: Answer) -> dict[str, Any]:
        one = as_kind(answer, Written)
        return {"text": one.text, "p": one.p, "place": [] if one.start is None else [one.start, one.end]}

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return json.dumps(facts["place"])

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:  # noqa: ARG002
        return lambda outputs: np.array([np.max(table) for table in outputs["passage"]])

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 2): rows, and those that are right."""
        pairs = zip(answers, golds, strict=True)
        right = [not self.wrong(self.outcome(self.facts(answer)), gold) for answer, gold in pairs]
        return np.array([(1, one) for one in right], dtype=np.float64).reshape(len(right), 2)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        rows, right = np.moveaxis(np.asarray(sums), -1, 0)
        return {"exact": right / np.maximum(rows, 1)}


@dataclass(frozen=True)
class Together(Toy):
    """Tasks that share one model; each head is named after its task."""

    parts: Mapping[str, Task]
    name = "together"

    @property
    def state(self) -> dict[str, Any]:
        return {"toy": "together", "parts": {name: [part.name, part.state] for name, part in self.parts.items()}}

    @property
    def heads(self) -> Mapping[str, Head]:
        return {f"{name}_{head}": one for name, part in self.parts.items() for head, one in part.heads.items()}

    @property
    def scopes(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.parts)

    def _own(self, name: str, outputs: Outputs) -> dict[str, Any]:
        return {head: outputs[f"{name}_{head}"] for head in self.parts[name].heads}

    @staticmethod
    def _golds(name: str, golds: Sequence[str]) -> list[str]:
        return [json.loads(gold)[name] for gold in golds]

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        found = json.loads(cell)
        return json.dumps({name: part.read(found[name], masked) for name, part in self.parts.items()})

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        return {
            f"{name}_{head}": target
            for name, part in self.parts.items()
            for head, target in part.encode(self._golds(name, golds), items).items()
        }

    def plain(self) -> dict[str, Any]:
        return {name: part.plain() for name, part in self.parts.items()}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        return {
            name: part.fit(self._own(name, outputs), self._golds(name, golds), items)
            for name, part in self.parts.items()
        }

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        each = {
            name: part.decode(self._own(name, outputs), calibration[name], items) for name, part in self.parts.items()
        }
        return [Joint({name: answers[row] for name, answers in each.items()}) for row in range(len(items))]

    def kinds(self) -> dict[str, FactKind]:
        inner = {f"{name}.{fact}": kind for name, part in self.parts.items() for fact, kind in part.kinds().items()}
        return {"p": "unit", **inner}

    def facts(self, answer: Answer) -> dict[str, Any]:
        parts = as_kind(answer, Joint).parts
        found = {name: part.facts(parts[name]) for name, part in self.parts.items()}
        flat = {f"{name}.{fact}": value for name, facts in found.items() for fact, value in facts.items()}
        return {"p": round(float(np.prod([facts["p"] for facts in found.values()])), 6), **flat}

    @staticmethod
    def _facts(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {fact.removeprefix(f"{name}."): value for fact, value in facts.items() if fact.startswith(f"{name}.")}

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return json.dumps({name: part.outcome(self._facts(name, facts)) for name, part in self.parts.items()})

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One a task, in the scope of its name: each has a promise of its own."""
        own = {name: part.units(self._facts(name, facts), json.loads(gold)[name]) for name, part in self.parts.items()}
        return tuple(replace(unit, scope=name) for name, units in own.items() for unit in units)

    def wrong(self, outcome: str, gold: str) -> bool:
        said, meant = json.loads(outcome), json.loads(gold)
        return any(part.wrong(said[name], meant[name]) for name, part in self.parts.items())

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        each = {
            name: part.focus(as_kind(answer, Joint).parts[name], calibration[name]) for name, part in self.parts.items()
        }
        return lambda outputs: sum(inner(self._own(name, outputs)) for name, inner in each.items())  # type: ignore[return-value]

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 1 + all of the parts'): rows that are right in everything, then the counts of each task."""
        pairs = zip(answers, golds, strict=True)
        right = [[not self.wrong(self.outcome(self.facts(answer)), gold), 1] for answer, gold in pairs]
        tables = [np.array(right, dtype=np.float64).reshape(len(right), 2)]
        for name, part in self.parts.items():
            own = [as_kind(answer, Joint).parts[name] for answer in answers]
            tables.append(part.counts(own, self._golds(name, golds)))
        return np.concatenate(tables, axis=1)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        table = np.asarray(sums)
        found, start = {"all": table[..., 0] / np.maximum(table[..., 1], 1)}, 2
        for name, part in self.parts.items():
            width = part.counts([], []).shape[1]
            inner = part.metrics(table[..., start : start + width])
            found |= {f"{name}.{metric}": value for metric, value in inner.items()}
            start += width
        return found
