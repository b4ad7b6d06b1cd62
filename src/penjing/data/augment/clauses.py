"""More texts for a student: pieces and changed copies of real texts, to be labelled by its teacher.

Source: Wei and Zou, EDA: Easy Data Augmentation, 2019 (deletion, swap); Jiao et al., TinyBERT, 2020 (a student learns
the teacher's outputs for augmented texts). The teacher gives the label of a piece.
`compress/parts/near_tokens.py` replaces words by near ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

# Characters that end a clause in Chinese and in English.
_CLAUSE = re.compile(r"[^，。！？；、,.!?;\n]+[，。！？；、,.!?;\n]*")
_UNIT = re.compile(r"⟦[a-z_]+⟧|[A-Za-z0-9']+\s*|\S\s*")
_SHORTEST = 4


def augment(texts: Sequence[str], copies: int, seed: int) -> list[str]:
    """Up to `copies` new texts for each text, none of them among `texts` or twice: some clauses of it, some words
    deleted, two clauses swapped, or clauses of it and of another text together. Deterministic in texts and seed."""
    seen = set(texts)
    made = []
    for place, text in enumerate(texts):
        source = random.Random(f"{seed} {place} {text}")
        for _ in range(copies):
            new = _one(text, texts[source.randrange(len(texts))], source).strip()
            if len(new) >= _SHORTEST and new not in seen:
                seen.add(new)
                made.append(new)
    return made


def _one(text: str, other: str, source: random.Random) -> str:
    clauses: list[str] = _CLAUSE.findall(text)
    draw = source.random()
    if len(clauses) > 1 and draw < 0.4:
        size = source.randint(1, len(clauses) - 1)
        first = source.randrange(len(clauses) - size + 1)
        return "".join(clauses[first : first + size])
    if len(clauses) > 1 and draw < 0.55:
        source.shuffle(clauses)
        return "".join(clauses)
    if draw < 0.75:
        others: list[str] = _CLAUSE.findall(other)
        return source.choice(clauses or [text]) + source.choice(others or [other])
    units = _UNIT.findall(text)
    share = source.uniform(0.1, 0.4)
    return "".join(unit for unit in units if source.random() > share)
