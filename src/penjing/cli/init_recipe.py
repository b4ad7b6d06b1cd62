"""The recipe and the first rules file that `penjing init` writes, with comments in the reader's language."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from penjing.cli.init_tasks import scalar
from penjing.cli.language import language, translate
from penjing.cli.misses import Misses, in_yaml, yaml_name
from penjing.cli.time_zone import proposed_zone

if TYPE_CHECKING:
    from penjing.core.task import About
    from penjing.data.guessed import Guess
    from penjing.make.choose_base import ChosenBase

_RECIPE = """\
# Check the data:     penjing check {recipe}
# Make the service:   penjing make {recipe}
name: {name}
language: auto # zh | en | mixed | auto
task: {task} # {about}
data:
  # One file, or {{train: …, validation: …, calibration: …, test: …}}; relative to this recipe.
  files: {file}
  encoding: {encoding} # auto (UTF-8, UTF-16, GB18030, Big5, cp1252) or a name such as euc_jp
  text: {text} # the column of the texts
  label: {label} # {gold}
  fields: {{}} # columns that rules may ask for: {{channel: [app, web], amount: float, urgent: bool}}
  group: null # a column: rows with the same value never sit on two sides of a split
  time: null # the time of each row, for rules with dates; perhaps `{time}`
  unlabelled: [] # files of texts without labels
base: {base} # {why}
steps: # for a first try in seconds, write `- tune.linear: {{}}` as the only step
  - {step}: {tuning} # {tune}
  - compress.int8: {{}} # make it small and fast
gates: # promises that are tested before anything is sealed
  keep: 0.97 # {metric}
  unproven: refuse # or allow: seal what the data is too small to prove, and say so
decide:
  max_error: 0.05 # largest share of errors among decisions made without a person
  max_miss: {misses} # {miss_about}
  rules: rules.csv # cases that always go to a person, or whose outcome is forced
  audit: 0.01 # share of automatic cases that a person sees too
  time_zone: UTC # whose clock the days of rules are by: UTC, or a name such as `{zone}`
seed: 0
"""

_SHARED = "  held_out: shared # few rows: the same ones give the score and the certificate, so more train; or apart"

_RULES = """\
name,{facts},text,pii.id_card,then,why
{name},{commas}>=1,review,{why}
"""
# The name and the reason of its rule, in the language of the texts.
_FIRST_RULE = {
    "en": ("id-card-to-a-person", "contains an identity card number"),
    "zh": ("身份证号转人工", "含有身份证号码"),
}


def rules_text(about: About) -> str:
    """The first rules file of a task: a case with an identity card number goes to a person."""
    name, why = _FIRST_RULE[language()]
    return _RULES.format(facts=",".join(about.facts), commas="," * (len(about.facts) + 1), name=name, why=why)


def recipe_text(
    folder: Path,
    data: Path,
    guessed: Guess,
    about: About,
    chosen: ChosenBase | None = None,
    misses: Misses | None = None,
    shared: bool = False,
) -> str:
    """The text of the recipe; the path of the file is relative to its folder if possible. chosen: None for `auto`.

    shared: calibration and test are the same rows.
    """
    misses = misses or Misses()
    try:
        file = Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        file = data.resolve().as_posix()
    values = {
        "recipe": folder / "recipe.yaml",
        "name": scalar(folder.resolve().name[:80] or "service"),
        "file": scalar(file),
        "form": scalar(guessed.form or ""),
        "encoding": scalar(guessed.encoding),
        "text": scalar(guessed.text),
        "label": scalar(guessed.label),
        "other": scalar(guessed.other or ""),
        "head": scalar(guessed.ends[0] if guessed.ends else ""),
        "tail": scalar(guessed.ends[1] if guessed.ends else ""),
        "question": scalar(guessed.question or ""),
        "separator": scalar(guessed.separator or ""),
        "gold": about.gold,
        "metric": about.metric,
        "misses": in_yaml(misses.asked),
        "miss_about": _miss_comment(misses),
        "task": about.line,
        "about": about.comment,
        "base": "auto" if chosen is None else chosen.name,
        "why": _why(chosen),
        "step": "tune.full" if chosen is None or chosen.few is None else chosen.few.step,
        "tuning": "{}" if chosen is None or chosen.few is not None else chosen.tuning.options,
        "tune": _tune(chosen),
        "columns": ", ".join(scalar(name) for name in guessed.columns or ()),
        "sheet": scalar(guessed.sheet or ""),
        "header": guessed.header,
        "time": scalar(guessed.time or ""),
        "zone": proposed_zone(chinese=language() == "zh"),
    }
    # A line is cut at its comment before its values are put in: a name may hold a `#` too.
    return "".join(_aligned(line, values) + "\n" for line in _lines(guessed, shared))


def _miss_comment(misses: Misses) -> str:
    """The comment on `max_miss`: what it is, and what could be written."""
    if misses.asked or not misses.possible:
        return "largest share of a label's cases that may be decided wrongly without a person, by true label"
    example = in_yaml(misses.possible)
    return translate(
        "by true label, the share that may be decided wrongly without a person; proven if at most one calibration row "
        f"is decided wrongly: {example}; {yaml_name(misses.left_out)}, the most frequent label, is left out"
    )


def _why(chosen: ChosenBase | None) -> str:
    """The comment on the base: the reason where it is chosen, then what else may be written."""
    if chosen is None:
        return translate("auto: a shipped base, by rows, lengths and promises; or a folder in Hugging Face form")
    from penjing.report.verdict import note_in

    others = translate("or write auto, or a folder in Hugging Face form")
    return f"{note_in(chosen.comment, language())}; {others}"


def _tune(chosen: ChosenBase | None) -> str:
    """The comment on the tuning: what is trained, and the minutes that it takes where the base is chosen."""
    if chosen is None:
        return "fine-tune the base on the train rows"
    if chosen.few is not None:
        return chosen.few.comment
    if isinstance(layers := chosen.tuning.layers, int):
        return (
            f"fine-tune the top {layers} layers on the train rows, about {chosen.minutes:.0f} min on two server cores"
        )
    return f"fine-tune the base on the train rows, about {chosen.minutes:.0f} min on two server cores"


def _lines(guessed: Guess, shared: bool) -> Iterator[str]:
    """The lines of the template, and those that only some files need: of few rows, a header, a workbook, a time."""
    for line in _RECIPE.splitlines():
        if (line.startswith("  time:") and guessed.time is None) or (line.startswith("  label:") and not guessed.label):
            continue
        yield line
        if line.startswith("  files:"):
            yield from ["  format: {form} # texts whose pieces have labels"] * bool(guessed.form)
            yield from [_SHARED] * shared
        if line.startswith("  text:"):
            yield from ["  other: {other} # the column of the second texts"] * (guessed.other is not None)
            yield from ["  head: {head} # the column of the first entity"] * (guessed.ends is not None)
            yield from ["  tail: {tail} # the column of the second entity"] * (guessed.ends is not None)
            asked = guessed.question is not None
            yield from ["  question: {question} # the column of the questions about the texts"] * asked
        if line.startswith("  label:"):
            yield from ["  separator: {separator} # what is between the labels of a cell"] * bool(guessed.separator)
        if line.startswith("  encoding:"):
            yield from ["  columns: [{columns}] # the file has no header"] * bool(guessed.columns)
            yield from ["  sheet: {sheet} # of the workbook"] * (guessed.sheet is not None)
            yield from ["  header: {header} # the row of the header"] * (guessed.header is not None)


def _aligned(line: str, values: Mapping[str, object]) -> str:
    """A line of the template, its comment translated and in one column with the others (Chinese is two wide)."""
    from rich.cells import cell_len

    value, mark, comment = line.rpartition("# ")
    if not mark:
        return line.format(**values)
    said = translate(comment.format(**values))
    value = value.removesuffix(" ").format(**values)
    return f"{value}{' ' * (27 - cell_len(value))} {mark}{said}" if value.strip() else f"{value}{mark}{said}"
