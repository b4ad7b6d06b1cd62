"""Charts as inline SVG: few marks, the reader's own fonts, colours set by CSS classes for screen and print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Literal

from penjing.report.contract import Block, Curve, Estimate, Point, ReliabilityBin, VariantRow
from penjing.report.learning_part import RowsForecast

# Charts have the width of a phone's column, so that their text is never scaled down to an unreadable size.
WIDTH, HEIGHT = 400, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 40
# A name beside a dot: letters per line, and the width of a letter and the height of a line in viewBox units.
NAME_LETTERS, LETTER, LINE = 32, 7.0, 14


class Drawing:
    """An SVG of a fixed viewBox; every text is escaped."""

    def __init__(self, title: str, height: float = HEIGHT, width: float = WIDTH) -> None:
        self.parts: list[str] = []
        self.title, self.height, self.width = title, height, width

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        """A straight line, in viewBox units."""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>')

    def rect(self, x: float, y: float, width: float, height: float, css: str) -> None:
        """A rectangle by its upper left corner."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{max(0, height):.1f}" class="{css}"/>'
        )

    def dot(self, x: float, y: float, radius: float, css: str) -> None:
        """A filled circle."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{css}"/>')

    def path(self, points: Sequence[tuple[float, float]], css: str) -> None:
        """A line through points."""
        steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        if steps:
            self.parts.append(f'<path d="M{steps}" class="{css}"/>')

    def text(self, x: float, y: float, words: str, css: str = "", anchor: str = "start") -> None:
        """A text with its baseline at y."""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(words)}</text>')

    def svg(self) -> str:
        """The whole element."""
        title = escape(self.title)
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{title}">'
            f"<title>{title}</title>{''.join(self.parts)}</svg>"
        )


class Plot(Drawing):
    """A drawing with two axes; `x` and `y` map values to the viewBox. scale: that of the first axis."""

    def __init__(
        self,
        title: str,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        names: tuple[str, str],
        *,
        percent: tuple[bool, bool] = (False, False),
        scale: Literal["linear", "log", "whole"] = "linear",
    ) -> None:
        super().__init__(title)
        self.x_range, self.y_range, self.log = x_range, y_range, scale == "log"
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        for value in ticks(*y_range):
            self.line(LEFT, self.y(value), right, self.y(value), "grid")
            self.text(LEFT - 6, self.y(value) + 4, tick_label(value, percent[1]), "tick", "end")
        for value in {"linear": ticks, "log": log_ticks, "whole": whole_ticks}[scale](*x_range):
            self.line(self.x(value), bottom, self.x(value), bottom + 4, "axis")
            self.text(self.x(value), bottom + 17, tick_label(value, percent[0]), "tick", "middle")
        self.line(LEFT, bottom, right, bottom, "axis")
        self.text((LEFT + right) / 2, self.height - 6, names[0], "name", "middle")
        self.parts.append(
            f'<text transform="translate(11 {(TOP + bottom) / 2:.1f}) rotate(-90)" text-anchor="middle" '
            f'class="name">{escape(names[1])}</text>'
        )

    def x(self, value: float) -> float:
        """The horizontal position of a value."""
        low, high = self.x_range
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return LEFT + (value - low) / ((high - low) or 1) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """The vertical position of a value."""
        low, high = self.y_range
        return self.height - BOTTOM - (value - low) / ((high - low) or 1) * (self.height - TOP - BOTTOM)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """About `about` round values from low to high, in steps of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + index) * step, 12) for index in range(count)]


def whole_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """As `ticks`, of a quantity that is counted: steps of at least one."""
    return [value for value in ticks(low, high, about) if value == int(value)] or [low]


def log_ticks(low: float, high: float) -> list[float]:
    """The values 1, 2 and 5 times a power of ten from low to high; only powers of ten if there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 4 else (1,)
    values = [factor * 10.0**power for power in powers for factor in factors]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def tick_label(value: float, percent: bool = False) -> str:
    """A short number: `40 %`, `0.25`, `12k`."""
    if percent:
        return f"{value * 100:.4g} %"
    if abs(value) >= 10_000:
        return f"{value / 1000:.4g}k"
    return f"{value:.4g}"


def intervals(rows: Sequence[tuple[str, Estimate, bool]], title: str) -> str:
    """Scores with their intervals, one per line: (name, score, whether it is the sealed model)."""
    low = min(score.low for _, score, _ in rows)
    high = max(score.high for _, score, _ in rows)
    margin = max(0.01, 0.12 * (high - low))
    low, high = max(0.0, low - margin), min(1.0, high + margin)
    drawing = Drawing(title, height=34 + 44 * len(rows))
    left, right, bottom = 14.0, WIDTH - 14.0, 44.0 * len(rows) + 8

    def place(value: float) -> float:
        return left + (value - low) / ((high - low) or 1) * (right - left)

    for value in ticks(low, high):
        drawing.line(place(value), 4, place(value), bottom, "grid")
        drawing.text(place(value), bottom + 16, tick_label(value), "tick", "middle")
    for index, (name, score, main) in enumerate(rows):
        y = 44.0 * index + 34
        colour = "main" if main else "other"
        drawing.text(left, y - 14, name, "label strong" if main else "label")
        drawing.text(right, y - 14, f"{score.value:.3f}  ({score.low:.3f} – {score.high:.3f})", "tick", "end")
        drawing.line(place(score.low), y, place(score.high), y, f"bar {colour}")
        for end in (score.low, score.high):
            drawing.line(place(end), y - 4, place(end), y + 4, f"bar {colour}")
        drawing.dot(place(score.value), y, 5, f"dot {colour}")
    return drawing.svg()


def front(
    variants: Sequence[VariantRow], promised_ms: float | None, title: str, names: tuple[str, str], limit: str
) -> str:
    """Score with its interval over median latency; the area of a dot grows with the size; a line joins the front.

    The front contains the forms that no other form beats in both. A promised latency is drawn as a limit.
    """
    speeds = [one.p50_ms for one in variants] + ([promised_ms] if promised_ms else [])
    low, high = min(one.score.low for one in variants), max(one.score.high for one in variants)
    margin = max(0.01, 0.08 * (high - low))
    scores = max(0.0, low - margin), min(1.0, high + margin)
    plot = Plot(title, (min(speeds) / 1.6, max(speeds) * 1.6), scores, names, scale="log")
    if promised_ms:
        plot.line(plot.x(promised_ms), TOP, plot.x(promised_ms), plot.height - BOTTOM, "limit")
        plot.text(plot.x(promised_ms) - 5, TOP + 12, limit, "tick alarm", "end")
    best = pareto(variants)
    plot.path([(plot.x(one.p50_ms), plot.y(one.score.value)) for one in best], "trace main")
    largest = max(one.size_mb for one in variants)
    for one in variants:
        x, colour = plot.x(one.p50_ms), "main" if one.state == "sealed" else "other"
        plot.line(x, plot.y(one.score.low), x, plot.y(one.score.high), "gap")
        ring = " ring" if one.state == "sealed" else ""
        plot.dot(x, plot.y(one.score.value), 3 + 9 * math.sqrt(one.size_mb / largest), f"dot {colour} soft{ring}")
    # The sealed form is named first. Another form is named if its dot is far from the dots already named.
    named: list[tuple[float, float]] = []
    for one in sorted(variants, key=lambda one: one.state != "sealed"):
        x, y = plot.x(one.p50_ms), plot.y(one.score.value)
        apart = all(math.hypot(x - other, y - height) > LINE * 2 for other, height in named)
        if one.state == "sealed" or (one in best and apart):
            named.append((x, y))
            _name(plot, x, y, one.name, "label strong" if one.state == "sealed" else "tick")
    return plot.svg()


def _name(plot: Plot, x: float, y: float, name: str, css: str) -> None:
    """A name above a dot (below it near the upper edge), in as many lines as needed, inside the picture."""
    lines = wrap(name, NAME_LETTERS) or [name]
    wide = LETTER * max(map(len, lines))
    right = x > plot.width * 0.6
    x = max(x - 8, LEFT + wide) if right else min(x + 8, plot.width - wide)
    first = y - 10 - LINE * (len(lines) - 1)
    if first < TOP + 2 * LINE:
        first = y + 24
    for place, line in enumerate(lines):
        plot.text(x, first + LINE * place, line, css, "end" if right else "start")


def pareto(variants: Sequence[VariantRow]) -> list[VariantRow]:
    """The variants than which no other variant is both at least as fast and better; the fastest first."""
    found: list[VariantRow] = []
    for one in sorted(variants, key=lambda each: (each.p50_ms, -each.score.value)):
        if not found or one.score.value > found[-1].score.value:
            found.append(one)
    return found


def reliability(bins: Sequence[ReliabilityBin], title: str, names: tuple[str, str]) -> str:
    """Share of right answers over mean confidence, with the gap to the diagonal; a dot's area grows with the rows."""
    filled = [one for one in bins if one.rows]
    lowest = min((min(one.confidence, one.accuracy) for one in filled), default=0.0)
    low = math.floor(max(0.0, lowest - 0.02) * 5) / 5
    plot = Plot(title, (low, 1.0), (low, 1.0), names, percent=(True, True))
    plot.path([(plot.x(low), plot.y(low)), (plot.x(1), plot.y(1))], "ideal")
    most = max((one.rows for one in filled), default=1)
    for one in filled:
        plot.line(plot.x(one.confidence), plot.y(one.confidence), plot.x(one.confidence), plot.y(one.accuracy), "gap")
        plot.dot(plot.x(one.confidence), plot.y(one.accuracy), 2.5 + 7 * math.sqrt(one.rows / most), "dot main soft")
    return plot.svg()


def risk_curve(
    points: Sequence[Point], promised: float | None, certified: Point | None, title: str, words: dict[str, str]
) -> str:
    """Share of errors over share of decided cases; `promised` is drawn as the limit."""
    ordered = sorted(points, key=lambda point: point.coverage)
    top = max([*(point.risk for point in ordered), 1.25 * (promised or 0), certified.risk if certified else 0, 0.01])
    plot = Plot(title, (0.0, 1.0), (0.0, top * 1.08), (words["coverage"], words["risk"]), percent=(True, True))
    plot.path([(plot.x(point.coverage), plot.y(point.risk)) for point in ordered], "trace main")
    if promised is not None:
        plot.line(plot.x(0), plot.y(promised), plot.x(1), plot.y(promised), "limit")
        plot.text(plot.x(0) + 5, plot.y(promised) - 5, words["limit"], "tick alarm")
    if certified is not None:
        x, y = plot.x(certified.coverage), plot.y(certified.risk)
        plot.line(x, y, x, plot.y(0), "drop")
        plot.dot(x, y, 6, "dot main ring")
        right = certified.coverage > 0.5
        plot.text(x + (-10 if right else 10), y + 16, words["certified"], "label strong", "end" if right else "start")
    return plot.svg()


def curves(lines: Sequence[Curve], title: str, names: tuple[str, str], *, from_zero: bool = True) -> str:
    """Values over steps, one colour per line. from_zero: the axis begins at 0, else just below the smallest value."""
    drawn = [curve for curve in lines if curve.points]
    xs = [x for curve in drawn for x, _ in curve.points]
    ys = [y for curve in drawn for _, y in curve.points]
    low, high = min(ys, default=0.0), max(ys, default=1.0)
    margin = 0.08 * (high - low) or 0.08 * abs(high) or 0.01
    # What is never negative, such as a rate, has no axis below 0.
    low = min(low, 0.0) if from_zero else max(0.0, low - margin) if low >= 0 else low - margin
    plot = Plot(title, (min(xs, default=0), max(xs, default=1)), (low, high + margin), names, scale="whole")
    for index, curve in enumerate(drawn):
        css = ("main", "other", "third")[index % 3]
        points = [(plot.x(x), plot.y(y)) for x, y in _thin(curve.points)]
        plot.path(points, f"trace {css}")
        if len(points) <= 12:
            for x, y in points:
                plot.dot(x, y, 3.5, f"dot {css}")
    return plot.svg()


def learning(found: RowsForecast, title: str, names: tuple[str, str]) -> str:
    """Mean score over train rows with its interval, and the fitted power law, dashed beyond the rows there are."""
    first, last = found.points[0].rows, found.rows + found.more
    a, b, c = found.law
    ends = [value for point in found.points for value in (point.low, point.high)] + [1 - c - a * last**-b]
    low, high = min(ends), max(ends)
    margin = 0.06 * (high - low) or 0.01
    plot = Plot(title, (first / 1.1, last * 1.1), (max(0.0, low - margin), min(1.0, high + margin)), names, scale="log")
    for css, start, end in (("trace main", first, found.rows), ("ideal", found.rows, last)):
        steps = [start * (end / start) ** (step / 40) for step in range(41)]
        plot.path([(plot.x(rows), plot.y(max(plot.y_range[0], 1 - c - a * rows**-b))) for rows in steps], css)
    for point in found.points:
        plot.line(plot.x(point.rows), plot.y(point.low), plot.x(point.rows), plot.y(point.high), "gap")
        plot.dot(plot.x(point.rows), plot.y(point.score), 3.5, "dot main")
    return plot.svg()


def scatter(block: Block, title: str, names: tuple[str, str]) -> str:
    """One dot per row, at its two numbers."""
    dots = [(float(row[-2]), float(row[-1])) for row in block.rows]
    sides = []
    for values in zip(*dots, strict=True):
        margin = 0.04 * (max(values) - min(values)) or 0.5
        sides.append((min(values) - margin, max(values) + margin))
    plot = Plot(title, sides[0], sides[1], names)
    for x, y in dots:
        plot.dot(plot.x(x), plot.y(y), 3, "dot main soft")
    return plot.svg()


def _thin(points: Sequence[tuple[float, float]], most: int = 160) -> list[tuple[float, float]]:
    # Means of equal spans: thousands of steps would look like noise at this size and make the page large.
    if len(points) <= most:
        return list(points)
    run = math.ceil(len(points) / most)
    groups = [points[start : start + run] for start in range(0, len(points), run)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]
