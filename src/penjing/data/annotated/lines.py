"""The lines of an annotated file in any encoding, and what every form is given to read it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from penjing.core.paths import AnyPath
from penjing.data.encoding import find_encoding
from penjing.data.json_rows import json_values, key_twice
from penjing.data.source import open_source

# Not `str.splitlines`, which also ends a line at characters that texts hold, such as U+2028.
_END = re.compile("\r\n|\n|\r")


@dataclass
class Given:
    """A file to read: its path, the encoding or auto, the key of the texts.

    columns: names of the columns of a table without a header. Reading adds `notes`, and the encoding that was `found`.
    """

    file: AnyPath
    encoding: str = "auto"
    text: str = "text"
    columns: Sequence[str] | None = None
    notes: list[str] = field(default_factory=list)
    found: str = "utf-8"

    def content(self) -> str:
        """The decoded text of the file, with its line ends.

        Bytes that do not decode are lone surrogates, which are refused with the row where they are. Raises UsageError
        (no such file) and DataError (no text).
        """
        source = open_source(self.file)
        with source.open() as raw:
            return self.decoded(raw.read(), source.name)

    def decoded(self, content: bytes, name: str) -> str:
        """Bytes as text, in the encoding that is given or found. Raises DataError as `content` does."""
        if not content:
            return ""
        encoding = find_encoding(lambda: io.BytesIO(content), name, self.encoding)
        if encoding.note and encoding.note not in self.notes:
            self.notes.append(encoding.note)
        self.found = encoding.name
        return content.decode(encoding.name, encoding.errors).lstrip("\ufeff")

    def lines(self) -> list[str]:
        """The lines without their ends."""
        return split_lines(self.content())

    def values(self) -> Iterable[tuple[int, object]]:
        """The values of a JSON file with the line on which each begins, or a Fault where it cannot be read."""
        with io.StringIO(self.content(), newline="") as lines:
            found = json_values(lines, str(self.file), self.notes)
            return [(row, key_twice(row, value) or value) for row, value in found]


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends, which are those of the three kinds of systems only."""
    return _END.split(text)
