"""The report's part on the data: its typed figures, and what the audit of the rows has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from penjing.core.recipe import PARTS
from penjing.data.audit import Audit
from penjing.data.split import labelled_rows

Count = Annotated[int, Field(ge=0)]
FIRST_ROWS = 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AuditFinding(_Part):
    """One problem that the audit found: `rows` are the first row numbers by file, `count` the number of all rows.

    several_files: whether the data has several files, so that a page names the file of the rows.
    """

    level: Literal["error", "warning"]
    what: str
    code: str = ""
    count: Count = 0
    rows: dict[str, tuple[int, ...]] = {}
    fix: str = ""
    several_files: bool = False


class DataPart(_Part):
    """The rows: numbers of rows read and removed, the split of the rest, and the findings of the audit."""

    rows: Count = Field(description="rows read")
    labels: dict[str, int] = Field(description="rows of each label, or band of values, after cleaning")
    duplicates_removed: Count
    splits: dict[str, int] = Field(description="rows of train, validation, calibration and test")
    cut: tuple[str, ...] = Field(PARTS, description="parts that were cut from one file; the others have their own")
    near_duplicates_removed: Count = 0
    leaks_removed: Count = Field(0, description="duplicates and near duplicates of a row in another part")
    conflicts: Count = Field(0, description="texts with two labels")
    small_labels: tuple[str, ...] = Field((), description="labels with under 30 rows: always reviewed, in no gate")
    masked: dict[str, int] = Field({}, description="pieces masked, by kind")
    language: str = "mixed"
    fingerprint: str = ""
    features: tuple[str, ...] = Field((), description="declared fields that the model reads beside the text")
    audit: tuple[AuditFinding, ...] = ()

    @classmethod
    def of(
        cls, audit: Audit, fingerprint: str = "", features: Sequence[str] = (), cut: Sequence[str] = PARTS
    ) -> DataPart:
        """The part of an audit that the report shows."""
        return cls(
            rows=audit.rows,
            labels=audit.labels,
            duplicates_removed=audit.duplicates.exact,
            near_duplicates_removed=audit.duplicates.near,
            leaks_removed=audit.duplicates.across,
            conflicts=len(audit.conflicts),
            splits=audit.splits,
            cut=tuple(cut),
            small_labels=tuple(audit.small_labels),
            masked=audit.masked,
            language=audit.language,
            fingerprint=fingerprint,
            features=tuple(features),
            audit=tuple(
                AuditFinding(
                    level=problem.severity,
                    what=problem.message,
                    code=problem.code,
                    count=sum(map(len, problem.rows.values())),
                    rows={name: tuple(numbers[:FIRST_ROWS]) for name, numbers in problem.rows.items()},
                    fix=problem.fix,
                    several_files=problem.several_files,
                )
                for problem in audit.problems
            ),
        )

    def labelled_rows(self, rows: int, part: str) -> int:
        """About how many labelled rows give `rows` rows of a part."""
        return labelled_rows(rows, part, self.splits, self.cut)
