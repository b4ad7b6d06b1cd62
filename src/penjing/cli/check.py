"""`penjing check`: the content of the data of a recipe, its problems, and what it can prove."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penjing.cli import show
from penjing.cli.doubts import doubt_lines, look_for_doubts
from penjing.cli.follow import follow_file, follow_recipe
from penjing.cli.language import Worded, language, translate, translate_word

if TYPE_CHECKING:
    from penjing.data.audit import Audit, Margin
    from penjing.data.doubts import LabelDoubts
    from penjing.make.check_recipe import Checked
    from penjing.report.learning_part import RowsForecast
    from penjing.report.promised import Menu

_LABELS_SHOWN = 15
_LABELS_HELP = "look for labels that are perhaps wrong; default: where it takes seconds"
Labels = Annotated[bool | None, typer.Option("--labels/--no-labels", help=_LABELS_HELP, show_default=False)]


def register(app: typer.Typer) -> None:
    """Add `check`."""

    @app.command()
    def check(
        recipe: Annotated[Path, typer.Argument(help="the recipe (YAML)")],
        json: Annotated[bool, typer.Option("--json", help="the whole audit as one line of JSON")] = False,
        menu: Annotated[
            bool,
            typer.Option("--menu", help="what could be promised, by a word model trained in seconds"),
        ] = False,
        labels: Labels = None,
        curve: Annotated[
            bool,
            typer.Option("--curve", help="what more labelled rows would buy, by a word model trained on parts of them"),
        ] = False,
    ) -> None:
        """Check all of RECIPE, and audit its data; exit 3 where it must not be trained on.

        Steps, base, files, fields, labels, limits and rules: `penjing make` starts with the same check.
        """
        from penjing.core.recipe import load_recipe
        from penjing.make.check_recipe import check_recipe
        from penjing.make.plan import step_faults
        from penjing.report.verdict import note_in

        follow_file(recipe)
        file = load_recipe(recipe, step_faults)
        follow_recipe(file)
        with show.Bar() as bar:
            checked = check_recipe(file, bar)
            audit = checked.audit
            doubts = None
            if labels is not False and audit.trainable and checked.data is not None:
                doubts = look_for_doubts(checked.file, checked.data, bar, asked=labels is True)
        if not audit.files and len(checked.faults) == 1:
            checked.raise_faults()  # no data could be read
        chosen = checked.chosen
        offered = None
        if menu and audit.trainable and checked.data is not None:
            from penjing.make.menu import word_model_menu

            offered = word_model_menu(checked.file, checked.data, checked.rules, opened=checked.ledger)
        more = _learned(checked) if curve and audit.trainable else None
        if json:
            show.out_json(_as_json(checked, offered, doubts, more))
        else:
            for line in audit_lines(audit, tuple(_ledger_lines(checked)), tuple(doubt_lines(doubts, recipe))):
                show.out(line)
            if chosen is not None:
                show.out(note_in(chosen.note, language()))
            for line in filter(None, _plans(checked).values()):
                show.out(line)
            for line in _learned_lines(more) if curve else ():
                show.out(line)
            for line in _menu_lines(offered, checked):
                show.out(line)
        if not audit.trainable:
            raise typer.Exit(3)


def _as_json(
    checked: Checked, offered: Menu | None, doubts: LabelDoubts | None, more: RowsForecast | None
) -> dict[str, Any]:
    """The audit, and what else was found, as plain values."""
    audit, found = checked.audit, dict[str, Any]()
    if checked.chosen is not None:
        found |= {"base": checked.chosen.name, "base_why": checked.chosen.note.text}
    if offered is not None:
        found["menu"] = offered.model_dump(mode="json")
    if more is not None:
        found["forecast_rows"] = more.model_dump(mode="json")
    if checked.ledger is not None:
        found["ledger"] = checked.ledger.to_json()
    if doubts is not None:
        found["doubts"] = doubts.model_dump(mode="json")
    found |= {name: line for name, line in _plans(checked).items() if line}
    return {"trainable": audit.trainable, **found, **audit.model_dump(mode="json")}


def _menu_lines(offered: Menu | None, checked: Checked) -> Iterator[str]:
    """What could be promised; nothing where it was not asked for."""
    from penjing.report.ways_out import menu_lines

    if offered is None:
        return
    yield ""
    yield "of the plain word model; an encoder that is better can promise more:"
    yield from menu_lines(offered, language(), checked.file.recipe.decide.certify)


def _learned(checked: Checked) -> RowsForecast | None:
    """What more rows would buy; None where that is not measured."""
    from penjing.make.learning_curve import learning_curve

    if checked.data is None:
        return None
    with show.Bar() as bar:
        return learning_curve(checked.file, checked.data, bar)


def _learned_lines(found: RowsForecast | None) -> Iterator[str]:
    from penjing.make.learning_curve import FEWEST, MOST
    from penjing.report.learning_part import forecast_sentence
    from penjing.report.phrases import words
    from penjing.report.verdict import metric_name

    if found is None:
        yield (
            f"what more rows would give is measured for {FEWEST:,} to {MOST:,} train rows with answers about whole "
            "texts, and fewer with many labels"
        )
        return
    yield forecast_sentence(found, words(language()), metric_name(found.metric, language()))


def _ledger_lines(checked: Checked) -> Iterator[str]:
    """How often the calibration rows were opened, and what the next promise costs."""
    from penjing.data.split import cut_of, labelled_rows
    from penjing.prove.opened import lines_in_words

    if checked.ledger is None:
        return
    recipe = checked.file.recipe
    limit, cut = recipe.decide.max_error, cut_of(recipe.data)
    yield from lines_in_words(
        checked.ledger,
        limit if isinstance(limit, float) else None,
        lambda rows: labelled_rows(rows, "calibration", checked.audit.splits, cut),
    )


def _search_line(checked: Checked) -> str:
    """What a search over options will do, and how long it is expected to take; "" without one."""
    from penjing.make.search.expected import expected_line, trial_seconds

    if not checked.ranges or checked.faults or not checked.audit.splits:
        return ""
    step = checked.steps[0]
    each = trial_seconds(checked.file, checked.audit, step)
    return expected_line(checked.file.recipe, step, [one.option for one in checked.ranges], each)


def _plans(checked: Checked) -> dict[str, str]:
    """What `make` will do that takes its time, by its name in the JSON; "" where it will not."""
    return {"search": _search_line(checked), "choose": _choice_line(checked)}


def _choice_line(checked: Checked) -> str:
    """By which rows `make` will choose between encoder and word model; "" where there is nothing to choose."""
    from penjing.make.choose_rows import choice_line, rows_of_choice

    if checked.data is None or checked.faults or not checked.audit.trainable:
        return ""
    choice = rows_of_choice(checked.file, checked.data, checked.base)
    return "" if choice is None else choice_line(checked.file, checked.data, checked.steps, choice)


def audit_lines(audit: Audit, ledger: Sequence[str] = (), doubts: Sequence[str] = ()) -> Iterator[str]:
    """An audit as lines for a person: files, rows by label and part, what can be proved, problems.

    ledger: lines about the openings of the calibration rows; doubts: about labels that are perhaps wrong.
    """
    for file in audit.files:
        part = "" if len(audit.files) == 1 else f" ({file.part})"
        yield f"{file.name}{part}: {file.rows:,} rows, {file.encoding}"
    if audit.used:
        removed = audit.duplicates
        yield (
            f"usable: {audit.used:,} of {audit.rows:,} rows (removed: {removed.exact:,} exact and {removed.near:,} "
            f"near duplicates, {removed.conflicts:,} with conflicting labels; {audit.empty:,} empty, "
            f"{audit.no_label:,} without a label)"
        )
        lengths = audit.lengths
        yield f"texts: {_language(audit)}; {lengths['p50']:,} characters in the median, {lengths['max']:,} at most"
        hidden = [f"{count:,} {kind}" for kind, count in audit.masked.items() if count]
        yield f"masked: {', '.join(hidden) if hidden else 'no personal numbers found'}"
        if audit.unlabelled:
            yield f"unlabelled: {audit.unlabelled:,} texts"
        yield ""
        yield from _label_table(audit)
        yield ""
        if audit.margin is not None and audit.splits.get("calibration") and audit.margin.test_rows:
            yield from _margin_lines(audit.margin)
            yield from ledger
            yield ""
    if doubts:
        yield from doubts
        yield ""
    for problem in audit.problems:
        yield f"{problem.severity}: {problem.line()}"
        if problem.fix:
            yield f"  fix: {problem.fix}"
    errors = len(audit.errors)
    warnings = len(audit.problems) - errors
    counted = f"{warnings} warning{'s' * (warnings != 1)}"
    if any(problem.code == "recipe" for problem in audit.errors):
        yield f"This recipe cannot be made: {errors} error{'s' * (errors != 1)}, {counted}."
    elif errors:
        yield f"This data must not be trained on: {errors} error{'s' * (errors != 1)}, {counted}."
    else:
        yield f"This data can be trained on: {counted}."


def _language(audit: Audit) -> str:
    name = {"zh": "Chinese", "en": "English", "mixed": "Chinese and English mixed"}[audit.language]
    return f"{name} ({audit.languages.get('zh', 0):.0%} zh, {audit.languages.get('en', 0):.0%} en)"


def _label_table(audit: Audit) -> Iterator[str]:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column(translate_word("label"), footer=translate_word("all"), no_wrap=True)
    table.add_column(translate_word("rows"), footer=f"{audit.used:,}", justify="right")
    for part, rows in audit.splits.items():
        table.add_column(translate_word(part), footer=f"{rows:,}", justify="right")
    labels = list(audit.labels.items())
    # Only the largest and the smallest labels are shown; the smallest ones need attention.
    shown = labels if len(labels) <= _LABELS_SHOWN + 5 else [*labels[:_LABELS_SHOWN], *labels[-4:]]
    for label, rows in shown:
        if len(shown) < len(labels) and label == labels[-4][0]:
            table.add_row(translate(f"… {len(labels) - len(shown)} more"), *[""] * 5)
        counts = [audit.split_labels[part].get(label, 0) for part in audit.splits]
        table.add_row(label.replace("[", "\\["), f"{rows:,}", *[f"{count:,}" for count in counts])
    console = Console(file=io.StringIO(), width=110, color_system=None)
    with console.capture() as captured:
        console.print(table)
    yield from (Worded(line.rstrip()) for line in captured.get().splitlines() if line.strip())


def _margin_lines(margin: Margin) -> Iterator[str]:
    if margin.shared:
        yield (
            "what this much data can prove: the same held-out rows give the score and the certificate, each at 97.5 % "
            "confidence; what rules decide does not count:"
        )
    else:
        yield "what this much data can prove, at 95 % confidence; what rules decide does not count:"
    for each in margin.periods:
        yield (
            f"  period {each.period}: {each.calibration_rows:,} calibration rows, an error among automated decisions "
            f"of {1.0 if each.certifiable_error is None else each.certifiable_error:.2%} or more"
        )
    if margin.certifiable_error is not None and not margin.periods:
        yield (
            f"  {margin.calibration_rows:,} calibration rows: an error among automated decisions "
            f"of {margin.certifiable_error:.2%} or more, if none of them is decided wrongly"
        )
    if margin.accuracy_half_width is not None and margin.macro_f1_half_width is not None:
        yield (
            f"  {margin.test_rows:,} test rows: accuracy to ±{margin.accuracy_half_width:.3f}, "
            f"macro-F1 to ±{margin.macro_f1_half_width:.3f} (near a score of 0.90)"
        )
    elif margin.accuracy_half_width is not None:
        share = f"{margin.accuracy_half_width:.3f}"
        yield f"  {margin.test_rows:,} test rows: a share of right answers to ±{share} (near 0.90)"
