"""What is in the data, what is wrong with it (by row number), and what this much data can prove."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Rows = dict[str, list[int]]
SMALL_LABEL = 30  # labels with fewer rows are kept out of gates and always reviewed
LEAST_ROWS, LEAST_LABEL_ROWS = 30, 10
_CJK = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile("[A-Za-zÀ-ÿ]+")
_ASSUMED_SCORE = 0.90  # half-widths are computed for this score; from 0.85 to 0.93 they hardly change


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Part):
    """One thing that is wrong: `error` forbids training; `rows` are row numbers by file."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    rows: Rows = {}
    fix: str = ""
    # Whether the data has several files, so that a line names the file of its rows; in JSON every row has its file.
    several_files: bool = Field(False, exclude=True)

    def line(self) -> str:
        """The message with its first row numbers."""
        return f"{self.message}: {name_rows(self.rows, named=self.several_files)}" if self.rows else self.message


class FileAudit(_Part):
    """One file as it was read."""

    name: str
    part: str
    rows: int
    encoding: str


class DuplicateAudit(_Part):
    """Rows removed as exact and as near duplicates, and how many of these have their copy in another part."""

    exact: int = 0
    near: int = 0
    across: int = 0
    conflicts: int = 0
    removed: int = 0


class Conflict(_Part):
    """One text under several labels."""

    labels: list[str]
    rows: Rows


class PeriodMargin(_Part):
    """What can be certified in one period between the dates of rules, at best. level: its part of the 5 %."""

    period: str
    calibration_rows: int
    certifiable_error: float | None
    level: float


class Margin(_Part):
    """What this much data can prove at 95 % confidence, at best.

    periods: where rules have dates, what can be certified in the period that holds and in those to come; the values
    about calibration rows are then those of the first. shared: the calibration rows are the test rows, at half the
    level.
    """

    calibration_rows: int
    certifiable_error: float | None
    test_rows: int
    accuracy_half_width: float | None
    macro_f1_half_width: float | None
    periods: list[PeriodMargin] = []
    shared: bool = False


class Audit(_Part):
    """The whole audit; it holds no texts, so it can be published with a report.

    labels: the rows of each stratum, so each row once. label_rows: where a text has several labels, the rows of each.
    """

    files: list[FileAudit] = []
    rows: int = 0
    used: int = 0
    labels: dict[str, int] = {}
    label_rows: dict[str, int] = {}
    splits: dict[str, int] = {}
    split_labels: dict[str, dict[str, int]] = {}
    empty: int = 0
    no_label: int = 0
    duplicates: DuplicateAudit = DuplicateAudit()
    conflicts: list[Conflict] = []
    lengths: dict[str, int] = {}
    language: str = "mixed"
    languages: dict[str, float] = {}
    masked: dict[str, int] = {}
    margin: Margin | None = None
    unlabelled: int = 0
    problems: list[Problem] = []

    @property
    def errors(self) -> list[Problem]:
        """The problems that forbid training."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def trainable(self) -> bool:
        """Whether it may be trained on."""
        return not self.errors

    @property
    def rows_by_label(self) -> dict[str, int]:
        """The rows of each label, by which small ones are left out of means over labels."""
        return self.label_rows or self.labels

    @property
    def small_labels(self) -> list[str]:
        """Labels with fewer than 30 rows: reported, kept out of gates, always reviewed."""
        return [label for label, rows in self.labels.items() if rows < SMALL_LABEL]


def name_rows(rows: Rows, shown: int = 10, *, named: bool = False) -> str:
    """`rows 3, 8 and 12`, at most `shown` in all; with the file's name if `named`, or where there are several."""
    pieces = []
    for name, numbers in rows.items():
        listed = ", ".join(str(number) for number in numbers[:shown])
        more = f" and {len(numbers) - shown} more" if len(numbers) > shown else ""
        head = f"{name} " if named or len(rows) > 1 else ""
        pieces.append(f"{head}row{'s' * (len(numbers) != 1)} {listed}{more}")
    return "; ".join(pieces)


def language_of(text: str) -> str:
    """`zh`, `en` or `other`, by the script of most of its words; a Chinese character counts as half a word."""
    chinese, words = len(_CJK.findall(text)), len(_WORD.findall(text))
    if not chinese and not words:
        return "other"
    return "zh" if chinese / 2 >= words else "en"


def language_shares(texts: Sequence[str]) -> tuple[str, dict[str, float]]:
    """(`zh`, `en` or `mixed`, share of each); `zh` or `en` if 95 % of the texts that have words are in it."""
    counts = {"zh": 0, "en": 0, "other": 0}
    for text in texts:
        counts[language_of(text)] += 1
    worded = counts["zh"] + counts["en"]
    overall = next((name for name in ("zh", "en") if worded and counts[name] >= 0.95 * worded), "mixed")
    return overall, {name: round(count / max(1, len(texts)), 4) for name, count in counts.items()}


def length_quantiles(texts: Sequence[str]) -> dict[str, int]:
    """Lengths in characters: least, median, 90 %, 99 %, most."""
    if not texts:
        return {}
    lengths = sorted(map(len, texts))
    last = len(lengths) - 1
    return {
        name: lengths[round(share * last)]
        for name, share in (("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    }


def provable(calibration: int, test: Mapping[str, int], *, names: bool = True, level: float = 0.05) -> Margin:
    """What n calibration rows at a level and the test rows of each label at 95 % confidence can settle.

    Error that n automated cases without a single error certify: 1 - 0.05^(1/n) (the exact binomial bound of Clopper
    and Pearson, 1934). Half-widths by the normal approximation at a score of 0.90; of macro-F1 as of the mean of
    L independent shares: 1.96 / L · sqrt(sum of p(1-p) / n_label). names: whether the gold is labels.
    """
    rows = sum(test.values())
    spread = _ASSUMED_SCORE * (1 - _ASSUMED_SCORE)
    present = [count for count in test.values() if count]
    return Margin(
        shared=level < 0.05,
        calibration_rows=calibration,
        certifiable_error=best_error(calibration, level),
        test_rows=rows,
        accuracy_half_width=round(1.96 * math.sqrt(spread / rows), 4) if rows else None,
        macro_f1_half_width=round(1.96 / len(present) * math.sqrt(sum(spread / n for n in present)), 4)
        if present and names
        else None,
    )


def rows_that_certify(error: float, level: float = 0.05) -> int:
    """Automated cases without an error that certify `error` at a level: 59 for 5 % at 95 % confidence, 299 for 1 %."""
    return math.ceil(math.log(level) / math.log(1 - error))


def best_error(rows: int, level: float = 0.05) -> float | None:
    """The error that so many automated cases without a single error certify; None without cases."""
    return round(1 - level ** (1 / rows), 4) if rows else None
