"""The teacher's logits: those of the session, computed once, shared by steps, kept through a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.compress import teacher
from penjing.compress.teacher import teacher_logits
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.runtime.session import open_session


def test_logits_stand_in_the_order_of_the_texts_and_are_computed_once(
    parent: Artifact, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher, "_SLICE", 16)
    texts = list(inputs.train.texts)[:40]
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    found = teacher_logits(parent, texts, run, "")
    assert found == pytest.approx(open_session(parent, threads=1).logits(texts), abs=1e-4)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 1

    # Two slices are lost, and half of one was being written; one is made again, then it stops.
    folder = tmp_path / "scratch" / "teacher" / parent.id[:32]
    stored = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert len(stored) == 3
    for path in stored[1:]:
        path.unlink()
    (folder / ".partial").write_bytes(b"cut short")
    again = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1, stop=stop)
    with pytest.raises(RunInterruptedError):
        teacher_logits(parent, texts, again, "")
    assert stored[1].exists() and not stored[2].exists()
    calls = -1
    assert (teacher_logits(parent, texts, again, "") == found).all()
    assert (teacher_logits(parent, texts[::-1], again, "")[::-1] == found).all()
    assert calls == 0


def test_steps_of_one_run_share_what_the_teacher_said(parent: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    texts = list(inputs.train.texts)[:8]
    first = Run(tmp_path / "a", tmp_path / "a.scratch", threads=1, shared=tmp_path / "shared")
    found = teacher_logits(parent, [*texts, texts[0]], first, "")
    assert (found[0] == found[-1]).all()
    second = Run(tmp_path / "b", tmp_path / "b.scratch", threads=1, shared=tmp_path / "shared", stop=lambda: True)
    assert (teacher_logits(parent, texts, second, "") == found[:8]).all()
