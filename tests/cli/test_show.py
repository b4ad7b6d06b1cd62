"""Results go to stdout, words to a person to stderr."""

from __future__ import annotations

import pytest

from penjing.cli import show
from penjing.cli.show import Bar, out, out_json, tell


def test_two_streams(capsys: pytest.CaptureFixture[str]) -> None:
    out("result")
    out_json({"词": 1})
    tell("word")
    told = capsys.readouterr()
    assert told.out == 'result\n{"词": 1}\n'
    assert told.err == "word\n"


def test_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar.start("work", 10)
        bar.advance(5)
        bar.say("half")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "work ...\nhalf\n"


def test_time_left_is_told_until_all_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 20.0, 20.0, 20.0, 40.0, 40.0, 40.0])
    monkeypatch.setattr(show.time, "monotonic", lambda: next(clock))
    with Bar() as bar:
        bar.start("work", 10)
        bar.advance(5)
        bar.advance(5)
    assert capsys.readouterr().err == "work ...\n  work: 5/10, 20 s left\n  work: 10/10\n"
