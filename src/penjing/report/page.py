"""report.html: one page without network or script that shows a manager which results can be trusted, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from penjing.core.certificate import Gate
from penjing.core.chinese import chinese
from penjing.core.folder import write_whole
from penjing.prove.forced import MISS
from penjing.prove.retained import FORGET
from penjing.report import charts
from penjing.report.contract import Block, Estimate, PageLanguage, Report, VariantRow
from penjing.report.data_part import AuditFinding
from penjing.report.doubts_part import doubts_context
from penjing.report.learning_part import forecast_sentence
from penjing.report.marked import both_sides, cut
from penjing.report.matrix import figure, matrix_of
from penjing.report.parts_in_words import sides_in_words
from penjing.report.period_part import period_heading, period_rows
from penjing.report.phrases import as_written, joined, percent, words
from penjing.report.robust_block import robust_blocks
from penjing.report.rules_part import shown_rules
from penjing.report.search_charts import search_charts
from penjing.report.search_page import search_context
from penjing.report.template import fill_template
from penjing.report.verdict import (
    LINEAR,
    gate_name,
    gate_value,
    megabytes,
    metric_name,
    metric_value,
    milliseconds,
    note_in,
    signed,
    sound,
    verdict,
)
from penjing.report.ways_out import harm_cells, menu_period, offer_cells

LABELS_LISTED, CURVES, MISTAKES, SHOWN = 30, 3, 10, 12
# With fewer errors on validation rows than this, the error rate is known to a third of itself at best.
FEW_ERRORS = 10
MARKS = {"held": "✓", "broken": "✕", "unproven": "?", "sealed": "✓", "passed": "·", "refused": "✕"}


def render(report: Report, texts: bool = True, language: PageLanguage | None = None) -> str:
    """The page as HTML; every text is escaped. texts=False omits the texts of rows.

    Raises MissingPackageError without jinja2, which comes with `penjing[train]`.
    """
    language = language or report.page_language()
    page = _Page(report if texts else report.without_texts(), language)
    return fill_template("report.html", {"texts": texts, **page.context()}, page.charts())


def write_report(report: Report, out: Path, *, texts: bool = True, language: PageLanguage | None = None) -> Report:
    """Write OUT/report.json and OUT/report.html, each in one rename, and return the report as it was written.

    texts=False omits the texts of rows in both. Raises MissingPackageError without jinja2.
    """
    if not texts:
        report = report.without_texts()
    if not report.verdict:
        chosen = language or report.page_language()
        headline, sentences = verdict(report, chosen)
        report = report.model_copy(update={"verdict": joined([headline, *sentences], chosen)})
    page = render(report, texts=texts, language=language)
    write_whole(out / "report.json", report.model_dump_json(indent=2).encode() + b"\n")
    write_whole(out / "report.html", page.encode())
    return report


class _Page:
    """The values that the template shows, computed from the report and the phrases."""

    def __init__(self, report: Report, language: PageLanguage) -> None:
        self.report, self.language = report, language
        known = words(language)
        # A phrase about labels has another form if the gold is a value, or for the task of this metric.
        self.words = dict(known)
        for ending in (f"_{report.gold}", f"_{report.test.metric}"):
            other = {name.removesuffix(ending): name for name in known if name.endswith(ending)}
            self.words |= {name: known[longer] for name, longer in other.items() if name in known}

    def context(self) -> dict[str, Any]:
        """All names of the template except the charts."""
        headline, sentences = verdict(self.report, self.language)
        return {
            "report": self.report,
            "name": self.report.name,
            "heading": self.words["report"],
            "language": {"zh": "zh-Hans", "en": "en"}[self.language],
            "t": self.words,
            "base": self.report.base if self.report.model != LINEAR else "",
            "headline": headline,
            "sentences": sentences,
            "sound": sound(self.report),
            "marks": MARKS,
            "tiles": self._tiles(),
            "gates": [self._gate(gate) for gate in self.report.gates],
            "notes": self._notes(),
            "score_lines": self._score_lines(),
            "blocks": [self._block(block) for block in (*self.report.sections, *robust_blocks(self.report.robustness))],
            "metric": metric_name(self.report.test.metric, self.language, heading=True),
            "about_scores": self._about_scores(),
            "ece": self._ece(),
            "few_errors": self._few_errors(),
            "harm": [harm_cells(row, self.language) for row in self.report.harm[:LABELS_LISTED]],
            "menu": self._menu(),
            "learning": self._learning(),
            "periods": period_rows(self.report, self.language),
            "period_heading": period_heading(self.report, self.language),
            "missing_rows": any(row["missing"] is not None for row in self._thresholds()),
            "thresholds": self._thresholds()[:LABELS_LISTED],
            "more_thresholds": max(0, len(self._thresholds()) - LABELS_LISTED),
            "made": self.report.made.replace("T", " ").replace("+00:00", " UTC"),
            "largest": {
                "size": max((one.size_mb for one in self.report.variants), default=1),
                "p50": max((one.p50_ms for one in self.report.variants), default=1),
                "label": max(self.report.data.labels.values(), default=1),
            },
            "labels": sorted(self.report.data.labels.items(), key=lambda pair: -pair[1])[:LABELS_LISTED],
            "more_labels": max(0, len(self.report.data.labels) - LABELS_LISTED),
            "mistakes": [
                (one, cut(one.text), both_sides(one.text, one.marks), *sides_in_words(one, self.language))
                for one in self.report.errors[:MISTAKES]
            ],
            "doubts": doubts_context(self.report.doubts, self.words, self.language),
            "masked": [(self.words.get(f"mask_{kind}", kind), n) for kind, n in self.report.data.masked.items() if n],
            "findings": [self._finding(one) for one in self.report.data.audit],
            "search": search_context(self.report.search, self.language),
            "rules": shown_rules(self.report.rules, self._said, self.language),
            "because": self._because,
            "percent": self._percent,
            "confidence": as_written(self.report.decisions.confidence, self.language),
            "interval": self._interval,
            "ms": milliseconds,
            "mb": megabytes,
        }

    def charts(self) -> dict[str, str]:
        """Inline SVG by section; a section without data has no chart."""
        report, t = self.report, self.words
        drawn = {"scores": charts.intervals(self._scores(), t["scores"])}
        if report.calibration.bins:
            axes = (t["confidence_axis"], t["accuracy_axis"])
            drawn["reliability"] = charts.reliability(report.calibration.bins, t["reliability"], axes)
        if report.decisions.curve:
            limit = report.decisions.max_error
            drawn["decisions"] = charts.risk_curve(
                report.decisions.curve,
                limit if isinstance(limit, float) else None,
                report.decisions.certified_point,
                t["decisions"],
                {
                    "coverage": t["coverage_axis"],
                    "risk": t["risk_axis"],
                    "limit": t["limit"],
                    "certified": t["certified"],
                },
            )
        if len(report.variants) > 1:
            promised = next((gate.promised for gate in report.gates if gate.name == "p50_ms"), None)
            axes = (t["latency_axis"], self._metric())
            drawn["variants"] = charts.front(report.variants, promised, t["variants"], axes, t["limit"])
        heading = metric_name(report.test.metric, self.language, heading=True)
        for name, kinds, title, axis in (
            ("training", ("train_loss", "validation_loss"), t["training"], t["loss_axis"]),
            ("validation", ("validation_score",), t["validation"].format(metric=heading), self._metric()),
        ):
            lines = [curve for curve in report.curves if curve.kind in kinds and curve.points][:CURVES]
            if lines:
                axes = (t["steps_axis"], axis)
                drawn[name] = charts.curves(lines, title, axes, from_zero=name == "training")
        if report.search is not None:
            drawn |= search_charts(report.search, t, self._metric())
        if report.forecast_rows is not None:
            axes = (t["rows_axis"], metric_name(report.forecast_rows.metric, self.language))
            drawn["learning"] = charts.learning(report.forecast_rows, t["learning"], axes)
        for block in report.sections:
            if block.kind == "scatter" and block.rows:
                x, y = (self._column(name) for name in block.columns[-2:])
                drawn[f"block_{block.name}"] = charts.scatter(block, self._title(block), (x, y))
        return drawn

    def _learning(self) -> str:
        """What more rows would bring, and what the chart shows; "" where it was not measured."""
        found = self.report.forecast_rows
        if found is None:
            return ""
        metric = metric_name(found.metric, self.language)
        lead = self.words["learning_lead"].format(rows=f"{found.rows:,}")
        return joined([forecast_sentence(found, self.words, metric), lead], self.language)

    def _metric(self) -> str:
        return metric_name(self.report.test.metric, self.language)

    def _about_scores(self) -> str:
        metric = self.report.test.metric
        about = self.words.get(f"about_{metric}_{self.report.task}", self.words.get(f"about_{metric}", ""))
        lead = self.words["scores_lead"].format(rows=f"{self.report.test.rows:,}")
        return joined([about, lead], self.language)

    def _ece(self) -> str:
        before, after = self.report.calibration.ece.before, f"{self.report.calibration.ece.after:.3f}"
        if before is None:
            return self.words["ece_line_plain"].format(after=after)
        return self.words["ece_line"].format(before=f"{before:.3f}", after=after)

    def _few_errors(self) -> str:
        """That the probabilities are fitted to few errors; "" where they are not, or where it is not known."""
        fitted = self.report.calibration
        if fitted.errors is None or fitted.errors >= FEW_ERRORS:
            return ""
        return self.words["few_errors"].format(errors=fitted.errors, rows=f"{fitted.rows or 0:,}")

    def _title(self, block: Block) -> str:
        return self.words.get(f"section_{block.name}", block.title.get(self.language, block.name))

    def _column(self, name: str) -> str:
        return self.words.get(f"column_{name.replace(' ', '_')}", name)

    def _cell(self, block: str, cell: str | float) -> str:
        # Behind the name of one of several tasks stands the name that the block has in that task.
        return self.words.get(f"cell_{block.rpartition('.')[2]}_{cell}".replace(" ", "_"), figure(cell))

    def _block(self, block: Block) -> dict[str, Any]:
        """The template's values for a block of the task."""
        shown = {"name": block.name, "kind": block.kind, "title": self._title(block), "lead": "", "beside": False}
        shown |= {"note": block.note.get(self.language, "")}
        if block.kind == "matrix":
            matrix = matrix_of(block)
            phrase = "pairs" if matrix["wide"] else "lead"
            own = block.name.rpartition(".")[2]
            shown["lead"] = self.words.get(f"{phrase}_{own}", self.words[f"{phrase}_matrix"]).format(
                labels=len(matrix["labels"]), rows=f"{matrix['total']:,}", right=f"{matrix['right']:,}"
            )
            return shown | matrix
        largest = max((abs(row[-1]) for row in block.rows if not isinstance(row[-1], str)), default=0) or 1
        gauges = [100 * abs(row[-1]) / largest if not isinstance(row[-1], str) else 0.0 for row in block.rows]
        return shown | {
            "columns": [self._column(name) for name in block.columns],
            "rows": [[self._cell(block.name, cell) for cell in row] for row in block.rows],
            "numbers": [all(not isinstance(row[i], str) for row in block.rows) for i in range(len(block.columns))],
            "gauges": gauges if block.kind == "bars" else [],
        }

    def _finding(self, finding: AuditFinding) -> dict[str, str]:
        several = finding.several_files or len(finding.rows) > 1
        shown = [f"{name if several else ''} {self._numbers(rows)}".strip() for name, rows in finding.rows.items()]
        phrase = self.words.get(f"finding_{finding.code}")
        return {
            "level": finding.level,
            "what": phrase.format(count=f"{finding.count:,}") if phrase else self._said(finding.what),
            "rows": self.words["in_rows"].format(rows=self.words["semicolon"].join(shown)) if shown else "",
            "more": " …"
            if finding.count > sum(map(len, finding.rows.values()))
            or any(len(r) > SHOWN for r in finding.rows.values())
            else "",
        }

    def _numbers(self, rows: tuple[int, ...]) -> str:
        return self.words["comma"].join(map(str, rows[:SHOWN]))

    def _said(self, sentence: str) -> str:
        """A sentence of the program in the language of the page."""
        return chinese(sentence) if self.language == "zh" else sentence

    def _percent(self, value: float, digits: int = 1) -> str:
        return percent(value, self.language, digits, trim=False)

    def _interval(self, score: Estimate) -> str:
        return f"{score.value:.3f} ({score.low:.3f} – {score.high:.3f})"

    def _limit(self, value: float | None) -> str:
        return "–" if value is None else as_written(value, self.language)

    def _tiles(self) -> list[tuple[str, str, str]]:
        report, t, decisions = self.report, self.words, self.report.decisions
        error, note = t["none_certified"], ""
        if decisions.certified:
            limit = decisions.max_error
            values = [limit] if isinstance(limit, float) else sorted({*limit.values()})
            error = " – ".join(as_written(value, self.language) for value in [values[0], *values[1:][-1:]])
            note = t["tile_error_note"].format(confidence=as_written(decisions.confidence, self.language))
        score, settled, items = report.test.score, decisions.labels_settled, decisions.items
        more = "" if settled is None else t["tile_settled"].format(share=self._percent(settled))
        if items is not None:
            more = t["tile_items"].format(share=self._percent(items.settled / max(1, items.told)))
        return [
            (self._percent(decisions.automation_rate), t["tile_automated"], more),
            (error, t[f"tile_{'label_' if decisions.by_label else 'item_' if decisions.items else ''}error"], note),
            (
                f"{score.value:.3f}",
                t["tile_score"].format(metric=self._metric()),
                f"{score.low:.3f} – {score.high:.3f}",
            ),
            (milliseconds(report.speed.p50_ms), t["tile_latency"], report.speed.hardware),
            (megabytes(report.size_mb), t["tile_size"], report.model),
        ]

    def _menu(self) -> dict[str, Any] | None:
        found = self.report.menu
        if found is None:
            return None
        by_label = {
            name: [offer_cells(offer, self.language)["now"] for offer in offers]
            for name, offers in found.by_label.items()
        }
        about = "settled_" if self.report.decisions.by_label else "items_" if self.report.decisions.items else ""
        lead = self.words[f"menu_{about}lead"].format(rows=f"{found.rows:,}")
        if period := menu_period(found, self.language):
            lead = joined([lead, period + self.words["full_stop"]], self.language)
        rows = [offer_cells(offer, self.language) for offer in found.offers]
        return {"lead": lead, "rows": rows, "by_label": by_label}

    def _because(self, variant: VariantRow) -> str:
        broken = [self._gate(gate) for gate in variant.broken]
        reasons = (f"{shown['name']}{self.words['colon']}{shown['measured']} ({shown['promised']})" for shown in broken)
        return self.words["semicolon"].join(reasons) or variant.because

    def _notes(self) -> list[str]:
        return [note_in(note, self.language) for note in self.report.notes]

    def _gate(self, gate: Gate) -> dict[str, Any]:
        t = self.words
        show: Callable[[float], str] = lambda value: gate_value(gate, value, self.language)  # noqa: E731
        limit = gate.name.endswith(("_ms", "_mb")) or gate.name in ("max_error", MISS, FORGET)
        way = "at_most" if limit else "at_least"
        of = (
            self._said(gate.note)
            if gate.name in (MISS, FORGET)
            else t["gate_of"].format(name=gate.note.removeprefix("of "))
        )
        notes = [of] if gate.note else []
        if gate.rows_needed is not None:
            total = self.report.data.labelled_rows(gate.rows_needed, "test")
            phrase = t["rows_needed" if total == gate.rows_needed else "rows_needed_all"]
            notes.append(phrase.format(rows=f"{gate.rows_needed:,}", all=f"{total:,}"))
        return {
            "name": gate_name(gate, self.language),
            "promised": self.words[way].format(value=show(gate.promised)),
            "measured": show(gate.measured),
            "bound": show(gate.bound),
            "state": gate.state,
            "note": self.words["semicolon"].join(notes),
        }

    def _scores(self) -> list[tuple[str, Estimate, bool]]:
        report, t = self.report, self.words
        rows = [(t["this_release"], report.test.score, True)]
        if report.test.apart is not None:
            rows.append((t["apart"], report.test.apart, True))
        if report.teacher is not None and report.teacher.name != LINEAR:
            name = f" ({report.teacher.name})" if report.teacher.name else ""
            rows.append((t["teacher"] + name, report.teacher.score, False))
        if report.model != LINEAR:
            rows.append((t["linear"], report.baseline.linear.score, False))
        return rows

    def _score_lines(self) -> list[str]:
        report, t, lines = self.report, self.words, []
        for name, score in report.test.metrics.items():
            if name == report.test.metric:
                continue
            ends = {end: metric_value(name, getattr(score, end), self.language) for end in ("value", "low", "high")}
            lines.append(t["metric_line"].format(metric=metric_name(name, self.language, heading=True), **ends))
        difference = report.baseline.linear.difference
        if difference is not None and report.model != LINEAR:
            ends = {name: signed(getattr(difference, name)) for name in ("value", "low", "high")}
            lines.append(t["difference_line"].format(**ends))
        return lines

    def _thresholds(self) -> list[dict[str, Any]]:
        decisions, limit = self.report.decisions, self.report.decisions.max_error
        # One threshold and one limit for all labels are already in the sentence above.
        alike = len(set(decisions.thresholds.values())) < 2 and isinstance(limit, float)
        if decisions.by_label or decisions.items or alike:
            return []
        small = set(self.report.data.small_labels)
        return [
            {
                "label": label,
                "threshold": None if threshold is None else self._percent(threshold),
                "limit": self._limit(limit if isinstance(limit, float) else limit.get(label)),
                "missing": decisions.needs[label].rows if label in decisions.needs else decisions.missing.get(label),
                "small": label in small,
            }
            for label, threshold in sorted(
                decisions.thresholds.items(), key=lambda pair: (pair[1] is not None, pair[0])
            )
        ]
