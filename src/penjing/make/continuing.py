"""The earlier release that a recipe goes on from, and its rows: those that are learned again, and those that test.

A model that goes on has learned from rows that its own recipe does not name. Rows of the new recipe that the earlier
release has used, as its certificate lists them, prove nothing of it: they train. Where the earlier recipe is at hand,
its rows are split again as they were, so that its test rows are new to both releases. Rows of its train part are
learned again: as many of every label as of the others, as far as there are any.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penjing.core.artifact import open_release
from penjing.core.canon import unit_hash
from penjing.core.certificate import INFO, SUITE, Gate
from penjing.core.errors import DamageError, PenjingError, RecipeError, UsageError
from penjing.core.nouns import Artifact, Inputs, Progress, Release, Table
from penjing.core.recipe import RecipeFile, load_recipe
from penjing.core.task import Reader
from penjing.data.audit import Problem
from penjing.data.features import rows_fingerprint
from penjing.data.fold import fold
from penjing.data.prepare import Prepared, fingerprint, prepare
from penjing.model.base import open_base
from penjing.prove.amend import read_certificate
from penjing.prove.certify import table_hashes
from penjing.prove.retained import EARLIER, TEST, Retained, forget_gate, lost_of, retained
from penjing.runtime.session import Session
from penjing.tasks import reader_of

_KEYS = ("continues",)
# The parts whose rows no model may have seen.
HELD_OUT = ("validation", "calibration", "test")
# The file of heads of a tuned model.
HEAD = "head.safetensors"
# What a task learned of names: labels, or types of pieces.
_NAMES = ("labels", "types")


@dataclass(frozen=True, eq=False)
class Earlier:
    """The release that another one goes on from, and its rows.

    suite: its regression suite. replayed: rows of its train part that are learned again, and files: the file of each;
    test: its test rows, which are no train rows of either release. All are empty without its recipe.
    """

    release: Release
    suite: Table
    replayed: Table
    test: Table
    files: tuple[str, ...] = ()

    def replayed_among(self, train: Table) -> range:
        """Their positions in the train rows that `with_replayed` gave."""
        return range(len(train) - len(self.replayed), len(train))

    def against(self, release: Release, test: Table, threads: int) -> Retained:
        """What a new release, with its test rows, still knows of this one."""
        return retained((self.release, release), self.suite, {EARLIER: self.test, TEST: test}, threads)

    def gates(self, session: Session, promised: float | None) -> tuple[Gate, ...]:
        """What a model has of the promise `forget`."""
        return () if promised is None else forget_gate(promised, len(lost_of(session, self.suite)), len(self.suite))


def open_start(file: RecipeFile) -> Artifact:
    """The base of a recipe. Raises what `open_base` raises, with the line of `continues:` where that gives the base."""
    named, base = file.recipe.continues, file.recipe.base
    if named is None or base != named.release:
        return open_base(base, file.path.parent)
    try:
        open_release(file.resolve(named.release))
        return open_base(base, file.path.parent)
    except PenjingError as error:
        raise _at_line(error, _place(file, "release")) from None


def continued(
    file: RecipeFile, data: Prepared, reader: Reader, progress: Progress, later: tuple[Path, ...] = ()
) -> tuple[Prepared, Earlier | None]:
    """The data of a recipe that begins from a release, and what `continues:` names; other data as they are.

    later: the recipes that led to this one, which it cannot continue. Raises RecipeError with its line, and DamageError
    with it where the release is damaged.
    """
    named, path = file.recipe.continues, file.resolve(file.recipe.base)
    if named is None and not (path / INFO).is_file():
        return data, None
    try:
        release = open_release(path if named is None else file.resolve(named.release))
        data = with_known_rows_in_train(data, release, file.recipe.data.features)
        if named is None:
            return data, None
        earlier = _open_earlier(file, release, data, reader, progress, later)
    except RecipeError:
        raise
    except PenjingError as error:
        raise _at_line(error, file.where("base") if named is None else _place(file, "release")) from None
    return with_replayed(data, earlier, reader), earlier


def with_known_rows_in_train(data: Prepared, release: Release, features: Sequence[str]) -> Prepared:
    """The data with the rows among train that the release has used, for training, choosing, certifying or testing.

    Raises UsageError where a part has no other rows.
    """
    certificate = read_certificate(release)
    known = {*certificate.used, *certificate.calibration}
    parts = {name: getattr(data, name) for name in HELD_OUT}
    seen = {name: [one in known for one in table_hashes(table, features)] for name, table in parts.items()}
    if not any(any(each) for each in seen.values()):
        return data
    if empty := [name for name, each in seen.items() if all(each)]:
        what = f"the earlier release has used every row of the {empty[0]} part, so that none can prove anything of it"
        raise UsageError(what, fix="give rows that are new; earlier ones come back by `continues: {recipe: …}`")
    kept = {name: [place for place, one in enumerate(each) if not one] for name, each in seen.items()}
    gone = {name: [place for place, one in enumerate(each) if one] for name, each in seen.items()}
    if data.shared:  # calibration and test are the same rows, which move once
        gone["calibration"] = []
    moved = [(parts[name].take(gone[name]), [data.origins[name][place] for place in gone[name]]) for name in HELD_OUT]
    origins = {name: [data.origins[name][place] for place in kept[name]] for name in HELD_OUT}
    train = data.train
    for table, _ in moved:
        train = train.joined(table)
    tables = {name: parts[name].take(kept[name]) for name in HELD_OUT}
    where = {place: new for new, place in enumerate(kept["test"])}
    count = sum(len(table) for table, _ in moved)
    said = Problem(
        severity="warning",
        code="known_rows",
        message=f"{count} rows were used by the release that this one goes on from: they train, and prove nothing",
        fix="",
    )
    sizes = {"train": len(train), **{name: len(table) for name, table in tables.items()}}
    audit = data.audit.model_copy(
        update={"problems": [*data.audit.problems, said], "splits": {**data.audit.splits, **sizes}}
    )
    return replace(
        data,
        **tables,
        train=train,
        audit=audit,
        origins={"train": [*data.origins["train"], *(name for _, names in moved for name in names)], **origins},
        copied=tuple(where[place] for place in data.copied if place in where),
        fingerprint=fingerprint([train, *tables.values()]),
    )


def with_replayed(data: Prepared, earlier: Earlier | None, reader: Reader) -> Prepared:
    """The data with the rows that are learned again behind its train rows."""
    if earlier is None or not len(earlier.replayed):
        return data
    train = data.train.joined(earlier.replayed)
    golds = [*(train.labels or ()), *(data.validation.labels or ())]
    labels = tuple(sorted({*data.labels, *reader.strata(golds)}))
    held = (data.validation, data.calibration, data.test)
    return replace(
        data,
        train=train,
        task=reader.learn(golds),
        labels=labels,
        origins={**data.origins, "train": [*data.origins["train"], *earlier.files]},
        fingerprint=fingerprint([train, *held]),
    )


def _open_earlier(
    file: RecipeFile,
    release: Release,
    data: Prepared,
    reader: Reader,
    progress: Progress,
    later: tuple[Path, ...],
) -> Earlier:
    named = file.recipe.continues
    assert named is not None
    if release.info.task != data.task.name:
        what = f"the earlier release answers the task `{release.info.task}`, and this recipe `{data.task.name}`"
        raise _fault(file, "release", what, "continue a release of the same task")
    suite = _suite(release)
    if named.recipe is None:
        nothing = Table([], labels=[])
        _check_labels(file, release, data, None, reader)
        return Earlier(release, suite, nothing, nothing)
    earlier = _rows_of(file, release, progress, (*later, file.path.resolve()))
    held_out = {fold(text) for part in (data.validation, data.calibration, data.test) for text in part.texts}
    known = {fold(text) for text in data.train.texts}
    fresh = [place for place, text in enumerate(earlier.train.texts) if fold(text) not in held_out | known]
    drawn = _drawn(earlier.train.take(fresh), reader, round(named.replay * len(data.train)), file.recipe.seed)
    files = tuple(earlier.origins["train"][fresh[place]] for place in drawn)
    replayed = _like(earlier.train.take([fresh[place] for place in drawn]), data.train)
    apart = [place for place, text in enumerate(earlier.test.texts) if fold(text) not in known]
    _check_labels(file, release, data, replayed, reader)
    return Earlier(release, suite, replayed, earlier.test.take(apart), files)


def continuing_faults(file: RecipeFile, base: Artifact | None) -> list[RecipeError]:
    """A promise on an earlier release, or a step that goes on from one, where the recipe names none."""
    name = file.recipe.step_list()[0][0]
    if name == "tune.continual" and base is not None and not (base.folder / HEAD).is_file():
        what = f"`{name}` goes on from a tuned model, and the base was not tuned for a task"
        fix = "add `continues: ../OLD/out/release`"
        if file.recipe.continues is not None:
            fix = "take `tune.full`, or continue a release in which an encoder was sealed"
        return [RecipeError(what, where=file.where("steps", 0), fix=fix)]
    if file.recipe.gates.forget is None or file.recipe.continues is not None:
        return []
    what = "`forget` is about the cases of an earlier release, and the recipe continues none"
    fix = "add `continues: ../OLD/out/release`, or take `forget` out"
    return [RecipeError(what, where=file.where("gates", "forget"), fix=fix)]


def _fault(file: RecipeFile, key: str, what: str, fix: str) -> RecipeError:
    return RecipeError(what, where=_place(file, key), fix=fix)


def _at_line(error: PenjingError, where: str) -> PenjingError:
    """An error of what the recipe names there, with its line before it; damage stays damage."""
    what = error.what if error.where is None else f"{error.where}: {error.what}"
    return (DamageError if isinstance(error, DamageError) else RecipeError)(what, where=where, fix=error.fix)


def _place(file: RecipeFile, key: str) -> str:
    """The line of a key of `continues:`, or of the folder alone."""
    given = file.tree.get("continues") if isinstance(file.tree, dict) else None
    return file.where(*((*_KEYS, key) if isinstance(given, dict) else _KEYS))


def _suite(release: Release) -> Table:
    lines = (release.folder / SUITE).read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    names = sorted({name for row in rows for name in row.get("fields", {})})
    return Table(
        texts=[row["text"] for row in rows],
        labels=[row["label"] for row in rows],
        rows=range(1, len(rows) + 1),
        fields={name: [row.get("fields", {}).get(name) for row in rows] for name in names},
    )


def _rows_of(file: RecipeFile, release: Release, progress: Progress, later: tuple[Path, ...]) -> Prepared:
    """The earlier recipe's rows, split as they were. Raises RecipeError where they are not those of the release."""
    assert file.recipe.continues is not None and file.recipe.continues.recipe is not None
    path = file.resolve(file.recipe.continues.recipe)
    if path.resolve() in later:
        raise _fault(file, "recipe", "the recipe continues itself", "name the recipe of the earlier release")
    try:
        earlier = load_recipe(path)
        reader = reader_of(earlier)
        data, _ = continued(earlier, prepare(earlier, reader, progress), reader, progress, later)
    except UsageError as error:
        raise _at_line(error, _place(file, "recipe")) from None
    inputs = Inputs(None, data.train, data.validation, features=earlier.recipe.data.feature_types())
    if rows_fingerprint(inputs) != release.artifact.card.data:
        what = f"{path.name} gives other train rows than those that the earlier release was made of"
        fix = "give the recipe and the files as they were, or take `recipe` out: then nothing is learned again"
        raise _fault(file, "recipe", what, fix)
    return data


def _check_labels(file: RecipeFile, release: Release, data: Prepared, replayed: Table | None, reader: Reader) -> None:
    """Raise RecipeError where the new release would not know a label, or a type, of the earlier one."""
    golds = [
        *(data.train.labels or ()),
        *(data.validation.labels or ()),
        *((replayed.labels or ()) if replayed else ()),
    ]
    before: Mapping[str, Any] = release.info.task_state or {"labels": release.info.labels}
    after = reader.learn(golds).state
    missing = sorted({str(one) for key in _NAMES for one in set(before.get(key, ())) - set(after.get(key, ()))})
    if not missing:
        return
    names = ", ".join(f"`{name[:60]}`" for name in missing[:5])
    what = f"no row has the label {names} of the earlier release, so that the new one could not answer it"
    fix = "name the earlier recipe (`continues: {release: …, recipe: …}`), or add rows of it"
    raise _fault(file, "release", what, fix)


def _drawn(table: Table, reader: Reader, most: int, seed: int) -> list[int]:
    """The positions of at most `most` rows, in turn of each label, drawn by their hash, in the order of the table."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, stratum in enumerate(reader.strata(table.labels or ())):
        places[stratum].append(place)
    for each in places.values():
        each.sort(key=lambda place: unit_hash(str(seed), table.texts[place]))
    turns = [(turn, name, place) for name in sorted(places) for turn, place in enumerate(places[name])]
    return sorted(place for _, _, place in sorted(turns)[:most])


def _like(table: Table, other: Table) -> Table:
    """The table with the fields of another one; a field that it lacks is empty."""
    empty: Sequence[None] = [None] * len(table)
    return replace(table, fields={name: table.fields.get(name, empty) for name in other.fields})
