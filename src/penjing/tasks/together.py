"""The task `together`: several tasks for one text, learned and answered by one model in one pass.

    loss = sum over the tasks of weight / scale * loss of the task;   scale: log L of cross entropy over L classes,
    log 2 of binary cross entropy and grades, 1 of numbers: the loss of a model that knows nothing
    p = product of the p of the tasks;   an error is an error of any task

Each task keeps its own gold, heads, calibration, answers and metrics, under its name. A row may have gold for some of
the tasks only; it counts for these. The certificate has one threshold a task, and a case is decided without a person
where every task reaches its own (`prove/joint.py`).

Source: Caruana, Multitask Learning, 1997 (one model that shares what its tasks have in common). Prefer it where one
text always needs all answers: it costs one pass instead of several. Prefer separate releases where the tasks have
different rows, owners or limits that change at different times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from penjing.core.abilities import BoundedTask, Bounds, ChainedTask, ListedTask, QuotingTask
from penjing.core.answers import Answer, Joint, as_kind
from penjing.core.errors import DataError, UsageError, shown
from penjing.core.options import nearest
from penjing.core.task import IGNORED, About, FactKind, Head, Item, Outputs, PartedTask, Section, Task, Unit
from penjing.tasks import open_task
from penjing.tasks.metrics import Floats
from penjing.tasks.together_gold import JointGold, write_golds
from penjing.tasks.together_options import NAME, Options, reader_of_one

_DIGITS = 6


ABOUT = About(
    name=NAME,
    gold="not used: each task names its own column",
    metric="share of the teacher's score, of each task by its first metric",
    line="{type: together}",
    comment="several tasks for one text, in one pass",
    facts=("p",),
    joint=True,
)


def open_reader(options: Options) -> TogetherReader:
    """The reader of several tasks."""
    weights = {name: one.weight for name, one in options.tasks.items()}
    return TogetherReader({name: reader_of_one(one) for name, one in options.tasks.items()}, weights)


def restore(state: Mapping[str, Any]) -> Together:
    """The task of an artifact, from the tasks in their order."""
    parts, weights = {}, {}
    for each in state["tasks"]:
        own = {key: value for key, value in each.items() if key not in ("name", "type", "weight")}
        parts[each["name"]], weights[each["name"]] = open_task(each["type"], own), each["weight"]
    return Together(parts, weights)


@dataclass(frozen=True)
class TogetherReader(JointGold):
    """Reads the gold of several tasks before anything is learned."""

    def learn(self, golds: Sequence[str]) -> Together:
        """Each task of its own gold. Raises DataError with the name of the task."""
        parts = {}
        for name, reader in self.readers.items():
            try:
                parts[name] = reader.learn([gold for gold in self.golds(name, golds) if gold])
            except DataError as error:
                raise DataError(f"`{name}`: {error.what}", fix=error.fix) from None
        return Together(parts, self.weights)


@dataclass(frozen=True)
class Together(TogetherReader):
    """Several tasks that have learned from their data; each head is named TASK_HEAD."""

    readers: Mapping[str, Task]
    weights: Mapping[str, float]

    name = NAME

    @property
    def parts(self) -> Mapping[str, Task]:
        """The tasks by their names."""
        return self.readers

    @property
    def errors(self) -> tuple[str, ...]:
        return tuple(f"{name}.{metric}" for name, part in self.parts.items() for metric in part.errors)

    @property
    def state(self) -> dict[str, Any]:
        tasks = [
            {"name": name, "type": part.name, "weight": self.weights[name], **part.state}
            for name, part in self.parts.items()
        ]
        return {"tasks": tasks}

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {
            f"{name}_{head}": replace(one, weight=round(self.weights[name] / _scale(one), _DIGITS))
            for name, part in self.parts.items()
            for head, one in part.heads.items()
        }

    def with_rows(self, rows: Mapping[str, int]) -> Together:  # noqa: ARG002 - rows are counted by one task each
        return self

    def only(self, names: Sequence[str]) -> Together:
        """The same with these of the tasks alone."""
        kept = {name: part for name, part in self.parts.items() if name in names}
        return Together(kept, {name: self.weights[name] for name in kept})

    @property
    def chains(self) -> tuple[str, ...]:
        """The heads of tags that are a sequence, of all tasks."""
        own = {name: part.chains for name, part in self.parts.items() if isinstance(part, ChainedTask)}
        return tuple(f"{name}_{head}" for name, heads in own.items() for head in heads)

    def chained(self, following: Mapping[str, Floats]) -> Together:
        """The same tasks of a model with these weights of what follows what."""
        parts = dict(self.parts)
        for name, part in self.parts.items():
            if isinstance(part, ChainedTask) and any(f"{name}_{head}" in following for head in part.chains):
                parts[name] = part.chained({head: following[f"{name}_{head}"] for head in part.chains})
        return Together(parts, self.weights)

    def outputs_of(self, name: str, outputs: Outputs) -> dict[str, Any]:
        """The outputs of one task, by its own names of heads."""
        return {head: outputs[f"{name}_{head}"] for head in self.parts[name].heads}

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """The targets of all heads; IGNORED, or NaN among numbers, where a row has no gold for a task."""
        found = {}
        for name, part in self.parts.items():
            own = self.golds(name, golds)
            rows = [row for row, gold in enumerate(own) if gold]
            targets = part.encode([own[row] for row in rows], [items[row] for row in rows] if items else ())
            for head, target in targets.items():
                if part.heads[head].kind == "token":
                    empty = [np.full(len(item.offsets), IGNORED, dtype=np.int64) for item in items]
                    for row, one in zip(rows, target, strict=True):
                        empty[row] = one
                    found[f"{name}_{head}"] = empty
                else:
                    found[f"{name}_{head}"] = _spread(np.asarray(target), rows, len(own))
        return found

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """The calibration of each task, from the rows that have gold for it."""
        found = {}
        for name, part in self.parts.items():
            own = self.golds(name, golds)
            rows = [row for row, gold in enumerate(own) if gold]
            taken = {head: _take(table, rows) for head, table in self.outputs_of(name, outputs).items()}
            found[name] = part.fit(taken, [own[row] for row in rows], [items[row] for row in rows] if items else ())
        return found

    def plain(self) -> dict[str, Any]:
        return {name: part.plain() for name, part in self.parts.items()}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        """A Joint an item."""
        each = {
            name: part.decode(self.outputs_of(name, outputs), calibration[name], items)
            for name, part in self.parts.items()
        }
        rows = zip(*each.values(), strict=True)
        return [Joint(dict(zip(each, row, strict=True))) for row in rows]

    def kinds(self) -> dict[str, FactKind]:
        """p of all; of each task its facts, as TASK.FACT; a label is one of listed words here."""
        found: dict[str, FactKind] = {"p": "unit"}
        for name, part in self.parts.items():
            for fact, kind in part.kinds().items():
                found[f"{name}.{fact}"] = "enum" if kind == "label" else kind
        return found

    def listed(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of each task that gives one."""
        found: dict[str, tuple[str, ...]] = {}
        for name, part in self.parts.items():
            found |= {f"{name}.{fact}": part.scopes for fact, kind in part.kinds().items() if kind == "label"}
            if isinstance(part, ListedTask):
                found |= {f"{name}.{fact}": words for fact, words in part.listed().items()}
        return found

    def bounds(self) -> Bounds:
        """Those of each task, under its name."""
        own = {name: part.bounds() for name, part in self.parts.items() if isinstance(part, BoundedTask)}

        def named(name: str, facts: Sequence[str]) -> tuple[str, ...]:
            return tuple(f"{name}.{one}" for one in facts)

        return Bounds(
            {f"{name}.{fact}": values for name, each in own.items() for fact, values in each.listed.items()},
            (),
            {
                f"{name}.{fact}": named(name, counted)
                for name, each in own.items()
                for fact, counted in each.counted.items()
            },
            tuple(named(name, chain) for name, each in own.items() for chain in each.chains),
            {f"{name}.{fact}": f"{name}.{count}" for name, each in own.items() for fact, count in each.pieces.items()},
        )

    def quoted(self) -> dict[str, FactKind]:
        """Facts about words and numbers of pieces, as TASK.FACT."""
        return {
            f"{name}.{fact}": kind
            for name, part in self.parts.items()
            if isinstance(part, QuotingTask)
            for fact, kind in part.quoted().items()
        }

    def quotes(self, answer: Answer, text: str) -> dict[str, str | float | None]:
        """Their values in a masked text."""
        parts = as_kind(answer, Joint).parts
        return {
            f"{name}.{fact}": value
            for name, part in self.parts.items()
            if isinstance(part, QuotingTask)
            for fact, value in part.quotes(parts[name], text).items()
        }

    def facts(self, answer: Answer) -> dict[str, Any]:
        """p, and the facts of each task as TASK.FACT. Raises TypeError for an answer of other tasks."""
        parts = as_kind(answer, Joint).parts
        if set(parts) != set(self.parts):
            raise TypeError(f"an answer of {sorted(parts)}, not of {sorted(self.parts)}")
        found = {name: part.facts(parts[name]) for name, part in self.parts.items()}
        flat = {f"{name}.{fact}": value for name, facts in found.items() for fact, value in facts.items()}
        return {"p": round(math.prod(facts["p"] for facts in found.values()), _DIGITS), **flat}

    def part_of(self, scope: str) -> str:
        """The name of the task, which is that of its scope."""
        return scope

    def apart(self, facts: Mapping[str, Any]) -> dict[str, tuple[Task, dict[str, Any]]]:
        """Each task with its own facts."""
        own: dict[str, dict[str, Any]] = {name: {} for name in self.parts}
        for fact, value in facts.items():
            name, _, inner = fact.partition(".")
            if inner and name in own:
                own[name][inner] = value
        return {name: (part, own[name]) for name, part in self.parts.items()}

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(self.parts)

    def scope(self, facts: Mapping[str, Any]) -> str:
        """The task that is the least sure."""
        return min(self.parts, key=lambda name: facts[f"{name}.p"])

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return write_golds({name: part.outcome(own) for name, (part, own) in self.apart(facts).items()})

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Whether the answer of any task may change."""
        return any(part.unsettled(own, band) for part, own in self.apart(facts).values())

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a task."""
        if not (isinstance(one, Joint) and isinstance(other, Joint) and set(one.parts) == set(other.parts)):
            return 1.0
        return max(self.parts[name].moved(one.parts[name], other.parts[name]) for name in one.parts)

    def explained(self, answer: Answer) -> Answer:
        """The first task about the whole text of those that an answer has."""
        parts = as_kind(answer, Joint).parts
        for name, part in self.parts.items():
            if name in parts and all(head.kind == "pooled" for head in part.heads.values()):
                return Joint({name: parts[name]})
        what = "the asked tasks answer with pieces of the text: they are their evidence"
        raise UsageError(what, fix="ask for a task about the whole text, or leave the evidence out")

    def part(self, answer: Answer, name: str) -> Answer:
        """The answer of one task, `topic`, or of a part of it, `faults.leak`."""
        parts, (task, _, inner) = as_kind(answer, Joint).parts, name.partition(".")
        if task not in self.parts or (inner and not isinstance(self.parts[task], PartedTask)):
            what = f"evidence is asked for the unknown task `{shown(name, 60)}`"
            raise UsageError(what, fix=nearest(task, list(self.parts)))
        own, part = self.parts[task], parts[task]
        return Joint({task: own.part(part, inner) if inner and isinstance(own, PartedTask) else part})

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """That of the first task about the whole text in the answer. Raises UsageError where there is none."""
        ((name, own),) = as_kind(self.explained(answer), Joint).parts.items()
        inner = self.parts[name].focus(own, calibration[name])
        return lambda outputs: inner(self.outputs_of(name, outputs))

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 2 + those of all tasks): rows, whether all of a row is right, then the counts of each task in order."""
        tables = []
        right = np.ones(len(answers))
        for name, part in self.parts.items():
            own = self.golds(name, golds)
            rows = [row for row, gold in enumerate(own) if gold]
            said = [as_kind(answers[row], Joint).parts[name] for row in rows]
            counted = part.counts(said, [own[row] for row in rows])
            table = np.zeros((len(answers), counted.shape[1]))
            table[rows] = counted
            tables.append(table)
            for row, one in zip(rows, said, strict=True):
                right[row] *= not part.wrong(part.outcome(part.facts(one)), own[row])
        return np.concatenate([np.ones((len(answers), 1)), right[:, None], *tables], axis=1)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """mean of the first metrics of the tasks, all_right (share of rows), then TASK.METRIC of each."""
        table = np.asarray(sums, dtype=np.float64)
        first, found, start = [], dict[str, Floats](), 2
        for name, part in self.parts.items():
            width = part.counts([], []).shape[1]
            own = part.metrics(table[..., start : start + width])
            first.append(next(iter(own.values())))
            found |= {f"{name}.{metric}": values for metric, values in own.items()}
            start += width
        mean: Floats = np.mean(np.stack(first), axis=0)
        return {"mean": mean, "all_right": table[..., 1] / np.maximum(table[..., 0], 1.0), **found}

    def metric_of(self, scope: str) -> str:
        """The first metric of one of the tasks."""
        part = self.parts[scope]
        return f"{scope}.{next(iter(part.metrics(part.counts([], []).sum(axis=0))))}"

    def wrong(self, outcome: str, gold: str) -> bool:
        """Whether any task that has gold is wrong."""
        said, meant = json.loads(outcome), json.loads(gold)
        return any(part.wrong(said[name], meant[name]) for name, part in self.parts.items() if meant[name])

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        listed = {"en": ", ".join(self.parts), "zh": "、".join(self.parts)}
        return {"en": f"a wrong answer to any of {listed['en']}", "zh": f"任务 {listed['zh']} 中任何一项答错"}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One for each task that has gold, in the scope of its name."""
        meant = json.loads(gold)
        return tuple(
            replace(unit, scope=name)
            for name, (part, own) in self.apart(facts).items()
            if meant[name]
            for unit in part.units(own, meant[name])
        )

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """The blocks of each task, under its name, of the rows that have gold for it."""
        found: list[Section] = []
        for name, part in self.parts.items():
            own = self.golds(name, golds)
            rows = [row for row, gold in enumerate(own) if gold]
            said = [as_kind(answers[row], Joint).parts[name] for row in rows]
            for each in part.figures(said, [own[row] for row in rows]):
                title: dict[Literal["en", "zh"], str] = {
                    "en": f"{name}: {each.title['en']}",
                    "zh": f"{name}：{each.title['zh']}",
                }
                found.append(replace(each, name=f"{name}.{each.name}", title=title))
        return tuple(found)


def _scale(head: Head) -> float:
    """The loss of a model that knows nothing."""
    if head.loss == "cross_entropy":
        return math.log(max(2, head.size))
    return 1.0 if head.loss == "mean_squared_error" else math.log(2)


def _take(table: Any, rows: Sequence[int]) -> Any:
    return [table[row] for row in rows] if isinstance(table, list) else np.asarray(table)[list(rows)]


def _spread(target: Any, rows: Sequence[int], count: int) -> Any:
    """Targets of some rows as those of all; of the others IGNORED, or NaN among numbers."""
    if len(rows) == count:
        return target
    none = np.nan if target.dtype.kind == "f" else IGNORED
    table = np.full((count, *target.shape[1:]), none, dtype=target.dtype)
    table[list(rows)] = target
    return table
