"""A cascade: the threshold by agreement, what leaves where, and one answer whoever stands beside a text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress.cascade import Options, apply, choose_threshold
from penjing.core.artifact import open_artifact
from penjing.core.canon import unit_hash
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.runtime.cascade import FIRST, SECOND, CascadeSession, read_exits
from penjing.runtime.session import open_session

QUICK = Options(bits=12, epochs=4, copies=1, agreement=0.9)


def cascade(inputs: Inputs, folder: Path, options: Options = QUICK) -> Artifact:
    return apply(inputs, options, Run(out=folder / "out", scratch=folder / "scratch", threads=1))


def test_the_threshold_is_the_lowest_at_which_enough_of_those_that_leave_agree() -> None:
    sure = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    agree, differ = np.zeros(5, dtype=bool), np.array([False, False, False, True, True])
    assert choose_threshold(sure, agree, 0.9) == 0.5
    assert choose_threshold(sure, differ, 0.85) == 0.7
    # Of equal probabilities all leave or none does.
    assert choose_threshold(np.array([0.9, 0.7, 0.7, 0.7]), np.array([False, False, True, True]), 0.7) == 0.9
    # Half an error in two texts is too much for 0.99: nothing leaves.
    assert choose_threshold(sure[:1], agree[:1], 0.99) == 2.0
    assert choose_threshold(np.zeros(0), np.zeros(0, dtype=bool), 0.99) == 2.0


def test_each_text_is_answered_by_the_stage_that_its_threshold_says(inputs: Inputs, tmp_path: Path) -> None:
    weak = Options(bits=12, epochs=1, copies=0, agreement=0.97)
    made = cascade(inputs, tmp_path, weak)
    assert made.card.form == "cascade"
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    first, second = (open_session(open_artifact(made.folder / name), threads=1) for name in (FIRST, SECOND))
    threshold = read_exits(made.folder).threshold
    texts = list(inputs.validation.texts)
    leaves = session.stage(texts)
    assert leaves == [max(one.probabilities) >= threshold for one in first.predict(texts)]
    assert 0 < sum(leaves) < len(texts), "the test needs texts of both kinds"
    stages = [first if left else second for left in leaves]
    wanted = [stage.predict([text])[0].ranked()[0][0] for stage, text in zip(stages, texts, strict=True)]
    together = session.predict(texts)
    assert [one.ranked()[0][0] for one in together] == wanted
    assert [session.predict([text])[0] for text in texts] == together
    assert made.card.notes["exit_share"] == pytest.approx(sum(leaves) / len(texts), abs=1e-6)


def test_it_counts_what_leaves_and_audits_the_share_that_a_hash_chooses(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path, QUICK.model_copy(update={"audit": 0.5}))
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    leaves = session.stage(texts)
    session.predict(texts)
    tally = session.tally
    assert (tally.texts, tally.exits) == (len(texts), sum(leaves))
    audited = [text for text, left in zip(texts, leaves, strict=True) if left and unit_hash(text) < 0.5]
    assert tally.audited == len(audited) > 0
    differ = [session.first.predict([text])[0].ranked()[0][0] != session.second.predict([text])[0].ranked()[0][0]
              for text in audited]  # fmt: skip
    assert tally.differed == sum(differ)


def test_it_never_learns_from_the_texts_that_set_its_threshold(inputs: Inputs, tmp_path: Path) -> None:
    more = replace(inputs, unlabelled=[f"the room was {n} slow and the box {n} late" for n in range(40)])
    made = cascade(more, tmp_path / "a")
    held = {text for text in more.unlabelled if unit_hash(text) < 0.2}
    assert 0 < len(held) < 40
    fewer = replace(more, unlabelled=[text for text in more.unlabelled if text not in held])
    alone = cascade(fewer, tmp_path / "b", QUICK)
    # Of the fewer ones a fifth is held out again, so only the first stages' texts differ in what was held out twice.
    again = {text for text in fewer.unlabelled if unit_hash(text) < 0.2}
    assert not again
    assert open_artifact(made.folder / FIRST).id == open_artifact(alone.folder / FIRST).id


def test_without_validation_rows_nothing_leaves_early(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(replace(inputs, validation=Table([], [])), tmp_path)
    assert read_exits(made.folder).threshold == 2.0
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    assert not any(session.stage(list(inputs.train.texts)))


def test_a_model_without_an_encoder_is_no_second_stage(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path / "a")
    with pytest.raises(UsageError, match=r"before it stands an artifact by `compress\.cascade`"):
        cascade(replace(inputs, parent=made), tmp_path / "b")
