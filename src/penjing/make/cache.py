"""Results of steps, stored under a key of everything they depend on: made once, resumed after a kill, never partial."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penjing.core.artifact import open_artifact
from penjing.core.canon import digest, digest_lines
from penjing.core.errors import DamageError, UsageError
from penjing.core.folder import remove, write_whole
from penjing.core.machine import instruction_set
from penjing.core.methods import Done, Step, source_hash
from penjing.core.nouns import Artifact, Inputs, Progress, Run, Table, Watch
from penjing.core.stop import check_stop
from penjing.core.task import Task
from penjing.data.features import fields_fingerprint
from penjing.tasks import TASKS

LIBRARIES = (
    "torch",
    "transformers",
    "numpy",
    "scikit-learn",
    "onnx",
    "openvino",
    "nncf",
    "tokenizers",
    "jieba",
    "peft",
)
# Files of `penjing.compress` that write into the folder which steps share.
_SHARING = ("layers", "static", "parts.branch", "parts.pooled", "parts.teacher")
# Folders of figures that a run may not ask for, and of how many runs with other data or steps they are kept.
_FIGURES = ("folds-", "labels-")
_KEPT_FIGURES = 4


@dataclass(frozen=True)
class Cache:
    """A folder of artifacts by key, each with a file of observations from its making."""

    folder: Path
    seed: int
    threads: int
    progress: Progress
    stop: Callable[[], bool]
    device: str = "cpu"
    used: set[str] = field(default_factory=set)

    def run(self, step: Step, inputs: Inputs, watch: Watch = lambda *_: False) -> Done:
        """The artifact of a step, from the cache or made now. Raises RunInterruptedError if `stop` returns true.

        watch: that of `Run`.
        """
        name = self._name(step, inputs)
        target, scratch = self.folder / name, self.folder / f"{name}.scratch"
        self.used.add(name)
        found = self._open(target)
        if found is not None:
            return Done(step, found, self._seconds(target), cached=True)
        check_stop(self.stop)
        if scratch.exists() and not scratch.is_dir():
            remove(scratch)
        scratch.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        run = Run(
            out=target,
            scratch=scratch,
            seed=self.seed,
            device=self.device,
            threads=self.threads,
            progress=self.progress,
            stop=self.stop,
            shared=self._shared(),
            watch=watch,
        )
        artifact = step.method.apply(inputs, step.options, run)
        seconds = time.monotonic() - began
        write_whole(_observations(target), json.dumps({"seconds": round(seconds, 2)}).encode())
        shutil.rmtree(scratch, ignore_errors=True)
        return Done(step, artifact, seconds, cached=False)

    def drop(self, step: Step, inputs: Inputs) -> None:
        """Remove the result of a step that is not needed any more, and what a step that did not end has left."""
        name = self._name(step, inputs)
        for path in (self.folder / name, _observations(self.folder / name), self.folder / f"{name}.scratch"):
            with contextlib.suppress(OSError):
                remove(path)
        self.used.discard(name)

    def shrink(self, *kept: Path) -> None:
        """Remove what this run did not use and what steps shared; the same run does not need them again.

        kept: folders inside the cache that are not results of steps. The newest figures of folds and of labels stay:
        they are small, took long, and a recipe that is changed and changed back needs them again.
        """
        names = {*self.used, *(_observations(self.folder / name).name for name in self.used)}
        names |= {path.name for path in kept}
        for prefix in _FIGURES:
            found = sorted(self.folder.glob(f"{prefix}*"), key=lambda path: path.stat().st_mtime)
            names |= {path.name for path in found[-_KEPT_FIGURES:]}
        for path in self.folder.iterdir():
            if path.name in names:
                continue
            with contextlib.suppress(OSError):
                remove(path)

    def _name(self, step: Step, inputs: Inputs) -> str:
        return f"{step.name.replace('.', '-')}-{self.key(step, inputs)[:16]}"

    def _shared(self) -> Path:
        """The folder that steps share: a separate one for everything that the keys inside it do not contain."""
        sources = [source_hash(f"penjing.compress.{name}") for name in _SHARING]
        about = [sources, self.threads, instruction_set(), library_versions()]
        return self.folder / "shared" / digest(about)[:16]

    def key(self, step: Step, inputs: Inputs) -> str:
        """The hash of everything that the step's result depends on."""
        # Steps without a corpus keep the keys that they had.
        grown = {"corpora": [one.id for one in inputs.corpora], "pairs": [list(pair) for pair in inputs.pairs]}
        return digest(
            (grown if inputs.corpora else {})
            | ({"base": inputs.base.id} if inputs.base else {})
            | ({"code": inputs.code.id} if inputs.code else {})
            | ({"translators": [one.id for one in inputs.translators]} if inputs.translators else {})
            | ({"device": self.device} if self.device != "cpu" else {})
            | ({"held_out": sorted(inputs.held_out)} if augments(step) else {})
            | {
                "step": step.name,
                "options": step.options.model_dump(mode="json"),
                "source": source_hash(step.method.path),
                "task": task_key(inputs.task) if inputs.task else None,
                "parent": inputs.parent.id if inputs.parent else None,
                "teachers": {name: teacher.id for name, teacher in sorted(inputs.teachers.items())},
                "train": table_fingerprint(inputs.train),
                "validation": table_fingerprint(inputs.validation),
                "language": inputs.language,
                "unlabelled": digest_lines(inputs.unlabelled),
                "features": dict(inputs.features),
                "fields": fields_fingerprint(inputs.features, (inputs.train, inputs.validation)),
                "seed": self.seed,
                "threads": self.threads,
                "instruction_set": instruction_set(),
                "libraries": library_versions(),
            }
        )

    def _open(self, target: Path) -> Artifact | None:
        if not target.exists() and not target.is_symlink():
            return None
        try:
            return open_artifact(target)
        except (DamageError, UsageError) as error:
            self.progress.say(f"a stored result is damaged and is made again: {error.what}")
            remove(target)
            return None

    def _seconds(self, target: Path) -> float:
        try:
            return float(json.loads(_observations(target).read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0


def augments(step: Step) -> bool:
    """Whether a step makes altered copies of its rows, none of which may be a held-out text."""
    asked = getattr(step.options, "augment", None)
    return bool(asked is not None and asked.shares)


def task_key(task: Task) -> list[Any]:
    """The parts of a task that results depend on: its name, what it learned from the data, and its source file."""
    return [task.name, task.state, source_hash(TASKS[task.name])]


def table_fingerprint(table: Table) -> str:
    """SHA-256 (hex) of a table's texts, labels and groups in their order."""
    labels = table.labels if table.labels is not None else [""] * len(table)
    found = digest_lines(part for pair in zip(table.texts, labels, strict=True) for part in pair)
    return found if table.groups is None else digest_lines([found, *table.groups])


def library_versions() -> Mapping[str, str]:
    """Versions of the installed numeric libraries."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "none"
    return versions


def _observations(target: Path) -> Path:
    return target.with_name(target.name + ".observations.json")
