"""The part of each row: given by its file, or cut off train; rows of a group, and near duplicates, stay together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penjing.core.canon import canonical_json, unit_hash
from penjing.core.nouns import Table
from penjing.core.recipe import PARTS, RecipeFile
from penjing.data.dedupe import Duplicates
from penjing.data.fold import fold
from penjing.data.intake import Intake
from penjing.data.split import SHARED, SHARES, split


def placed_rows(
    file: RecipeFile,
    intake: Intake,
    labels: Sequence[str],
    found: Duplicates,
    used: Sequence[int],
    beside: list[str] | None,
) -> tuple[dict[str, list[int]], list[int]]:
    """The positions of each part, and added rows that are left out. labels: the stratum of each row.

    An added row trains. It is left out where a row that must be in its part is in another one.
    """
    table, parts, recipe = intake.table, intake.parts, file.recipe
    shared = recipe.data.held_out == "shared"
    given = set(recipe.data.files) if isinstance(recipe.data.files, dict) else {"train"}
    missing = [name for name in PARTS if name not in given and not (shared and name == "calibration")]
    cut = [position for position in used if parts[position] == "train" and position not in intake.added]
    told = None if recipe.reads_text else beside
    keys = _keys(table, found, cut, told)
    shares = SHARED if shared else SHARES
    cut_into = split(keys, [labels[i] for i in cut], missing, recipe.seed, shares)
    final = dict(enumerate(parts)) | dict(zip(cut, cut_into, strict=True))
    leaking = set()
    if intake.added:
        every = dict(zip(used, _keys(table, found, used, told), strict=True))
        held_out = {every[position] for position in used if final[position] != "train"}
        leaking = {position for position in used if position in intake.added and every[position] in held_out}
    kept = [position for position in used if position not in leaking]
    return {name: [position for position in kept if final[position] == name] for name in PARTS}, sorted(leaking)


def units_of(
    file: RecipeFile, table: Table, found: Duplicates, placed: Mapping[str, Sequence[int]], beside: list[str] | None
) -> dict[str, list[str]]:
    """The key of each row of the train and validation parts: rows of one key are never learned from and answered."""
    told = None if file.recipe.reads_text else beside
    names = ("train", "validation")
    keys = iter(_keys(table, found, [position for name in names for position in placed[name]], told))
    return {name: [next(keys) for _ in placed[name]] for name in names}


def one_a_group(
    table: Table, placed: dict[str, list[int]], bounded: Sequence[str] = ("calibration", "test")
) -> tuple[dict[str, list[int]], list[int]]:
    """The positions of each part with one row of each group where bounds are computed, and those that are left out.

    Every bound assumes rows drawn one by one. The row of a group is the one with the smallest hash of group and text.
    """
    if not table.groups:
        return placed, []
    groups, kept, out = table.groups, dict(placed), list[int]()
    for part in bounded:
        first: dict[str, tuple[float, int]] = {}
        for position in placed[part]:
            if groups[position]:
                drawn = unit_hash(groups[position], fold(table.texts[position])), position
                first[groups[position]] = min(first.get(groups[position], drawn), drawn)
        chosen = {position for _, position in first.values()}
        kept[part] = [position for position in placed[part] if not groups[position] or position in chosen]
        out += [position for position in placed[part] if groups[position] and position not in chosen]
    return kept, sorted(out)


def _keys(table: Table, found: Duplicates, positions: Sequence[int], beside: Sequence[str] | None = None) -> list[str]:
    """The key by which each row is split: its group, joined over near duplicates, or its own text.

    beside: what a model that does not read the text has of each row: with the text it tells the rows apart.
    """
    texts = [fold(table.texts[i]) for i in positions]
    if beside is not None:
        texts = [canonical_json([text, beside[i]]).decode() for text, i in zip(texts, positions, strict=True)]
    groups = [table.groups[i] if table.groups else "" for i in positions]
    own = [group or text for group, text in zip(groups, texts, strict=True)]
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    heads: dict[int, str] = {}
    for key, position in zip(own, positions, strict=True):
        other = heads.setdefault(found.cluster[position], key)
        low, high = sorted((root(key), root(other)))
        parent[high] = low
    return [root(key) for key in own]
