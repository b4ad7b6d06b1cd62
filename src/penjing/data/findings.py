"""What an audit finds: duplicates and conflicts by row, labels that are too few, margins that are too wide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from penjing.core.errors import shown
from penjing.core.nouns import Table
from penjing.core.options import nearest
from penjing.core.recipe import PARTS, RecipeFile
from penjing.data.audit import (
    LEAST_LABEL_ROWS,
    LEAST_ROWS,
    SMALL_LABEL,
    Audit,
    Conflict,
    Problem,
    Rows,
    rows_that_certify,
)
from penjing.data.dedupe import Duplicates
from penjing.data.intake import Intake
from penjing.data.labels import as_yaml, looks, read_as
from penjing.data.split import cut_of, labelled_rows

# A group as large as this takes most of a part that is cut.
_LARGE_GROUP, _SHOWN_GROUPS = 0.1, 3
_MANY_CONFLICTS = 0.1  # share of the rows; the five sets that the project is measured on are below 0.01


def places(intake: Intake, positions: Iterable[int]) -> Rows:
    """Row numbers by file."""
    found: Rows = {}
    for position in positions:
        found.setdefault(intake.names[position], []).append(intake.table.rows[position])
    return found


def conflicts_of(intake: Intake, found: Duplicates) -> list[Conflict]:
    """The texts that occur with several labels."""
    labels = intake.table.labels or ()
    return [
        Conflict(labels=sorted({labels[position] for position in group}), rows=places(intake, sorted(group)))
        for group in found.conflicts
    ]


def sibling_problems(intake: Intake, siblings: list[int]) -> list[Problem]:
    """The rows that are left out because another row of their group is in calibration or test."""
    if not siblings:
        return []
    said = "another row of the group is in the same part, left out"
    counted = f"{len(siblings):,} row{'s' * (len(siblings) != 1)}: {said}"
    fix = "nothing to do; one row of a group enters calibration and test, because bounds assume independent rows"
    return [Problem(severity="warning", code="sibling", message=counted, rows=places(intake, siblings), fix=fix)]


def group_problems(intake: Intake, dropped: Collection[int]) -> list[Problem]:
    """The groups that have more than a tenth of the rows; dropped: positions of rows that were removed."""
    groups = intake.table.groups or ()
    used = [position for position, group in enumerate(groups) if position not in dropped]
    counted = Counter(groups[position] for position in used if groups[position])
    large = [(group, rows) for group, rows in counted.most_common(_SHOWN_GROUPS) if rows > _LARGE_GROUP * len(used)]
    problems = []
    for group, rows in large if len(used) >= LEAST_ROWS else ():
        held = places(intake, (position for position in used if groups[position] == group))
        what = f"the group `{shown(group, 40)}` has {rows:,} of {len(used):,} rows, and all of them are in one part"
        fix = "if it says that the group is not known, leave these cells empty: such a row is a group of its own"
        problems.append(Problem(severity="warning", code="large_group", message=what, rows=held, fix=fix))
    return problems


def leaking_problems(intake: Intake, leaking: list[int]) -> list[Problem]:
    """The added rows that are left out because a row of their group is in a part that does not train."""
    if not leaking:
        return []
    message = f"{len(leaking):,} added row{'s' * (len(leaking) != 1)}: a row of the group is in another part, left out"
    fix = "nothing to do; an added row trains, and its group must not be in a part that chooses, certifies or tests"
    return [Problem(severity="warning", code="added", message=message, rows=places(intake, leaking), fix=fix)]


def removed_problems(intake: Intake, found: Duplicates, dropped: set[int], several: str = "") -> list[Problem]:
    """What was removed as a duplicate or for its conflicting labels.

    several: the task that reads such rows where more than one label is true, "" for none.
    """
    problems = []
    one_right = "decide which label is right, keep one row"
    if several:
        one_right = f"decide which label is right, keep one row; where more than one is true, use `task: {several}`"
    inside = [gone for gone, kept in found.exact if intake.parts[gone] == intake.parts[kept]]
    near = [gone for gone, kept in found.near if intake.parts[gone] == intake.parts[kept]]
    across = [gone for gone, kept in (*found.exact, *found.near) if intake.parts[gone] != intake.parts[kept]]
    clashing = [position for group in found.conflicts for position in group if position in dropped]
    for code, positions, message, fix in (
        ("duplicate", inside, "the same text again, removed", "nothing to do; the first of each stays"),
        ("near_duplicate", near, "nearly the same text again, removed", "nothing to do; the first of each stays"),
        (
            "leak",
            across,
            "also in another part, removed here",
            "nothing to do; a text must not be trained and tested on",
        ),
        ("conflict", clashing, "one text under several labels, removed", one_right),
    ):
        if positions:
            rows = places(intake, sorted(positions))
            counted = f"{len(positions):,} row{'s' * (len(positions) != 1)}: {message}"
            problems.append(Problem(severity="warning", code=code, message=counted, rows=rows, fix=fix))
    return problems


def find_problems(
    file: RecipeFile, audit: Audit, near_conflicts: Rows, *, names: bool = True, alone: bool = False
) -> list[Problem]:
    """What follows from the counts: errors that forbid training, warnings that do not.

    names: whether the gold is a name, so that a rare one always goes to a person. alone: whether all rows may have
    one stratum.
    """
    return [*_forbidding(file, audit, alone), *_warning(file, audit, near_conflicts, names)]


def unseen_labels(
    file: RecipeFile, audit: Audit, tables: Mapping[str, Table], names: Mapping[str, str]
) -> list[Problem]:
    """The error for labels that no train row has, with their rows; names: the file of each part."""
    trained = audit.split_labels["train"]
    unseen = [label for label in audit.labels if not trained.get(label)]
    if not unseen or not trained:
        return []
    rows: Rows = {}
    for part, table in tables.items():
        for label, row in zip(table.labels or (), table.rows, strict=True):
            if label in unseen:
                rows.setdefault(names[part], []).append(row)
    listed = ", ".join(f"`{label}`" for label in unseen[:12])
    more = f" and {len(unseen) - 12} more" if len(unseen) > 12 else ""
    message = f"label{'s' * (len(unseen) != 1)} of which no row is in train: {listed}{more}"
    like = {label: kept for label in unseen for kept in trained if looks(label) == looks(kept)}
    fix = "add such rows to train, or take these rows out; a model cannot learn a label that it never sees"
    if like:
        reads = read_as(file.recipe.data) | like
        fix = f"where they are labels of train, write under `data:` in the recipe: {as_yaml(reads)}"
    elif any((near := nearest(label, list(trained))).startswith("did you") for label in unseen):
        fix = f"{near}  Correct the rows, or {fix}"
    return [Problem(severity="error", code="unseen_labels", message=message, fix=fix, rows=rows)]


def unseen_values(
    audit: Audit, strata: Mapping[str, Sequence[str]], tables: Mapping[str, Table], names: Mapping[str, str]
) -> list[Problem]:
    """The warning for grades, or bands of numbers, that no train row has, with their rows.

    strata: of each row of each part; names: the file of each part.
    """
    trained = audit.split_labels["train"]
    unseen = [value for value in audit.labels if not trained.get(value)]
    if not unseen or not trained:
        return []
    rows: Rows = {}
    for part, table in tables.items():
        for value, row in zip(strata[part], table.rows, strict=True):
            if value in unseen:
                rows.setdefault(names[part], []).append(row)
    listed = ", ".join(f"`{value}`" for value in unseen[:12])
    more = f" and {len(unseen) - 12} more" if len(unseen) > 12 else ""
    message = f"value{'s' * (len(unseen) != 1)} of which no row is in train: {listed}{more}"
    fix = "add such rows to train; a model hardly ever answers with a value that it never sees"
    return [Problem(severity="warning", code="unseen_values", message=message, fix=fix, rows=rows)]


def _forbidding(file: RecipeFile, audit: Audit, alone: bool) -> list[Problem]:
    label = file.recipe.data.label
    if audit.empty and not audit.used:
        return [
            _error("nothing_but_empty", "all texts are empty", f"is `text: {file.recipe.data.text}` the right column?")
        ]
    problems = []
    if audit.used < LEAST_ROWS:
        message = (
            f"{audit.used} usable row{'s' * (audit.used != 1)}; fewer than {LEAST_ROWS} cannot be trained and tested on"
        )
        problems.append(_error("too_few_rows", message, "label more texts; 500 are a good start"))
    if len(audit.labels) == 1 and not alone:
        message = f"one label only: `{next(iter(audit.labels))}`"
        problems.append(
            _error("one_label", message, f"add rows of another label; is `label: {label}` the right column?")
        )
    elif audit.used >= LEAST_ROWS and len(audit.labels) > audit.used / 2 and not alone:
        message = f"{len(audit.labels)} labels in {audit.used} rows: `{label}` looks like free text"
        problems.append(
            _error("labels_are_texts", message, "name the column of the labels with `label:` under `data:`")
        )
    elif not alone and audit.used >= LEAST_ROWS and sum(n >= LEAST_LABEL_ROWS for n in audit.labels.values()) < 2:
        message = f"fewer than two labels have {LEAST_LABEL_ROWS} rows or more"
        problems.append(_error("thin_labels", message, "label more rows of each label"))
    elif audit.used >= LEAST_ROWS:
        for part in PARTS:
            if not audit.splits[part]:
                message = f"no row is left for {part}"
                problems.append(_error("empty_part", message, "add rows, or leave that part out of `files:`"))
    return problems


def _warning(file: RecipeFile, audit: Audit, near_conflicts: Rows, names: bool) -> list[Problem]:
    problems = []
    if near_conflicts:
        message, fix = "nearly the same text under two labels, kept", "check that both labels are right"
        problems.append(_warn("near_conflict", message, fix, near_conflicts))
    if names and audit.small_labels and len(audit.labels) > 1:
        listed = ", ".join(f"`{label}` {audit.labels[label]}" for label in audit.small_labels[:12])
        more = f" and {len(audit.small_labels) - 12} more" if len(audit.small_labels) > 12 else ""
        message = f"labels with fewer than {SMALL_LABEL} rows: {listed}{more}"
        problems.append(_warn("small_labels", message, "add rows, or merge them; these labels always go to a person"))
    wanted = file.recipe.decide.max_error
    strictest = min(wanted.values()) if isinstance(wanted, dict) else wanted
    provable = audit.margin.certifiable_error if audit.margin else None
    if audit.margin and provable is not None and provable > strictest:
        needed = rows_that_certify(strictest, 0.05 * file.recipe.data.level_share)
        message = (
            f"{audit.margin.calibration_rows} calibration rows certify an error of {provable:.2%} at best, "
            f"not `max_error` {strictest:g}; everything would go to a person"
        )
        total = labelled_rows(needed, "calibration", audit.splits, cut_of(file.recipe.data))
        fix = f"at least {needed} calibration rows are needed: label more texts"
        if total > needed:
            fix = (
                f"at least {needed} calibration rows are needed, of about {total:,} labelled rows in all: "
                "label more texts"
            )
        problems.append(_warn("margin", message, fix))
    problems += _miss_margins(file, audit)
    if audit.duplicates.conflicts > _MANY_CONFLICTS * audit.rows:
        share = audit.duplicates.conflicts / audit.rows
        fix = f"are `text: {file.recipe.data.text}` and `label: {file.recipe.data.label}` the right columns?"
        problems.append(_warn("many_conflicts", f"{share:.0%} of the rows contradict another row", fix))
    stated = file.recipe.language
    if stated in ("zh", "en") and audit.language not in (stated, "mixed"):
        problems.append(
            _warn("language", f"`language: {stated}`, but the texts look like {audit.language}", "use auto")
        )
    return problems


def _miss_margins(file: RecipeFile, audit: Audit) -> list[Problem]:
    """A warning for each `max_miss` that the calibration rows of its label cannot prove."""
    problems, level = [], 0.05 * file.recipe.data.level_share
    decide = file.recipe.decide
    for label, limit in decide.max_miss.items() if decide.certify == "case" else ():
        rows = audit.split_labels.get("calibration", {}).get(label)
        if rows is None or rows >= rows_that_certify(limit, level):
            continue
        best = 1 - level ** (1 / rows) if rows else 1.0
        message = (
            f"{rows} calibration rows of `{label}` prove {best:.2%} at best, not `max_miss` {limit:g}; everything "
            "would go to a person"
        )
        needed = rows_that_certify(limit, level)
        fix = f"at least {needed} of them are needed: label more texts of it, or loosen the limit"
        problems.append(_warn("margin", message, fix))
    return problems


def _error(code: str, message: str, fix: str) -> Problem:
    return Problem(severity="error", code=code, message=message, fix=fix)


def _warn(code: str, message: str, fix: str, rows: Rows | None = None) -> Problem:
    return Problem(severity="warning", code=code, message=message, fix=fix, rows=rows or {})
