"""Results go to stdout, words to a person to stderr."""

from __future__ import annotations

import pytest

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
