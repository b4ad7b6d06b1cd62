"""Does the evidence explain the model? Sufficiency and comprehensiveness, compared with random and TF-IDF words.

    comprehensiveness = mean of s(text) - s(text without the words)      higher is better
    sufficiency       = mean of s(text) - s(the words alone)             lower is better

s = 1 / (1 + exp(-focus)) of the model's answer; for a label it is the calibrated probability.
Each removed word is replaced by the model's own mask token, or by a space if the model has none. All three rankings
give words until the same number of characters is reached.
Source: DeYoung et al., ERASER: A Benchmark to Evaluate Rationalized NLP Models, 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Answer
from penjing.core.nouns import Scalar
from penjing.core.task import Outputs
from penjing.engines.linear import LinearEngine
from penjing.engines.linear_joint import JointLinearEngine
from penjing.engines.protocol import one_after_another
from penjing.explain.evidence import GAP, Evidence, PieceSpan, explain
from penjing.explain.pieces import PieceSupport
from penjing.runtime.session import Fields, Session
from penjing.text.words import HAN, word_spans

RANKINGS = ("evidence", "random", "tfidf")
PIECE_RANKINGS = ("evidence", "random", "nearest")
# Evidence must be short enough to read at a glance: at most this share of a text's words, counted in characters.
SHARE = 0.25
_MASKS = ("<mask>", "[MASK]")
_SLICE = 256
_NUDGE = 1e-3
_TOGETHER = 1000
Span = tuple[int, int]


@dataclass(frozen=True)
class _Case:
    """A text, its words and fields, the model's answer, and the words that each ranking chooses."""

    text: str
    words: tuple[Span, ...]
    fields: Mapping[str, Scalar]
    answer: Answer
    chosen: Mapping[str, frozenset[Span]]


def faithfulness(
    session: Session,
    linear_session: Session,
    texts: Sequence[str],
    seed: int = 0,
    fields: Fields | None = None,
) -> dict[str, Any]:
    """{"rows", "sufficiency": {"evidence", "random", "tfidf"}, "comprehensiveness": the same} over masked texts.

    linear_session: a session of an artifact of form "linear" with the same labels. `rows` does not count texts with
    fewer than two words or with empty evidence. fields: those of each text, which do not change.
    """
    random = np.random.default_rng(seed)
    given = fields or [{}] * len(texts)
    found = [
        _case(session.given(own), linear_session, text, own, random) for text, own in zip(texts, given, strict=True)
    ]
    cases = [case for case in found if case is not None]
    blank = mask_of(session)
    variants = [case.text for case in cases]
    for ranking in RANKINGS:
        variants += [replace(case.text, case.chosen[ranking], blank) for case in cases]
        variants += [replace(case.text, frozenset(case.words) - case.chosen[ranking], blank) for case in cases]
    p = np.zeros((1 + 2 * len(RANKINGS), max(1, len(cases))))
    own = [case.fields for case in cases] * (1 + 2 * len(RANKINGS))
    slices = [slice(first, first + _SLICE) for first in range(0, len(variants), _SLICE)]
    heads = [name for name, head in session.task.heads.items() if head.kind == "pooled"]
    parts = [_only(session.outputs(variants[part], own[part]), heads) for part in slices]
    outputs = one_after_another(parts) if parts else {}
    for place, case in enumerate(cases):
        mine = {name: found[place :: len(cases)] for name, found in outputs.items()}
        p[:, place] = 1 / (1 + np.exp(-session.task.focus(case.answer, session.calibration)(mine)))
    falls = {ranking: (p[0] - p[1 + 2 * i], p[0] - p[2 + 2 * i]) for i, ranking in enumerate(RANKINGS)}
    return {
        "rows": len(cases),
        "sufficiency": {ranking: round(float(falls[ranking][1].mean()), 6) for ranking in RANKINGS},
        "comprehensiveness": {ranking: round(float(falls[ranking][0].mean()), 6) for ranking in RANKINGS},
    }


def piece_faithfulness(session: Session, texts: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """As `faithfulness`, for answers that are pieces of a text: {"rows", ...} with "evidence", "random" and "nearest".

    s = 1 / (1 + exp(-support)) of the least supported piece of each text; only words outside of it are chosen, and a
    space stands for each removed word. nearest: the words next to the piece, a strong rival, for tags depend on their
    surroundings. `rows` counts the texts that have a piece, two words outside of it, and evidence among these.
    """
    random = np.random.default_rng(seed)
    found = [one for one in (_piece_case(session, text, random) for text in texts) if one is not None]
    mean = np.mean(found, axis=0) if found else np.zeros((2, len(PIECE_RANKINGS)))
    names = ("comprehensiveness", "sufficiency")
    falls = {
        name: dict(zip(PIECE_RANKINGS, row.round(6).tolist(), strict=True))
        for name, row in zip(names, mean, strict=True)
    }
    return {"rows": len(found), **falls}


def _piece_case(session: Session, text: str, random: np.random.Generator) -> npt.NDArray[np.float64] | None:
    """(2, rankings): the decrease of s without the chosen words of each ranking, and with these alone."""
    support = PieceSupport(session, text, GAP)
    if not support.pieces:
        return None
    weakest = int(support.whole.argmin())
    start, end, _ = support.pieces[weakest]
    words = [w for w in word_spans(text, HAN.search(text) is not None) if w[1] <= start or w[0] >= end]
    evidence = explain(session, text)
    own = tuple(one for one in evidence.spans if isinstance(one, PieceSpan) and one.piece == weakest)
    chosen = _take(_by_evidence(words, Evidence(evidence.answer, own)), SHARE * sum(b - a for a, b in words))
    if len(words) < 2 or not chosen:
        return None
    budget = sum(b - a for a, b in chosen)
    nearest = sorted(words, key=lambda word: (max(start - word[1], word[0] - end), word))
    shuffled = [words[i] for i in random.permutation(len(words))]
    rankings = [chosen, _take(shuffled, budget), _take(nearest, budget)]
    kept = [[word for word in words if word not in one] for one in rankings]
    values, _ = support.of([[*one] for one in rankings] + kept)
    s = 1 / (1 + np.exp(-np.concatenate([support.whole[None], values])[:, weakest]))
    falls: npt.NDArray[np.float64] = (s[0] - s[1:]).reshape(2, len(rankings))
    return falls


def _only(outputs: Outputs, heads: Sequence[str]) -> Outputs:
    return {name: outputs[name] for name in heads}


def mask_of(session: Session) -> str:
    """The model's own mask token if its tokenizer recognizes it in a text, else a space."""
    tokens = session.tokens
    if tokens is not None:
        for name in _MASKS:
            # A known token adds one id to those of an empty text; an unknown one is split into several.
            if len(tokens.encode([name])[0]) == len(tokens.encode([""])[0]) + 1:
                return name
    return " "


def replace(text: str, spans: frozenset[Span], blank: str) -> str:
    """The text with `blank` for each span; spans do not overlap."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + blank + text[end:]
    return text


def _case(
    session: Session, linear_session: Session, text: str, fields: Mapping[str, Scalar], random: np.random.Generator
) -> _Case | None:
    words = tuple(word_spans(text, HAN.search(text) is not None))
    if len(words) < 2:
        return None
    evidence = explain(session, text)
    budget = SHARE * sum(end - start for start, end in words)
    chosen = _take(_by_evidence(words, evidence), budget)
    if not chosen:
        return None
    budget = sum(end - start for start, end in chosen)
    gains = _word_gains(linear_session, text, evidence.answer)
    order = sorted(words, key=lambda word: (-gains(word), word))
    shuffled = [words[i] for i in random.permutation(len(words))]
    return _Case(
        text=text,
        words=words,
        fields=fields,
        answer=evidence.answer,
        chosen={"evidence": chosen, "random": _take(shuffled, budget), "tfidf": _take(order, budget)},
    )


def _by_evidence(words: Sequence[Span], evidence: Evidence) -> list[Span]:
    """The words of the evidence in the order of its weights: word spans first, then the words of clause spans."""
    spans = sorted(evidence.spans, key=lambda span: span.kind != "word")
    found = [word for span in spans for word in words if span.start <= word[0] and word[1] <= span.end]
    return list(dict.fromkeys(found))


def _take(order: Sequence[Span], budget: float) -> frozenset[Span]:
    """The first words whose characters fit the budget; the first word always."""
    taken: list[Span] = []
    length = 0
    for start, end in order:
        if taken and length + end - start > budget:
            continue
        taken.append((start, end))
        length += end - start
        if length >= budget:
            break
    return frozenset(taken)


def _word_gains(session: Session, text: str, answer: Answer) -> Callable[[Span], float]:
    """The sum of the linear model's weights for a word: its own term and the character n-grams inside it."""
    engine = session.engine
    if isinstance(engine, JointLinearEngine) and engine.pooled is not None:
        engine = engine.pooled
    if not isinstance(engine, LinearEngine):
        raise TypeError("the second session must be of a linear artifact")
    place, sign = _pulls(session, answer)
    terms = {term: sign * gain for term, gain in engine.term_weights(text, place)}
    longest = engine.features.terms.characters

    def gain(word: Span) -> float:
        written = text[word[0] : word[1]].lower()
        inside = [written[i : i + n] for n in range(1, longest + 1) for i in range(len(written) - n + 1)]
        return terms.get("w" + written, 0.0) + sum(terms.get("c" + gram, 0.0) for gram in inside)

    return gain


def _pulls(session: Session, answer: Answer) -> tuple[int, float]:
    """(position, sign): the output of the first head that changes the focus most, raising it (1) or lowering it (-1).

    An output that raises the focus is preferred.
    """
    first, *others = [pair for pair in session.task.heads.items() if pair[1].kind == "pooled"]
    size = first[1].size
    focus = session.task.focus(answer, session.calibration)

    def pulled(groups: list[Any]) -> tuple[int, float]:
        nudged = np.zeros((len(groups), size))
        for row, group in enumerate(groups):
            nudged[row, group] = _NUDGE
        still = {name: np.zeros((len(groups), head.size)) for name, head in others}
        change = focus({first[0]: nudged, **still}) - focus({first[0]: np.zeros_like(nudged), **still})
        return (int(change.argmax()), 1.0) if change.max() > 0 else (int(change.argmin()), -1.0)

    # Of many outputs first the group that has it: a row for each would be as many numbers as their square.
    groups = np.array_split(np.arange(size), -(-size // _TOGETHER))
    found = groups[0] if len(groups) == 1 else groups[pulled(list(groups))[0]]
    place, sign = pulled(list(found))
    return int(found[place]), sign
