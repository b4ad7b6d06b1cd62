"""docs/bench/tasks.md, made from bench/results/tasks.json.

python bench/tasks_page.py [--results FILE] [--out DIR]
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_files import write_pages
from tasks import BASES, MAX_ERROR, RESULTS, read_results
from tasks_sets import SETS

NOT_MEASURED = "not measured"
NAMES = {"linear": "word counts", "mini": "penjing/mini", "e5": "large base"}
# How the page writes the metrics of `report.json`; the first one of a task is before its others.
METRICS = {
    "micro_f1": "micro-F1",
    "entity_f1": "entity F1",
    "accuracy": "accuracy",
    "recall_at_1": "recall at 1",
    "mrr": "mean reciprocal rank",
    "exact_match": "exact match",
    "f1": "F1",
    "macro_f1": "macro-F1",
    "company.entity_f1": "entity F1 of companies",
    "mood.macro_f1": "macro-F1 of moods",
}
Runs = Mapping[str, Any]


def share(figure: Mapping[str, Any] | None) -> str:
    """A score with its interval, in per cent."""
    if figure is None or figure.get("value") is None:
        return NOT_MEASURED
    value = f"{100 * figure['value']:.1f}"
    if figure.get("low") is None:
        return value
    return f"{value} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def model_score(run: Mapping[str, Any] | None, metric: str) -> str:
    """The score of the tuned model of a run, before it is compressed; for word counts that of the sealed release."""
    if run is None:
        return NOT_MEASURED
    report = run["report"]
    return share((report.get("teacher") or report["test"]).get(metric))


def metrics_of(runs: Runs, name: str) -> list[str]:
    """The metrics of a set that the page shows, two at most."""
    found = {metric for base in BASES if (run := runs.get(f"{name}/{base}")) for metric in run["report"]["test"]}
    return [metric for metric in METRICS if metric in found][:2]


def scores(runs: Runs) -> list[str]:
    """A line for each set and metric."""
    lines = [
        "| set | task | metric | " + " | ".join(NAMES.values()) + " | published |",
        "|---|---|---|" + "---|" * len(NAMES) + "---|",
    ]
    for name, cases in SETS.items():
        for place, metric in enumerate(metrics_of(runs, name) or [""]):
            cells = [model_score(runs.get(f"{name}/{base}"), metric) for base in BASES]
            head = [cases.title, f"`{cases.task['type']}`"] if not place else ["", ""]
            tail = cases.published if not place else ""
            lines.append(f"| {' | '.join([*head, METRICS.get(metric, ''), *cells, tail])} |")
    return lines


def pieces_ece(report: Mapping[str, Any]) -> str:
    """The calibration error of the pieces of answers, from the classes of their probability in the report."""
    for section in report.get("sections", ()):
        if rows := [row[1:] for row in section["rows"]]:
            total = sum(count for count, _, _ in rows)
            return f"{sum(count * abs(mean - right) for count, mean, right in rows) / total:.3f}"
    return ""


def decisions(runs: Runs) -> list[str]:
    """A line for each run: what was sealed, what it decides alone, and how far its probabilities are from the truth."""
    lines = [
        "| set | tuned | sealed | score | automatic, % | wrong among these, % | ECE before → after | of pieces | cases "
        "| minutes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, cases in SETS.items():
        for base in BASES:
            if (run := runs.get(f"{name}/{base}")) is None:
                continue
            report, rows = run["report"], run["rows"]
            decided, ece = report["decisions"], report["calibration"]["ece"]
            error = decided["error_among_automated"]
            before = f"{ece['before']:.3f} → " if ece.get("before") is not None else ""
            after = f"{ece['after']:.3f}" if ece.get("after") is not None else ""
            cells = [
                cases.title,
                NAMES[base],
                f"`{report['model']}`" if isinstance(report["model"], str) else "",
                share(report["test"].get((metrics_of(runs, name) or [""])[0])),
                f"{100 * decided['automation_rate']:.1f}",
                f"{100 * error['value']:.1f} (≤ {100 * error['high']:.1f})" if error["value"] is not None else "",
                before + after,
                pieces_ece(report),
                f"{rows['train']:,} / {rows['validation']:,} / {rows['calibration']:,} / {rows['test']:,}",
                f"{run['seconds'] / 60:.1f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def page(runs: Runs) -> str:
    """The page in Markdown."""
    machines = sorted({run["hardware"] for run in runs.values()})
    return "\n".join(
        [
            "# Every task on real sets",
            "",
            "- At most 3,000 cases train, chosen by hash; top three layers, ten passes (two on CMRC), one seed. "
            "Published figures use all rows and larger networks, so they cannot be compared with these; the last "
            "column says why.",
            "- *Large base*: a multilingual encoder of 12 layers of 384, cut to Chinese and English.",
            "- Figures are of test cases, with 95 % intervals. The first table has the tuned models before "
            "compression, the second the sealed releases: `make` seals word counts where no encoder is proven better.",
            f"- *Automatic*: share decided without a person under a promise of at most {100 * MAX_ERROR:.0f} % wrong "
            "with 95 % confidence. An error of `several` is any label too many or too few, of `tag` any entity. Of "
            "`together` each task has that limit, and *wrong* counts cases with any task wrong.",
            "- Of the test headlines that `penjing/mini` decides (997, counted once with `penjing decide`), 11.3 % "
            "[9.5, 13.5] have another company than the data and 6.7 % [5.3, 8.4] another mood. Chance may explain that "
            "the first is above its limit, though these headlines come from another file and name the company in other "
            "places: such a shift is what a certificate cannot know.",
            "- *ECE*: distance of the probability that the whole answer is right from the truth, before and after "
            "calibration. *Of pieces*: the same of each entity, in seven classes.",
            "- Résumés were run before `tune.linear` became a conditional random field, and before encoders learned "
            "which tags follow each other; LOG.md has both forms of word counts on the same rows. Answers were run "
            "before their calibration read margins and length (LOG.md).",
            "- Work orders have 70 validation rows, so `make` compared encoder and word counts out of fold. Work "
            "orders, and word counts of news, were run again after the two changes to tags; git has the first runs.",
            "- CMRC with encoders is not measured: by its log `penjing/mini` learned for 93 minutes beside other work "
            "and had an exact match of 5.9 % on 500 validation cases (word counts 15 % out of fold); its test would "
            "take as long again.",
            "- *Minutes* are of one thread on a machine with other work on it: do not compare them.",
            f"- Made by `bench/tasks_page.py` from the first run of each (`bench/tasks.py`), on {', '.join(machines)}.",
            "",
            *scores(runs),
            "",
            "## What is decided without a person",
            "",
            *decisions(runs),
            "",
        ]
    )


if __name__ == "__main__":
    write_pages(__doc__, RESULTS, lambda results: {"tasks.md": page(read_results(Path(results)))})
