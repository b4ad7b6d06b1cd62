"""What is certified of each label of sets of labels: a block of the page, sentences, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penjing.core.certificate import Certificate, LimitTest
from penjing.prove.sequence import upper_bound
from penjing.report.contract import Block, PageLanguage, Report
from penjing.report.phrases import as_written, percent, words

BLOCK = "label_promises"
_SHOWN = 12
_TITLE = {"en": "Each label: what is certified", "zh": "每个标签：已认证的内容"}
_NOTE = {
    "en": "On the calibration rows: how many texts were given the label without doubt, how many of these wrongly, and "
    "the upper bound of that share; how many texts have the label, how many of these were settled as if they had "
    "not, and the upper bound. A limit that is not proven has no entry. Settled: the share of the test texts in which "
    "no person has to look at this label. A label of too few rows has no limits and is never given without a person.",
    "zh": "在认证数据上：自动给出该标签的文本数、其中给错的条数，以及这一比例的上界；"
    "真有该标签的文本数、其中自动判为没有的条数，以及这一比例的上界。"
    "没有证明的上限不列出。已确定：测试文本中，无需人工查看这个标签的比例。行数太少的标签没有上限，也从不自动给出。",
}  # fmt: skip
_COLUMNS = (
    "label", "given surely", "wrong", "wrong, bound", "wrong, promised", "rows", "missed", "missed, bound",
    "missed, promised", "settled",
)  # fmt: skip


def label_block(certificate: Certificate, settled: Mapping[str, float]) -> tuple[Block, ...]:
    """The block, with the labels of the most rows first; none of a certificate that is not by label."""
    if not certificate.by_label:
        return ()
    steps = [step for step in certificate.path_steps if step.passed] or list(certificate.path_steps[:1])
    tests = {(test.kind, test.of): test for test in steps[-1].tests} if steps else {}
    level = 1 - certificate.confidence
    rows = []
    for label, share in settled.items():
        error, miss = tests.get(("error", label)), tests.get(("miss", label))
        closed = certificate.thresholds.get(f"yes.{label}") is None
        own = _figures(None if closed else error, level, proven=certificate.certified)
        missed = _figures(miss, level, proven=certificate.certified)
        rows.append((label, *own, *missed, round(share, 4)))
    rows.sort(key=lambda row: (-float(row[5] or 0), str(row[0])))
    return (Block(name=BLOCK, kind="table", title=_TITLE, columns=_COLUMNS, rows=tuple(rows), note=_NOTE),)


def _figures(test: LimitTest | None, level: float, *, proven: bool) -> tuple[str | float, ...]:
    if test is None:
        return "", "", "", ""
    high = round(upper_bound(test.errors, test.cases, level), 4) if test.cases else ""
    return float(test.cases), float(test.errors), high, test.limit if proven else ""


def label_sentences(report: Report, limit: str, language: PageLanguage) -> list[str]:
    """What is certified of the labels together. limit: on errors, as written."""
    phrases, decisions = words(language), report.decisions
    misses = decisions.max_miss.values()
    return [
        phrases["says_labels"].format(
            settled=percent(decisions.labels_settled or 0.0, language),
            rate=percent(decisions.automation_rate, language),
            confidence=as_written(decisions.confidence, language),
            max=limit,
            miss=as_written(max(misses, default=0.0), language),
            count=f"{len(misses):,}",
        )
    ]


def label_lines(report: Report, language: PageLanguage) -> Iterator[str]:
    """The labels with limits as lines for a terminal."""
    phrases = words(language)
    block = next((each for each in report.sections if each.name == BLOCK), None)
    if block is None:
        return
    yield phrases["labels_line"].format(rows=f"{report.decisions.rows:,}")
    limited = [row for row in block.rows if row[5] != ""]
    for row in limited[:_SHOWN]:
        cells = [_share(cell, language) if place in (3, 4, 7, 8, 9) else _whole(cell) for place, cell in enumerate(row)]
        given = phrases["label_given_line" if row[1] != "" else "label_never_line"].format(
            given=cells[1], wrong=cells[2], high=cells[3]
        )
        yield "  " + phrases["label_row_line"].format(
            label=row[0], given=given, rows=cells[5], missed=cells[6], high=cells[7], settled=cells[9]
        )
    if len(block.rows) > len(limited[:_SHOWN]):
        yield "  " + phrases["others"].format(count=len(block.rows) - len(limited[:_SHOWN]))


def _share(cell: str | float, language: PageLanguage) -> str:
    return cell if isinstance(cell, str) else percent(cell, language)


def _whole(cell: str | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:,.0f}"
