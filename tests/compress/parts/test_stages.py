"""A stage is made once in a run, made again where its folder is damaged, and a form that serves is left as it is."""

from __future__ import annotations

from pathlib import Path

from penjing.compress.parts.stages import serving, stage
from penjing.core.artifact import write_artifact
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table


def test_a_stage_is_made_once_and_again_after_damage(tmp_path: Path) -> None:
    run, calls = Run(tmp_path / "out", tmp_path / "scratch", threads=1), []

    def make(inside: Run) -> Artifact:
        calls.append(inside)
        card = Card(form="static", method="m", labels=("a", "b"))
        return write_artifact(inside.out, card, lambda folder: (folder / "weights").write_bytes(b"123"))

    first = stage(run, tmp_path / "first", make)
    assert stage(run, tmp_path / "first", make).id == first.id and len(calls) == 1
    assert (calls[0].out, calls[0].scratch) == (tmp_path / "first", tmp_path / "scratch" / "first.scratch")
    (tmp_path / "first" / "weights").write_bytes(b"12")
    assert stage(run, tmp_path / "first", make).id == first.id and len(calls) == 2


def test_what_serves_already_is_not_exported(tmp_path: Path) -> None:
    parent = Artifact(tmp_path, "0" * 64, Card(form="onnx", method="m", labels=("a", "b")))
    inputs = Inputs(parent, Table([], []), Table([], []), language="en")
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    assert serving(parent, inputs, "auto", run, "second") is parent
