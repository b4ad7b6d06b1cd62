"""The page of a grown base: what it was trained on, how surprising held-out text is to it, and the course of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from penjing.core.folder import write_whole
from penjing.core.nouns import Artifact
from penjing.report import charts
from penjing.report.contract import Curve

_WORDS = {
    "en": {
        "title": "Grown base",
        "colon": ": ",
        "about": "{parameters} parameters, {tokens} tokens read, {steps}",
        "id": "id",
        "corpora": "Corpora",
        "source": "source",
        "licence": "licence",
        "documents": "documents",
        "none": "not said",
        "perplexity": "Perplexity of held-out text",
        "pseudo": "Pseudo-perplexity of held-out text",
        "no_held_out": "The corpora hold out no documents, so perplexity was not measured. "
        "The losses below are those of documents that were trained on.",
        "domain": "domain",
        "before": "before",
        "after": "after",
        "loss": "Loss",
        "rate": "Learning rate",
        "speed": "Speed",
        "step": "step",
        "tokens": "tokens/s",
        "skipped": "Steps that were left out after a bad loss: {steps}.",
        "peak": "Median {speed} tokens/s, {share} of the machine's matrix products.",
    },
    "zh": {
        "title": "预训练得到的基座",
        "colon": "：",
        "about": "{parameters} 个参数，读入 {tokens} 个词元，{steps}",
        "id": "编号",
        "corpora": "语料",
        "source": "来源",
        "licence": "许可",
        "documents": "文档数",
        "none": "未说明",
        "perplexity": "留出文本的困惑度",
        "pseudo": "留出文本的伪困惑度",
        "no_held_out": "语料没有留出的文档，所以没有测量困惑度；下面的损失是训练文档上的损失。",
        "domain": "领域",
        "before": "训练前",
        "after": "训练后",
        "loss": "损失",
        "rate": "学习率",
        "speed": "速度",
        "step": "步",
        "tokens": "词元/秒",
        "skipped": "损失异常后略过的步：{steps}。",
        "peak": "中位速度 {speed} 词元/秒，为本机矩阵乘法能力的 {share}。",
    },
}


@dataclass(frozen=True)
class GrownPage:
    """What the page shows. lines: those of the log, with `of` for the step of the recipe."""

    name: str
    artifact: Artifact
    perplexity: Mapping[str, Mapping[str, float | None]]
    lines: Sequence[Mapping[str, Any]]


def write_grown(page: GrownPage, language: str, out: Path) -> None:
    """Write OUT/report.html: without network or script, in Chinese for Chinese texts, else in English."""
    write_whole(out / "report.html", render_grown(page, language).encode())


def render_grown(page: GrownPage, language: str) -> str:
    """The page as HTML; every text is escaped."""
    chosen = "zh" if language == "zh" else "en"
    words, notes = _WORDS[chosen], page.artifact.card.notes
    style = files("penjing.report").joinpath("templates").joinpath("report.css").read_text(encoding="utf-8")
    steps = " → ".join(str(one["method"]) for one in page.artifact.card.lineage)
    about = words["about"].format(
        parameters=f"{page.artifact.card.parameters:,}", tokens=f"{notes.get('tokens_seen', 0):,}", steps=steps
    )
    parts = [
        f"<h1>{escape(words['title'])}{words['colon']}{escape(page.name)}</h1><p>{escape(about)}</p>",
        f"<p>{words['id']} <code>{escape(page.artifact.id[:12])}</code></p>",
        *_corpora(words, notes),
        *_perplexities(words, page),
        *_course(words, page),
    ]
    return (
        f'<!doctype html><html lang="{chosen}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.name)}</title><style>{style}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _corpora(words: Mapping[str, str], notes: Mapping[str, Any]) -> list[str]:
    rows = [
        [source["name"], source["licence"] or words["none"], f"{source['documents']:,}"]
        for corpus in notes.get("corpora", ())
        for source in corpus["sources"]
    ]
    heads = [words["source"], words["licence"], words["documents"]]
    return [f"<h2>{words['corpora']}</h2>", _table(heads, rows)]


def _perplexities(words: Mapping[str, str], page: GrownPage) -> list[str]:
    if not page.artifact.card.notes.get("held_out", True):
        return [f"<p>{words['no_held_out']}</p>"]
    if not page.perplexity:
        return []
    title = words["pseudo" if "pseudo_perplexity" in page.artifact.card.notes else "perplexity"]
    rows = [
        [domain, *(_with_error(values.get(when), values.get("error")) for when in ("before", "after"))]
        for domain, values in page.perplexity.items()
    ]
    return [f"<h2>{title}</h2>", _table([words["domain"], words["before"], words["after"]], rows)]


def _with_error(value: float | None, error: float | None) -> str:
    """A figure, with its standard error as a share of it where that is known; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2f}" if error is None else f"{value:.2f} ± {100 * error:.0f} %"


def _course(words: Mapping[str, str], page: GrownPage) -> list[str]:
    parts = []
    for of in dict.fromkeys(line["of"] for line in page.lines):
        lines = [line for line in page.lines if line["of"] == of]
        parts.append(f"<h2>{escape(of)}</h2>")
        shares = sorted(line["share_of_peak"] for line in lines if "share_of_peak" in line)
        speeds = sorted(line["tokens_per_s"] for line in lines)
        if shares:
            share, speed = shares[len(shares) // 2], speeds[len(speeds) // 2]
            parts.append(f"<p>{words['peak'].format(speed=f'{speed:,.0f}', share=f'{share:.0%}')}</p>")
        for name, key in (("loss", "loss"), ("rate", "rate"), ("speed", "tokens_per_s")):
            drawn = [_curve("train_loss", lines, key)]
            if key == "loss" and page.artifact.card.notes.get("held_out", True):
                drawn.append(_curve("validation_loss", lines, "held_out_loss"))
            unit = words["tokens"] if name == "speed" else words[name]
            parts.append(
                f"<figure>{charts.curves(drawn, words[name], (words['step'], unit), from_zero=False)}</figure>"
            )
    skipped = page.artifact.card.notes.get("skipped_steps")
    if skipped:
        said = ", ".join(f"{first + 1}–{end}" for first, end in skipped)
        parts.append(f"<p>{words['skipped'].format(steps=said)}</p>")
    return parts


def _curve(kind: Literal["train_loss", "validation_loss"], lines: Sequence[Mapping[str, Any]], key: str) -> Curve:
    points = tuple((float(line["step"]), float(line[key])) for line in lines if key in line)
    return Curve(name=key, kind=kind, points=points)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
