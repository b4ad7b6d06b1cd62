"""Blocks of the report on sets of labels: each label's precision and recall, and what is confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from penjing.core.answers import Flags
from penjing.core.task import Section

# So many pairs of labels are shown.
_PAIRS = 20


def set_figures(labels: Sequence[str], answers: Sequence[Flags], golds: Sequence[Sequence[str]]) -> tuple[Section, ...]:
    """Two tables of answers and the labels of their gold; one where every set is right."""
    said = [{label for label, given in zip(labels, one.given, strict=True) if given} for one in answers]
    meant = [set(gold) for gold in golds]
    misses = _confused(said, meant)
    return (_by_label(labels, said, meant), *([misses] if misses.rows else []))


def _by_label(labels: Sequence[str], said: Sequence[set[str]], meant: Sequence[set[str]]) -> Section:
    truth, given = (Counter(label for one in sets for label in one) for sets in (meant, said))
    hits = Counter(label for one, other in zip(said, meant, strict=True) for label in one & other)
    rows = []
    for label in sorted({*labels, *truth}, key=lambda name: (-truth[name], name)):
        precision, recall = (hits[label] / count[label] if count[label] else 0.0 for count in (given, truth))
        f1 = 2 * hits[label] / max(1, truth[label] + given[label])
        counted = (float(truth[label]), float(given[label]))
        rows.append((label, *counted, round(precision, 4), round(recall, 4), round(f1, 4)))
    title = {"en": "Each label: found and rightly given", "zh": "每个标签：找到多少、给得多准"}
    note = {
        "en": "Precision: the share of the texts with this answer that are right. Recall: the share of the texts with "
        "this label that were found. With fewer than 30 rows both are rough.",
        "zh": "精确率：给出此标签的文本中，给对的比例。召回率：真有此标签的文本中，找到的比例。不足 30 行时都很粗略。",
    }
    columns = ("label", "rows", "given", "precision", "recall", "F1")
    return Section("label_scores", "table", title, columns, tuple(rows), note)  # type: ignore[arg-type]


def _confused(said: Sequence[set[str]], meant: Sequence[set[str]]) -> Section:
    pairs: Counter[tuple[str, str]] = Counter()
    for one, other in zip(said, meant, strict=True):
        missed, wrong = sorted(other - one), sorted(one - other)
        pairs.update((miss, false) for miss in missed or [""] for false in wrong or [""] if miss or false)
    rows = tuple(
        (miss or "-", false or "-", float(count))
        for (miss, false), count in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:_PAIRS]
    )
    title = {"en": "Labels that were missed, and what was given instead", "zh": "漏掉的标签，以及被误给的标签"}
    note = {"en": "`-`: nothing was missed, or nothing else was given.", "zh": "`-`：没有漏掉，或没有误给其他标签。"}
    return Section("label_misses", "table", title, ("missed", "given instead", "texts"), rows, note)  # type: ignore[arg-type]
