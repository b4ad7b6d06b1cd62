"""The report's block on noise: what each kind does to the score, to automation, and to the errors among it."""

from __future__ import annotations

from collections.abc import Iterable

from penjing.report.contract import Block, PageLanguage
from penjing.report.phrases import words
from penjing.report.robust_part import NoiseRow, Ranged, RobustPart

COLUMNS = ("noise kind", "noise strength", "noise rows", "noise score", "noise change", "noise automated",
           "noise differs", "noise error")  # fmt: skip


def robust_blocks(part: RobustPart | None) -> tuple[Block, ...]:
    """The block of a release that was tested with noise, else nothing."""
    if part is None or not part.kinds:
        return ()
    title = {"en": "What does noise in the text do?", "zh": "文本中有噪声时会怎样？"}
    rows = tuple(_row(one) for one in part.kinds)
    block = {"name": "noise", "kind": "table", "title": title, "columns": COLUMNS, "rows": rows, "note": _note(part)}
    return (Block.model_validate(block),)


def _row(one: NoiseRow) -> tuple[str, ...]:
    before, after = one.automated_before, one.automated_after
    changed = one.other_outcome + one.reviewed
    differs = "–" if not before else f"{_percent(changed, before)} ({one.other_outcome} + {one.reviewed})"
    error = "–" if not after else f"{_percent(one.errors, after)} (≤ {100 * one.error_high:.1f}%)"
    if after and before:
        error = f"{_percent(one.errors_before, before)} → {error}"
    return (
        one.kind,
        f"{100 * one.strength:.3g}%",
        f"{one.rows:,}",
        f"{one.score_before.value:.3f} → {one.score_after.value:.3f}",
        _signed(one.difference),
        f"{_percent(before, one.rows)} → {_percent(after, one.rows)}",
        differs,
        error,
    )


def _signed(change: Ranged) -> str:
    return f"{change.value:+.3f} ({change.low:+.3f} – {change.high:+.3f})"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f}%"


def _note(part: RobustPart) -> dict[str, str]:
    """What was done, what the columns mean, and what could not be done, in both languages."""
    searched = any(one.kind == "synonyms" for one in part.kinds)
    en = (
        f"Noise was put into {part.rows:,} test rows, and the sealed release decided them again, with masking, "
        "rules and thresholds. Each kind is counted on the rows that it altered; placeholders are never altered. "
        "Score: the first metric, without and with noise; change with its paired 95 % interval. Decided alone: by "
        "the model, without a person. Comes out differently: share of these decisions that noise changes, and in "
        "brackets how many get another outcome and how many go to a person. Errors: among what is decided alone, "
        "without and with noise, and the 95 % upper bound with noise. The certificate holds for texts without "
        "noise."
    )
    zh = (
        f"在 {part.rows:,} 行测试数据中加入噪声，由已封装的发布包重新决定，脱敏、规则和阈值照常。"
        "每种噪声只统计被它改动的行；占位符不会被改动。得分：第一项指标，无噪声与有噪声；变化附成对的 95% 区间。"
        "自行决定：由模型决定，无需人工。结果不同：这些决定中被噪声改变的比例，"
        "括号内为改成其他结果的行数与转人工的行数。出错：自行决定的文本中出错的比例，无噪声与有噪声，"
        "以及有噪声时的 95% 上界。证书只对没有噪声的文本成立。"
    )
    if searched:
        en += (
            " The search replaces words by near ones until the answer changes; some of these texts mean something else."
        )
        zh += "搜索会用相近的词替换，直到答案改变；其中一些文本的意思也变了。"
    if part.unaltered:
        en += f" Kinds that alter none of these rows: {_listed(part.unaltered, 'en')}."
        zh += f"没有改动任何一行的种类：{_listed(part.unaltered, 'zh')}。"
    if part.skipped:
        en += f" Not possible: {_listed(part.skipped, 'en')}, without a tuned encoder."
        zh += f"无法进行：{_listed(part.skipped, 'zh')}（没有微调过的编码器）。"
    return {"en": en, "zh": zh}


def _listed(kinds: Iterable[str], language: PageLanguage) -> str:
    """Kinds of noise by the names that the table has for them."""
    return words(language)["and"].join(words(language)[f"cell_noise_{kind}"] for kind in kinds)
