"""Labels that are perhaps wrong, as `penjing check` looks for them and shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from penjing.cli import show
from penjing.cli.language import Worded, translate

if TYPE_CHECKING:
    from penjing.core.recipe import RecipeFile
    from penjing.data.doubts import LabelDoubts
    from penjing.data.prepare import Prepared

_SHOWN = 10


def look_for_doubts(file: RecipeFile, data: Prepared, bar: show.Bar, *, asked: bool) -> LabelDoubts:
    """The labels that are perhaps wrong. Without cleanlab that is said; asked for, it is an error."""
    from penjing.core.errors import MissingPackageError
    from penjing.data.doubts import LabelDoubts
    from penjing.make.doubted import MOST, find_doubts

    try:
        return find_doubts(file, data, bar, most=None if asked else MOST)
    except MissingPackageError as error:
        if asked:
            raise
        return LabelDoubts(skipped=error.what)


def doubt_lines(doubts: LabelDoubts | None, recipe: Path) -> Iterator[str]:
    """The labels that are perhaps wrong as lines for a person: how many, and the first ten."""
    from penjing.data.doubts import shorten

    if doubts is None:
        return
    if doubts.skipped:
        yield f"labels that are perhaps wrong are not looked for: {doubts.skipped}"
        return
    yield f"{doubts.count:,} of {doubts.looked:,} train and validation rows are perhaps labelled wrongly"
    several = len({each.file for each in doubts.doubts}) > 1
    for each in doubts.doubts[:_SHOWN]:
        given, suggested = shorten(each.given), shorten(each.suggested)
        said = translate(f"row {each.row}: `{given}`, more probable is `{suggested}` ({each.p:.0%})")
        cells = ["", said, *([each.file] if several else []), shorten(each.text or "")]
        yield Worded("  ".join(cells))
    if doubts.left_out:
        listed = ", ".join(f"`{shorten(each, 40)}`" for each in doubts.left_out[:_SHOWN])
        more = f" and {len(doubts.left_out) - _SHOWN} more" if len(doubts.left_out) > _SHOWN else ""
        yield f"  labels not looked through, because a word model finds too few of their rows: {listed}{more}"
    if doubts.count:
        yield f"  next: penjing label fix {recipe} --out questions.csv"
