"""Files of more labelled rows for training: as the other files are, or as a queue or Label Studio gives them back."""

from __future__ import annotations

from pathlib import Path

from penjing.core.recipe import Data
from penjing.core.task import Reader, SetReader
from penjing.data.fields import match_header
from penjing.data.find_form import is_label_studio
from penjing.data.read import Opened
from penjing.data.table import open_labelled

_GRAPHS = ("relations", "triples")


def open_added(path: Path, data: Data, reader: Reader) -> tuple[Opened, Data]:
    """The file opened, and how it is read: layout and encoding are detected, and `header`, `sheet` are not used.

    An export of Label Studio is read as such where the recipe names no form: its choices, or its spans where gold is
    pieces of the text. Without the column of the groups each row is in no group. An apostrophe that a queue puts before
    what a spreadsheet would read as a formula is taken away. Raises as `open_labelled`.
    """
    own = data.model_copy(update={"encoding": "auto", "sheet": None, "header": None, "columns": None})
    if data.format == "auto" and is_label_studio(path):
        whole = isinstance(reader, SetReader) or not reader.golds_are_lists
        label = "classes" if whole else data.label if data.label in _GRAPHS else "label"
        own = own.model_copy(update={"format": "label_studio", "text": "text", "label": label})
        opened = _separated(open_labelled(path, own), label, reader)
    else:
        opened = open_labelled(path, own, exported=True)
    known = opened.names
    if own.group and known is not None and not match_header((own.group,), tuple(known)).found:
        own = own.model_copy(update={"group": None})
    return opened, own


def _separated(opened: Opened, label: str, reader: Reader) -> Opened:
    """Choices of one text with the separator of the recipe between them."""
    if not isinstance(reader, SetReader):
        return opened
    between = reader.separator
    return opened.changed(lambda name, cell: cell.replace(", ", between) if name == label else cell)
