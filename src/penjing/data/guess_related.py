"""Where a file has entities with the relations between them: annotated texts, a table of triples, a column of gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from penjing.core.errors import DataError
from penjing.data.annotated.json_relations import gold_of
from penjing.data.cells import as_list
from penjing.data.find_form import find_form
from penjing.data.guess import guess
from penjing.data.guess_annotated import SPANS
from penjing.data.guessed import Guess
from penjing.data.read import Opened, Reading, open_table
from penjing.data.relations import columns_of_triples, text_of_ends

_SAMPLE = 3000
_GIVE = (
    'give JSON rows {"text": …, "entities": [{"start": 0, "end": 4, "label": "ORG"}, …], "relations": [{"head": 0, '
    '"tail": 1, "label": "buys"}]}, or {"text": …, "spo_list": [{"subject": …, "predicate": …, "object": …}]}, or a '
    "table with the columns `text`, `head`, `relation`, `tail`"
)
_OBJECT = (
    'write {"entities": [{"start": 0, "end": 4, "label": "ORG"}, …], "relations": [{"head": 0, "tail": 1, "label": '
    '"buys"}]}'
)


def guess_related(path: Path, column: str, text: str | None, label: str | None, reading: Reading) -> Guess:
    """The guess on a file for a task whose gold is in `column` of annotated texts; given columns are used as they are.

    Raises as `guess` does, and DataError where no entities with relations are found.
    """
    if label is None or label == column:
        if (form := find_form(path)) in SPANS:
            return Guess(text or "text", "label", "auto", None, (), form=form, spans=True)
        opened = open_table(path, reading, [text] if text else [])
        rows = [cells for _, cells in islice(opened.rows([]), _SAMPLE)]
        names = list(dict.fromkeys(name for cells in rows for name in cells))
        values = {name: [cells.get(name, "") for cells in rows] for name in names}
        if column not in values and (found := _table(opened, values, text, reading)) is not None:
            return found
        _check_gold(values, column, str(path))
        label = column
    return guess(path, text=text, label=label, reading=reading, further=())


def _table(opened: Opened, values: Mapping[str, Sequence[str]], text: str | None, reading: Reading) -> Guess | None:
    """The guess on a table with head, tail and relation; None for any other table."""
    columns = columns_of_triples(list(values))
    found = None if columns is None else text or text_of_ends(values, columns[0], columns[1])
    if found is None:
        return None
    encoding = opened.encoding if opened.encoding in ("cp1252", "big5hkscs") else reading.encoding
    made = Guess(found, "label", encoding, None, tuple(opened.notes), form="triples")
    return replace(made, sheet=reading.sheet, header=reading.header)


def _check_gold(values: Mapping[str, Sequence[str]], column: str, where: str) -> None:
    """Raise DataError where the column of entities and relations is not there, or holds something else."""
    if column not in values:
        listed = ", ".join(f"`{name}`" for name in list(values)[:30])
        what = f"no entities with relations between them are found; the columns are {listed}"
        raise DataError(what, where=where, fix=_GIVE)
    filled = [as_list(cell) for cell in values[column] if cell.strip()]
    if not any(gold_of({column: cell}) for cell in filled):
        what = f"the column `{column}` has no entities with relations between them"
        raise DataError(what, where=where, fix=_OBJECT)
