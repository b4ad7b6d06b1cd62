"""Help and mistakes of usage in Chinese: every part, wrapped by the width of its characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unicodedata import east_asian_width

import pytest

from penjing.cli.help import paragraphs
from penjing.tasks import TASKS


def test_the_help_of_a_command_is_chinese(penjing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ([], ["decide"], ["verify"], ["review"], ["keys", "create"]):
        shown = penjing("--lang", "zh", *command, "--help").out
        assert "用法：penjing" in shown and "选项：" in shown and "显示这些说明后退出。" in shown
        for line in shown.splitlines():
            assert sum(2 if east_asian_width(each) in "WF" else 1 for each in line) <= 82, line
            assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", line.partition("：penjing")[0]), line
    assert "Usage: penjing" in penjing("--lang", "en", "--help").out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["decide"], "错误：缺少参数 'release'。"),
        (["decide", "--foo"], "错误：没有 --foo 这个选项"),
        (["decide", "a", "b", "c"], "错误：多出了参数（c）"),
        (["replay", "x", "--threads", "y"], "错误：'--threads' 的值无效：应当是整数"),
        (["dcide"], "错误：没有 'dcide' 这个命令；是不是想写 `decide`？"),
    ],
)
def test_a_mistake_of_usage_is_told_in_chinese(penjing: Callable[..., Any], line: list[str], said: str) -> None:
    told = penjing("--lang", "zh", *line)
    assert told.code == 2 and said in told.err and "用法：" in told.err


def test_a_group_without_a_command_shows_its_help_once(penjing: Callable[..., Any]) -> None:
    told = penjing("--lang", "zh", "review")
    assert (told.out + told.err).count("用法：") == 1


def test_paragraphs_are_on_one_line() -> None:
    assert paragraphs("One\n    line.\n\n    Another.") == ["One line.", "Another."]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tasks_in_a_help_text_are_those_of_the_table(penjing: Callable[..., Any], language: str) -> None:
    shown = " ".join(penjing("--lang", language, "init", "--help").out.split())
    assert ", ".join(TASKS) in shown and "{tasks}" not in shown
