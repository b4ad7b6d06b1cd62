"""Opens a file of annotated texts as a table: one row a text, its spans in the column `label`."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from penjing.core.errors import UsageError
from penjing.core.options import nearest
from penjing.core.paths import AnyPath
from penjing.data.annotated import FORMS
from penjing.data.annotated.document import AnnotatedText, as_cells, checked
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault
from penjing.data.read import Opened

_SHOWN = 5


def open_annotated(
    file: AnyPath, form: str, encoding: str = "auto", text: str = "text", columns: Sequence[str] | None = None
) -> Opened:
    """The rows of a file in one of FORMS: `text`, `label` with the spans, `relations`, `classes`, `id`, and its others.

    text: the key of the texts, where the form has several; columns: names of a table without a header. The whole file
    is read. Raises UsageError (no such file or form) and DataError (not of this form).
    """
    if form not in FORMS:
        raise UsageError(f"unknown format `{form}`", fix=nearest(form, tuple(FORMS)))
    given = Given(file, encoding, text, columns)
    read: Sequence[AnnotatedText | Fault] = list(importlib.import_module(FORMS[form]).read(given))
    found = [each if isinstance(each, Fault) else checked(each) for each in read]
    given.notes += _disagreeing([each for each in found if isinstance(each, AnnotatedText)])

    def rows() -> Iterator[tuple[int, dict[str, str] | Fault]]:
        for each in found:
            yield each.row, each if isinstance(each, Fault) else {text: each.text, **as_cells(each)}

    return Opened(str(file), given.found, None, 0, given.notes, None, [], lambda: iter(()), rows)


def _disagreeing(documents: Sequence[AnnotatedText]) -> list[str]:
    """A note about texts that come again with other spans. Questions about one text are not the same row."""
    rows: dict[tuple[str, str], dict[tuple[object, ...], int]] = defaultdict(dict)
    for each in documents:
        key = each.text, each.more.get("question", "")
        rows[key].setdefault((each.spans, each.relations, each.labels), each.row)
    unlike = [sorted(seen.values()) for seen in rows.values() if len(seen) > 1]
    if not unlike:
        return []
    shown = "; ".join(", ".join(map(str, seen)) for seen in unlike[:_SHOWN])
    more = f" and {len(unlike) - _SHOWN} more" if len(unlike) > _SHOWN else ""
    return [f"texts that come again with other annotations: {len(unlike):,}, in rows {shown}{more}"]
