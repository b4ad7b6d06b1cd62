"""The limits on misses that `init` proposes can be proven by the rows, and its question takes numbers only."""

from __future__ import annotations

import pytest
import typer

from penjing.cli.init_recipe import _miss_comment
from penjing.cli.misses import Misses, ask_misses, in_yaml, most_frequent, proposals
from penjing.core.chinese import chinese
from penjing.data.audit import Audit
from penjing.prove.sequence import binomial_tail

AUDIT = Audit(
    labels={"legal": 3000, "doubtful": 700, "illegal": 350, "odd": 20},
    split_labels={"calibration": {"legal": 420, "doubtful": 98, "illegal": 49, "odd": 3}},
)


def test_each_limit_can_be_proven_with_one_miss() -> None:
    found = proposals(AUDIT)
    assert found == {"illegal": 0.1, "doubtful": 0.05}
    for label, limit in found.items():
        assert binomial_tail(1, AUDIT.split_labels["calibration"][label], limit) <= 0.05


def test_the_most_frequent_label_and_small_ones_are_left_out() -> None:
    assert proposals(Audit(labels={"a": 100, "b": 90}, split_labels={"calibration": {"a": 14, "b": 13}})) == {}
    assert proposals(Audit()) == {}


def test_the_answer_is_numbers_or_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter(["3", "illegal", "²", "2，1 1"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(answers))
    assert ask_misses({"illegal": 0.1, "doubtful": 0.05}, "legal") == {"doubtful": 0.05, "illegal": 0.1}
    said = capsys.readouterr().err
    assert said.count("numbers from 1 to 2") == 3
    assert "these limits are proven if at most one calibration row of the label is decided wrongly:" in said
    assert "`legal` is left out: `max_error` limits the errors of the most frequent label" in said
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: "")
    assert ask_misses({"illegal": 0.1}) == {}


def test_labels_are_written_so_that_yaml_reads_them_back() -> None:
    from ruamel.yaml import YAML

    limits = {"illegal": 0.1, "违法": 0.05, "a: b": 0.02, "1.0": 0.2, "x, y": 0.01}
    assert dict(YAML(typ="safe").load(in_yaml(limits))) == limits
    assert in_yaml({}) == "{}"


def test_the_comment_of_a_recipe_says_what_the_limits_assume_and_which_label_is_left_out() -> None:
    left_out = most_frequent(AUDIT)
    assert left_out == "legal" and most_frequent(Audit()) == ""
    said = _miss_comment(Misses({}, proposals(AUDIT), "a: b"))
    assert said.endswith(
        'proven if at most one calibration row is decided wrongly: {illegal: 0.1, doubtful: 0.05}; "a: b", the most '
        "frequent label, is left out"
    )
    assert chinese(said).endswith(
        '认证数据中至多错一行时能证明：{illegal: 0.1, doubtful: 0.05}；未列最常见的标签 "a: b"'
    )
    assert "proven" not in _miss_comment(Misses({"illegal": 0.1}, proposals(AUDIT), "legal"))
