"""The caller's own columns of a file: `--ref` and `--keep`, stored beside the decision and written through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from penjing.core.errors import RequestError, UsageError
from penjing.data.cells import UnreadableCell
from penjing.data.fields import match_header, unclear_names
from penjing.data.fold import fold_name

if TYPE_CHECKING:
    from penjing.cli.texts import Row
    from penjing.store.case_data import CaseData

Ref = Annotated[str | None, typer.Option("--ref", help="the column of your own case numbers", metavar="COLUMN")]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", help="a column that is stored with the decision and written through", metavar="COLUMN"),
]
_SHOWN = 20


@dataclass(frozen=True)
class CaseColumns:
    """The names of these columns as the command line gave them."""

    ref: str | None = None
    keep: tuple[str, ...] = ()

    def refuse_text(self, text: str) -> None:
        """Raise UsageError if the column of the texts is one of these: it would be stored as it is, not masked."""
        named = next((name for name in self._names() if fold_name(name) == fold_name(text)), None)
        if named is not None:
            raise UsageError(
                f"the column `{named[:60]}` has the texts, which are kept masked: it is not passed through",
                fix="leave it out; `penjing export decisions` writes the masked text",
            )

    def checked(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows unchanged. Raises UsageError at the first row if it has no such column, or several."""
        for number, row in enumerate(rows):
            if number == 0:
                self._check(tuple(row[2]))
            yield row

    def of(self, cells: Mapping[str, str]) -> CaseData:
        """The data of a row; an empty case number is none. Raises RequestError where it is beyond the bounds."""
        from penjing.store.case_data import CaseData

        found = match_header(self._names(), tuple(cells)).found
        for name in found.values():
            cell = cells[name]
            if isinstance(cell, UnreadableCell):
                raise RequestError(f"`{name}` is {cell.what}", fix=cell.fix)
        ref = cells[found[self.ref]].strip() if self.ref is not None and self.ref in found else ""
        return CaseData(ref or None, {name: cells[found[name]] for name in self.keep if name in found})

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*([] if self.ref is None else [self.ref]), *self.keep)))

    def _check(self, header: Sequence[str]) -> None:
        names = match_header(self._names(), tuple(header))
        if names.unclear:
            what, fix = unclear_names(names.unclear)
            raise UsageError(f"unclear columns: {what}", fix=fix)
        if names.absent:
            known = ", ".join(f"`{name[:60]}`" for name in header[:_SHOWN])
            option = "--ref" if names.absent[0] == self.ref else "--keep"
            raise UsageError(
                f"there is no column `{names.absent[0][:60]}`; there are {known or 'none'}",
                fix=f"correct {option}",
            )
