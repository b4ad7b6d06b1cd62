"""Chooses unlabelled texts for a person to label: none that is like a labelled one, each once, by a model's answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from penjing.core.answers import Answer
from penjing.core.canon import digest_lines
from penjing.core.errors import UsageError
from penjing.core.nouns import Prediction, Progress, Scalar
from penjing.core.task import PairReader
from penjing.data.dedupe import find_duplicates
from penjing.data.pair_text import compared
from penjing.data.shared_texts import both_near
from penjing.runtime.choose_texts import DEFAULT, Method, Pool, choose
from penjing.runtime.doubt import chances, entropy, margin, residual
from penjing.runtime.session import Session
from penjing.text.projected import SIZE, Vectors, project

_BATCH = 256
_VECTORS = ("badge", "diversity")
# So many texts of equal doubt are no chance: the answers have one probability, as numbers with one spread do.
_TELLING = 20


@dataclass(frozen=True)
class Unlabelled:
    """A masked text that nobody has labelled: its place, the declared fields that the model reads, and as cells."""

    file: str
    row: int
    text: str
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the digest of its text."""
        return digest_lines([self.text])[:16]


@dataclass(frozen=True)
class LabelRequest:
    """What is wanted: how many texts, and by which method.

    rows: the labelled rows of each label, for `rare`; known: masked texts that have a label.
    """

    method: Method = DEFAULT
    count: int = 100
    rows: Mapping[str, int] = field(default_factory=dict)
    known: Sequence[str] = ()


@dataclass(frozen=True)
class Suggestion:
    """A text to label, with what the release says of it; doubt: 1 - the margin of the answer, in [0, 1]."""

    text: Unlabelled
    prediction: Prediction
    doubt: float


@dataclass(frozen=True)
class Suggested:
    """The texts to label, the first one first; labelled, repeated: texts left out, as labelled or as another's like."""

    chosen: tuple[Suggestion, ...]
    texts: int
    labelled: int
    repeated: int

    @property
    def out_of_scope(self) -> int:
        """How many of the chosen texts are unlike those that the model learned from."""
        return sum(one.prediction.out_of_scope for one in self.chosen)


def suggest(session: Session, texts: Iterable[Unlabelled], asked: LabelRequest, progress: Progress) -> Suggested:
    """The texts that a person should label next. The same texts in any order give the same choice.

    Texts that are the same or nearly the same as a labelled one are left out; of texts that are nearly the same one is
    kept. Only numbers are kept of each answer, so memory is that of the texts. Raises UsageError for a method that the
    answers of this release cannot serve, or do not tell texts apart by, and for a model that reads no text.
    """
    if not session.reads_text:
        what = "this release reads declared fields and no text: texts to label are chosen by their text"
        raise UsageError(what, where=str(session.artifact.folder), fix="label a random sample of your rows")
    pool = sorted(texts, key=lambda one: (digest_lines([one.text]), one.file, one.row))
    kept, labelled = _new(session, pool, asked.known, progress)
    found = _measured(session, kept, asked, progress)
    if asked.method not in _VECTORS and len(kept) >= _TELLING and np.ptp(found.doubt) == 0:
        what = f"`--by {asked.method}` cannot choose here: this release is as sure of each text as of any other"
        raise UsageError(what, where=str(session.artifact.folder), fix="take `--by diversity`")
    progress.start("choosing texts", asked.count)
    places = choose(asked.method, found, asked.count, progress.advance)
    chosen = [kept[place] for place in places]
    predicted = _predicted(session, chosen)
    doubts = [round(margin(each.answer), 6) for each in predicted]
    rows = zip(chosen, predicted, doubts, strict=True)
    suggestions = tuple(Suggestion(*each) for each in rows)
    return Suggested(suggestions, len(pool), labelled, len(pool) - len(kept) - labelled)


def _new(
    session: Session, pool: Sequence[Unlabelled], known: Sequence[str], progress: Progress
) -> tuple[list[Unlabelled], int]:
    """The texts that are like no labelled text and no earlier one, and how many are like a labelled text."""
    texts, task = [*known, *(one.text for one in pool)], session.task
    labels, rank = [""] * len(texts), [0] * len(known) + [1] * len(pool)
    if isinstance(task, PairReader):
        texts = [compared(text, symmetric=task.symmetric) for text in texts]
        found = find_duplicates(texts, labels, rank, progress=progress, close=both_near)
    else:
        found = find_duplicates(texts, labels, rank, progress=progress)
    first = len(known)
    like = {gone: kept for gone, kept in (*found.exact, *found.near) if gone >= first}
    labelled = sum(_root(kept, like) < first for kept in like.values())
    return [one for place, one in enumerate(pool, first) if place not in like], labelled


def _root(place: int, like: Mapping[int, int]) -> int:
    """The text that is kept of those that are like each other: an exact copy may point at one that went as near."""
    while place in like:
        place = like[place]
    return place


def _measured(session: Session, texts: Sequence[Unlabelled], asked: LabelRequest, progress: Progress) -> Pool:
    """The numbers of each text that the method needs."""
    doubt = np.zeros(len(texts))
    residuals: Vectors | None = None
    if asked.method != "diversity":
        progress.start("predicting", len(texts))
        for low in range(0, len(texts), _BATCH):
            batch = texts[low : low + _BATCH]
            answers = [each.answer for each in _predicted(session, batch)]
            if asked.method == "badge":
                rows = np.array([_residual(session, answer, asked) for answer in answers], dtype=np.float32)
                residuals = np.zeros((len(texts), rows.shape[1]), np.float32) if residuals is None else residuals
                residuals[low : low + len(rows)] = rows
            else:
                doubt[low : low + len(answers)] = [_doubt(session, answer, asked) for answer in answers]
            progress.advance(len(batch))
    if asked.method not in _VECTORS or not texts:
        return Pool(doubt)
    words = [*(asked.known if asked.method == "diversity" else ()), *(one.text for one in texts)]
    progress.start("comparing texts", 2 * len(words))
    vectors = project(words, seen=progress.advance)
    first = len(words) - len(texts)
    return Pool(doubt, residuals, vectors[first:], vectors[:first].reshape(-1, SIZE) if first else None)


def _predicted(session: Session, texts: Sequence[Unlabelled]) -> list[Prediction]:
    return session.predict([one.text for one in texts], [one.fields for one in texts])


def _doubt(session: Session, answer: Answer, asked: LabelRequest) -> float:
    if asked.method == "rare":
        found = chances(answer)
        if found is None:
            raise _unserved(session, answer, asked)
        return sum(p / (1 + asked.rows.get(label, 0)) for label, p in found.items())
    return entropy(answer) if asked.method == "entropy" else margin(answer)


def _residual(session: Session, answer: Answer, asked: LabelRequest) -> Vectors:
    found = residual(answer)
    if found is None:
        raise _unserved(session, answer, asked)
    return found.astype(np.float32)


def _unserved(session: Session, answer: Answer, asked: LabelRequest) -> UsageError:
    what = (
        f"`--by {asked.method}` needs the probability of each label, and the answers of this release "
        f"(`{answer.kind}`) have none"
    )
    return UsageError(what, where=str(session.artifact.folder), fix="take `--by margin`")
