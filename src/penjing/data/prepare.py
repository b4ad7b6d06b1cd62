"""From a recipe's files to four tables: read, clean, mask, remove duplicates, split, audit. Deterministic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from penjing.core.canon import canonical_json, digest_lines
from penjing.core.errors import DataError
from penjing.core.nouns import Progress, Table
from penjing.core.recipe import PARTS, RecipeFile
from penjing.core.task import OpenReader, PairReader, Reader, SetReader, Task
from penjing.data.audit import Audit, DuplicateAudit, Problem, language_shares, length_quantiles, provable
from penjing.data.augment.rows import text_digest
from penjing.data.dedupe import Duplicates, find_duplicates
from penjing.data.features import beside_text, rows_of
from penjing.data.findings import (
    conflicts_of,
    find_problems,
    group_problems,
    leaking_problems,
    places,
    removed_problems,
    sibling_problems,
    unseen_labels,
    unseen_values,
)
from penjing.data.fold import fold
from penjing.data.intake import Intake, take_in, take_outside, take_unlabelled
from penjing.data.mask import VERSION, Masking, open_masking
from penjing.data.pair_text import compared
from penjing.data.placed import one_a_group, placed_rows, units_of
from penjing.data.shared_texts import both_near, linked, shared_problems
from penjing.data.table import faults_of

# A text that is in two parts is kept in the first of these.
_RANK = {"test": 0, "calibration": 1, "validation": 2, "train": 3}
_ADDED = 4


@dataclass(frozen=True, eq=False)
class Prepared:
    """Four tables, cleaned and masked, that share no text; `fingerprint` is the hash of their content.

    labels: the strata of the gold, sorted (of `classify` its labels); task: learned from train and validation.

    left_out: rows of groups that have another row in calibration or test (`one_a_group`), which nothing else uses.

    copied: positions in `test` of the rows of a given test file whose text was also in another file, exactly or nearly
    (there it was removed).

    shared: calibration and test are the same rows.

    outside: texts that fit no label, by the name of their set; none of them is a text of the tables.

    origins: the file of each row of a part, as the recipe names it.

    units: of each row of train and validation, the key of rows that stay together; added: positions in `train` of rows
    that train and never test.
    """

    train: Table
    validation: Table
    calibration: Table
    test: Table
    labels: tuple[str, ...]
    task: Task
    language: Literal["zh", "en", "mixed"]
    audit: Audit
    fingerprint: str
    unlabelled: tuple[str, ...] = ()
    copied: tuple[int, ...] = ()
    left_out: Table | None = None
    shared: bool = False
    outside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    origins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    units: Mapping[str, Sequence[str]] = field(default_factory=dict)
    added: tuple[int, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, each once."""
        return (self.train, self.validation, *(() if self.shared else (self.calibration,)), self.test)

    @property
    def held_out(self) -> frozenset[str]:
        """Digests of the texts outside the train rows, those of `left_out` too."""
        tables = (*self.tables[1:], *([] if self.left_out is None else [self.left_out]))
        return frozenset(text_digest(text) for table in tables for text in table.texts)


def prepare(file: RecipeFile, reader: Reader, progress: Progress, masking: Masking | None = None) -> Prepared:
    """The tables of a recipe. Raises DataError where the audit forbids training, with the errors and their rows."""
    audit, prepared = examine(file, reader, progress, masking)
    if prepared is None:
        raise refusal(audit, file)
    return prepared


def refusal(audit: Audit, file: RecipeFile) -> DataError:
    """The error for data that must not be trained on, with all that forbids it."""
    lines = [problem.line() for problem in audit.errors]
    what = lines[0] if len(lines) == 1 else "this data must not be trained on:\n    " + "\n    ".join(lines)
    fix = audit.errors[0].fix or "`penjing check` lists what is wrong"
    return DataError(what, where=file.where("data"), fix=fix)


@dataclass(frozen=True)
class IfFew:
    """What holds where fewer than so many rows are usable: the same recipe with another split."""

    below: int
    file: RecipeFile


def examine(
    file: RecipeFile,
    reader: Reader,
    progress: Progress,
    masking: Masking | None = None,
    if_few: IfFew | None = None,
) -> tuple[Audit, Prepared | None]:
    """The audit of a recipe's data, and the tables where nothing forbids training on them.

    masking: the newest version where none is given. if_few: its recipe splits the rows, which are read once.
    """
    masking = masking or open_masking(VERSION)
    progress.start("reading the data", None)
    try:
        intake = take_in(file, reader, masking)
        unlabelled, outside = take_unlabelled(file, reader, masking), take_outside(file, reader, masking)
    except DataError as error:
        return Audit(problems=[_unreadable(each) for each in faults_of(error)]), None
    rows = _looked_through(file, reader, intake, progress)
    audit, prepared = _arranged(file, reader, rows, unlabelled, outside)
    if if_few is not None and prepared is not None and audit.used < if_few.below:
        return _arranged(if_few.file, reader, rows, unlabelled, outside)
    return audit, prepared


@dataclass(frozen=True)
class _Unsplit:
    """The rows of a recipe before they are split. labels: their strata; dropped: positions that are not used;
    beside: of each row the fields that the model reads."""

    intake: Intake
    labels: Sequence[str]
    found: Duplicates
    dropped: set[int]
    beside: list[str] | None


def _looked_through(file: RecipeFile, reader: Reader, intake: Intake, progress: Progress) -> _Unsplit:
    """The rows with what is equal or nearly equal among them."""
    recipe, table, parts = file.recipe, intake.table, intake.parts
    given = set(recipe.data.files) if isinstance(recipe.data.files, dict) else {"train"}
    labels = reader.strata(table.labels or ())
    rank = [_ADDED if position in intake.added else _RANK[part] for position, part in enumerate(parts)]
    beside, protected = _beside(file, table), _RANK["test"] if "test" in given else None
    said = table.labels or () if _one_stratum_differs(reader) else labels
    found = _duplicates(reader, table.texts, said, (rank, protected), progress, beside)
    found = found if recipe.reads_text else found.exact_only()
    dropped = {position for position, _ in (*found.exact, *found.near)}
    dropped |= _conflicting(found, parts, said, "test" in given)
    return _Unsplit(intake, labels, found, dropped, beside)


def _arranged(
    file: RecipeFile,
    reader: Reader,
    rows: _Unsplit,
    unlabelled: Sequence[str],
    outside: Mapping[str, Sequence[str]],
) -> tuple[Audit, Prepared | None]:
    """The rows split as a recipe says, with their audit."""
    recipe, intake, labels, found = file.recipe, rows.intake, rows.labels, rows.found
    table, parts, dropped, beside = intake.table, intake.parts, rows.dropped, rows.beside
    used = [position for position in range(len(table)) if position not in dropped]
    shared = recipe.data.held_out == "shared"
    placed, leaking = placed_rows(file, intake, labels, found, used, beside)
    placed, siblings = one_a_group(table, placed)
    tables = {name: table.take(positions) for name, positions in placed.items()}
    if shared:
        placed["calibration"], tables["calibration"] = placed["test"], tables["test"]
    strata = {name: [labels[position] for position in positions] for name, positions in placed.items()}
    audited = AuditInputs(intake, found, dropped, tables, strata, reader, siblings, leaking)
    audit = _audit(file, audited, len(unlabelled))
    if not audit.trainable:
        return audit, None
    held_out = {fold(text) for name in PARTS if name != "train" for text in tables[name].texts}
    held_out |= {fold(table.texts[position]) for position in siblings}
    prepared = Prepared(
        train=tables["train"],
        validation=tables["validation"],
        calibration=tables["calibration"],
        test=tables["test"],
        labels=tuple(sorted(audit.labels)),
        task=reader.learn([*(tables["train"].labels or ()), *(tables["validation"].labels or ())]),
        language=recipe.language if recipe.language != "auto" else audit.language,  # type: ignore[arg-type]
        audit=audit,
        fingerprint=fingerprint([tables[name] for name in PARTS]),
        unlabelled=tuple(text for text in unlabelled if fold(text) not in held_out),
        copied=_copied(found, parts, placed["test"]),
        left_out=table.take(siblings) if siblings else None,
        shared=shared,
        outside=_apart(outside, table.texts),
        origins={name: [intake.names[position] for position in positions] for name, positions in placed.items()},
        units=units_of(file, table, found, placed, beside),
        added=tuple(place for place, position in enumerate(placed["train"]) if position in intake.added),
    )
    return audit, prepared


def _duplicates(
    reader: Reader,
    texts: Sequence[str],
    said: Sequence[str],
    ranked: tuple[Sequence[int], int | None],
    progress: Progress,
    beside: list[str] | None,
) -> Duplicates:
    """Equal and nearly equal texts; of pairs, those whose texts are. ranked: of each row, and the protected."""
    rank, protected = ranked
    if not isinstance(reader, PairReader):
        return find_duplicates(texts, said, rank, protected, progress, beside)
    pairs = [compared(text, symmetric=reader.symmetric) for text in texts]
    return linked(find_duplicates(pairs, said, rank, protected, progress, beside, both_near), pairs)


def _one_stratum_differs(reader: Reader) -> bool:
    """Whether golds of one stratum may be different golds."""
    return reader.golds_are_lists or isinstance(reader, OpenReader)


def _apart(outside: Mapping[str, Sequence[str]], labelled: Sequence[str]) -> dict[str, list[str]]:
    """The texts of each set that are not among the labelled ones."""
    known = {fold(text) for text in labelled}
    return {name: [text for text in texts if fold(text) not in known] for name, texts in outside.items()}


def _unreadable(error: DataError) -> Problem:
    message = f"{error.where}: {error.what}" if error.where else error.what
    return Problem(severity="error", code="unreadable", message=message, fix=error.fix or "")


def _beside(file: RecipeFile, table: Table) -> list[str] | None:
    """The fields of each row that the model reads; None where it reads the text alone."""
    names = file.recipe.data.features
    if not names:
        return None
    return [beside_text(names, fields) for fields in rows_of(table)]


def fingerprint(tables: Sequence[Table]) -> str:
    """SHA-256 (hex) of texts, labels and fields in their order; row numbers and file names are left out."""
    lines = []
    for table in tables:
        lines.append(str(len(table)))
        lines += table.texts
        lines += table.labels or ()
        lines.append(canonical_json({name: list(column) for name, column in table.fields.items()}).decode())
    return digest_lines(lines)


def file_names(file: RecipeFile) -> dict[str, str]:
    """The file from which the rows of each part come."""
    files = file.recipe.data.files
    given: dict[str, str] = (
        {"train": files} if isinstance(files, str) else {str(part): one for part, one in files.items()}
    )
    return {part: given.get(part, given["train"]) for part in PARTS}


def _copied(found: Duplicates, parts: Sequence[str], test: Sequence[int]) -> tuple[int, ...]:
    kept = {kept for gone, kept in (*found.exact, *found.near) if parts[gone] != parts[kept]}
    for group in found.conflicts:
        if len({parts[position] for position in group}) > 1:
            kept |= set(group)
    return tuple(place for place, position in enumerate(test) if parts[position] == "test" and position in kept)


def _conflicting(found: Duplicates, parts: Sequence[str], labels: Sequence[str], given: bool) -> set[int]:
    """Positions to drop of texts under several labels; rows of a given test part stay where they agree."""
    return {
        position
        for group in found.conflicts
        for position in group
        if parts[position] != "test" or not given or _disagree(group, parts, labels)
    }


def _disagree(group: Sequence[int], parts: Sequence[str], labels: Sequence[str]) -> bool:
    return len({labels[position] for position in group if parts[position] == "test"}) > 1


@dataclass(frozen=True)
class AuditInputs:
    """What an audit is computed from: the rows, duplicates, removed positions, the parts and their strata.

    reader: says whether the gold is a name, of which rare or unseen ones are a problem of their own, or a list.
    siblings: positions of the rows that are left out because one row a group enters a bound; leaking: of added rows
    that are left out because a row of their group is in a part that tests.
    """

    intake: Intake
    found: Duplicates
    dropped: set[int]
    tables: dict[str, Table]
    strata: dict[str, list[str]]
    reader: Reader
    siblings: list[int]
    leaking: list[int]


def _audit(file: RecipeFile, audited: AuditInputs, unlabelled: int) -> Audit:
    intake, found, dropped, tables = audited.intake, audited.found, audited.dropped, audited.tables
    names = audited.reader.golds_are_names
    shared = file.recipe.data.held_out == "shared"
    once = [name for name in tables if not (shared and name == "calibration")]
    used_labels = Counter(label for name in once for label in audited.strata[name])
    texts = [text for name in once for text in tables[name].texts]
    language, languages = language_shares(texts)
    split_labels = {name: dict(sorted(Counter(strata).items())) for name, strata in audited.strata.items()}
    pairs = (*found.exact, *found.near)
    audit = Audit(
        files=intake.files,
        rows=sum(part.rows for part in intake.files),
        used=len(texts),
        labels=_ordered(used_labels),
        label_rows=_label_rows(audited.reader, [gold for name in once for gold in tables[name].labels or ()]),
        splits={name: len(table) for name, table in tables.items()},
        split_labels=split_labels,
        empty=intake.empty,
        no_label=intake.no_label,
        duplicates=DuplicateAudit(
            exact=len(found.exact),
            near=len(found.near),
            across=sum(intake.parts[gone] != intake.parts[kept] for gone, kept in pairs),
            conflicts=sum(position in dropped for group in found.conflicts for position in group),
            removed=len(dropped),
        ),
        conflicts=conflicts_of(intake, found),
        lengths=length_quantiles(texts),
        language=language,
        languages=languages,
        masked=intake.masked,
        margin=provable(
            len(tables["calibration"]),
            split_labels["test"],
            names=names,
            level=0.05 * file.recipe.data.level_share,
        ),
        unlabelled=unlabelled,
    )
    near_conflicts = places(intake, sorted({position for pair in found.near_conflicts for position in pair}))
    lists = audited.reader.golds_are_lists and not isinstance(audited.reader, SetReader)
    alone = lists or isinstance(audited.reader, OpenReader)
    problems = [
        *intake.problems,
        *removed_problems(intake, found, dropped, getattr(audited.reader, "several_in", "")),
        *group_problems(intake, dropped),
        *sibling_problems(intake, audited.siblings),
        *leaking_problems(intake, audited.leaking),
        *shared_problems(tables),
        *find_problems(file, audit, near_conflicts, names=names, alone=alone),
        *(
            unseen_labels(file, audit, tables, file_names(file))
            if names
            else unseen_values(audit, audited.strata, tables, file_names(file))
        ),
    ]
    several = len({each.name for each in intake.files}) > 1
    named = [problem.model_copy(update={"several_files": several}) for problem in problems]
    return audit.model_copy(update={"problems": sorted(named, key=lambda problem: problem.severity)})


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _label_rows(reader: Reader, golds: Sequence[str]) -> dict[str, int]:
    """The rows of each label where a text may have several; empty for other tasks."""
    if not isinstance(reader, SetReader):
        return {}
    return _ordered(Counter(label for gold in golds for label in reader.parts(gold)))
