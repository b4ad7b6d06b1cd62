"""The whole recipe checked before anything is trained: steps, base, files, fields, labels, limits, rules.

`penjing check` prints the faults, and `penjing make` runs the same check first, so both refuse the same recipes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from penjing.core.errors import PenjingError, RecipeError, RuleError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact, Progress, Table
from penjing.core.paths import no_such_file
from penjing.core.recipe import TIME, RecipeFile
from penjing.core.task import ALL, JointTask, Reader, Task
from penjing.core.zone import find_zone
from penjing.data.audit import Audit, Problem
from penjing.data.labels import match_label, nearest_label, read_as
from penjing.data.prepare import Prepared, examine, refusal
from penjing.decide.examine import examine_rules
from penjing.decide.logic.findings import Finding
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable
from penjing.make.candidate import has_scope
from penjing.make.check_base import base_faults, package_faults, room_problems
from penjing.make.check_items import audit_by_items, item_faults
from penjing.make.check_labels import label_faults, label_problems
from penjing.make.check_periods import audit_by_period
from penjing.make.check_tasks import task_problems
from penjing.make.check_training import training_faults
from penjing.make.choose import has_pipeline
from penjing.make.choose_base import AUTO, ChosenBase, choose_base, wanted_of, with_base
from penjing.make.choose_rows import choice_faults
from penjing.make.continuing import Earlier, continued, continuing_faults, open_start
from penjing.make.named import Named, open_named
from penjing.make.order import feature_faults, head_faults, order_faults, unlabelled_faults
from penjing.make.plan import read_plan, read_search
from penjing.make.search.ends import end_faults
from penjing.make.search.ranges import Range
from penjing.model.base import base_is_installed
from penjing.prove.certify import table_hashes
from penjing.prove.joint import limits_of_tasks
from penjing.prove.opened import LedgerState, look_up
from penjing.prove.openings import LEDGER
from penjing.prove.periods import counts_days, without_time
from penjing.prove.sequence import DELTA
from penjing.tasks import described, reader_of
from penjing.tasks.measure import metric_names

# Code of problems in the recipe or in a file that it names, not in the rows.
RECIPE = "recipe"
_SHOWN = 10
# The share of rows from which on a feature without a value is worth a word.
_MANY_EMPTY = 0.1
Found = TypeVar("Found")


@dataclass
class Checked:
    """A checked recipe, with everything that `make` needs if it has no faults.

    file: the recipe, with the labels of its limits spelled as in the rows. audit: problems of the rows and of the
    recipe. faults: errors of the recipe itself. data, base, rules: None if they cannot be read or are not used.
    chosen: what `base: auto` stands for here; `file` names it too. named: the base and corpora of each step. ranges:
    of options of the first step, which is in `steps` as its first trial has it. ledger: how often the calibration rows
    were opened; None without rows, or where the ledger cannot be read. earlier: the release that this one goes on from;
    rows of it that are learned again are among the train rows of `data`.
    """

    file: RecipeFile
    audit: Audit = field(default_factory=Audit)
    steps: list[Step] = field(default_factory=list)
    base: Artifact | None = None
    data: Prepared | None = None
    rules: RuleTable | None = None
    faults: list[PenjingError] = field(default_factory=list)
    chosen: ChosenBase | None = None
    named: list[Named] = field(default_factory=list)
    ranges: tuple[Range, ...] = ()
    ledger: LedgerState | None = None
    earlier: Earlier | None = None

    def raise_faults(self) -> None:
        """Raise the fault if there is one; for several, raise one of the first one's class that lists them all."""
        data_errors = [problem for problem in self.audit.errors if problem.code != RECIPE]
        faults = list(self.faults)
        if data_errors:
            faults.append(refusal(self.audit.model_copy(update={"problems": data_errors}), self.file))
        if not faults:
            return
        first, others = faults[0], faults[1:]
        if not others:
            raise first
        more = "".join(f"\n  {_line(each)}{f' ({each.fix})' if each.fix else ''}" for each in others[:_SHOWN])
        if len(others) > _SHOWN:
            more += f"\n  and {len(others) - _SHOWN} more: `penjing check` lists them"
        raise type(first)(first.what + more, where=first.where, fix=first.fix)


def check_recipe(file: RecipeFile, progress: Progress) -> Checked:
    """Check everything that a recipe names. Nothing is trained and nothing is written.

    All faults are collected, including those that prevent further checks, such as a missing file of rows.
    """
    found = Checked(file)
    found.steps, plan_faults = read_plan(file)
    found.faults += plan_faults
    found.ranges = read_search(file)
    found.named, named_faults = open_named(file, found.steps)
    found.faults += named_faults
    encoder = file.recipe.step_list()[0][0] != "tune.linear"
    if encoder and file.recipe.base != AUTO:
        _open_base(found, sound=not plan_faults)
    found.faults += continuing_faults(file, found.base)
    found.faults += package_faults(file, found.steps)
    found.faults += feature_faults(file, found.steps)
    missing = [path for path in _files(file) if not (path.is_file() or (_in_folders(file) and path.is_dir()))]
    found.faults += [no_such_file(path) for path in missing]
    reader = _attempt(found, lambda: reader_of(file))
    looked = None if missing or reader is None else _attempt(found, lambda: examine(file, reader, progress))
    if looked is not None:
        found.audit, found.data = looked
        _go_on(found, reader, progress)
    rows = table_hashes(found.data.calibration, file.recipe.data.features) if found.data is not None else []
    state = _attempt(found, lambda: look_up(file.path.parent / LEDGER, rows, DELTA * file.recipe.data.level_share))
    found.ledger = state if rows else None
    if encoder and file.recipe.base == AUTO and found.data is not None:
        found.chosen = choose_base(wanted_of(file, found.audit, found.steps), base_is_installed)
        found.file = file = with_base(file, found.chosen.name)
        _open_base(found, sound=not plan_faults)
    if found.data is not None:
        found.faults += _task_faults(found, found.data)
    labels = tuple(sorted(found.audit.labels))
    task = reader if found.data is None else found.data.task
    if labels and (task is None or task.golds_are_names):
        found.file = _with_limits(found, labels)
    # Without rows to learn from, the facts of a task are known only where they are those of labels.
    known = labels if found.data is not None or (reader is not None and reader.golds_are_names) else ()
    findings = _check_rules(found, known)
    problems = [
        Problem(severity="error", code=RECIPE, message=_line(each), fix=each.fix or "") for each in found.faults
    ]
    if found.data is not None:
        now = int(time.time())
        found.audit = audit_by_period(found.audit, found.file.recipe, found.data.calibration, found.rules, now)
        found.audit = audit_by_items(found.audit, found.file.recipe)
    problems += found.audit.problems
    problems += [
        Problem(severity="warning", code="rules", message=f"{each.where}: {each.what}", fix=each.fix or "")
        for each in findings
        if each.level == "warning"
    ]
    if found.data is not None:
        problems += [*label_problems(file, found.data), *task_problems(file.recipe, found.data)]
    problems += [*_fields_not_given(found), *_features_not_given(found)]
    if found.data is not None and found.base is not None and not found.faults:
        problems += room_problems(file, found.steps, found.base, found.data)
    found.audit = found.audit.model_copy(update={"problems": sorted(problems, key=lambda problem: problem.severity)})
    return found


def _task_faults(found: Checked, data: Prepared) -> list[PenjingError]:
    """What promises and steps ask of the task and of the rows, and these do not give."""
    file, steps = found.file, found.steps
    faults = [*promise_faults(file, data.task), *head_faults(file, steps, data.task)]
    faults += [*training_faults(file, steps, found.named, data.task), *choice_faults(file, found.base)]
    return [*faults, *unlabelled_faults(file, steps, len(data.unlabelled))]


def _go_on(found: Checked, reader: Reader | None, progress: Progress) -> None:
    """Open the earlier release that the recipe goes on from, and place the rows that it has used."""
    data = found.data
    if data is None or reader is None:
        return
    went_on = _attempt(found, lambda: continued(found.file, data, reader, progress))
    if went_on is not None:
        found.data, found.earlier = went_on
        found.audit = found.data.audit


def _open_base(found: Checked, *, sound: bool) -> None:
    """Open the base of the recipe, and add what its steps cannot do with it. sound: the steps themselves are valid."""
    file = found.file
    found.base = _attempt(found, lambda: open_start(file))
    if found.base is not None and sound:
        found.faults += order_faults(file, found.steps, found.base, found.named)
        of_base = base_faults(file, found.steps, found.base, found.named)
        found.faults += of_base or end_faults(file, found.steps, found.ranges, found.base)


def promise_faults(file: RecipeFile, task: Task) -> list[PenjingError]:
    """Faults of promises that do not fit the task: a metric that it lacks, or limits by label without labels."""
    faults: list[PenjingError] = []
    gates, limits, names = file.recipe.gates, file.recipe.decide.max_error, metric_names(task)
    if gates.macro_f1 is not None and "macro_f1" not in names:
        what = f"the gate `macro_f1` is not for the task `{task.name}`, which is measured by {', '.join(names)}"
        fix = f"write `score: {gates.macro_f1:g}`, which is a promise on `{names[0]}`"
        faults.append(RecipeError(what, where=file.where("gates", "macro_f1"), fix=fix))
    if gates.times_faster is not None and not has_pipeline(task):
        what = f"the gate `times_faster` is about one answer for a whole text, and the task `{task.name}` gives others"
        faults.append(RecipeError(what, where=file.where("gates", "times_faster"), fix="leave it out, or set `p50_ms`"))
    if file.recipe.decide.certify == "label":
        return [*faults, *label_faults(file, task), *_scope_faults(file, task)]
    if file.recipe.decide.certify == "item":
        return [*faults, *item_faults(file, task), *_scope_faults(file, task)]
    if isinstance(limits, dict) and task.scopes == (ALL,):
        what = f"`max_error` has limits by label, and the answers of the task `{task.name}` are no labels"
        fix = "write one share for all answers, such as `max_error: 0.05`"
        faults.append(RecipeError(what, where=file.where("decide", "max_error"), fix=fix))
    if isinstance(task, JointTask):
        return [*faults, *_joint_faults(file, task)]
    if file.recipe.decide.max_miss and task.scopes == (ALL,):
        what = f"`max_miss` has limits by label, and the answers of the task `{task.name}` are no labels"
        faults.append(RecipeError(what, where=file.where("decide", "max_miss"), fix="take `max_miss` out"))
    return faults + _scope_faults(file, task)


def _scope_faults(file: RecipeFile, task: Task) -> list[PenjingError]:
    """Faults of what is said of texts out of scope, where no text of the release can be."""
    recipe, faults = file.recipe, list[PenjingError]()
    if has_scope(recipe, task):
        return faults
    if recipe.decide.out_of_scope and "out_of_scope" in recipe.decide.model_fields_set:
        what = f"the task `{task.name}` does not say of a text that it is out of scope"
        where = file.where("decide", "out_of_scope")
        faults.append(RecipeError(what, where=where, fix="take `out_of_scope` out, or write 0"))
    if recipe.data.outside:
        what = "texts out of scope are named, and no text of this release can be out of scope"
        fix = "take `out_of_scope` out of `data:`"
        faults.append(RecipeError(what, where=file.where("data", "out_of_scope"), fix=fix))
    return faults


def _joint_faults(file: RecipeFile, task: Task) -> list[PenjingError]:
    """Faults of promises on several tasks: each needs its limit, and none has misses by label."""
    faults: list[PenjingError] = []
    try:
        limits_of_tasks(task.scopes, file.recipe.decide.max_error)
    except RecipeError as error:
        faults.append(RecipeError(error.what, where=file.where("decide", "max_error"), fix=error.fix))
    if file.recipe.decide.max_miss:
        what = f"`max_miss` has limits by label, and the task `{task.name}` has several answers"
        faults.append(RecipeError(what, where=file.where("decide", "max_miss"), fix="take `max_miss` out"))
    return faults


def _in_folders(file: RecipeFile) -> bool:
    """Whether the form of the rows is a folder of files."""
    return file.recipe.data.format == "brat"


def _files(file: RecipeFile) -> list[Path]:
    """Every file of rows that the recipe names."""
    data = file.recipe.data
    names = [data.files] if isinstance(data.files, str) else list(data.files.values())
    return list(
        dict.fromkeys(file.resolve(name) for name in (*names, *data.add, *data.unlabelled, *data.outside.values()))
    )


def _check_rules(found: Checked, labels: tuple[str, ...]) -> Sequence[Finding]:
    """Check the rules with the labels and fields of the data; without labels, check the fields alone."""
    recipe, file = found.file.recipe, found.file
    fields = {name: kind if isinstance(kind, str) else tuple(kind) for name, kind in recipe.data.fields.items()}
    sound = True
    for name, kind in fields.items():
        try:
            _schema(found, labels, {name: kind})
        except RecipeError as error:
            sound = False
            found.faults.append(RecipeError(error.what, where=file.where("data", "fields", name), fix=error.fix))
    if recipe.decide.rules is None or not sound:
        return []
    path = file.resolve(recipe.decide.rules)
    if not path.is_file():
        what = f"there is no rules file `{recipe.decide.rules[:80]}`"
        fix = "correct the path, relative to the recipe, or take `rules:` out"
        found.faults.append(RuleError(what, where=file.where("decide", "rules"), fix=fix))
        return []
    if not labels:
        return []
    found.rules, faults, findings = examine_rules(path, _schema(found, labels, fields))
    found.faults += faults
    if counts_days(found.rules) and fields.get(TIME) != "date":
        found.faults.append(without_time(str(path)))
    return findings


def _schema(found: Checked, labels: tuple[str, ...], fields: Mapping[str, str | tuple[str, ...]]) -> FactSchema:
    """The facts that rules may name: those of the task if it is known, else those of one label per text."""
    named: dict[str, Any] = described(found.data.task) if found.data is not None else {"labels": labels}
    reads = read_as(found.file.recipe.data)
    zone = find_zone(found.file.recipe.decide.time_zone)
    scoped = found.data is not None and has_scope(found.file.recipe, found.data.task)
    return FactSchema(named.get("labels", ()), fields, reads, other=named.get("task", {}), scope=scoped, zone=zone)


def _fields_not_given(found: Checked) -> list[Problem]:
    """A warning for each field that a rule needs and that is empty in some rows: such cases may go to a person."""
    if found.rules is None or found.data is None:
        return []
    problems = []
    tables = found.data.tables
    total = sum(map(len, tables))
    for name in found.rules.schema.fields:
        asking = [rule for rule in found.rules.rules if any(each.fact == name for each in rule.conditions)]
        empty = sum(value is None for table in tables for value in table.fields[name])
        if not asking or not empty:
            continue
        asked = ", ".join(f"{rule.row} ({rule.name})" for rule in asking[:_SHOWN])
        asked += f" and {len(asking) - _SHOWN} others" if len(asking) > _SHOWN else ""
        message = (
            f"{found.rules.path}: the field `{name}` is empty in {empty:,} of {total:,} rows, and the rules need it in "
            f"row{'s' * (len(asking) != 1)} {asked}: a case without it goes to a person where the rest of such a row "
            "holds (`missing_field`)"
        )
        fix = "fill the column in; or give that row another condition too, so that it asks in fewer cases"
        problems.append(Problem(severity="warning", code="rules", message=message, fix=fix))
    return problems


def _features_not_given(found: Checked) -> list[Problem]:
    """A warning for each field that the model reads and many rows leave empty."""
    if found.data is None:
        return []
    tables = found.data.tables
    total, problems = sum(map(len, tables)), []
    for name, kind in found.file.recipe.data.feature_types().items():
        problems += _unseen_values(name, kind, found.data.train)
        empty = sum(value is None for table in tables for value in table.fields[name])
        if empty < _MANY_EMPTY * total:
            continue
        message = (
            f"the feature `{name}` is empty in {empty:,} of {total:,} rows: there the model knows only that it is "
            "missing"
        )
        fix = "fill the column in, or leave the feature out"
        problems.append(Problem(severity="warning", code="features", message=message, fix=fix))
    return problems


def _unseen_values(name: str, kind: str | Sequence[str], train: Table) -> list[Problem]:
    """A warning for the listed values of a feature that no train row has: the model learns nothing about them."""
    unseen = [value for value in kind if value not in train.fields[name]] if not isinstance(kind, str) else []
    if not unseen:
        return []
    listed = ", ".join(f"`{value[:60]}`" for value in unseen[:_SHOWN])
    listed += f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
    message = f"no train row has the feature `{name}` as {listed}: such a case goes to a person"
    fix = "add rows with it, or take the value out of `fields:`"
    return [Problem(severity="warning", code="features", message=message, fix=fix)]


def _with_limits(found: Checked, labels: tuple[str, ...]) -> RecipeFile:
    """The recipe with the labels of its limits spelled as in the rows; unknown labels are added to the faults."""
    file = found.file
    decide = file.recipe.decide
    changed: dict[str, Any] = {}
    if isinstance(decide.max_error, dict):
        changed["max_error"] = _spelled(found, "max_error", decide.max_error, labels) or decide.max_error
    changed["max_miss"] = _spelled(found, "max_miss", decide.max_miss, labels)
    decide = decide.model_copy(update=changed)
    return file.model_copy(update={"recipe": file.recipe.model_copy(update={"decide": decide})})


def _spelled(found: Checked, key: str, limits: Mapping[str, float], labels: tuple[str, ...]) -> dict[str, float]:
    file = found.file
    reads, named = read_as(file.recipe.data), dict[str, float]()
    for written, limit in limits.items():
        where = file.where("decide", key, written)
        label = match_label(written, labels, reads)
        if label is None:
            what, fix = f"`{key}` has the unknown label `{written[:80]}`", nearest_label(written, labels)
            found.faults.append(RecipeError(what, where=where, fix=fix))
        elif label in named:
            what = f"`{key}` limits `{label}` twice: `{written[:80]}` is read as that label too"
            found.faults.append(RecipeError(what, where=where, fix="keep one of the two"))
        else:
            named[label] = limit
    return named


def _attempt(found: Checked, act: Callable[[], Found]) -> Found | None:
    try:
        return act()
    except PenjingError as error:
        if str(error) not in map(str, found.faults):  # a damaged release may be both the base and what goes on
            found.faults.append(error)
        return None


def _line(error: PenjingError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what
