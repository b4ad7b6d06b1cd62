"""The table of `bench/steady.py` in docs/fitting.md and docs/zh/fitting.md, which docs/generate.py puts in."""

from __future__ import annotations

import json
from typing import Any

import steady

NAMES = {
    "chnsenticorp": {"en": "Chinese reviews (ChnSentiCorp)", "zh": "中文评论（ChnSentiCorp）"},
    "phrasebank": {"en": "financial news (PhraseBank)", "zh": "金融新闻（PhraseBank）"},
}
HEAD = {
    "en": "| variant | draws | macro-F1 | difference to plain, 95 % | calibration error | time |",
    "zh": "| 设置 | 抽样次数 | 宏平均 F1 | 与不加开关之差（95%） | 校准误差 | 用时 |",
}
PLAIN = {"en": "plain", "zh": "不加开关"}


def table(language: str) -> str:
    """A table for each set, with a row for each variant that has run."""
    stored = json.loads(steady.RESULTS.read_text(encoding="utf-8")).get("compared", {})
    parts = []
    for name, title in NAMES.items():
        rows = [
            _row(given, found, language)
            for variant, given in {**steady.VARIANTS, **steady.LATER}.items()
            if (found := stored.get(f"{name}/{variant}")) is not None
        ]
        if rows:
            parts += [f"**{title[language]}**", "", HEAD[language], "|---|---:|---:|---:|---:|---:|", *rows, ""]
    return "\n".join(parts)


def _row(given: dict[str, Any], found: dict[str, Any], language: str) -> str:
    said = ", ".join(f"{key}: {json.dumps(value)}".replace('"', "") for key, value in given.items())
    apart = found["difference"]
    difference = f"{apart['value']:+.3f} ({apart['low']:+.3f}, {apart['high']:+.3f})" if given else ""
    score = f"{found['macro_f1']:.3f}" + (f" ± {found['deviation']:.3f}" if found["deviation"] is not None else "")
    named = f"`{said}`" if given else PLAIN[language]
    return (
        f"| {named} | {found['draws']} | {score} | {difference} | {found['calibration_error']:.3f} "
        f"| {found['times']:.1f} |"
    )
