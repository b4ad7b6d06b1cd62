"""What a release promises, as typed values, and the names of the files in its folder."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

# The files of a release, as paths from its folder; every sealed folder also has a MANIFEST (core/folder.py).
INFO, MODEL, CERTIFICATE = "release.json", "model", "certificate.json"
POLICY, RULES, WORDS = "policy/policy.json", "policy/rules.csv", "policy/words"
SUITE, SELFCHECK = "regression.jsonl", "selfcheck.json"
# What tells texts that are like those of training from others, where the task can (runtime/scope.py).
SCOPE, SEEN = "scope/scope.json", "scope/seen.bin"

# The newest format of each that is known here.
FORMATS = {INFO: 3, CERTIFICATE: 4, POLICY: 7, SELFCHECK: 2, SCOPE: 1}

State = Literal["held", "broken", "unproven"]
Counted = Literal["cases", "labels", "items"]


class Gate(BaseModel):
    """One promise, what was measured, and the one-sided 95 % bound that decided its state."""

    model_config = ConfigDict(frozen=True)

    name: str
    promised: float
    measured: float
    bound: float
    state: State
    rows_needed: int | None = None
    note: str = ""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ThresholdTest(_Part):
    """One tested threshold: scope `*` for all cases together, or the label that has a limit of its own."""

    scope: str
    threshold: float
    automated: int
    errors: int
    p_value: float
    passed: bool


class Need(_Part):
    """What more labelled rows would do for a limit that is not proven.

    enough: `rows` more calibration rows prove something with 90 % assurance. no_help: the error is above the limit at
    every threshold (wrong in at most 5 % of runs). unknown: these rows show neither.
    """

    answer: Literal["enough", "unknown", "no_help"]
    rows: int | None = None


class LimitTest(_Part):
    """One limit at one step of a path: the cases that count for it, the errors among them, and the p-value.

    kind: `error` among the cases that the model decides (of: `*`, or the label that it gives them); `miss` among all
    cases of a true label, those reviewed included, whose errors are decided without a person (of: the true label).
    `rare`, `empty`: of sets of labels (prove/label_path.py). `item`, `empty`: of lists of items (prove/item_path.py).
    """

    kind: Literal["error", "miss", "rare", "empty", "item"]
    of: str
    limit: float
    cases: int
    errors: int
    p_value: float


class PathStep(_Part):
    """One tested step of a path: the threshold of each label, and all limits; it passes if each of them does."""

    thresholds: dict[str, float | None]
    tests: tuple[LimitTest, ...]
    p_value: float
    passed: bool


class PastOpening(_Part):
    """An earlier promise that was tested on some of the same rows: 16 digits of its hash, and its level."""

    promise: str
    delta: float


class CertifiedPeriod(_Part):
    """What was proven between two dates of rules, as inclusive seconds since 1970 (None: no bound).

    time_zone: the zone in whose local seconds the bounds are, "" for UTC; ahead: what its clock is ahead of UTC, in
    seconds, at the two bounds.

    rows: calibration rows that count in it; 0: nothing was tested. confidence: 1 less its part of the level. counted:
    what automation and error are of: whole cases, sets of which every label is settled, or items that are settled
    (format 4). The other values are as those of a certificate, for these rows.
    """

    first: int | None
    last: int | None
    time_zone: str = Field("", exclude_if=lambda name: not name)
    ahead: tuple[int, int] = Field((0, 0), exclude_if=lambda ahead: not any(ahead))
    counted: Counted = Field("cases", exclude_if=lambda counted: counted == "cases")
    certified: bool = False
    rows: int = 0
    confidence: float | None = None
    thresholds: dict[str, float | None] = {}
    automation: float = 0.0
    error: float | None = None
    high: float | None = None
    forced: float = 0.0
    ruled: float = 0.0
    needs: dict[str, Need] = {}


class Certificate(_Part):
    """What was proven on the calibration rows, and on which rows; canonical JSON.

    thresholds: None sends every case with this top label to review; grid: the ordered thresholds, fixed on
    validation; rows: calibration rows; automation, forced, ruled: shares of them that the model decides, whose outcome
    a rule forces (outside the certificate), that a rule sends to review, those included that it would force if each
    field that the model reads were known; error: share of errors among the cases that
    the model decides, high: its one-sided bound at `confidence`; reviewed:
    labels with too few rows, always reviewed; calibration, used: hashes of rows that may never certify again;
    an_error: what counts as an error, in English, where the task has a limit that says so (format 2);
    needs: what more rows would do, by the limit (`*` or a label) that is not proven (format 3). Formats 1 and 2 have
    rows_missing instead, an estimate of how many more rows would certify anything (0: certified, None: more would not
    help), and missing, the same for each label with a limit of its own;
    max_miss: the limit on misses of each true label that has one; then path has the ordered vectors of thresholds and
    path_steps those that were tested, instead of grid and steps (format 3);
    openings: the other promises that some of the calibration rows were opened for before; confidence allows for them
    (format 3);
    shared: whether the calibration rows gave the score too: `confidence` is of the certificate alone, and the bounds of
    the score have the other half of the level (format 3; left out where they did not);
    weighted: whether the rows were drawn with different probabilities out of operation; then automation, error and high
    are estimates and a bound for all cases, and the p-values are by betting (format 3);
    periods: where the dates of rules cut time into several periods, what is proven in each, in the order of time; the
    fields above are then those of the period with rows that automates least (format 3);
    by_label: whether sets of labels have limits for each label (prove/by_label.py), which are about labels that are
    settled; `automation` is then the share of cases in which all are (format 3);
    most_items: where lists of items have a limit for each item (prove/by_item.py), of how many items a text is decided
    at most, else 0; `automation` is then the share of cases in which all are settled, and error and high are of the
    items that are settled (format 4; in format 3 of whole cases, which have no limit);
    gates: only in releases of earlier versions, the name and state of each promise when the release was sealed. Now
    they are in a file next to the release (core/artifact.py), so that the folder that was tested is the one that ships.
    """

    format: Literal[1, 2, 3, 4] = 1
    max_error: float | dict[str, float]
    confidence: float
    certified: bool
    thresholds: dict[str, float | None]
    grid: dict[str, tuple[float, ...]]
    steps: tuple[ThresholdTest, ...]
    rows: int
    automation: float
    error: float | None
    high: float | None
    forced: float
    ruled: float
    rows_missing: int | None = None
    missing: dict[str, int] = {}
    reviewed: tuple[str, ...]
    calibration: tuple[str, ...]
    used: tuple[str, ...]
    gates: tuple[dict[str, Any], ...] = ()
    an_error: str = ""
    needs: dict[str, Need] = {}
    max_miss: dict[str, float] = {}
    path: tuple[dict[str, float | None], ...] = ()
    path_steps: tuple[PathStep, ...] = ()
    openings: tuple[PastOpening, ...] = ()
    weighted: bool = False
    shared: bool = False
    periods: tuple[CertifiedPeriod, ...] = ()
    by_label: bool = False
    most_items: int = 0

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A certificate of an earlier format keeps its bytes."""
        values: dict[str, Any] = handler(self)
        if self.format == 1:
            values.pop("an_error", None)
        later = ("needs", "max_miss", "path", "path_steps", "openings", "weighted")
        for name in later if self.format < 3 else ("rows_missing", "missing"):
            values.pop(name, None)
        for name in ("periods", "shared", "by_label", "most_items"):
            if not values[name]:
                del values[name]
        return values
