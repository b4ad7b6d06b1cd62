"""One table, one choice of language; output for programs has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penjing.cli import language
from penjing.cli.language import follow_texts, take_option, translate, translate_word
from penjing.core.errors import UsageError

ROWS = [f"快递太慢了等了{i}天{('还可以', '很失望')[i % 2]},{('咨询', '投诉')[i % 2]}" for i in range(300)]
HAN = re.compile("[\u4e00-\u9fff]")


def write(folder: Path) -> Path:
    (folder / "rows.csv").write_text("\n".join(["内容,类别", *ROWS]), encoding="utf-8")
    return folder / "rows.csv"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Neither a setting nor a locale says a language."""
    for name in ("PENJING_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    take_option([])
    return monkeypatch


def test_the_option_goes_first_then_the_setting_the_system_and_the_texts(silent: pytest.MonkeyPatch) -> None:
    assert language.language() == "en"
    follow_texts(["快递太慢了"])
    assert language.language() == "zh"
    silent.setenv("LANG", "en_US.UTF-8")
    assert language.language() == "en"
    silent.setenv("LC_ALL", "zh_CN.GBK")
    assert language.language() == "zh"
    silent.setenv("PENJING_LANG", "en")
    assert language.language() == "en"
    assert take_option(["check", "--lang", "zh", "r.yaml"]) == ["check", "r.yaml"]
    assert language.language() == "zh"
    assert take_option(["--lang=en", "check", "--", "--lang"]) == ["check", "--", "--lang"]
    assert language.language() == "en"


@pytest.mark.parametrize("line", [["--lang"], ["--lang", "fr"], ["--lang=zh", "--lang=en"]])
def test_what_is_no_language_is_a_mistake_of_usage(line: list[str]) -> None:
    with pytest.raises(UsageError):
        take_option(line)


def test_sentences_within_sentences(silent: pytest.MonkeyPatch) -> None:
    silent.setenv("PENJING_LANG", "zh")
    told = "unproven; about 1,200 test rows are needed to decide (of x)"
    line = f"  keep: promised 0.97, measured 0.96, bound 0.94 -> {told}"
    assert translate(line) == (
        "  保住压缩前的模型得分的比例（keep）：承诺 0.97，实测 0.96，置信界 0.94 → "
        "尚未证明；大约共需 1,200 行测试数据才能判定（相对于 x）"
    )
    assert translate("[8%] tune.linear: features ...") == "[8%] tune.linear：提取特征……"
    assert translate("  [25%] training, 99 steps: 7/32, 38 s left; loss 1.5; all in about 1 h 4 min") == (
        "  [25%] 训练，共 99 步：7/32，本阶段约剩 38 秒；损失 1.5；全部约剩 1 小时 4 分钟"
    )
    assert translate("threads of training: 2 (a step takes 2.38 s with 1, 0.81 s with 2)") == (
        "训练使用 2 个线程（每步用时：1 个线程 2.38 秒，2 个线程 0.81 秒）"
    )
    assert translate("warning: ../rows.xlsx: row 1 above the header (`10月明细`): skipped; the header is row 2") == (
        "警告：../rows.xlsx: 表头上方的第 1 行（`10月明细`）已跳过；表头是第 2 行"
    )
    overlap = "row 4 (a) leads to `review`, but row 2 above it leads elsewhere and wins where both hold, e.g. row 2 "
    assert translate(f"warning: job/rules.csv:4:1: {overlap}(b, `outcome x`) where label is y") == (
        "警告：job/rules.csv:4:1: 第 4 行（a）的结果是 `转人工`，但上面的第 2 行结果不同，"
        "两行都成立时以上面的为准，例如第 2 行（b，`结论 x`）：标签是 y"
    )
    assert translate("warning: rows.csv: something: untranslated") == "警告：rows.csv: something: untranslated"
    assert translate("something that has no sentence") == "something that has no sentence"
    assert translate_word("train") == "训练" and translate("train") == "train"


def test_the_first_hour_speaks_the_language_of_the_texts(
    penjing: Callable[..., Any], tmp_path: Path, silent: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    made = penjing("init", "svc", "--data", "rows.csv")
    assert made.code == 0, made.err
    english = [line for line in (made.out + made.err).splitlines() if line.strip() and not HAN.search(line)]
    assert [line for line in english if not re.match(r"^ *[─\s]+$", line)] == []
    checked = penjing("check", "svc/recipe.yaml")
    assert "这些数据可以用于训练" in checked.out and "读取数据……" in checked.err
    in_english = penjing("--lang", "en", "check", "svc/recipe.yaml")
    assert "This data can be trained on" in in_english.out
    machines = penjing("check", "svc/recipe.yaml", "--json")
    silent.setenv("PENJING_LANG", "en")
    assert json.loads(machines.out) == json.loads(penjing("check", "svc/recipe.yaml", "--json").out)
    silent.setenv("PENJING_LANG", "zh")
    missing = penjing("check", "none.yaml")
    assert missing.code == 2 and "没有这份配方" in missing.err and "办法：" in missing.err
    assert penjing("--lang", "fr", "check", "x").code == 2
