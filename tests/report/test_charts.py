"""Charts are XML with escaped texts, and every mark stands where its value belongs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from penjing.report.charts import (
    HEIGHT,
    WIDTH,
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
)
from penjing.report.contract import Bin, Block, Curve, Point, Report, Score, VariantRow

HOSTILE = '<script>alert("x")</script> & <img src=x onerror=y>'
WORDS = {"coverage": "coverage", "risk": "risk", "limit": "limit", "certified": "certified"}


def marks(svg: str, name: str, css: str) -> list[dict[str, str]]:
    """Attributes of the elements of that name that carry a class."""
    found = ElementTree.fromstring(svg).iter(name)
    return [element.attrib for element in found if css in element.attrib.get("class", "").split()]


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
        ElementTree.fromstring(intervals([("model", Score(value=value, low=value, high=value), True)], "t"))


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


def test_a_plot_grows_to_the_right_and_upwards() -> None:
    plot = Plot("t", (10.0, 20.0), (0.0, 1.0), ("x", "y"))
    assert 0 < plot.x(10) < plot.x(15) < plot.x(20) < WIDTH
    assert HEIGHT > plot.y(0) > plot.y(0.5) > plot.y(1) > 0
    assert plot.x(15) == pytest.approx((plot.x(10) + plot.x(20)) / 2)


def test_the_dot_stands_between_the_ends_of_its_bar() -> None:
    rows = [
        ("sealed", Score(value=0.9, low=0.88, high=0.91), True),
        ("word", Score(value=0.7, low=0.6, high=0.8), False),
    ]
    svg = intervals(rows, "t")
    for css in ("main", "other"):
        (dot,) = marks(svg, "circle", css)
        bar = marks(svg, "line", css)[0]
        assert float(bar["x1"]) < float(dot["cx"]) < float(bar["x2"])
        assert dot["cy"] == bar["y1"] == bar["y2"]
    assert float(marks(svg, "circle", "other")[0]["cx"]) < float(marks(svg, "circle", "main")[0]["cx"])
    assert "0.900  (0.880 – 0.910)" in svg


def test_a_bin_without_rows_is_not_drawn_and_one_with_more_rows_is_larger() -> None:
    bins = [
        Bin(confidence=0.55, accuracy=0.5, rows=10),
        Bin(confidence=0.75, accuracy=0.0, rows=0),
        Bin(confidence=0.95, accuracy=0.96, rows=90),
    ]
    small, large = marks(reliability(bins, "t", ("x", "y")), "circle", "main")
    assert float(small["r"]) < float(large["r"])
    assert float(small["cx"]) < float(large["cx"]) and float(small["cy"]) > float(large["cy"])


def test_the_promised_limit_is_drawn_only_where_there_is_one() -> None:
    points = [Point(threshold=0.9, coverage=0.4, risk=0.01), Point(threshold=0.5, coverage=1.0, risk=0.2)]
    certified = Point(threshold=0.8, coverage=0.6, risk=0.04)
    svg = risk_curve(points, 0.05, certified, "t", WORDS)
    (limit,) = marks(svg, "line", "limit")
    (dot,) = marks(svg, "circle", "ring")
    assert limit["y1"] == limit["y2"]
    assert float(dot["cy"]) > float(limit["y1"]), "a certified point lies under the limit"
    bare = risk_curve(points, None, None, "t", WORDS)
    assert not marks(bare, "line", "limit") and not marks(bare, "circle", "ring")


def test_the_risk_curve_goes_from_left_to_right_whatever_the_order_of_its_points() -> None:
    points = [Point(threshold=1 - share, coverage=share, risk=share / 10) for share in (0.2, 0.6, 1.0)]
    assert risk_curve(points, None, None, "t", WORDS) == risk_curve(points[::-1], None, None, "t", WORDS)


def test_a_long_curve_is_thinned_to_means_and_a_short_one_has_dots() -> None:
    long = Curve(name="a", kind="train_loss", points=tuple((float(i), float(i % 2)) for i in range(1000)))
    svg = curves([long], "t", ("x", "y"))
    (path,) = marks(svg, "path", "trace")
    heights = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", path["d"])]
    assert 100 <= len(heights) <= 160
    assert max(heights) - min(heights) < 60, "a zigzag of every step is noise: runs of seven are drawn as their means"
    assert not marks(svg, "circle", "dot")
    short = Curve(name="a", kind="train_loss", points=((1.0, 0.5), (2.0, 0.25)))
    assert len(marks(curves([short], "t", ("x", "y")), "circle", "dot")) == 2


def test_lines_have_colours_of_their_own_and_one_without_points_has_none() -> None:
    points = ((0.0, 1.0), (1.0, 0.5))
    lines = [Curve(name=name, kind="train_loss", points=points) for name in "abc"]
    svg = curves([Curve(name="empty", kind="train_loss", points=()), *lines], "t", ("x", "y"))
    assert [path["class"] for path in marks(svg, "path", "trace")] == ["trace main", "trace other", "trace third"]


def form(name: str, p50_ms: float, value: float, size_mb: float = 10.0, state: str = "passed") -> VariantRow:
    score = Score(value=value, low=value - 0.02, high=value + 0.02)
    return VariantRow.model_validate(
        {"name": name, "form": "onnx", "size_mb": size_mb, "p50_ms": p50_ms, "p99_ms": 2 * p50_ms,
         "score": score.model_dump(), "state": state}
    )  # fmt: skip


def test_on_the_front_stands_what_nothing_beats_in_both() -> None:
    forms = [form("slow", 8, 0.90), form("worse", 9, 0.89), form("quick", 0.1, 0.80), form("same", 0.1, 0.79)]
    assert [one.name for one in pareto(forms)] == ["quick", "slow"]
    assert pareto([]) == []


def test_the_front_is_drawn_in_proportion() -> None:
    forms = [form("a", 0.1, 0.80, 1), form("b", 1, 0.85, 4), form("c", 10, 0.90, 16, "sealed")]
    svg = front(forms, 20.0, "t", ("x", "y"), "limit")
    dots = marks(svg, "circle", "dot")
    across = [float(dot["cx"]) for dot in dots]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.3), "ten times is one step on a log axis"
    areas = [(float(dot["r"]) - 3) ** 2 for dot in dots]
    assert areas[2] / areas[1] == pytest.approx(4, rel=0.05)
    assert len(marks(svg, "circle", "ring")) == 1
    assert float(marks(svg, "line", "limit")[0]["x1"]) > across[2]
    assert ">c<" in svg
    behind = [*forms, form("d", 12, 0.85, 8, "sealed")]
    svg = front(behind, None, "t", ("x", "y"), "limit")
    assert ">d<" in svg, "what was sealed is named, on the front or behind it"


def test_a_long_name_stays_within_the_picture() -> None:
    name = "static, then 3 layers, INT8 on ONNX Runtime (99.5% alike)"
    for p50_ms in (0.1, 0.9, 10.0):
        forms = [form("fast", 0.1, 0.70), form(name, p50_ms, 0.99, 4, "sealed"), form("slow", 10, 0.98)]
        svg = front(forms, None, "t", ("x", "y"), "limit")
        lines = marks(svg, "text", "label")
        assert len(lines) == 2 and " ".join(re.findall(r'class="label strong">([^<]*)<', svg)) == name
        for line in lines:
            x, wide = float(line["x"]), 32 * 6.5
            low, high = (x, x + wide) if line["text-anchor"] == "start" else (x - wide, x)
            assert low >= 0 and high <= 400 and float(line["y"]) > 14, line


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
