"""`penjing init`: a recipe and a rules file for a user's own data, and a list of the problems of that data."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli import show
from penjing.cli.check import audit_lines
from penjing.cli.follow import follow_recipe, follow_rows
from penjing.cli.language import language, translate
from penjing.cli.misses import Misses, ask_misses, in_yaml, most_frequent, proposals, yaml_name
from penjing.cli.texts import Encoding, Header, Sheet
from penjing.cli.time_zone import proposed_zone
from penjing.core.errors import UsageError

if TYPE_CHECKING:
    from penjing.core.recipe import RecipeFile
    from penjing.core.task import About
    from penjing.data.audit import Audit
    from penjing.data.choice import ChoiceError
    from penjing.data.guess import Guess
    from penjing.data.read import Reading
    from penjing.make.choose_base import ChosenBase

_PLAIN = re.compile(r"[A-Za-z_\u4e00-\u9fff./][\w./-]*")
_RESERVED = {"null", "true", "false", "~", "yes", "no", "on", "off", "."}

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
  - tune.full: {tuning} # {tune}
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

# With fewer usable rows than this, one held-out part gives the score and the certificate, so that 71 % train, not 60 %.
FEW_ROWS = 2000
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


def register(app: typer.Typer) -> None:
    """Add `init`."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where recipe.yaml and rules.csv are written")],
    data: Annotated[Path, typer.Option("--data", help="labelled texts: csv, tsv, jsonl, parquet or xlsx")],
    text: Annotated[str | None, typer.Option("--text", help="the column of the texts")] = None,
    label: Annotated[str | None, typer.Option("--label", help="the column of the labels")] = None,
    other: Annotated[
        str | None, typer.Option("--other", help="the column of the second texts, where two are compared")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="what is predicted: {tasks}; left out: by the labels")
    ] = None,
    encoding: Encoding = "auto",
    sheet: Sheet = None,
    header: Header = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite recipe.yaml and rules.csv")] = False,
    json: Annotated[bool, typer.Option("--json", help="one line of JSON instead of words")] = False,
) -> None:
    """Write DIR/recipe.yaml and DIR/rules.csv for the labelled texts in FILE, and list what is wrong with them."""
    from penjing.core.folder import replaced_file
    from penjing.core.recipe import load_recipe
    from penjing.data.prepare import examine
    from penjing.data.read import Reading
    from penjing.make.choose_base import COSTS, choose_base, longer, wanted_of
    from penjing.model.base import base_is_installed
    from penjing.report.verdict import note_in
    from penjing.tasks import about_task, reader_of

    recipe, rules = folder / "recipe.yaml", folder / "rules.csv"
    for path in (recipe, rules):
        if path.exists() and not force:
            raise UsageError("this file is there already", where=str(path), fix="name another DIR, or add --force")
    named = about_task(task, "--task") if task is not None else None
    wanted = _wanted((text, label, other), Reading(encoding, sheet, header), named)
    follow_rows(data, wanted.reading, text)
    guessed = _guess(data, wanted, asking=not json)
    about = named or _task_of(guessed)
    if not about.sets:
        guessed = replace(guessed, separator=None)
    _make_folder(folder)
    with replaced_file(rules) as new_rules, replaced_file(recipe) as new_recipe:  # both or neither
        new_rules.write_text(rules_text(about), encoding="utf-8")
        new_recipe.write_text(recipe_text(folder, data, guessed, about), encoding="utf-8")
    file = load_recipe(recipe)
    follow_recipe(file)
    if language() != "en":  # comments are in the language of the texts
        recipe.write_text(recipe_text(folder, data, guessed, about), encoding="utf-8")
        rules.write_text(rules_text(about), encoding="utf-8")
    with show.Bar() as bar:
        reader = reader_of(file)
        audit, prepared = examine(file, reader, bar)
        if shared := prepared is not None and audit.used < FEW_ROWS:
            audit, prepared = examine(file := _with_shared_rows(file), reader, bar)
    if prepared is not None:  # until then it is `base: auto`
        costs = COSTS if about.epochs is None else longer(COSTS, about.epochs)
        chosen = choose_base(replace(wanted_of(file, audit), written=True), base_is_installed, costs)
        possible = proposals(audit) if reader.golds_are_names else {}
        frequent = most_frequent(audit) if possible else ""
        asked = ask_misses(possible, frequent) if possible and not json and _at_a_terminal() else {}
        with replaced_file(recipe) as new_recipe:
            text_of = recipe_text(folder, data, guessed, about, chosen, Misses(asked, possible, frequent), shared)
            new_recipe.write_text(text_of, encoding="utf-8")
    if json:
        found: dict[str, object] = {"recipe": str(recipe), "rules": str(rules)}
        found |= {"text": guessed.text, "label": guessed.label} | ({"other": guessed.other} if guessed.other else {})
        found |= {"base": chosen.name, "tuning_minutes": round(chosen.minutes)} if prepared is not None else {}
        show.out_json({**found, "notes": guessed.notes, "audit": audit.model_dump(mode="json")})
        return
    _tell_what_was_found(guessed, about if named is None else None, audit)
    if prepared is not None:
        show.out(f"base: {chosen.name}, {note_in(chosen.comment, language())}")
        show.out(f"tuning: about {chosen.minutes:.0f} min on two server cores")
        show.out("for a first try in seconds, write `- tune.linear: {}` as the only step")
    show.out("")
    show.out(f"wrote {recipe} and {rules}")
    show.out(f"next: penjing make {recipe}" if audit.trainable else f"after the corrections: penjing check {recipe}")


def _with_shared_rows(file: RecipeFile) -> RecipeFile:
    """The recipe with one held-out part for the score and the certificate."""
    data = file.recipe.data.model_copy(update={"held_out": "shared"})
    return file.model_copy(update={"recipe": file.recipe.model_copy(update={"data": data})})


@dataclass(frozen=True)
class _Wanted:
    """The options of the caller for the file; `numbers`: the labels are numbers; `pairs`: a case is two texts."""

    text: str | None
    label: str | None
    reading: Reading
    numbers: bool
    other: str | None = None
    pairs: bool | None = None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError("this is a file, not a folder", where=str(folder), fix="name another DIR") from None


def _wanted(columns: tuple[str | None, str | None, str | None], reading: Reading, named: About | None) -> _Wanted:
    """columns: of texts, labels and second texts; named: the task that the caller names."""
    text, label, other = columns
    pairs = True if other is not None else None if named is None else named.pairs
    return _Wanted(text, label, reading, named is not None and named.numbers, other, pairs)


def _task_of(guessed: Guess) -> About:
    """The task that fits the labels and the texts of a file."""
    from penjing.tasks import TASKS, about_task

    pairs = guessed.other is not None
    kinds = (not pairs and guessed.numbers == "many", not pairs and guessed.separator is not None, guessed.spans, pairs)
    return next(one for one in map(about_task, TASKS) if (one.numbers, one.sets, one.spans, one.pairs) == kinds)


def _tell_what_was_found(guessed: Guess, about: About | None, audit: Audit) -> None:
    """The columns, the task if it was guessed, notes on the columns, and the problems of the rows."""
    if guessed.other is None:
        show.out(f"texts: column `{guessed.text}`; labels: column `{guessed.label}`")
    else:
        show.out(f"texts: columns `{guessed.text}` and `{guessed.other}`; labels: column `{guessed.label}`")
    if about is not None and about.numbers:
        show.out(f"task: {about.name}, because the labels are numbers; `--task` chooses another")
    elif about is not None and about.sets:
        show.out(
            f"task: {about.name}, because cells hold several labels with `{guessed.separator}` between them; `--task "
            "classify` reads each cell as one label"
        )
    elif about is not None and about.pairs:
        show.out(
            f"task: {about.name}, because two columns are named as the two texts of a case; `--task classify` reads one"
        )
    elif about is not None and about.spans:
        show.out(f"task: {about.name}, because the labels are pieces of the text; `--task` chooses another")
    elif about is not None and guessed.numbers == "few":
        show.out(f"task: {about.name}; where the labels are grades in order, write `--task score`")
    for note in guessed.notes:
        if not any(note in problem.message for problem in audit.problems):  # problems are listed below
            show.out(f"note: {note}")
    for line in audit_lines(audit):
        show.out(line)


def _guess(data: Path, wanted: _Wanted, *, asking: bool) -> Guess:
    """The guessed content of the file; if several columns or sheets fit, asks at a terminal."""
    from penjing.data.choice import ChoiceError
    from penjing.data.guess import guess

    if str(data) == "-":
        raise UsageError("a recipe needs a file that stays", where="--data", fix="write standard input to a file first")
    text, label, reading = wanted.text, wanted.label, wanted.reading
    while True:
        try:
            return guess(
                data,
                text=text,
                label=label,
                reading=reading,
                numbers=wanted.numbers,
                other=wanted.other,
                pairs=wanted.pairs,
            )
        except ChoiceError as error:
            if not (asking and _at_a_terminal()):
                raise
            role, chosen = error.role, _ask(error)
        text = chosen if role == "text" else text
        label = chosen if role == "label" else label
        reading = replace(reading, sheet=chosen) if role == "sheet" else reading


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: ChoiceError) -> str:
    """The name that the user chooses, by its number or as it is written."""
    names = list(question.choices)
    show.tell(question.what.partition("\n")[0].removesuffix(":") + ":")
    for place, (name, shown) in enumerate(question.choices.items(), start=1):
        show.tell(f"  {place}  {name}: {shown}")
    while True:
        answer = str(typer.prompt(translate(f"the {question.role}, by its number"), default="1", err=True)).strip()
        if answer in names:
            return answer
        if answer.isdigit() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        show.tell(f"a number from 1 to {len(names)}")


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
    """The text of the recipe. chosen: None for `auto`; shared: calibration and test are the same rows."""
    misses = misses or Misses()
    try:
        file = Path(os.path.relpath(data.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        file = data.resolve().as_posix()
    values = {
        "recipe": folder / "recipe.yaml",
        "name": _scalar(folder.resolve().name[:80] or "service"),
        "file": _scalar(file),
        "form": _scalar(guessed.form or ""),
        "encoding": _scalar(guessed.encoding),
        "text": _scalar(guessed.text),
        "label": _scalar(guessed.label),
        "other": _scalar(guessed.other or ""),
        "separator": _scalar(guessed.separator or ""),
        "gold": about.gold,
        "metric": about.metric,
        "misses": in_yaml(misses.asked),
        "miss_about": _miss_comment(misses),
        "task": about.line,
        "about": about.comment,
        "base": "auto" if chosen is None else chosen.name,
        "why": _why(chosen),
        "tuning": "{}" if chosen is None else chosen.tuning.options,
        "tune": _tune(chosen),
        "columns": ", ".join(_scalar(name) for name in guessed.columns or ()),
        "sheet": _scalar(guessed.sheet or ""),
        "header": guessed.header,
        "time": _scalar(guessed.time or ""),
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
    if isinstance(layers := chosen.tuning.layers, int):
        return (
            f"fine-tune the top {layers} layers on the train rows, about {chosen.minutes:.0f} min on two server cores"
        )
    return f"fine-tune the base on the train rows, about {chosen.minutes:.0f} min on two server cores"


def _lines(guessed: Guess, shared: bool) -> Iterator[str]:
    """The lines of the template, and those that only some files need: of few rows, a header, a workbook, a time."""
    for line in _RECIPE.splitlines():
        if line.startswith("  time:") and guessed.time is None:
            continue
        yield line
        if line.startswith("  files:"):
            yield from ["  format: {form} # texts whose pieces have labels"] * bool(guessed.form)
            yield from [_SHARED] * shared
        if line.startswith("  text:"):
            yield from ["  other: {other} # the column of the second texts"] * (guessed.other is not None)
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


def _scalar(value: str) -> str:
    """A word that YAML reads back unchanged: bare if that is safe, else in JSON quotes."""
    safe = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
    return value if safe else json.dumps(value, ensure_ascii=False)
