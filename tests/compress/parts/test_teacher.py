"""The teacher's logits: those of the session, computed once, shared by steps, kept through a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.compress.parts import slices
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.errors import RunInterruptedError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.runtime.open import open_session


def test_logits_stand_in_the_order_of_the_texts_and_are_computed_once(
    parent: Artifact, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_SLICE", 16)
    texts = list(inputs.train.texts)[:40]
    run = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1)
    found = teacher_outputs(parent, [texts], run, "")
    assert found == pytest.approx(open_session(parent, threads=1).logits(texts), abs=1e-4)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 1

    # Two slices are lost, a third is damaged; one is made again, then it stops.
    stored = sorted((tmp_path / "scratch" / "teacher").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert len(stored) == 3
    stored[0].write_bytes(stored[0].read_bytes()[:-5])
    for path in stored[1:]:
        path.unlink()
    again = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1, stop=stop)
    with pytest.raises(RunInterruptedError):
        teacher_outputs(parent, [texts], again, "")
    assert not stored[1].exists()
    calls = -9
    assert (teacher_outputs(parent, [texts], again, "") == found).all()
    assert calls == -7, "two slices were to be made"
    assert (teacher_outputs(parent, [texts[::-1]], again, "")[::-1] == found).all()
    assert calls == -7


def test_steps_of_one_run_share_a_part_and_get_the_same_bits_whoever_asked_before(
    parent: Artifact, inputs: Inputs, tmp_path: Path
) -> None:
    texts, others = list(inputs.train.texts)[:20], list(inputs.train.texts)[20:50]
    first = Run(tmp_path / "a", tmp_path / "a.scratch", threads=1, shared=tmp_path / "shared")
    both = teacher_outputs(parent, [texts, others], first, "")
    second = Run(tmp_path / "b", tmp_path / "b.scratch", threads=1, shared=tmp_path / "shared", stop=lambda: True)
    assert (teacher_outputs(parent, [others], second, "") == both[20:]).all()
    alone = Run(tmp_path / "c", tmp_path / "c.scratch", threads=1)
    assert (teacher_outputs(parent, [others], alone, "") == both[20:]).all()
    assert teacher_outputs(parent, [], alone, "").shape == (0, 2)
