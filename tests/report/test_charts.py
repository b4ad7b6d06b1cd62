"""Charts are XML with escaped texts; what is read off their axes is what was drawn."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence

import pytest

from penjing.report.charts import (
    NAME_LETTERS,
    Plot,
    curves,
    front,
    intervals,
    log_ticks,
    pareto,
    reliability,
    risk_curve,
    scatter,
    tick_label,
    ticks,
    whole_ticks,
)
from penjing.report.contract import Block, Curve, Estimate, Point, ReliabilityBin, Report, VariantRow

HOSTILE = '<script>alert("x")</script> & <img src=x onerror=y>'
WORDS = {"coverage": "coverage", "risk": "risk", "limit": "limit", "certified": "certified"}


def marks(svg: str, name: str, css: str) -> list[dict[str, str]]:
    """Attributes of the elements of that name that carry a class."""
    found = ElementTree.fromstring(svg).iter(name)
    return [element.attrib for element in found if css in element.attrib.get("class", "").split()]


def number(label: str) -> float:
    """The value of a tick: `40 %`, `12k`, `0.25`."""
    if label.endswith("%"):
        return float(label.removesuffix("%")) / 100
    return float(label.removesuffix("k")) * (1000 if label.endswith("k") else 1)


class Reading:
    """Reads values off a chart as a person does: by the ticks of its axes."""

    def __init__(self, svg: str, *, log: bool = False) -> None:
        self.svg = svg
        lines = [line for css in ("grid", "axis") for line in marks(svg, "line", css)]
        upright = [float(line["x1"]) for line in lines if line["x1"] == line["x2"]]
        level = [float(line["y1"]) for line in marks(svg, "line", "grid") if line["y1"] == line["y2"]]
        texts = [each for each in ElementTree.fromstring(svg).iter("text") if each.attrib.get("class") == "tick"]
        across = [number(each.text or "") for each in texts if each.attrib["text-anchor"] == "middle"]
        upwards = [number(each.text or "") for each in texts if each.attrib["text-anchor"] == "end"] if level else []
        self.ticks = across
        self._x, self._y = _scale(upright, across, log=log), _scale(level, upwards)

    def x(self, place: str) -> float:
        return self._x(float(place))

    def y(self, place: str) -> float:
        return self._y(float(place))

    def dots(self, css: str = "dot") -> list[tuple[float, float]]:
        """The two values of every dot of a class."""
        return [(self.x(dot["cx"]), self.y(dot["cy"])) for dot in marks(self.svg, "circle", css)]

    def trace(self) -> list[tuple[float, float]]:
        """The values that the line goes through."""
        (path,) = marks(self.svg, "path", "trace")
        return [(self.x(x), self.y(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path["d"])]


def _scale(places: Sequence[float], values: Sequence[float], *, log: bool = False) -> Callable[[float], float]:
    if len(values) < 2:
        return lambda _: math.nan
    assert len(places) == len(values)
    first, last = (math.log(value) if log else value for value in (values[0], values[-1]))
    each = (last - first) / (places[-1] - places[0])

    def value_at(place: float) -> float:
        value = first + (place - places[0]) * each
        return math.exp(value) if log else value

    # The ticks between stand where they say, too.
    assert [value_at(place) for place in places] == pytest.approx(list(values), rel=0.02, abs=0.01 * abs(values[-1]))
    return value_at


def near(*values: float) -> list[object]:
    """Read off a chart: right to a hundredth or two."""
    return [pytest.approx(value, abs=0.005, rel=0.02) for value in values]


def pairs(*values: tuple[float, float]) -> list[tuple[object, ...]]:
    return [tuple(near(*pair)) for pair in values]


def test_every_chart_is_xml(sample: Callable[..., Report]) -> None:
    report = sample()
    drawn = [
        intervals([(HOSTILE, report.test.score, True)], HOSTILE),
        reliability(report.calibration.bins, HOSTILE, (HOSTILE, HOSTILE)),
        reliability((), HOSTILE, ("", "")),
        front(report.variants, 3.0, HOSTILE, (HOSTILE, HOSTILE), HOSTILE),
        risk_curve(
            report.decisions.curve,
            0.05,
            report.decisions.certified_point,
            HOSTILE,
            dict.fromkeys(("coverage", "risk", "limit", "certified"), HOSTILE),
        ),
        curves(report.curves, HOSTILE, (HOSTILE, HOSTILE)),
        scatter(block(((HOSTILE, 1.0, 2.0),)), HOSTILE, (HOSTILE, HOSTILE)),
        curves((Curve(name="one", kind="train_loss", points=((3.0, 0.5),)),), "", ("", ""), from_zero=False),
    ]
    for svg in drawn:
        assert ElementTree.fromstring(svg).tag == "svg"
        assert "nan" not in svg and "inf" not in svg
        assert "<script" not in svg


def test_a_perfect_score_and_an_empty_one_are_drawn() -> None:
    for value in (0.0, 1.0):
        ElementTree.fromstring(intervals([("model", Estimate(value=value, low=value, high=value), True)], "t"))


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.5, 0.5, [0.5]),
        (0.83, 0.97, [0.85, 0.9, 0.95]),
        (-3.0, 3.0, [-2.0, 0.0, 2.0]),
        (0.0, 12_000.0, [0.0, 5000.0, 10_000.0]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == found


def test_a_tick_is_a_short_number() -> None:
    assert [tick_label(value) for value in (0.25, 40.0, 9_999.0, 12_000.0)] == ["0.25", "40", "9999", "12k"]
    assert tick_label(0.4, percent=True) == "40 %" and tick_label(0.025, percent=True) == "2.5 %"


@pytest.mark.parametrize("log", [False, True])
def test_what_a_plot_draws_is_read_off_its_axes(log: bool) -> None:
    plot = Plot("t", (10.0, 2000.0), (0.0, 1.0), ("x", "y"), scale="log" if log else "linear")
    values = [(10.0, 0.0), (700.0, 0.25), (2000.0, 1.0)]
    for x, y in values:
        plot.dot(plot.x(x), plot.y(y), 1, "dot")
    assert Reading(plot.svg(), log=log).dots() == [
        (pytest.approx(x, abs=1, rel=0.02), pytest.approx(y, abs=0.005)) for x, y in values
    ]


def test_a_score_and_its_interval_are_read_off_the_chart() -> None:
    rows = [
        ("sealed", Estimate(value=0.9, low=0.88, high=0.91), True),
        ("word", Estimate(value=0.7, low=0.6, high=0.8), False),
    ]
    svg = intervals(rows, "t")
    read = Reading(svg)
    for (_, score, _), css in zip(rows, ("main", "other"), strict=True):
        (dot,) = marks(svg, "circle", css)
        bar = marks(svg, "line", css)[0]
        assert [read.x(dot["cx"]), read.x(bar["x1"]), read.x(bar["x2"])] == near(score.value, score.low, score.high)
    assert "0.900  (0.880 – 0.910)" in svg


def test_a_bin_without_rows_is_not_drawn_and_one_with_more_rows_is_larger() -> None:
    bins = [
        ReliabilityBin(confidence=0.55, accuracy=0.5, rows=10),
        ReliabilityBin(confidence=0.75, accuracy=0.0, rows=0),
        ReliabilityBin(confidence=0.95, accuracy=0.96, rows=90),
    ]
    svg = reliability(bins, "t", ("x", "y"))
    assert Reading(svg).dots("main") == pairs((0.55, 0.5), (0.95, 0.96))
    small, large = (float(dot["r"]) for dot in marks(svg, "circle", "main"))
    assert small < large


def test_the_promised_limit_is_drawn_only_where_there_is_one() -> None:
    points = [Point(threshold=0.9, coverage=0.4, risk=0.01), Point(threshold=0.5, coverage=1.0, risk=0.2)]
    certified = Point(threshold=0.8, coverage=0.6, risk=0.04)
    svg = risk_curve(points, 0.05, certified, "t", WORDS)
    read = Reading(svg)
    (limit,) = marks(svg, "line", "limit")
    assert [read.y(limit["y1"]), read.y(limit["y2"])] == near(0.05, 0.05)
    assert read.dots("ring") == pairs((0.6, 0.04))
    assert read.trace() == pairs((0.4, 0.01), (1.0, 0.2))
    bare = risk_curve(points, None, None, "t", WORDS)
    assert not marks(bare, "line", "limit") and not marks(bare, "circle", "ring")


def test_the_risk_curve_goes_from_left_to_right_whatever_the_order_of_its_points() -> None:
    points = [Point(threshold=1 - share, coverage=share, risk=share / 10) for share in (0.2, 0.6, 1.0)]
    assert risk_curve(points, None, None, "t", WORDS) == risk_curve(points[::-1], None, None, "t", WORDS)


def test_a_long_curve_is_thinned_to_means_and_a_short_one_has_dots() -> None:
    long = Curve(name="a", kind="train_loss", points=tuple((float(i), float(i % 2)) for i in range(1000)))
    svg = curves([long], "t", ("x", "y"))
    drawn = Reading(svg).trace()
    assert 100 <= len(drawn) <= 160
    assert all(0.4 < y < 0.6 for _, y in drawn), "a zigzag of every step is noise: runs are drawn as their means"
    assert not marks(svg, "circle", "dot")
    short = Curve(name="a", kind="train_loss", points=((1.0, 0.5), (2.0, 0.25)))
    assert Reading(curves([short], "t", ("x", "y"))).dots() == pairs((1.0, 0.5), (2.0, 0.25))


def test_lines_have_colours_of_their_own_and_one_without_points_has_none() -> None:
    points = ((0.0, 1.0), (1.0, 0.5))
    lines = [Curve(name=name, kind="train_loss", points=points) for name in "abc"]
    svg = curves([Curve(name="empty", kind="train_loss", points=()), *lines], "t", ("x", "y"))
    assert [path["class"] for path in marks(svg, "path", "trace")] == ["trace main", "trace other", "trace third"]


def form(name: str, p50_ms: float, value: float, size_mb: float = 10.0, state: str = "passed") -> VariantRow:
    score = Estimate(value=value, low=value - 0.02, high=value + 0.02)
    return VariantRow.model_validate(
        {"name": name, "form": "onnx", "size_mb": size_mb, "p50_ms": p50_ms, "p99_ms": 2 * p50_ms,
         "score": score.model_dump(), "state": state}
    )  # fmt: skip


def test_on_the_front_stands_what_nothing_beats_in_both() -> None:
    forms = [form("slow", 8, 0.90), form("worse", 9, 0.89), form("quick", 0.1, 0.80), form("same", 0.1, 0.79)]
    assert [one.name for one in pareto(forms)] == ["quick", "slow"]
    assert pareto([]) == []


def test_the_front_is_read_off_its_axes() -> None:
    forms = [form("a", 0.1, 0.80, 1), form("b", 1, 0.85, 4), form("c", 10, 0.90, 16, "sealed")]
    svg = front(forms, 20.0, "t", ("x", "y"), "limit")
    read = Reading(svg, log=True)
    assert read.dots() == pairs((0.1, 0.80), (1, 0.85), (10, 0.90))
    assert read.dots("ring") == pairs((10, 0.90)), "the sealed one has a ring"
    sizes = [float(dot["r"]) for dot in marks(svg, "circle", "dot")]
    assert sizes == sorted(set(sizes)), "more megabytes are a larger dot"
    (limit,) = marks(svg, "line", "limit")
    assert read.x(limit["x1"]) == near(20)[0]
    assert ">c<" in svg
    behind = [*forms, form("d", 12, 0.85, 8, "sealed")]
    svg = front(behind, None, "t", ("x", "y"), "limit")
    assert ">d<" in svg, "what was sealed is named, on the front or behind it"


def test_a_long_name_is_written_whole_in_short_lines() -> None:
    name = "static, then 3 layers, INT8 on ONNX Runtime (99.5% agreement)"
    for p50_ms in (0.1, 0.9, 10.0):
        forms = [form("fast", 0.1, 0.70), form(name, p50_ms, 0.99, 4, "sealed"), form("slow", 10, 0.98)]
        svg = front(forms, None, "t", ("x", "y"), "limit")
        lines = re.findall(r'class="label strong">([^<]*)<', svg)
        assert " ".join(lines) == name and max(map(len, lines)) <= NAME_LETTERS
        width, height = map(float, ElementTree.fromstring(svg).attrib["viewBox"].split()[2:])
        for line in marks(svg, "text", "label"):
            assert 0 <= float(line["x"]) <= width and 0 < float(line["y"]) < height


def test_ticks_of_a_log_axis() -> None:
    assert log_ticks(0.09, 3) == pytest.approx([0.1, 0.2, 0.5, 1, 2])
    assert log_ticks(0.001, 1000) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100, 1000])


def block(rows: tuple[tuple[str | float, ...], ...]) -> Block:
    return Block(name="pairs", kind="scatter", title={}, columns=("row", "true", "said"), rows=rows)


def test_a_scatter_has_a_dot_a_row_in_its_place() -> None:
    svg = scatter(block((("a", 1.0, 1.0), ("b", 2.0, 3.0), ("c", 3.0, 2.0))), "t", ("true", "said"))
    dots = [(float(dot["cx"]), float(dot["cy"])) for dot in marks(svg, "circle", "dot")]
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert dots[1][1] < dots[2][1] < dots[0][1], "larger values are higher"
    assert len(marks(scatter(block((("a", 1.0, 1.0),)), "t", ("x", "y")), "circle", "dot")) == 1


def test_two_steps_have_whole_numbers_and_what_is_never_negative_has_no_axis_below_zero() -> None:
    assert whole_ticks(1, 2) == [1, 2] and whole_ticks(0, 10) == ticks(0, 10) and whole_ticks(3, 3) == [3]
    svg = curves(
        [Curve(name="a", kind="train_loss", points=((1.0, 1e-4), (2.0, 0.0)))], "t", ("x", "y"), from_zero=False
    )
    shown = re.findall(r"<text[^>]*>([-0-9.]+)</text>", svg)
    assert "1.2" not in shown and {"1", "2"} <= set(shown)
    assert not any(word.startswith("-") for word in shown)
