"""Results go to stdout, words to a person to stderr, and the first Ctrl-C asks."""

from __future__ import annotations

import os
import signal

import pytest

from penjing.cli.show import Bar, out, out_json, stopping, tell


def test_two_streams(capsys: pytest.CaptureFixture[str]) -> None:
    out("result")
    out_json({"词": 1})
    tell("word")
    told = capsys.readouterr()
    assert told.out == 'result\n{"词": 1}\n'
    assert told.err == "word\n"


def test_the_first_signal_asks_and_the_second_ends() -> None:
    with stopping() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar.start("work", 10)
        bar.advance(5)
        bar.say("half")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "work ...\nhalf\n"
