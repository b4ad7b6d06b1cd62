"""Blocks of the report on sets of labels: each label, its probabilities, labels taken together, and what is confused.

Of a label l with threshold t and probability p[i, l] of the text i:

    given        the texts with p[i, l] >= t
    precision    the share of them that have the label;  expected is the mean of p[i, l] over them
    recall       the share of the texts with the label that are among them

Where precision is far below what is expected, the label's probabilities are too high.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from penjing.core.answers import Flags
from penjing.core.task import Section

# So many pairs of labels are shown.
_PAIRS = 20
_BINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.000001)
_DIGITS = 4


@dataclass(frozen=True)
class _Sets:
    """Answers of n texts, the labels that each gives, and those of its gold."""

    answers: Sequence[Flags]
    said: Sequence[set[str]]
    meant: Sequence[set[str]]


def set_figures(
    labels: Sequence[str], answers: Sequence[Flags], golds: Sequence[Sequence[str]], thresholds: Sequence[float] = ()
) -> tuple[Section, ...]:
    """The blocks that have rows, of answers and the labels of their gold. thresholds: of each label, where known."""
    said = [{label for label, given in zip(labels, one.given, strict=True) if given} for one in answers]
    sets = _Sets(answers, said, [set(gold) for gold in golds])
    blocks = (_by_label(labels, sets, thresholds), _reliability(sets), _together(sets), _confused(sets))
    return tuple(block for block in blocks if block.rows)


def _by_label(labels: Sequence[str], sets: _Sets, thresholds: Sequence[float]) -> Section:
    truth, given = (Counter(label for one in each for label in one) for each in (sets.meant, sets.said))
    hits = Counter(label for one, other in zip(sets.said, sets.meant, strict=True) for label in one & other)
    place = {label: position for position, label in enumerate(labels)}
    rows = []
    for label in sorted({*labels, *truth}, key=lambda name: (-truth[name], name)):
        found = (_ratio(hits[label], given[label]), _ratio(hits[label], truth[label]))
        f1 = _ratio(2 * hits[label], truth[label] + given[label])
        sure = [
            one.probabilities[place[label]] for one, said in zip(sets.answers, sets.said, strict=True) if label in said
        ]
        expected = round(sum(sure) / len(sure), _DIGITS) if sure else 0.0
        least = (thresholds[place[label]] if label in place else "",) if thresholds else ()
        rows.append((label, float(truth[label]), float(given[label]), *least, found[0], expected, found[1], f1))
    title = {"en": "Each label: found and rightly given", "zh": "每个标签：找到多少、给得多准"}
    note = {
        "en": "Precision: the share of the texts with this answer that are right; beside it what the model expected. "
        "Recall: the share of the texts with this label that were found. With fewer than 30 rows all are rough.",
        "zh": "精确率：给出此标签的文本中，给对的比例；旁边是模型自己预计的比例。"
        "召回率：真有此标签的文本中，找到的比例。不足 30 行时都很粗略。",
    }
    least_of = ("given from",) if thresholds else ()
    columns = ("label", "rows", "given", *least_of, "precision", "expected", "recall", "F1")
    return Section("label_scores", "table", title, columns, tuple(rows), note)  # type: ignore[arg-type]


def _reliability(sets: _Sets) -> Section:
    """How often a label is true by its probability, over all pairs of a text and a label."""
    pairs = [
        (p, label in truth)
        for one, truth in zip(sets.answers, sets.meant, strict=True)
        for label, p in zip(one.labels, one.probabilities, strict=True)
    ]
    rows = []
    for low, high in pairwise(_BINS):
        inside = [pair for pair in pairs if low <= pair[0] < high]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            name = f"{low:g} – {min(high, 1.0):g}"
            rows.append((name, float(len(inside)), round(mean, _DIGITS), round(share, _DIGITS)))
    title = {"en": "Labels by their probability", "zh": "各概率段的标签"}
    note = {
        "en": "Each pair of a text and a label counts once. Good probabilities: the last two columns agree.",
        "zh": "一条文本与一个标签为一对，每对计一次。概率可信时，最后两列接近。",
    }
    columns = ("probability", "pairs", "mean probability", "have the label")
    return Section("label_reliability", "table", title, columns, tuple(rows), note)  # type: ignore[arg-type]


def _together(sets: _Sets) -> Section:
    """The pairs of labels that most texts have at once, by gold or by answer."""
    truth, given = (
        Counter(pair for one in each for pair in combinations(sorted(one), 2)) for each in (sets.meant, sets.said)
    )
    both = Counter(
        pair for one, other in zip(sets.said, sets.meant, strict=True) for pair in combinations(sorted(one & other), 2)
    )
    ranked = sorted(truth | given, key=lambda pair: (-truth[pair], -given[pair], pair))[:_PAIRS]
    rows = tuple((*pair, float(truth[pair]), float(given[pair]), float(both[pair])) for pair in ranked)
    title = {"en": "Labels taken together", "zh": "同时出现的标签"}
    note = {
        "en": "How many texts have both labels, how many were given both, and how many of these rightly.",
        "zh": "有多少文本同时有这两个标签，多少文本被同时给出，其中多少给对。",
    }
    columns = ("label", "with", "have both", "given both", "rightly both")
    return Section("label_pairs", "table", title, columns, rows, note)  # type: ignore[arg-type]


def _confused(sets: _Sets) -> Section:
    """What stands in place of a missed label; "" for nothing."""
    pairs: Counter[tuple[str, str]] = Counter()
    for one, other in zip(sets.said, sets.meant, strict=True):
        missed, wrong = sorted(other - one), sorted(one - other)
        pairs.update((miss, false) for miss in missed or [""] for false in wrong or [""] if miss or false)
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:_PAIRS]
    rows = tuple((miss, false, float(count)) for (miss, false), count in ranked)
    title = {"en": "Labels that were missed, and what was given instead", "zh": "漏掉的标签，以及被误给的标签"}
    note = {
        "en": "Each row counts texts: the first label is true and was not given, the second was given and is not true. "
        "A text with several such labels counts for each pair of them.",
        "zh": "每行是文本数：第一个标签应有而没有给出，第二个标签给出了却不该有。"
        "一条文本有多个这样的标签时，每一对都计入。",
    }
    return Section("label_misses", "table", title, ("missed", "given instead", "texts"), rows, note)  # type: ignore[arg-type]


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, _DIGITS) if whole else 0.0
