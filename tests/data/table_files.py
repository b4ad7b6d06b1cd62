"""A labelled file as a table in one call, for tests: a row that cannot be read is an error."""

from __future__ import annotations

from pathlib import Path

from penjing.core.nouns import Table
from penjing.core.recipe import Data
from penjing.data.cells import Fault
from penjing.data.table import load_table, open_labelled, refusal


def read_table_file(path: Path, data: Data) -> Table:
    """All rows of a labelled file. Raises the refusal that names its faulty rows."""
    faults: list[Fault] = []
    table = load_table(open_labelled(path, data), data, faults)
    if faults:
        raise refusal(path, faults)
    return table
