"""Reads a recipe (YAML 1.2) and checks all of it before any work starts; errors name the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from penjing.core import expected
from penjing.core.continues import Continues, with_its_base
from penjing.core.errors import PenjingError
from penjing.core.options import WrongValueError
from penjing.core.pair import FURTHER
from penjing.core.paths import AnyPath, local_path, path_beside
from penjing.core.robustness import Robustness
from penjing.core.task_choice import TaskChoice
from penjing.core.yaml_file import as_text, place_of, read_yaml
from penjing.core.zone import find_zone, nearest_zone

Share = Annotated[float, Field(ge=0, le=1), expected.Share()]
Risk = Annotated[float, Field(gt=0, lt=1), expected.Share()]
FieldType = Literal["str", "int", "float", "bool", "date"]
# In YAML a label, a value or the name of a column may look like a number: `labels: {1.0: 1}`, `columns: [2024, text]`.
Word = Annotated[str, BeforeValidator(lambda value: as_text(value))]
_TRUTH: TypeAdapter[bool] = TypeAdapter(bool)
TIME = "time"  # the field in which the time of a labelled row is read
EVERY = "*"  # in `max_miss` where each label is certified: every label without a limit of its own
LABEL_OF = "label."  # before the name of one of several tasks, among the columns that a release names
PARTS = ("train", "validation", "calibration", "test")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(_Part):
    """Where the rows are and which column is what."""

    files: str | dict[Literal["train", "validation", "calibration", "test"], str] = Field(
        description="one file, or one a part; relative to the recipe; parts not given are split off train"
    )
    format: Literal["auto", "brat", "conll", "doccano", "jsonl", "label_studio", "squad", "triples"] = Field(
        "auto", description="auto: a table, found from the content; else the form of annotated texts (annotated.md)"
    )
    held_out: Literal["apart", "shared"] = Field(
        "apart", description="calibration and test: rows apart, or shared, each at half the level: more rows train"
    )
    encoding: str = Field(
        "auto", description="auto (BOM, UTF-8, UTF-16, UTF-32, GB18030, Big5, cp1252) or a name such as euc_jp"
    )
    sheet: Word | None = Field(None, description="the sheet of a workbook, by its name or its number from 1")
    header: int | None = Field(
        None, ge=0, description="the row of the header, counted from 1; 0: there is none; left out: it is looked for"
    )
    columns: list[Word] | None = Field(None, description="names of the columns of a file that has no header")
    text: Word = Field("text", description="the column of the texts")
    other: Word | None = Field(None, description="the column of the second texts, for the task `match`")
    head: Word | None = Field(None, description="the column of the first entity of a relation, for the task `relate`")
    tail: Word | None = Field(None, description="the column of the second entity, for the task `relate`")
    question: Word | None = Field(None, description="the column of questions about the texts, for the task `answer`")
    label: Word = Field("label", description="the column of the labels")
    separator: str | None = Field(
        None, description="what is between the labels of a cell, for the task `several`: one of `;`, `|`, `,`, `、` …"
    )
    labels: dict[str, Word] = Field(
        {}, description="labels that are read as another, where several words mean one: `{refunds: refund}`"
    )
    fields: dict[str, FieldType | list[Word]] = Field(
        {}, description="declared request fields with their type, or with the list of their values"
    )
    features: list[Word] = Field(
        [], description="declared fields that the model reads beside the text: numbers, dates, yes or no, listed values"
    )
    group: str | None = Field(None, description="rows with the same value are always in the same part")
    time: Word | None = Field(
        None, description="the column of the time of each row, read as the field `time: date`: for rules with dates"
    )
    unlabelled: list[str] = Field([], description="files of texts without labels")
    add: list[str] = Field([], description="files of more labelled rows, such as chosen ones: they train, never test")
    out_of_scope: str | dict[Word, str] = Field(
        {},
        description="files of texts that fit no label, by a name each; only the report uses them: how many are found",
    )
    long: Literal["chunk", "review"] = Field(
        "chunk", description="texts longer than the model takes: scored in pieces, or sent to a person"
    )

    _golds: dict[str, str] = PrivateAttr({})

    @property
    def golds(self) -> dict[str, str]:
        """The columns of the labels by the name of the task, where the recipe has several; else none."""
        return self._golds

    @model_validator(mode="before")
    @classmethod
    def _declares_time(cls, given: Any) -> Any:
        fields = given.get("fields", {}) if isinstance(given, dict) and given.get("time") is not None else None
        return {**given, "fields": {**fields, TIME: fields.get(TIME, "date")}} if isinstance(fields, dict) else given

    @field_validator("files")
    @classmethod
    def _has_train(cls, files: str | dict[str, str]) -> str | dict[str, str]:
        if isinstance(files, dict) and "train" not in files:
            raise WrongValueError("is a mapping, and needs at least `train`", "add `train: FILE`")
        return files

    @field_validator("held_out")
    @classmethod
    def _is_cut(cls, held_out: str, info: ValidationInfo) -> str:
        files = info.data.get("files")
        if held_out == "shared" and isinstance(files, dict) and ("calibration" in files or "test" in files):
            raise WrongValueError(
                "is `shared`, and `files:` gives calibration or test rows of their own",
                "take `held_out` out, or the two files",
            )
        return held_out

    @property
    def level_share(self) -> float:
        """The share of the level that the certificate has: the score has the other half where rows are shared."""
        return 0.5 if self.held_out == "shared" else 1.0

    @field_validator("labels")
    @classmethod
    def _in_one_step(cls, labels: dict[str, str]) -> dict[str, str]:
        for written, label in labels.items():
            if labels.get(label, label) != label:
                raise WrongValueError(
                    f"reads `{written[:60]}` as `{label[:60]}`, and `{label[:60]}` as `{labels[label][:60]}`",
                    f"write `{written[:60]}: {labels[label][:60]}`",
                )
        return labels

    @field_validator("fields")
    @classmethod
    def _has_values(cls, fields: dict[str, Any]) -> dict[str, Any]:
        for name, kind in fields.items():
            if isinstance(kind, list) and not kind:
                raise WrongValueError(
                    f"lists no value for `{name[:60]}`", f"write `{name[:60]}: [a, b]`, or a type such as `str`"
                )
        return fields

    @field_validator("features")
    @classmethod
    def _features_are_fields(cls, features: list[str], info: ValidationInfo) -> list[str]:
        fields = info.data.get("fields", {})
        for name in features:
            if name in [info.data.get(key) for key in ("label", "text", *FURTHER)]:
                raise WrongValueError(
                    f"names `{name[:60]}`, which is the column of the labels or of the texts",
                    "take it out: a feature is a field that is known when a case is decided",
                )
            if name not in fields:
                raise WrongValueError(f"names `{name[:60]}`, which is no declared field", "declare it under `fields:`")
            if fields[name] == "str":
                raise WrongValueError(
                    f"names `{name[:60]}`, which is free text",
                    f"list its values under `fields:`: `{name[:60]}: [a, b]`",
                )
        return features

    @field_validator("time")
    @classmethod
    def _time_is_a_date(cls, time: str | None, info: ValidationInfo) -> str | None:
        if time is not None and info.data.get("fields", {TIME: "date"}).get(TIME) != "date":
            raise WrongValueError(
                "names a column, and the field `time` is no date", "write `time: date` under `fields:`, or take it out"
            )
        return time

    def further(self) -> dict[str, str]:
        """The columns of the texts that a case has after its first one, by their names here."""
        named: dict[str, str | None] = {name: getattr(self, name) for name in FURTHER}
        named["question"] = self.question or ("question" if self.format == "squad" else None)
        return {name: column for name, column in named.items() if column is not None}

    @property
    def outside(self) -> dict[str, str]:
        """The files of texts that fit no label, by name."""
        given = self.out_of_scope
        return {"out_of_scope": given} if isinstance(given, str) else dict(given)

    def feature_types(self) -> dict[str, str | list[str]]:
        """The fields that the model reads, with their types or values."""
        return {name: self.fields[name] for name in self.features}


class Gates(_Part):
    """Promises that are tested before anything is sealed."""

    keep: Share | None = Field(
        None, description="share of the teacher's score that must be kept; the score is the task's first metric"
    )
    p50_ms: float | None = Field(None, gt=0, description="median latency in process, batch 1, without evidence")
    p99_ms: float | None = Field(None, gt=0, description="99th percentile of the same")
    mean_ms: float | None = Field(None, gt=0, description="mean of the same: it sets what a million texts cost")
    times_faster: float | None = Field(
        None,
        gt=0,
        description="how many times the tuned model's mean throughput in a Hugging Face pipeline, one text at a time, "
        "timed alternately: the ratio is stable on a machine whose speed changes, milliseconds are not",
    )
    size_mb: float | None = Field(None, gt=0, description="megabytes (10^6 bytes) of the whole release")
    score: Share | None = Field(None, description="the task's first metric on the test rows, such as macro-F1")
    macro_f1: Share | None = Field(None, description="macro-F1 on the test rows")
    forget: Share | None = Field(
        None, description="with `continues`: share of the earlier release's regression suite that may be lost"
    )
    unproven: Literal["refuse", "allow"] = Field("refuse", description="whether an unproven promise may be sealed")


class Decide(_Part):
    """When a case is decided without a person."""

    max_error: Risk | dict[str, Risk] = Field(
        0.05, description="largest share of errors among automated decisions: one number, or one a label"
    )
    max_miss: dict[str, Risk] = Field(
        {},
        description="largest probability that a case of a true label is decided wrongly without a person, over all "
        "cases of that label: `{illegal: 0.02}`",
    )
    certify: Literal["case", "label", "item"] = Field(
        "case",
        description="what the limits are about: whole answers; each label by itself, for the task `several`; or each "
        "entity by itself, for the task `tag`",
    )
    rules: str | None = Field(None, description="the rules file (CSV); relative to the recipe")
    audit: Share = Field(
        0.01, description="share of automatic cases, drawn by a secret key of the service, that also go to review"
    )
    texts: Literal["masked", "none"] = Field("masked", description="keep masked texts with the records, or none")
    unknown_values: Literal["review", "refuse"] = Field(
        "review", description="a new value of an enumerated field: the case goes to review, or the request is refused"
    )
    out_of_scope: float = Field(
        0.015,
        ge=0,
        le=0.2,
        description="share of usual texts that may go to review as out of scope, so that texts unlike the train rows "
        "do; 0: none does",
    )
    time_zone: str = Field(
        "UTC", description="whose clock the days of rules are by, as IANA names it: `Asia/Shanghai`, `Europe/Berlin`"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_every_label(cls, given: Any) -> Any:
        miss = given.get("max_miss") if isinstance(given, dict) and given.get("certify") == "label" else None
        number = isinstance(miss, int | float) and not isinstance(miss, bool)
        return {**given, "max_miss": {EVERY: miss}} if number else given

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            find_zone(name)
        except KeyError:
            raise WrongValueError(f"names the unknown zone `{name[:60]}`", nearest_zone(name)) from None
        return name

    @field_validator("max_error")
    @classmethod
    def _has_a_limit(cls, max_error: float | dict[str, float]) -> float | dict[str, float]:
        if isinstance(max_error, dict) and not max_error:
            raise WrongValueError(
                "is empty; it needs at least one label", "write one share, such as 0.05, or `{LABEL: 0.05}`"
            )
        return max_error


class Recipe(_Part):
    """The settings of `penjing make`."""

    name: str = Field(min_length=1, max_length=80, description="name of the service")
    language: Literal["zh", "en", "mixed", "auto"] = Field("auto", description="language of the texts")
    task: TaskChoice = Field(default_factory=TaskChoice, description="what is predicted")
    data: Data = Field(description="the rows")
    base: str = Field(
        "penjing/mini",
        description="a shipped base, or a folder in Hugging Face form; auto: a shipped one, by rows, lengths, promises "
        "and what is installed",
    )
    continues: Continues | None = Field(None, description="an earlier release that this one goes on from")
    steps: list[dict[str, dict[str, Any] | None]] = Field(min_length=1, description="methods, in their order")
    search: Literal["compress"] | None = Field(
        None, description="`compress`: look for the smallest model that holds every gate, instead of given compressions"
    )
    trials: int = Field(
        0, ge=0, le=1000, description="most trials of a search over ranges of options; with `search`, of healing too"
    )
    minutes: float = Field(
        0, ge=0, le=100_000, description="a search over ranges of options begins no trial after these"
    )
    choose: Literal["auto", "validation", "folds"] = Field(
        "auto", description="encoder or word counts: by validation rows, or by five folds; auto: folds if rows are few"
    )
    engine: Literal["auto", "openvino", "onnx"] = Field(
        "auto",
        description="the engine that serves, where a step names none; auto: the faster one on this kind of CPU",
    )
    gates: Gates = Field(default_factory=lambda: Gates(), description="promises")
    decide: Decide = Field(default_factory=lambda: Decide(), description="automation")
    robustness: Robustness = Field(
        default_factory=lambda: Robustness(),
        description="noise on test rows, for a table in the report: true for every kind, a list of kinds, or strengths",
    )
    threads: int = Field(
        0, ge=0, le=256, description="threads of training and measuring; 0: the fastest in a short measurement"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of all random choices")

    @model_validator(mode="before")
    @classmethod
    def _from_the_earlier_one(cls, given: Any) -> Any:
        return with_its_base(given)

    @field_validator("steps")
    @classmethod
    def _one_key(cls, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for step in steps:
            if len(step) != 1:
                raise WrongValueError(
                    "has an entry that is not one step", "write each step as one `- room.method: {options}`"
                )
        return steps

    @model_validator(mode="after")
    def _columns_of_tasks(self) -> Recipe:
        self.data._golds = self.task.label_columns()
        return self

    @property
    def reads_text(self) -> bool:
        """Whether the words of a text count; not where each step is `tune.linear: {text: false}`."""
        return not all(_is_false(options.get("text", True)) for _, options in self.step_list())

    def step_list(self) -> list[tuple[str, dict[str, Any]]]:
        """(name, options) of every step."""
        return [(name, dict(options or {})) for step in self.steps for name, options in step.items()]


class RecipeFile(BaseModel):
    """A recipe with its path and its YAML tree, which relative paths and line numbers need."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    path: Path
    recipe: Recipe
    tree: Any = None

    def resolve(self, name: str) -> Path:
        """A path in the recipe, relative to the folder of the recipe."""
        return path_beside(self.path, name)

    def where(self, *keys: str | int) -> str:
        """`FILE:LINE:COLUMN` of a key, for an error message."""
        return place_of(self.path, self.tree, keys)


def load_recipe(path: AnyPath, more: Callable[[RecipeFile], Sequence[PenjingError]] = lambda _: ()) -> RecipeFile:
    """Read and validate a recipe. Raises UsageError (no file) or RecipeError with FILE:LINE:COLUMN.

    more: further faults of a recipe with wrong keys, found in what is left without these keys; they are told too.
    """
    path = local_path(path)

    def others(tree: Any, rest: Recipe) -> Sequence[PenjingError]:
        return more(RecipeFile(path=path, recipe=rest, tree=tree))

    tree, recipe = read_yaml(path, Recipe, others, "`penjing init DIR --data FILE` writes one")
    return RecipeFile(path=path, recipe=recipe, tree=tree)


def _is_false(value: Any) -> bool:
    """Whether an option of a method reads this as false; what it refuses is not."""
    try:
        return not _TRUTH.validate_python(value)
    except ValidationError:
        return False
