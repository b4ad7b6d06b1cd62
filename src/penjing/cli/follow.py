"""The language of the messages about a recipe or a release: the stated one, else that of texts, else of the file."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from penjing.cli.language import follow_texts

if TYPE_CHECKING:
    from penjing.core.nouns import Release
    from penjing.core.recipe import RecipeFile
    from penjing.data.read import Reading

_ROWS_LOOKED_AT = 100
_BYTES_LOOKED_AT = 100_000
_HAN = re.compile("[\u4e00-\u9fff]")
_STATED = re.compile(r"^language:\s*[\"']?(zh|en)\b", re.MULTILINE)
_SAMPLE = {"zh": "中文", "en": "English"}


def follow_file(path: Path) -> None:
    """Use the language that a recipe states, else Chinese where a Chinese character is in it, before it is read.

    What cannot be read has no language; reading it again gives the error.
    """
    with suppress(OSError):
        with path.expanduser().open("rb") as file:
            text = file.read(_BYTES_LOOKED_AT).decode("utf-8", "replace")
        stated = _STATED.search(text)
        follow_texts([_SAMPLE[stated[1] if stated else "zh" if _HAN.search(text) else "en"]])


def follow_recipe(file: RecipeFile) -> None:
    """Use the language of a valid recipe, else that of its texts; where no row can be read, that of its file stays."""
    from penjing.data.read import Reading

    data = file.recipe.data
    if file.recipe.language in _SAMPLE:
        follow_texts([_SAMPLE[file.recipe.language]])
        return
    first = data.files if isinstance(data.files, str) else next(iter(data.files.values()))
    follow_rows(file.resolve(first), Reading.of(data), data.text)


def follow_release(release: Release, file: Path, reading: Reading, column: str | None) -> None:
    """Use the language of a release, else that of the first texts that it is given."""
    if release.info.language in _SAMPLE:
        follow_texts([_SAMPLE[release.info.language]])
    else:
        follow_rows(file, reading, column)


def follow_rows(path: Path, reading: Reading, column: str | None) -> None:
    """Use the language of the first rows: of this column, or of all cells where it is not there."""
    from penjing.core.errors import PenjingError
    from penjing.data.read import open_table

    # The command itself reports problems of the file.
    if not path.is_file():  # a pipe can be read once only
        return
    with suppress(PenjingError, OSError):
        rows = open_table(path, reading, [column] if column else []).rows([])
        seen = [cells for _, cells in islice(rows, _ROWS_LOOKED_AT)]
        texts = [cells[column] for cells in seen if column in cells]
        if not any(text.strip() for text in texts):
            texts = ["".join(filter(str.isalpha, cell)) for cells in seen for cell in cells.values()]
        if any(text.strip() for text in texts):
            follow_texts(texts)
