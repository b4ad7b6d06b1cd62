"""What is certified of items, such as entities, one by one: a block of the page, sentences, a line for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from penjing.core.certificate import Certificate
from penjing.prove.by_item import ItemFigures
from penjing.report.contract import Block, PageLanguage, Report
from penjing.report.phrases import as_written, percent, words
from penjing.report.promised import ItemsPart

BLOCK = "item_promises"
_TITLE = {"en": "Each type: what is decided without a person", "zh": "各类型：哪些无需人工"}
_NOTE = {
    "en": "On the test rows: the entities of the answers, those that are decided without a person, and the wrong ones "
    "among these. The limit is on all types together, so a type may lie above it. In the texts of which nothing goes "
    "to a person: the true entities, and those that are missing. No limit is about missing ones.",
    "zh": "在测试数据上：模型找出的实体，其中无需人工的，以及这些里面出错的。上限针对全部类型合计，"
    "所以个别类型可能超过它。在完全无需人工的文本中：真实的实体，以及其中漏掉的。漏标没有上限。",
}  # fmt: skip
_COLUMNS = ("type", "told", "decided alone", "wrong", "share wrong", "true ones there", "missing there")


def items_part(figures: ItemFigures | None, level: float) -> ItemsPart | None:
    """The sums; None of a certificate that is not by item. level: of the bound."""
    if figures is None:
        return None
    bound = figures.bound(level)
    return ItemsPart(
        most=figures.most,
        told=sum(one.told for one in figures.kinds),
        settled=int(figures.accepted.sum()),
        wrong=int(figures.wrong.sum()),
        high=None if bound is None else round(bound, 6),
        meant=sum(one.meant for one in figures.kinds),
        missed=sum(one.missed for one in figures.kinds),
    )


def item_block(certificate: Certificate, figures: ItemFigures | None) -> tuple[Block, ...]:
    """The block; none of a certificate that is not by item."""
    if not certificate.most_items or figures is None:
        return ()
    rows = tuple(
        (
            one.kind,
            float(one.told),
            float(one.settled),
            float(one.wrong),
            round(one.wrong / max(1, one.settled), 4),
            float(one.meant),
            float(one.missed),
        )
        for one in figures.kinds
    )
    return (Block(name=BLOCK, kind="table", title=_TITLE, columns=_COLUMNS, rows=rows, note=_NOTE),)


def item_sentences(report: Report, items: ItemsPart, limit: str, language: PageLanguage) -> list[str]:
    """What is certified, and what is not. limit: on wrong items, as written."""
    phrases, decisions = words(language), report.decisions
    said = phrases["says_items"].format(
        settled=percent(items.settled / max(1, items.told), language),
        rate=percent(decisions.automation_rate, language),
        confidence=as_written(decisions.confidence, language),
        max=limit,
        most=f"{items.most:,}",
    )
    return [said, *_on_test(items, language)]


def _on_test(items: ItemsPart, language: PageLanguage) -> Iterator[str]:
    phrases = words(language)
    if items.settled:
        yield phrases["says_items_wrong"].format(
            value=percent(items.wrong / items.settled, language),
            high="–" if items.high is None else percent(items.high, language),
        )
    if items.meant:
        yield phrases["says_items_missed"].format(missed=f"{items.missed:,}", meant=f"{items.meant:,}")


def item_lines(report: Report, language: PageLanguage) -> Iterator[str]:
    """The items of the test rows as a line for a terminal."""
    items = report.decisions.items
    if items is None or not items.settled:
        return
    yield words(language)["items_line"].format(
        told=f"{items.told:,}",
        settled=f"{items.settled:,}",
        share=percent(items.settled / items.told, language),
        wrong=percent(items.wrong / items.settled, language),
        high="–" if items.high is None else percent(items.high, language),
    )
