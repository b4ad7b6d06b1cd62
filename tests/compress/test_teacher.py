"""The teacher's logits: those of the session, stored slice by slice, computed once."""

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

    # One slice is lost and made again; then it stops. The others are read.
    stored = sorted((tmp_path / "scratch" / "teacher").glob("*.npy"))
    assert len(stored) == 3
    stored[0].unlink()
    again = Run(out=tmp_path / "out", scratch=tmp_path / "scratch", threads=1, stop=stop)
    assert (teacher_logits(parent, texts, again, "") == found).all()
    assert calls == 1
    for path in stored[1:]:
        path.unlink()
    with pytest.raises(RunInterruptedError):
        teacher_logits(parent, texts, again, "")
    assert stored[0].exists()
