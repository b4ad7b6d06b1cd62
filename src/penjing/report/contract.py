"""What a run of `make` found: the typed contract of report.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from penjing.core.certificate import Gate
from penjing.data.audit import Audit
from penjing.report.format_1 import from_format_1

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
PageLanguage = Literal["zh", "en"]
FIRST_ROWS = 20


class _Part(BaseModel):
    # From attributes: `measure.evaluate.Interval` and its like may be given where a Score is wanted.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True)


class Score(_Part):
    """An estimate with the two ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class _Measured(_Part):
    metric: str = Field(description="the first metric of the task, which promises are about, such as macro_f1")
    metrics: dict[str, Score] = Field(description="every metric of the task by its name")

    @property
    def score(self) -> Score:
        """The first metric."""
        return self.metrics[self.metric]


class Scores(_Measured):
    """The sealed model (or the one that would have been sealed) on the test rows."""

    rows: Count = 0
    apart: Score | None = Field(
        None, description="the first metric on test rows whose text stands in no other file, if some does"
    )


class Reference(_Measured):
    """Another model on the same test rows, compared pairwise with the sealed one by the first metric."""

    difference: Score | None = Field(None, description="score of the sealed model minus this one's, paired")
    kept: Score | None = Field(None, description="score of the sealed model as a share of this one's, paired")
    name: str = ""


class Baseline(_Part):
    """Models that every other one is held against."""

    linear: Reference


class Finding(_Part):
    """One thing that the audit found: `rows` are the first row numbers by file, `count` how many rows there are."""

    level: Literal["error", "warning"]
    what: str
    code: str = ""
    count: Count = 0
    rows: dict[str, tuple[int, ...]] = {}
    fix: str = ""


class DataPart(_Part):
    """The rows: how many were read, what was removed, how the rest was split, and what the audit found."""

    rows: Count = Field(description="rows read")
    labels: dict[str, int] = Field(description="rows of each label, or band of values, after cleaning")
    duplicates_removed: Count
    splits: dict[str, int] = Field(description="rows of train, validation, calibration and test")
    near_duplicates_removed: Count = 0
    leaks_removed: Count = Field(0, description="those of both kinds whose twin stood in another part")
    conflicts: Count = Field(0, description="texts that carried two labels")
    small_labels: tuple[str, ...] = Field((), description="labels with under 30 rows: always reviewed, in no gate")
    masked: dict[str, int] = Field({}, description="pieces masked, by kind")
    language: str = "mixed"
    fingerprint: str = ""
    features: tuple[str, ...] = Field((), description="declared fields that the model reads beside the text")
    audit: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, audit: Audit, fingerprint: str = "", features: Sequence[str] = ()) -> DataPart:
        """What the report shows of an audit."""
        return cls(
            rows=audit.rows,
            labels=audit.labels,
            duplicates_removed=audit.duplicates.exact,
            near_duplicates_removed=audit.duplicates.near,
            leaks_removed=audit.duplicates.across,
            conflicts=len(audit.conflicts),
            splits=audit.splits,
            small_labels=tuple(audit.small_labels),
            masked=audit.masked,
            language=audit.language,
            fingerprint=fingerprint,
            features=tuple(features),
            audit=tuple(
                Finding(
                    level=problem.severity,
                    what=problem.message,
                    code=problem.code,
                    count=sum(map(len, problem.rows.values())),
                    rows={name: tuple(numbers[:FIRST_ROWS]) for name, numbers in problem.rows.items()},
                    fix=problem.fix,
                )
                for problem in audit.problems
            ),
        )


class CalibrationError(_Part):
    """Expected calibration error (15 bins) on test rows, before and after the temperature (None: there is none)."""

    before: float | None
    after: float


class Bin(_Part):
    """One bar of the reliability diagram: mean confidence, share right, and rows of a bin."""

    confidence: Share
    accuracy: Share
    rows: Count


class Calibration(_Part):
    """Whether a probability of 0.9 is right nine times in ten."""

    ece: CalibrationError
    temperature: float | None = 1.0
    bins: tuple[Bin, ...] = ()


class Bounded(_Part):
    """A rate with its one-sided 95 % upper bound; both None where there was nothing to count."""

    value: float | None
    high: float | None


class Point(_Part):
    """One threshold of the coverage-risk curve: share of cases decided without a person, share of errors in them."""

    threshold: float
    coverage: Share
    risk: Share


class Decisions(_Part):
    """What is decided without a person, and what is certified about it."""

    automation_rate: Share = Field(description="share of cases that the certified policy decides by itself")
    error_among_automated: Bounded
    max_error: float | dict[str, float]
    certified: bool
    confidence: Share = 0.95
    rows: Count = Field(0, description="calibration rows that the certificate rests on")
    forced: Share = Field(0.0, description="share of cases whose outcome a rule forces: outside the certificate")
    thresholds: dict[str, float | None] = Field({}, description="None: this label always goes to a person")
    rows_missing: Count | None = Field(None, description="about how many more labelled rows would certify anything")
    missing: dict[str, int] = Field({}, description="the same for each label that has a limit of its own")
    curve: tuple[Point, ...] = Field((), description="coverage-risk curve, on test rows")
    certified_point: Point | None = None


class Timing(_Part):
    """In process, batch 1, from masking to outcome; throughput in one process."""

    p50_ms: float
    p99_ms: float
    texts_per_s: float


class Versus(Timing):
    """Another way to serve, timed in turn with the sealed one, from the text to the label, without rules or masking.

    name: `pipeline` (Hugging Face, of the teacher) or `onnx_int8` (ONNX Runtime, dynamic INT8 of the same student).
    """

    name: str
    times_faster: float = Field(description="its p50 divided by the sealed release's in the same run")
    times_throughput: float = Field(1.0, description="the release's texts a second divided by its own")


class Speed(Timing):
    """How fast, on what."""

    with_evidence: Timing | None = None
    hardware: str
    threads: Count
    against: tuple[Versus, ...] = ()


class StepRow(_Part):
    """One step of the recipe as it ran."""

    name: str
    seconds: float
    cached: bool
    artifact: str = ""


class VariantRow(_Part):
    """One form in which the model could have been sealed; its score is on validation rows."""

    name: str
    artifact: str = Field("", description="id of its artifact, which stands in OUT/cache")
    form: str
    size_mb: float
    p50_ms: float
    p99_ms: float
    score: Score
    agreement: Share | None = Field(None, description="share of validation rows on which its answer is the teacher's")
    state: Literal["sealed", "passed", "refused"]
    because: str = Field("", description="why it was refused, in English")
    broken: tuple[Gate, ...] = Field((), description="the promises that it broke on validation rows")


class Note(_Part):
    """A sentence beside the figures: in English, and as the name of the page's phrase with the values it takes."""

    text: str
    phrase: str = ""
    values: dict[str, str] = {}


class Curve(_Part):
    """A line of (step, loss), or (step, score), over the training of one step of the recipe."""

    name: str
    kind: Literal["train_loss", "validation_loss", "validation_score"]
    points: tuple[tuple[float, float], ...]


class Block(_Part):
    """A block that only the task of this report has, on test rows (core/task.py, `Section`).

    matrix: rows are the gold and columns what was said; bars: one number a row; scatter: two numbers a row.
    """

    name: str
    kind: Literal["table", "matrix", "bars", "scatter"]
    title: dict[PageLanguage, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    note: dict[PageLanguage, str] = {}


class Mistake(_Part):
    """A test row that the model got wrong: its masked text (None: not kept), and how sure the model was."""

    truth: str
    guess: str
    p: Share
    row: int | None = None
    text: str | None = None


class Faithful(_Part):
    """Fall of the decided label's probability by mask replacement, for three ways to choose the words."""

    evidence: float
    random: float
    tfidf: float


class Faithfulness(_Part):
    """Does the evidence shown move the model? Sufficiency: only it is kept (lower is better).

    Comprehensiveness: it is taken away (higher is better). Random: spans of equal length; TF-IDF: by its weights.
    """

    rows: Count
    sufficiency: Faithful
    comprehensiveness: Faithful


class Report(_Part):
    """All of report.json. `sealed` says whether OUT/release was written. Format 1 is read too (format_1.py)."""

    format: Literal[2] = 2
    name: str
    task: str = "classify"
    gold: Literal["label", "value"] = Field("label", description="what the gold is: one of some labels, or a value")
    an_error: dict[PageLanguage, str] = Field({}, description="what an error is, where the task has a limit for it")
    language: Literal["zh", "en", "mixed"]
    sealed: bool
    verdict: str = Field("", description="the page's headline and first sentences, as plain text")
    release: str | None = Field(None, description="id of the sealed release")
    model: str = Field("", description="the method that made the sealed model, such as tune.full + compress.int8")
    base: str = ""
    tested: str = Field("", description="the form that was certified and tested, and sealed where no promise broke")
    fell_back: bool = Field(False, description="the encoder did not beat the linear model, which was sealed instead")
    made: str = Field("", description="when, ISO 8601")
    version: str = ""
    data: DataPart
    test: Scores
    baseline: Baseline
    teacher: Reference | None = None
    calibration: Calibration
    decisions: Decisions
    gates: tuple[Gate, ...]
    speed: Speed
    size_mb: float
    steps: tuple[StepRow, ...]
    variants: tuple[VariantRow, ...] = ()
    curves: tuple[Curve, ...] = ()
    sections: tuple[Block, ...] = Field((), description="what only this task shows")
    errors: tuple[Mistake, ...] = ()
    faithfulness: Faithfulness | None = None
    notes: tuple[Note, ...] = Field((), description="what a reader must know besides")

    @model_validator(mode="before")
    @classmethod
    def _of_any_format(cls, given: Any) -> Any:
        return from_format_1(given) if isinstance(given, dict) and given.get("format") == 1 else given

    def page_language(self) -> PageLanguage:
        """The language of report.html where none is asked for."""
        return "zh" if self.language == "zh" else "en"

    def without_texts(self) -> Report:
        """The same report without any text of a row, for a page that leaves the house."""
        return self.model_copy(
            update={"errors": tuple(error.model_copy(update={"text": None}) for error in self.errors)}
        )


def read_report(path: Path) -> Report:
    """Read a report.json of any format back. Raises pydantic.ValidationError where it is not one."""
    return Report.model_validate_json(path.read_bytes())
