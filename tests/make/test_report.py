"""report.json keeps its keys, and report.html escapes what users wrote, says the verdict, and loads nothing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from penjing.make.charts import curves, intervals, reliability, risk_curve, ticks
from penjing.make.gates import Gate
from penjing.make.page import render
from penjing.make.report import (
    Baseline,
    Bin,
    Bounded,
    Calibration,
    CalibrationError,
    Confusion,
    Curve,
    DataPart,
    Decisions,
    Faithful,
    Faithfulness,
    Finding,
    Mistake,
    Point,
    Reference,
    Report,
    Score,
    Scores,
    Speed,
    Step,
    Timing,
    Variant,
    Versus,
    read_report,
    write_report,
)
from penjing.make.verdict import percent, verdict, words

HOSTILE = '<script>alert("x")</script> & <img src=x onerror=y>'
VOID = {"meta", "br", "img", "link", "input", "hr", "line", "rect", "circle", "path"}


def sample(**changes: Any) -> Report:
    """A whole report; every text that a user can write is hostile."""
    score = Score(value=0.93, low=0.91, high=0.95)
    labels = ("差评", HOSTILE)
    report = Report(
        name=HOSTILE,
        language="en",
        sealed=True,
        release="ab" * 32,
        model="tune.full + compress.int8",
        data=DataPart(
            rows=1000,
            labels={"差评": 500, HOSTILE: 450},
            duplicates_removed=50,
            splits={"train": 600, "validation": 100, "calibration": 100, "test": 150},
            small_labels=("差评",),
            masked={"mobile": 3, "ip": 0},
            audit=(Finding(level="warning", what=HOSTILE, count=20, rows={HOSTILE: tuple(range(20)), "b.csv": (3,)}),),
        ),
        test=Scores(macro_f1=score, accuracy=score, rows=150, apart=score),
        baseline=Baseline(
            linear=Reference(macro_f1=Score(value=0.9, low=0.88, high=0.92), difference=score_between(0.01, 0.05))
        ),
        teacher=Reference(macro_f1=score, kept=score_between(0.98, 1.01), name=HOSTILE),
        calibration=Calibration(
            ece=CalibrationError(before=0.08, after=0.02), bins=(Bin(confidence=0.9, accuracy=0.92, rows=100),)
        ),
        decisions=Decisions(
            automation_rate=0.7,
            error_among_automated=Bounded(value=0.03, high=0.049),
            max_error=0.05,
            certified=True,
            rows=100,
            thresholds={"差评": 0.7, HOSTILE: None},
            curve=tuple(Point(threshold=1 - share, coverage=share, risk=0.1 * share) for share in (0.1, 0.5, 1.0)),
            certified_point=Point(threshold=0.3, coverage=0.7, risk=0.03),
        ),
        gates=(Gate(name="keep", promised=0.98, measured=0.99, bound=0.985, state="held", note=HOSTILE),),
        speed=Speed(
            p50_ms=4.3,
            p99_ms=7.0,
            texts_per_s=400,
            with_evidence=Timing(p50_ms=20, p99_ms=30, texts_per_s=50),
            hardware=HOSTILE,
            threads=2,
            against=(Versus(name=HOSTILE, p50_ms=40, p99_ms=80, texts_per_s=30, times_faster=9.3),),
        ),
        size_mb=31.2,
        steps=(Step(name="tune.full", seconds=1.5, cached=True, artifact="cd" * 32),),
        variants=(
            Variant(
                name="compress.int8",
                form="openvino",
                size_mb=31.2,
                p50_ms=4.3,
                p99_ms=7,
                macro_f1=score,
                agreement=0.99,
                state="refused",
                because=HOSTILE,
            ),
        ),
        curves=(
            Curve(name="tune.full", kind="train_loss", points=tuple((float(i), 1 / (i + 1)) for i in range(500))),
            Curve(name="tune.full", kind="validation_macro_f1", points=((100.0, 0.8), (200.0, 0.9))),
        ),
        confusion=Confusion(labels=labels, matrix=((70, 5), (6, 69))),
        errors=(Mistake(truth="差评", guess=HOSTILE, p=0.99, row=7, text=HOSTILE + "SECRET"),),
        faithfulness=Faithfulness(
            rows=50,
            sufficiency=Faithful(evidence=0.1, random=0.3, tfidf=0.2),
            comprehensiveness=Faithful(evidence=0.3, random=0.1, tfidf=0.2),
        ),
        notes=(HOSTILE,),
    )
    return report.model_copy(update=changes)


def score_between(low: float, high: float) -> Score:
    return Score(value=(low + high) / 2, low=low, high=high)


class Elements(HTMLParser):
    """Names and attributes of all elements, with the open ones on a stack: misnesting fails."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("labels", [2, 8, 77])
def test_the_page_is_well_formed_escaped_and_alone(language: Any, labels: int) -> None:
    names = tuple(f"label {i}" for i in range(labels))
    matrix = tuple(tuple(9 if i == j else int((i + 1) % labels == j) for j in range(labels)) for i in range(labels))
    page = render(sample(confusion=Confusion(labels=names, matrix=matrix)), language=language)
    seen = elements(page)
    tags = {tag for tag, _ in seen}
    assert not tags & {"script", "img", "link", "iframe", "object"}
    for _, attributes in seen:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
    assert "http" not in re.sub(r'http-equiv="', "", page) and "url(" not in page and "@import" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<td") < 700, "a wide confusion matrix must not be drawn whole"


def test_every_chart_is_xml() -> None:
    report = sample()
    drawn = [
        intervals([(HOSTILE, report.test.macro_f1, True)], HOSTILE),
        reliability(report.calibration.bins, HOSTILE, (HOSTILE, HOSTILE)),
        reliability((), HOSTILE, ("", "")),
        risk_curve(
            report.decisions.curve,
            0.05,
            report.decisions.certified_point,
            HOSTILE,
            dict.fromkeys(("coverage", "risk", "limit", "certified"), HOSTILE),
        ),
        curves(report.curves, HOSTILE, (HOSTILE, HOSTILE)),
        curves((Curve(name="one", kind="train_loss", points=((3.0, 0.5),)),), "", ("", ""), from_zero=False),
    ]
    for svg in drawn:
        assert ElementTree.fromstring(svg).tag == "svg"
        assert "nan" not in svg and "inf" not in svg
        assert "<script" not in svg


def test_a_perfect_score_and_an_empty_one_are_drawn() -> None:
    for value in (0.0, 1.0):
        ElementTree.fromstring(intervals([("model", Score(value=value, low=value, high=value), True)], "t"))


def test_no_texts_leaves_no_text_in_either_file(tmp_path: Path) -> None:
    write_report(sample(), tmp_path, texts=False)
    for name in ("report.html", "report.json"):
        assert "SECRET" not in (tmp_path / name).read_text(encoding="utf-8")
    assert "SECRET" in render(sample()) and "SECRET" not in render(sample(), texts=False)


def test_the_file_has_the_keys_that_other_work_relies_on(tmp_path: Path) -> None:
    written = write_report(sample(), tmp_path)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    for path in [
        "data.rows",
        "data.labels",
        "data.duplicates_removed",
        "data.splits.train",
        "data.audit",
        "test.macro_f1.value",
        "test.macro_f1.low",
        "test.macro_f1.high",
        "test.accuracy.value",
        "baseline.linear.macro_f1.value",
        "baseline.linear.difference.low",
        "teacher.macro_f1.value",
        "calibration.ece.before",
        "calibration.ece.after",
        "decisions.automation_rate",
        "decisions.error_among_automated.value",
        "decisions.error_among_automated.high",
        "decisions.max_error",
        "decisions.certified",
        "decisions.forced",
        "decisions.thresholds",
        "speed.p50_ms",
        "speed.p99_ms",
        "speed.texts_per_s",
        "speed.with_evidence.p50_ms",
        "speed.hardware",
        "speed.threads",
        "size_mb",
        "verdict",
        "release",
    ]:
        here = found
        for key in path.split("."):
            assert key in here, path
            here = here[key]
    assert {"name", "promised", "measured", "bound", "state", "rows_needed"} <= found["gates"][0].keys()
    assert {"name", "seconds", "cached"} <= found["steps"][0].keys()
    assert read_report(tmp_path / "report.json") == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_a_report_refuses_what_is_not_a_number_or_not_a_key() -> None:
    with pytest.raises(ValidationError):
        Score(value=float("nan"), low=0, high=1)
    with pytest.raises(ValidationError):
        Score(value=0.5, low=0, high=1, median=0.5)  # type: ignore[call-arg]


def gate(name: str, state: Any) -> Gate:
    return Gate(name=name, promised=0.9, measured=0.8, bound=0.7, state=state)


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "Sealed: every promise is held."),
        ({"gates": ()}, "Sealed."),
        ({"gates": (gate("macro_f1", "unproven"),)}, "Sealed, though not every promise is proven yet: macro-F1."),
        (
            {"sealed": False, "gates": (gate("size_mb", "broken"), gate("keep", "held"))},
            "Not sealed: a promise is broken (size of the release).",
        ),
        (
            {"sealed": False, "gates": (gate("house_gate", "unproven"),)},
            "Not sealed: a promise is not proven (house_gate), and the recipe refuses that.",
        ),
        ({"sealed": False}, "Not sealed."),
    ],
)
def test_the_headline_says_what_happened(changes: dict[str, Any], headline: str) -> None:
    assert verdict(sample(**changes), "en")[0] == headline
    assert verdict(sample(**changes), "zh")[0].startswith("已封装" if sample(**changes).sealed else "未封装")


def test_the_verdict_tells_a_tie_from_a_gain() -> None:
    for low, high, said in (
        (0.01, 0.05, "beyond chance"),
        (-0.01, 0.05, "cannot be told apart"),
        (-0.05, -0.01, "worse"),
    ):
        linear = Reference(macro_f1=score_between(0.88, 0.92), difference=score_between(low, high))
        sentences = " ".join(verdict(sample(baseline=Baseline(linear=linear)), "en")[1])
        assert said in sentences


def test_a_linear_release_is_not_compared_with_itself() -> None:
    same = Score(value=0, low=0, high=0)
    linear = Reference(macro_f1=score_between(0.88, 0.92), difference=same)
    teacher = Reference(macro_f1=score_between(0.88, 0.92), kept=Score(value=1, low=1, high=1), name="tune.linear")
    report = sample(baseline=Baseline(linear=linear), teacher=teacher, model="tune.linear", base="penjing/mini")
    sentences = " ".join(verdict(report, "en")[1])
    assert "same answers" in sentences and "full-size" not in sentences
    page = render(report)
    assert "Full-size model" not in page and "(baseline)" not in page and "penjing/mini" not in page


def test_an_unsealed_run_does_not_speak_as_if_it_served() -> None:
    assert "Nothing was put in place" in verdict(sample(sealed=False), "en")[1][0]


def test_without_a_certificate_everything_goes_to_a_person() -> None:
    decisions = Decisions(
        automation_rate=0,
        error_among_automated=Bounded(value=None, high=None),
        max_error={"a": 0.05, "b": 0.02},
        certified=False,
        rows_missing=240,
        thresholds={"a": None, "b": None},
    )
    report = sample(decisions=decisions)
    sentences = " ".join(verdict(report, "en")[1])
    assert "Every case goes to a person" in sentences and "240 more" in sentences
    hopeless = report.model_copy(update={"decisions": decisions.model_copy(update={"rows_missing": None})})
    assert "errs too often" in " ".join(verdict(hopeless, "en")[1])
    for language in ("en", "zh"):
        assert words(language)["none_certified"] in render(report, language=language)  # type: ignore[arg-type]


def test_the_page_speaks_the_language_of_the_texts() -> None:
    assert '<html lang="zh-Hans">' in render(sample(language="zh"))
    assert '<html lang="en">' in render(sample(language="mixed"))
    assert '<html lang="en">' in render(sample(language="zh"), language="en")


def test_both_languages_have_the_same_phrases_and_places() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for name, phrase in english.items():
        assert set(re.findall(r"{(\w+)}", phrase)) == set(re.findall(r"{(\w+)}", chinese[name])), name


def test_figures_are_short_and_exact() -> None:
    assert percent(0.973, "en") == "97.3\u00a0%" and percent(0.05, "zh") == "5%"
    assert percent(0.05, "zh", trim=False) == "5.0%"
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(0.5, 0.5) == [0.5]
