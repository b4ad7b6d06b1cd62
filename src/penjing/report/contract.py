"""The typed contract of report.json: the results of a run of `make`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from penjing.core.certificate import CertifiedPeriod, Gate
from penjing.data.doubts import LabelDoubts
from penjing.report.chosen_part import ChosenByFolds
from penjing.report.data_part import DataPart
from penjing.report.faithful_part import Faithfulness
from penjing.report.format_1 import from_format_1
from penjing.report.learning_part import RowsForecast
from penjing.report.marked import Mark
from penjing.report.promised import HarmRow, ItemsPart, Menu, NeedPart
from penjing.report.robust_part import RobustPart
from penjing.report.search_part import SearchPart

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
PageLanguage = Literal["en", "zh"]


class _Part(BaseModel):
    # From attributes: an object such as `measure.evaluate.Interval` is accepted as an Estimate.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True)


class Estimate(_Part):
    """A value with the two ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class _Measured(_Part):
    metric: str = Field(description="the first metric of the task, to which promises refer, such as macro_f1")
    metrics: dict[str, Estimate] = Field(description="every metric of the task by its name")

    @property
    def score(self) -> Estimate:
        """The first metric."""
        return self.metrics[self.metric]


class Scores(_Measured):
    """The sealed model, or the one that was refused at the end, on the test rows."""

    rows: Count = 0
    apart: Estimate | None = Field(
        None, description="the first metric on test rows whose text is in no other file; None: no text is in another"
    )


class Reference(_Measured):
    """Another model on the same test rows, with its paired comparison to the sealed model by the first metric."""

    difference: Estimate | None = Field(None, description="score of the sealed model minus this one's, paired")
    kept: Estimate | None = Field(None, description="score of the sealed model as a share of this one's, paired")
    name: str = ""


class Baseline(_Part):
    """Baseline models with which the sealed model is compared."""

    linear: Reference


class CalibrationError(_Part):
    """Expected calibration error (15 bins) on test rows, before and after the temperature (None: no temperature)."""

    before: float | None
    after: float


class ReliabilityBin(_Part):
    """One bin of the reliability diagram: mean confidence, share of right answers, and number of rows."""

    confidence: Share
    accuracy: Share
    rows: Count


class Calibration(_Part):
    """How well probabilities match shares of right answers: at 0.9, nine of ten answers should be right."""

    ece: CalibrationError
    temperature: float | None = 1.0
    rows: Count | None = Field(None, description="validation rows on which the probabilities were fitted")
    errors: Count | None = Field(None, description="rows among these that the model got wrong")
    bins: tuple[ReliabilityBin, ...] = ()


class Bounded(_Part):
    """A rate with its one-sided 95 % upper bound; both None if there was nothing to count."""

    value: float | None
    high: float | None


class LimitOnTest(Bounded):
    """One of several limits on test rows: cases that it is about and that are decided without a person, and errors."""

    cases: Count
    errors: Count


class Point(_Part):
    """One point of the coverage-risk curve: threshold, share of cases decided without a person, errors among them."""

    threshold: float
    coverage: Share
    risk: Share


class Decisions(_Part):
    """The share of cases decided without a person, and what the certificate guarantees for them.

    Where rules have dates, `certified`, `rows`, `thresholds` and `needs` are those of the period of the report.
    """

    automation_rate: Share = Field(description="share of cases that the certified policy decides by itself")
    error_among_automated: Bounded
    max_error: float | dict[str, float]
    certified: bool
    confidence: Share = 0.95
    rows: Count = Field(0, description="calibration rows on which the certificate is based")
    forced: Share = Field(0.0, description="share of cases whose outcome a rule sets; the certificate excludes them")
    thresholds: dict[str, float | None] = Field({}, description="None: this label always goes to a person")
    needs: dict[str, NeedPart] = Field({}, description="what more rows would do, by the limit that is not proven")
    on_test: dict[str, LimitOnTest] = Field({}, description="where there are several limits, each on test rows")
    max_miss: dict[str, float] = Field({}, description="limits on cases of a true label decided wrongly by themselves")
    by_label: bool = Field(False, description="whether the limits are those of each label of a set")
    labels_settled: Share | None = Field(None, description="then the share of the labels of a text that need no person")
    items: ItemsPart | None = Field(None, description="where items are certified one by one, what becomes of them")
    periods: tuple[CertifiedPeriod, ...] = Field((), description="what is certified between the dates of rules")
    rows_missing: Count | None = Field(None, description="earlier versions: about how many more rows would certify")
    missing: dict[str, int] = Field({}, description="the same for each label that has a limit of its own")
    curve: tuple[Point, ...] = Field((), description="coverage-risk curve, on test rows")
    certified_point: Point | None = None


class Timing(_Part):
    """Times in one process at batch 1, from masking to outcome; throughput in one process."""

    p50_ms: float
    p99_ms: float
    texts_per_s: float


class Versus(Timing):
    """Another way to serve, timed in turn with the sealed release, from text to label, without rules or masking.

    name: `pipeline` (Hugging Face, of the teacher) or `onnx_int8` (ONNX Runtime, dynamic INT8 of the same student).
    """

    name: str
    times_faster: float = Field(description="its p50 divided by that of the sealed release in the same run")
    times_throughput: float = Field(1.0, description="texts per second of the sealed release divided by its own")


class Speed(Timing):
    """Speed of the sealed release, with hardware and threads."""

    with_evidence: Timing | None = None
    hardware: str
    threads: Count
    against: tuple[Versus, ...] = ()


class RuleRow(_Part):
    """One rule: its row in the file, its filled cells as they are written, and the test rows that it decided first."""

    row: int
    name: str
    conditions: tuple[tuple[str, str], ...]
    then: str
    why: str = ""
    decided: Count | None = None
    priority: int = 0
    owner: str = ""
    valid_from: str = Field("", description="the first day or time on which it is valid")
    valid_to: str = Field("", description="the last one")


class RuleFinding(_Part):
    """A warning of the check of the rules, in English."""

    what: str
    fix: str = ""


class RulesPart(_Part):
    """The rules in order of decision, and warnings. time_zone: by whose clock they are dated; empty: UTC."""

    rules: tuple[RuleRow, ...]
    time_zone: str = ""
    findings: tuple[RuleFinding, ...] = ()


class StepRow(_Part):
    """One step of the recipe as it ran."""

    name: str
    seconds: float
    cached: bool
    artifact: str = ""


class VariantRow(_Part):
    """One form in which the model could have been sealed; its score is on validation rows."""

    name: str
    artifact: str = Field("", description="id of its artifact, which is stored in OUT/cache")
    form: str
    size_mb: float
    p50_ms: float
    p99_ms: float
    score: Estimate
    agreement: Share | None = Field(None, description="share of validation rows with the same answer as the teacher")
    state: Literal["sealed", "passed", "refused"]
    because: str = Field("", description="why it was refused, in English")
    broken: tuple[Gate, ...] = Field((), description="the promises that it broke on validation rows")


class Note(_Part):
    """A sentence that explains the figures: its English text, and the name of the page's phrase with its values."""

    text: str
    phrase: str = ""
    values: dict[str, str] = {}


class Curve(_Part):
    """A line of (step, loss), or (step, score), over the training of one step of the recipe."""

    name: str
    kind: Literal["train_loss", "validation_loss", "validation_score"]
    points: tuple[tuple[float, float], ...]


# The name of the block of cases that an earlier release answered rightly; its rows have their texts.
LOST = "lost"


class Block(_Part):
    """A block that only the task of this report has, on test rows (core/task.py, `Section`).

    matrix: rows are gold labels, columns are the model's. bars: one number per row. scatter: two numbers per row.
    """

    name: str
    kind: Literal["table", "matrix", "bars", "scatter"]
    title: dict[PageLanguage, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    note: dict[PageLanguage, str] = {}


class Mistake(_Part):
    """A test row that the model got wrong: its masked text (None: not kept) and the model's confidence."""

    truth: str
    guess: str
    p: Share
    row: int | None = None
    text: str | None = None
    marks: tuple[Mark, ...] = Field((), description="pieces of the text in gold and answer, where they are the answer")


class Report(_Part):
    """All of report.json. `sealed` says whether OUT/release was written. Format 1 is read too (format_1.py)."""

    format: Literal[2] = 2
    name: str
    task: str = "classify"
    gold: Literal["label", "value"] = Field("label", description="whether the gold is a label or a value")
    an_error: dict[PageLanguage, str] = Field({}, description="definition of an error, if the task sets a limit")
    language: Literal["zh", "en", "mixed"]
    sealed: bool
    verdict: str = Field("", description="the page's headline and first sentences, as plain text")
    release: str | None = Field(None, description="id of the sealed release")
    model: str = Field("", description="the method that made the sealed model, such as tune.full + compress.int8")
    base: str = ""
    tested: str = Field("", description="the form that was certified and tested; it is sealed if no promise is broken")
    fell_back: bool = Field(False, description="the encoder did not beat the linear model, which was sealed instead")
    made: str = Field("", description="time of the run, ISO 8601")
    version: str = ""
    data: DataPart
    test: Scores
    baseline: Baseline
    teacher: Reference | None = None
    calibration: Calibration
    decisions: Decisions
    harm: tuple[HarmRow, ...] = Field((), description="errors without a person by true label, on test rows")
    forecast_rows: RowsForecast | None = Field(None, description="what more train rows would buy; None: not measured")
    menu: Menu | None = Field(None, description="what could be promised, as validation rows suggest")
    gates: tuple[Gate, ...]
    rules: RulesPart | None = Field(None, description="None: there are no rules")
    speed: Speed
    size_mb: float
    search: SearchPart | None = Field(None, description="None: no option of the recipe is a range")
    steps: tuple[StepRow, ...]
    variants: tuple[VariantRow, ...] = ()
    folds: ChosenByFolds | None = Field(None, description="None: validation rows chose between encoder and word model")
    curves: tuple[Curve, ...] = ()
    sections: tuple[Block, ...] = Field((), description="blocks of this task alone")
    errors: tuple[Mistake, ...] = ()
    doubts: LabelDoubts | None = Field(None, description="train and validation rows whose labels are perhaps wrong")
    faithfulness: Faithfulness | None = None
    robustness: RobustPart | None = Field(None, description="None: the recipe asks for no noise")
    notes: tuple[Note, ...] = Field((), description="remarks for the reader")

    @model_validator(mode="before")
    @classmethod
    def _of_any_format(cls, given: Any) -> Any:
        return from_format_1(given) if isinstance(given, dict) and given.get("format") == 1 else given

    def page_language(self) -> PageLanguage:
        """The default language of report.html."""
        return "zh" if self.language == "zh" else "en"

    def without_texts(self) -> Report:
        """The same report without texts of rows, for a page that is sent to other organizations."""
        errors = tuple(error.model_copy(update={"text": None}) for error in self.errors)
        doubts = None if self.doubts is None else self.doubts.without_texts()
        sections = tuple(section for section in self.sections if section.name != LOST)
        return self.model_copy(update={"errors": errors, "doubts": doubts, "sections": sections})


def read_report(path: Path) -> Report:
    """Read a report.json of any format. Raises pydantic.ValidationError if the file is not a report."""
    return Report.model_validate_json(path.read_bytes())
