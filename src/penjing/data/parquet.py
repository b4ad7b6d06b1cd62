"""Writes a parquet file row by row, in batches, so that memory does not grow with the rows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from penjing.core.errors import MissingPackageError


def write_parquet(file: Path, header: Sequence[str], types: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows of cells under these names; returns how many.

    types: `float` or `bool` of columns that are no texts. The rows go through a file of JSON lines beside `file`, from
    which polars writes. Raises MissingPackageError without polars.
    """
    try:
        import polars
    except ImportError:
        raise MissingPackageError(
            "parquet files need the package polars, which is not installed here",
            where=str(file),
            fix="export as csv or jsonl, or: pip install 'penjing[train]'",
        ) from None
    known: dict[type, type[polars.DataType]] = {float: polars.Float64, bool: polars.Boolean}
    schema = {name: known[types[name]] if name in types else polars.String for name in header}
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".penjing-export-") as folder:
        lines = Path(folder) / "rows.jsonl"
        with lines.open("w", encoding="utf-8", newline="\n") as target:
            count = 0
            for cells in rows:
                target.write(json.dumps(dict(zip(header, cells, strict=True)), ensure_ascii=False) + "\n")
                count += 1
        if count:
            polars.scan_ndjson(lines, schema=schema).sink_parquet(file)
        else:
            polars.DataFrame(schema=schema).write_parquet(file)
    return count
