"""Labels that are perhaps wrong, by row of the user's file, as `check`, the report and `label fix` hand them on."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_LISTED = 500
_SHOWN_CHARACTERS = 60


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Doubt(_Part):
    """A row whose label is perhaps wrong: `given` and `suggested` are written as gold is, the text is masked."""

    file: str
    row: int = Field(description="its row in that file")
    text: str | None = Field(description="the masked text; None: not kept")
    given: str
    suggested: str
    p: float = Field(description="probability of what is suggested, by a model that was not fitted to this row")
    p_given: float = Field(description="probability of what is given")


class LabelDoubts(_Part):
    """What was found in the train and validation rows, the least probable labels first.

    looked: rows whose labels were compared; count: all that were found, of which `doubts` holds the first 500;
    left_out: labels that were not judged, because a model finds too few of their rows; skipped: why nothing was
    compared, "" where it was.
    """

    looked: int = 0
    count: int = 0
    doubts: tuple[Doubt, ...] = ()
    left_out: tuple[str, ...] = ()
    skipped: str = ""

    def without_texts(self) -> LabelDoubts:
        """The same without the texts of rows."""
        return self.model_copy(update={"doubts": tuple(each.model_copy(update={"text": None}) for each in self.doubts)})


def shorten(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    """A text on one line, at most `most` characters of it."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 2] + " …"
