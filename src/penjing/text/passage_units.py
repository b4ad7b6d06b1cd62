"""What a linear model sees of each unit of a passage that may begin or end the answer to a question.

The unit and its neighbours and their kinds; with each the word that asks (who, how many, 谁, 哪 ...); which of them the
question has too; how many units of the question are near on each side; and how the sentence compares with the others
by the units that it shares with the question. The first list of features is of "no answer".

Source of the kinds of features: Rajpurkar and others, SQuAD: 100,000+ Questions, 2016 (its logistic regression).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Longer ones first, because the first that is in a question is taken.
_ASKING = (
    "how many", "how much", "how long", "how old", "when", "where", "who", "whose", "whom", "which", "why", "what",
    "how", "什么时候", "什么地方", "哪里", "哪儿", "哪年", "哪一年", "多少", "多长", "多大", "多久", "為什麼", "为什么",
    "怎样", "怎么", "如何", "几", "幾", "谁", "誰", "何时", "何時", "何地", "何人", "哪", "什么", "什麼", "何",
)  # fmt: skip
_ENDS = re.compile(r"[。！？!?；;\n]|\.(?=\s|$)")
_NEAR, _MOST = 12, 6
EDGE = ""


def asking_word(question: str) -> str:
    """The word that asks; "" where none of the known ones is there."""
    lower = question.lower()
    return next((word for word in _ASKING if word in lower), "")


def passage_features(
    passage: str, written: Sequence[str], starts: Sequence[int], asked: Sequence[str], question: str
) -> list[list[str]]:
    """The features of "no answer" and of each unit. written, starts: the units of the passage; asked: of the question.

    Units as `text/units.py` cuts them, lower-cased; every list has at most twenty features.
    """
    word, known = asking_word(question), {one for one in asked if one.isalnum()}
    hits = [one in known for one in written]
    ranks, best = _sentences(passage, written, starts, known)
    padded = [EDGE, EDGE, *written, EDGE, EDGE]
    kinds = [kind_of(one) for one in padded]
    before = [0]
    for hit in hits:
        before.append(before[-1] + hit)
    found = [["none", f"none\x1f{word}", f"none\x1f{min(best, _MOST)}", f"none\x1f{word}\x1f{min(best, _MOST)}"]]
    for place, unit in enumerate(written):
        i = place + 2
        left = min(before[place] - before[max(0, place - _NEAR)], _MOST)
        right = min(before[min(len(hits), place + 1 + _NEAR)] - before[place + 1], _MOST)
        own = "".join("1" if 0 <= at < len(hits) and hits[at] else "0" for at in (place - 1, place, place + 1))
        around, rank = "\x1f".join(kinds[i - 1 : i + 2]), ranks[place]
        found.append(
            [
                f"k\x1f{kinds[i]}", f"k-\x1f{kinds[i - 1]}\x1f{kinds[i]}", f"k+\x1f{kinds[i]}\x1f{kinds[i + 1]}",
                f"k±\x1f{around}", f"w\x1f{unit}", f"w-\x1f{padded[i - 1]}", f"w+\x1f{padded[i + 1]}",
                f"w--\x1f{padded[i - 2]}\x1f{padded[i - 1]}", f"w++\x1f{padded[i + 1]}\x1f{padded[i + 2]}",
                f"q\x1f{word}\x1f{kinds[i]}", f"q±\x1f{word}\x1f{around}", f"q-\x1f{word}\x1f{padded[i - 1]}",
                f"q+\x1f{word}\x1f{padded[i + 1]}", f"qw\x1f{word}\x1f{unit}", f"o\x1f{own}", f"l\x1f{left}",
                f"r\x1f{right}", f"lr\x1f{left + right}\x1f{own[1]}", f"s\x1f{rank}", f"sk\x1f{rank}\x1f{kinds[i]}",
            ]
        )  # fmt: skip
    return found


def kind_of(unit: str) -> str:
    """The kind of a unit: a number by its digits, a Chinese character, a word, a placeholder, a sign."""
    if not unit:
        return "edge"
    first = unit[0]
    if first == "⟦":
        return unit
    if first.isdigit():
        return "9" * min(len(unit), 5)
    if not first.isalpha():
        return unit
    return "h" if first >= "\u3040" else "a"


def _sentences(passage: str, written: Sequence[str], starts: Sequence[int], known: set[str]) -> tuple[list[int], int]:
    """The rank of each unit's sentence by distinct units of the question, from 1; and how many the first one has."""
    ends = [one.end() for one in _ENDS.finditer(passage)]
    numbers, number = [], 0
    for start in starts:
        while number < len(ends) and start >= ends[number]:
            number += 1
        numbers.append(number)
    shared: dict[int, set[str]] = {number: set() for number in numbers}
    for number, unit in zip(numbers, written, strict=True):
        if unit in known:
            shared[number].add(unit)
    order = sorted(shared, key=lambda each: (-len(shared[each]), each))
    rank = {each: min(place, _MOST) for place, each in enumerate(order, start=1)}
    return [rank[number] for number in numbers], max((len(each) for each in shared.values()), default=0)
