"""report.html is well-formed, escapes what users wrote, loads nothing, and shows what the report holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest

from penjing.core.answers import Number
from penjing.core.certificate import Gate
from penjing.report.contract import (
    Baseline,
    Block,
    Calibration,
    CalibrationError,
    Estimate,
    Note,
    Reference,
    Report,
    Scores,
)
from penjing.report.data_part import AuditFinding
from penjing.report.page import LABELS_LISTED, SHOWN, render
from penjing.report.phrases import words
from penjing.report.verdict import note_of
from penjing.tasks import open_reader

HOSTILE = "<b onclick=x>&"
VOID = {"meta", "br", "img", "link", "input", "hr", "line", "rect", "circle", "path"}


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


def matrix_of(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> Block:
    rows = tuple((name, *counts) for name, counts in zip(names, matrix, strict=True))
    return Block(name="confusion", kind="matrix", title={"en": "a", "zh": "b"}, columns=("", *names), rows=rows)


def plain(page: str) -> str:
    """What a person reads: no elements, one space between words."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).split())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("labels", [2, 8, 77])
def test_the_page_is_well_formed_escaped_and_alone(sample: Callable[..., Report], language: Any, labels: int) -> None:
    names = tuple(f"label {i}" for i in range(labels))
    matrix = tuple(tuple(9 if i == j else int((i + 1) % labels == j) for j in range(labels)) for i in range(labels))
    page = render(sample(sections=(matrix_of(names, matrix),)), language=language)
    seen = elements(page)
    tags = {tag for tag, _ in seen}
    assert not tags & {"script", "img", "link", "iframe", "object"}
    for _, attributes in seen:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
    assert "http" not in re.sub(r'http-equiv="', "", page) and "url(" not in page and "@import" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<td") < 700, "a wide confusion matrix must not be drawn whole"


def test_the_page_speaks_the_language_of_the_texts(sample: Callable[..., Report]) -> None:
    assert '<html lang="zh-Hans">' in render(sample(language="zh"))
    assert '<html lang="en">' in render(sample(language="mixed"))
    assert '<html lang="en">' in render(sample(language="zh"), language="en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_scores_of_texts_unique_to_the_test_file_have_their_label(sample: Callable[..., Report], language: Any) -> None:
    page = render(sample(), language=language)
    assert words(language)["apart"] in page and "{value}" not in page


def test_without_texts_the_page_holds_none(sample: Callable[..., Report]) -> None:
    assert "SECRET" in render(sample()) and "SECRET" not in render(sample(), texts=False)


def test_a_linear_release_has_no_row_of_its_own_baseline(sample: Callable[..., Report]) -> None:
    score = Estimate(value=0.9, low=0.88, high=0.92)
    measured: dict[str, Any] = {"metric": "macro_f1", "metrics": {"macro_f1": score}}
    linear = Reference(**measured, difference=Estimate(value=0, low=0, high=0))
    teacher = Reference(**measured, name="tune.linear")
    page = render(sample(baseline=Baseline(linear=linear), teacher=teacher, model="tune.linear", base="penjing/mini"))
    assert "Full-size model" not in page and "(baseline)" not in page and "penjing/mini" not in page
    page = render(sample(base="penjing/mini"))
    assert "Full-size model" in page and "(baseline)" in page and "penjing/mini" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_certificate_the_page_says_so(sample: Callable[..., Report], language: Any) -> None:
    said = words(language)["none_certified"]
    decisions = sample().decisions.model_copy(update={"certified": False})
    assert said in render(sample(decisions=decisions), language=language)
    assert said not in render(sample(), language=language)


@pytest.mark.parametrize(("errors", "shown"), [(0, True), (9, True), (10, False), (None, False)])
def test_few_errors_to_calibrate_on_are_said_beside_the_calibration_error(
    sample: Callable[..., Report], errors: int | None, shown: bool
) -> None:
    fitted = sample().calibration.model_copy(update={"rows": 36, "errors": errors})
    page = plain(render(sample(calibration=fitted)))
    assert (f"fitted to {errors} errors on 36 validation rows" in page) == shown
    assert ("错误太少" in render(sample(calibration=fitted), language="zh")) == shown


def test_a_release_that_decides_nothing_is_not_praised(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(update={"automation_rate": 0.0, "certified": False})
    assert '<div class="verdict unproven">' in render(sample(decisions=decisions))


@pytest.mark.parametrize(
    ("sealed", "state", "sound"),
    [(True, "held", "held"), (True, "unproven", "unproven"), (False, "broken", "broken"), (False, "held", "broken")],
)
def test_the_colour_of_the_verdict_is_that_of_the_worst(
    sample: Callable[..., Report], sealed: bool, state: Any, sound: str
) -> None:
    gates = (Gate(name="keep", promised=0.9, measured=0.8, bound=0.7, state=state),)
    assert f'<div class="verdict {sound}">' in render(sample(sealed=sealed, gates=gates))


def test_a_gate_shows_its_direction_and_the_rows_that_would_settle_it(sample: Callable[..., Report]) -> None:
    gates = (
        Gate(name="p99_ms", promised=20, measured=7, bound=8, state="held"),
        Gate(name="keep", promised=0.975, measured=0.98, bound=0.96, state="unproven", rows_needed=1234),
    )
    page = plain(render(sample(gates=gates)))
    assert "at most 20 ms" in page and "at least 97.5 %" in page
    # 150 of the 950 rows are test rows.
    assert "about 1,234 test rows are needed to decide, of about 7,816 labelled rows in all" in page
    own = sample(gates=gates, data=sample().data.model_copy(update={"cut": ("train", "validation")}))
    assert "about 1,234 test rows are needed to decide" in plain(render(own)) and "in all" not in plain(render(own))


def test_the_promise_to_forget_little_is_a_limit(sample: Callable[..., Report]) -> None:
    gate = Gate(name="forget", promised=0.2, measured=0.06, bound=0.06, state="held", note="12 of 200 cases")
    page = plain(render(sample(gates=(gate,)), language="en"))
    assert "at most 20 %" in page and "at least 20 %" not in page and "of 12 of 200" not in page
    page = plain(render(sample(gates=(gate,)), language="zh"))
    assert "不低于 20%" not in page and "200 个案例中的 12 个" in page


def test_notes_and_whose_score_is_kept_are_told_in_the_pages_language(sample: Callable[..., Report]) -> None:
    gate = Gate(name="keep", promised=0.97, measured=0.98, bound=0.96, state="unproven", note="of tune.full")
    report = sample(notes=(note_of("why_smallest", forms="9"), Note(text="as it is")), gates=(gate,))
    page = render(report, language="en")
    assert "Of 9 forms tried, it is the smallest" in page and "of tune.full" in page
    page = render(report, language="zh")
    assert "试过的 9 种形式中" in page and "相对于 tune.full" in page and "as it is" in page
    assert "of tune.full" not in page


def test_why_a_form_was_refused_is_told_in_the_pages_language(sample: Callable[..., Report]) -> None:
    gate = Gate(name="p99_ms", promised=20, measured=38.31, bound=31.0, state="broken")
    variant = (
        sample()
        .variants[0]
        .model_copy(update={"state": "refused", "because": "p99_ms 38.25 against 20 (bound 31)", "broken": (gate,)})
    )
    page = render(sample(variants=(variant,)), language="zh")
    assert "38.3\u00a0ms" in page and "99% 的决定不超过的用时" in page and "against 20" not in page
    older = variant.model_copy(update={"broken": ()})
    assert "p99_ms 38.25 against 20" in render(sample(variants=(older,)), language="zh")


def test_limits_by_label_stand_in_a_table_and_a_label_without_one_shows_none(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(
        update={
            "max_error": {"a": 0.0125, "b": 0.02},
            "thresholds": {"a": 0.91, "b": 0.8, "c": None},
            "missing": {"b": 240},
        }
    )
    page = plain(render(sample(decisions=decisions)))
    assert "c always to a person – " in page
    assert "a 91.0 % 1.25 % " in page
    assert "b 80.0 % 2 % 240 " in page
    assert "1.25 % – 2 %" in page, "the tile shows the least and the largest limit"


def test_long_lists_are_cut_and_say_so(sample: Callable[..., Report]) -> None:
    data = sample().data.model_copy(
        update={
            "labels": {f"label {i:03}": 1000 - i for i in range(LABELS_LISTED + 7)},
            "audit": (
                AuditFinding(level="warning", what="odd rows", count=40, rows={"a.csv": tuple(range(100, 120))}),
            ),
        }
    )
    page = plain(render(sample(data=data)))
    assert "label 000" in page and f"label {LABELS_LISTED:03}" not in page
    assert words("en")["others"].format(count=7) in page
    shown = ", ".join(str(row) for row in range(100, 100 + SHOWN))
    assert f"{shown} …" in page


def test_rows_of_one_among_several_files_are_shown_with_their_file(sample: Callable[..., Report]) -> None:
    pages = []
    for several in (False, True):
        one = AuditFinding(level="warning", what="odd rows", count=1, rows={"add.csv": (9,)}, several_files=several)
        pages.append(plain(render(sample(data=sample().data.model_copy(update={"audit": (one,)})))))
    assert "add.csv" not in pages[0]
    assert "add.csv 9" in pages[1]


def test_the_most_confused_pairs_of_many_labels_come_first(sample: Callable[..., Report]) -> None:
    labels = tuple(f"label {i}" for i in range(13))
    matrix = [[10 if i == j else 0 for j in range(13)] for i in range(13)]
    matrix[3][5], matrix[7][1] = 2, 6
    page = plain(render(sample(sections=(matrix_of(labels, matrix),))))
    assert "label 7 label 1 6 37.5 % label 3 label 5 2 16.7 %" in page
    assert "130 of 138 rows are right" in page


def of_numbers(**changes: Any) -> dict[str, Any]:
    """What a report of numbers has instead of labels."""
    score = {name: Estimate(value=value, low=value - 0.02, high=value + 0.02) for name, value in NUMBERS.items()}
    rows = (("0 to 1", 120.0, 0.25, 0.9), (HOSTILE, 1030.0, 1.5, 0.875))
    columns = ("true value", "rows", "mean error", "coverage")
    titles: Any = {"en": "Error by value", "zh": "各段误差"}
    return {
        "task": "score",
        "gold": "value",
        "an_error": {"en": "an answer further than 0.5 from the true value", "zh": "与真实值相差超过 0.5 的答案"},
        "test": Scores(metric="within", metrics=score, rows=150),
        "baseline": Baseline(linear=Reference(metric="within", metrics=score)),
        "teacher": None,
        "calibration": Calibration(ece=CalibrationError(before=None, after=0.02), temperature=None),
        "sections": (
            Block(name="errors_by_value", kind="table", title=titles, columns=columns, rows=rows, note={"en": "So."}),
            Block(name="size", kind="bars", title=titles, columns=("value", "rows"), rows=(("a", 5), ("b", 10))),
            Block(name="pairs", kind="scatter", title=titles, columns=("true value", "said"), rows=((1, 2), (3, 4.5))),
        ),
        **changes,
    }


NUMBERS = {"within": 0.81, "mae": 0.375, "rmse": 0.5, "r2": 0.62, "pearson": 0.8, "coverage": 0.9}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_of_numbers_speaks_of_values_in_both_languages(sample: Callable[..., Report], language: Any) -> None:
    raw = render(sample(**of_numbers()), language=language)
    page, said = plain(raw), words(language)
    elements(raw)
    for name in NUMBERS:
        assert said[f"metric_{name}"].lower() in page.lower(), name
    assert "macro" not in page.lower() and "F1" not in page
    assert of_numbers()["an_error"][language] in page
    assert "1,030" in page and "0.875" in page and "<td" in raw and "0.375" in page
    assert said["col_truth_value"] in page and said["col_truth"] not in page.replace(said["col_truth_value"], "")
    assert said["column_mean_error"] in page and said["ece_line_plain"].split("{")[0] in page
    assert raw.count('class="dot main soft"') == 2, "a scatter has a dot a row"
    assert "width: 50%" in raw and "width: 100%" in raw, "bars are in proportion"
    assert ("So." in page) == (language == "en")


@pytest.mark.parametrize(("language", "title"), [("en", "Which grades are taken"), ("zh", "哪些等级被判成哪些")])
def test_the_matrix_of_grades_is_square_though_a_grade_was_never_learned(
    sample: Callable[..., Report], language: Any, title: str
) -> None:
    task = open_reader("score", {}).learn(["1", "2", "3"])
    answers = [Number(value, 1, 3, 0.9) for value in (1.0, 1.0, 2.0, 3.0)]
    blocks = tuple(Block.model_validate(one) for one in task.figures(answers, ["1", "2", "2", "5"]))
    page = render(sample(sections=blocks), language=language)
    assert title in page
    table = page.split('<table class="matrix">')[1].split("</table>")[0]
    head, *rows = table.split("<tr>")[1:]
    assert re.findall(r"<th>([0-9]+)</th>", head) == ["1", "2", "3", "5"]
    assert [re.findall(r">([0-9]+)</(?:th|td)>", row) for row in rows] == [
        list("11000"), list("21100"), list("30000"), list("50010"),
    ]  # fmt: skip


def test_blocks_of_one_of_several_tasks_are_in_the_pages_language(sample: Callable[..., Report]) -> None:
    title = {"en": "who: What the entities are", "zh": "who：实体判断的结果"}
    block = Block(
        name="who.entity_errors", kind="table", title=title, columns=("result", "entities"), rows=(("missed", 3.0),)
    )
    page = render(sample().model_copy(update={"sections": (block,)}), language="zh")
    assert "who：实体判断的结果" in page and "漏标" in page and ">missed<" not in page
