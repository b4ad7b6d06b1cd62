"""`penjing init`: a recipe and a rules file for a user's own data, and a list of the problems of that data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.cli import show
from penjing.cli.check import audit_lines
from penjing.cli.follow import follow_recipe, follow_rows
from penjing.cli.init_recipe import recipe_text, rules_text
from penjing.cli.init_tasks import at_a_terminal, check_labels, with_further, with_tasks
from penjing.cli.language import language, translate
from penjing.cli.misses import Misses, ask_misses, most_frequent, proposals
from penjing.cli.texts import Encoding, Header, Sheet
from penjing.core.errors import UsageError
from penjing.core.pace import time_in_words
from penjing.core.whole_number import whole_number

if TYPE_CHECKING:
    from penjing.core.recipe import RecipeFile
    from penjing.core.task import About, Task
    from penjing.data.audit import Audit
    from penjing.data.choice import ChoiceError
    from penjing.data.guessed import Guess
    from penjing.data.prepare import Prepared
    from penjing.data.read import Reading
    from penjing.make.choose_base import ChosenBase

# With fewer usable rows than this, one held-out part gives the score and the certificate, so that 71 % train, not 60 %.
FEW_ROWS = 2000


def register(app: typer.Typer) -> None:
    """Add `init`."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where recipe.yaml and rules.csv are written")],
    data: Annotated[Path, typer.Option("--data", help="labelled texts: csv, tsv, jsonl, parquet or xlsx")],
    text: Annotated[str | None, typer.Option("--text", help="the column of the texts")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="the column of the labels; several: each is a task of its own")
    ] = None,
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
    from penjing.data.prepare import IfFew, examine
    from penjing.data.read import Reading
    from penjing.report.verdict import note_in
    from penjing.tasks import about_task, reader_of

    recipe, rules = folder / "recipe.yaml", folder / "rules.csv"
    for path in (recipe, rules):
        if path.exists() and not force:
            raise UsageError("this file is there already", where=str(path), fix="name another DIR, or add --force")
    named = about_task(task, "--task") if task is not None else None
    named = check_labels(labels := label or [], named)
    wanted = _wanted((text, labels[0] if labels else None, other), Reading(encoding, sheet, header), named)
    follow_rows(data, wanted.reading, text)
    guessed = _guess(data, wanted, asking=not json)
    about = named or _task_of(guessed)
    guessed, about = with_tasks(labels, guessed, about, lambda *columns: _other(data, wanted, *columns))
    guessed = _fitted(guessed, about)
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
        audit, prepared = examine(file, reader, bar, if_few=IfFew(FEW_ROWS, _with_shared_rows(file)))
    if prepared is not None:  # until then it is `base: auto`
        chosen = _choose(file, audit, about, prepared.task)
        shared = prepared.shared
        possible = proposals(audit) if reader.golds_are_names else {}
        frequent = most_frequent(audit) if possible else ""
        asked = ask_misses(possible, frequent) if possible and not json and at_a_terminal() else {}
        with replaced_file(recipe) as new_recipe:
            text_of = recipe_text(folder, data, guessed, about, chosen, Misses(asked, possible, frequent), shared)
            new_recipe.write_text(text_of, encoding="utf-8")
        whole = None if chosen.few is None else _whole(recipe, prepared)
    if json:
        found: dict[str, object] = {"recipe": str(recipe), "rules": str(rules)}
        found |= {"text": guessed.text, "label": guessed.label or labels, **with_further(guessed)}
        if prepared is not None:
            minutes = {"tuning_minutes": round(chosen.minutes)} if whole is None else {"make_seconds": round(whole)}
            found |= {"base": chosen.name, **minutes}
        show.out_json({**found, "notes": guessed.notes, "audit": audit.model_dump(mode="json")})
        return
    _tell_what_was_found(guessed, about if named is None else None, audit)
    if prepared is not None:
        show.out(f"base: {chosen.name}, {note_in(chosen.comment, language())}")
        show.out(_tuning_of(chosen))
        if whole is not None:
            show.out(f"`make` takes about {time_in_words(whole)} on two server cores")
        show.out("for a first try in seconds, write `- tune.linear: {}` as the only step")
    show.out("")
    show.out(f"wrote {recipe} and {rules}")
    show.out(f"next: penjing make {recipe}" if audit.trainable else f"after the corrections: penjing check {recipe}")


def _choose(file: RecipeFile, audit: Audit, about: About, task: Task) -> ChosenBase:
    """The base, how it is tuned, and the step in the place of `tune.full` where labels are few."""
    from penjing.make.choose_base import COSTS, choose_base, longer, wanted_of
    from penjing.make.few_labels import propose_step
    from penjing.model.base import base_is_installed

    costs = longer(COSTS, about.epochs, about.max_tokens)
    chosen = choose_base(replace(wanted_of(file, audit), written=True), base_is_installed, costs)
    return replace(chosen, few=propose_step(audit.labels, task))


def _whole(recipe: Path, prepared: Prepared) -> float | None:
    """Expected seconds of the whole `make` of the recipe that is written."""
    from penjing.core.recipe import load_recipe
    from penjing.make.plan import build_plan
    from penjing.make.whole_time import make_seconds

    file = load_recipe(recipe)
    return make_seconds(file, prepared, build_plan(file))


def _tuning_of(chosen: ChosenBase) -> str:
    """What is said of the tuning: how long it takes, or which step is proposed instead."""
    if chosen.few is not None:
        return f"step: {chosen.few.step}; {chosen.few.comment}"
    return f"tuning: about {chosen.minutes:.0f} min on two server cores"


def _with_shared_rows(file: RecipeFile) -> RecipeFile:
    """The recipe with one held-out part for the score and the certificate."""
    data = file.recipe.data.model_copy(update={"held_out": "shared"})
    return file.model_copy(update={"recipe": file.recipe.model_copy(update={"data": data})})


@dataclass(frozen=True)
class _Wanted:
    """The options of the caller; `numbers`: the labels are numbers; `further`: the texts of a case after its first;
    `column`: that of the gold in annotated texts, where the task has its own."""

    text: str | None
    label: str | None
    reading: Reading
    numbers: bool
    other: str | None = None
    further: tuple[str, ...] | None = None
    column: str = ""


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError("this is a file, not a folder", where=str(folder), fix="name another DIR") from None


def _wanted(columns: tuple[str | None, str | None, str | None], reading: Reading, named: About | None) -> _Wanted:
    """columns: of texts, labels and second texts; named: the task that the caller names."""
    text, label, other = columns
    further = ("other",) if other is not None else None if named is None else named.further
    return _Wanted(
        text, label, reading, named is not None and named.numbers, other, further, "" if named is None else named.column
    )


def _task_of(guessed: Guess) -> About:
    """The task that fits the labels and the texts of a file."""
    from penjing.tasks import TASKS, about_task

    further = ("other",) if guessed.other is not None else () if guessed.ends is None else ("head", "tail")
    further = further if guessed.question is None else ("question",)
    sets = guessed.separator is not None and not further and not guessed.spans
    kinds = (not further and guessed.numbers == "many", sets, guessed.spans, further)
    return next(one for one in map(about_task, TASKS) if (one.numbers, one.sets, one.spans, one.further) == kinds)


def _fitted(guessed: Guess, about: About) -> Guess:
    """The guess without what the task does not read, and with its column of annotated texts."""
    guessed = guessed if about.sets else replace(guessed, separator=None)
    return replace(guessed, label=about.column) if guessed.form and about.column else guessed


def _other(data: Path, wanted: _Wanted, label: str, text: str) -> tuple[Guess, About]:
    """What another column of labels holds, and its task."""
    found = _guess(data, replace(wanted, label=label, text=text, column=""), asking=False)
    return found, _task_of(found)


def _tell_what_was_found(guessed: Guess, about: About | None, audit: Audit) -> None:
    """The columns, the task if it was guessed, notes on the columns, and the problems of the rows."""
    if about is not None and about.joint:
        show.out(f"texts: column `{guessed.text}`; several tasks: {about.line}")
    elif guessed.ends is not None:
        head, tail = guessed.ends
        show.out(f"sentences: column `{guessed.text}`; head `{head}`, tail `{tail}`; labels: column `{guessed.label}`")
    elif guessed.question is not None:
        show.out(f"texts: column `{guessed.text}`; questions: column `{guessed.question}`; answers: `{guessed.label}`")
    elif guessed.other is None:
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
    elif about is not None and guessed.ends is not None:
        show.out(
            f"task: {about.name}, because two columns are the head and the tail of a relation in the text; `--task "
            "classify` reads the text alone"
        )
    elif about is not None and guessed.question is not None:
        show.out(
            f"task: {about.name}, because the answers to a column of questions are pieces of the text; `--task "
            "classify` reads the text alone"
        )
    elif about is not None and about.further:
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
    from penjing.data.guess_related import guess_related

    if str(data) == "-":
        raise UsageError("a recipe needs a file that stays", where="--data", fix="write standard input to a file first")
    text, label, reading = wanted.text, wanted.label, wanted.reading
    while True:
        try:
            if wanted.column:
                return guess_related(data, wanted.column, text, label, reading)
            return guess(
                data,
                text=text,
                label=label,
                reading=reading,
                numbers=wanted.numbers,
                other=wanted.other,
                further=wanted.further,
            )
        except ChoiceError as error:
            if not (asking and at_a_terminal()):
                raise
            role, chosen = error.role, _ask(error)
        text = chosen if role == "text" else text
        label = chosen if role == "label" else label
        reading = replace(reading, sheet=chosen) if role == "sheet" else reading


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
        if (number := whole_number(answer, 1, len(names))) is not None:
            return names[number - 1]
        show.tell(f"a number from 1 to {len(names)}")
