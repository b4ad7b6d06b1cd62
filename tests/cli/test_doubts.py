"""The lines about labels that are perhaps wrong: several files, labels that were left out, nothing looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.cli.doubts import doubt_lines
from penjing.data.doubts import Doubt, LabelDoubts


def doubts(count: int, files: tuple[str, ...] = ("a.csv",)) -> tuple[Doubt, ...]:
    shared = {"given": "x", "suggested": "y", "p": 0.9, "p_given": 0.1}
    return tuple(
        Doubt(file=files[row % len(files)], row=row, text=f"text\n{row}", **shared)  # type: ignore[arg-type]
        for row in range(2, 2 + count)
    )


def test_the_first_ten_are_shown() -> None:
    lines = list(doubt_lines(LabelDoubts(looked=300, count=12, doubts=doubts(12)), Path("r.yaml")))
    assert lines[:2] == [
        "12 of 300 train and validation rows are perhaps labelled wrongly",
        "  row 2: `x`, more probable is `y` (90%)  text 2",
    ]
    assert len(lines) == 12 and lines[-1] == "  next: penjing label fix r.yaml --out questions.csv"


def test_of_several_files_each_row_names_its_own() -> None:
    found = LabelDoubts(looked=300, count=2, doubts=doubts(2, ("a.csv", "b.csv")))
    assert list(doubt_lines(found, Path("r.yaml")))[2] == "  row 3: `x`, more probable is `y` (90%)  b.csv  text 3"


def test_labels_that_were_not_judged_are_named() -> None:
    found = LabelDoubts(looked=300, left_out=tuple(f"l{number}" for number in range(12)))
    named = ", ".join(f"`l{number}`" for number in range(10))
    assert list(doubt_lines(found, Path("r.yaml"))) == [
        "0 of 300 train and validation rows are perhaps labelled wrongly",
        f"  labels not looked through, because a word model finds too few of their rows: {named} and 2 more",
    ]


def test_why_nothing_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = LabelDoubts(skipped="fewer than 100 train and validation rows")
    (line,) = doubt_lines(found, Path("r.yaml"))
    assert line == "labels that are perhaps wrong are not looked for: fewer than 100 train and validation rows"
    assert list(doubt_lines(None, Path("r.yaml"))) == []
    # A command that ran here before may have been given `--lang`.
    monkeypatch.setattr("penjing.cli.language._asked", None)
    monkeypatch.setenv("PENJING_LANG", "zh")
    from penjing.cli.language import translate

    assert translate(line) == "没有查找可能标错的标签：训练和验证行不足 100 行"
