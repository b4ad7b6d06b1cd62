"""What noise does to a sealed release: test rows are altered, then decided by it as a request would be.

Masking, fields, rules, thresholds and audits are those of the release. Each row is altered by its text, the kind and
the seed of the recipe alone. The test rows were not used to choose anything, and nothing is chosen by these figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from penjing.core.canon import digest_lines, unit_hash
from penjing.core.errors import RequestError
from penjing.core.nouns import Artifact, Progress, Scalar
from penjing.core.recipe import Recipe
from penjing.core.task import Task
from penjing.data.augment.altered import Free, Piece, free_words, moved_gold, named_places, rewritten
from penjing.data.augment.synonyms import Near
from penjing.data.masked import Masked
from penjing.data.noise import NOISES
from penjing.data.noise.attack import attack
from penjing.data.prepare import Prepared
from penjing.decide.decider import Decided, Decider, Request
from penjing.make.in_their_time import by_model, decide_in_their_time, requests_of
from penjing.prove.score import Scored, judge
from penjing.prove.sequence import upper_bound
from penjing.report.robust_part import NoiseRow, Ranged, RobustPart
from penjing.runtime.session import Session
from penjing.text.words import word_spans

SEARCH = "synonyms"
# A search takes a hundred predictions a text and more.
SEARCH_ROWS = 100
# How one kind alters a row: its free words, its fields, and a source of randomness.
Alter = Callable[[Free, Mapping[str, Scalar], Random], list[Piece]]


@dataclass(frozen=True, eq=False)
class _Tested:
    """A test row as it was decided without noise."""

    text: str
    gold: str
    fields: Mapping[str, Scalar]
    decided: Decided


@dataclass(frozen=True, eq=False)
class _Noisy:
    """A row with noise: its gold and the outcome of the row without noise, both for the altered text."""

    row: _Tested
    gold: str
    outcome: str | None
    decided: Decided


def measure_robustness(
    decider: Decider,
    scored: Scored,
    decided: Sequence[Decided],
    data: Prepared,
    recipe: Recipe,
    teacher: Artifact,
    progress: Progress,
) -> RobustPart | None:
    """The table of the kinds that the recipe asks for; None where it asks for none.

    scored, decided: the test rows without noise. teacher: the tuned model, whose table of embeddings gives near words.
    """
    asked = recipe.robustness.strengths
    if not asked or not len(data.test):
        return None
    requests = requests_of(data.test)
    rows = [
        _Tested(text, gold, requests[place].fields, decided[place])
        for place, (text, gold) in enumerate(zip(data.test.texts, data.test.labels or (), strict=True))
    ]
    rows = sorted(rows, key=lambda row: unit_hash(f"{recipe.seed}", row.text))[: recipe.robustness.rows]
    kinds: list[NoiseRow] = []
    unaltered: list[str] = []
    skipped: list[str] = []
    progress.start("deciding test rows with noise", len(asked))
    for name, strength in asked.items():
        if name == SEARCH and teacher.card.form != "torch":
            skipped.append(name)
            continue
        alter = (
            _search(decider.session, data.train.texts, teacher, strength) if name == SEARCH else _noise(name, strength)
        )
        mine = rows[:SEARCH_ROWS] if name == SEARCH else rows
        found = _with_noise(decider, mine, alter, f"{recipe.seed} {name}")
        if found:
            kinds.append(_counted(name, strength, found, scored.task))
        else:
            unaltered.append(name)
        progress.advance(note=name)
    return RobustPart(rows=len(rows), kinds=tuple(kinds), unaltered=tuple(unaltered), skipped=tuple(skipped))


def _noise(name: str, strength: float) -> Alter:
    return lambda free, _, source: NOISES[name](free, strength, source)


def _search(session: Session, texts: Sequence[str], teacher: Artifact, strength: float) -> Alter:
    """Near words are those of the train texts, by the table of the tuned model."""
    # Loads torch, which a linear model does without.
    from penjing.train.near_words import near_words_of

    near: Near = near_words_of(teacher, texts)

    def alter(free: Free, fields: Mapping[str, Scalar], _source: Random) -> list[Piece]:
        ((_, first),) = _answers(session, [free.text], fields)

        def judged(altered: Sequence[Masked]) -> tuple[list[float], list[bool]]:
            found = _answers(session, [one.text for one in altered], fields)
            meant = [moved_gold(session.task, first, free.text, one) for one in altered]
            same = [
                outcome is not None and not session.task.wrong(said, outcome)
                for outcome, (_, said) in zip(meant, found, strict=True)
            ]
            return [p if kept else -p for kept, (p, _) in zip(same, found, strict=True)], same

        return attack(free, strength, near, judged)

    return alter


def _answers(session: Session, texts: Sequence[str], fields: Mapping[str, Scalar]) -> list[tuple[float, str]]:
    """The confidence and the outcome of the model alone for each text."""
    task = session.task
    facts = [task.facts(one.answer) for one in session.predict(texts, [fields] * len(texts))]
    return [(float(each["p"]), task.outcome(each)) for each in facts]


def _with_noise(decider: Decider, rows: Sequence[_Tested], alter: Alter, seed: str) -> list[_Noisy]:
    """The rows that this noise alters, decided again; without those that are no case any more, or have no gold."""
    task = decider.session.task
    made: list[tuple[_Tested, Masked, str]] = []
    for row in rows:
        free = free_words(row.text, word_spans, named_places(task, row.text))
        pieces = alter(free, row.decided.decision.facts["fields"], Random(digest_lines([seed, row.text])))
        masked = _prepared(decider.session, rewritten(row.text, pieces)) if pieces else None
        gold = moved_gold(task, row.gold, row.text, masked) if masked is not None else None
        if masked is not None and gold is not None:
            made.append((row, masked, gold))
    requests = [Request(masked, row.fields) for row, masked, _ in made]
    return [
        _Noisy(row, gold, moved_gold(task, row.decided.decision.outcome, row.text, masked), decided)
        for (row, masked, gold), decided in zip(made, decide_in_their_time(decider, requests), strict=True)
    ]


def _prepared(session: Session, altered: Masked) -> Masked | None:
    """The altered text cleaned and masked, with the way from the text without noise; None where nothing is left."""
    try:
        found = session.prepare(altered.text)
    except RequestError:
        return None
    return Masked(found.text, found.counts, (*altered.passes, *found.passes)) if found.text else None


def _counted(name: str, strength: float, noisy: Sequence[_Noisy], task: Task) -> NoiseRow:
    """The figures of one kind, on the rows that it altered."""
    before = judge(task, [one.row.decided.prediction for one in noisy], [one.row.gold for one in noisy])
    after = judge(task, [one.decided.prediction for one in noisy], [one.gold for one in noisy])
    difference = after.difference(before)
    was = np.array([by_model(one.row.decided.decision) for one in noisy], dtype=bool)
    now = np.array([by_model(one.decided.decision) for one in noisy], dtype=bool)
    other = np.array([_differs(task, one) for one in noisy], dtype=bool)
    wrong = np.array([task.wrong(one.decided.decision.outcome, one.gold) for one in noisy], dtype=bool)
    was_wrong = np.array([task.wrong(one.row.decided.decision.outcome, one.row.gold) for one in noisy], dtype=bool)
    errors = int((wrong & now).sum())
    return NoiseRow(
        kind=name,
        strength=strength,
        rows=len(noisy),
        score_before=_ranged(before.interval()),
        score_after=_ranged(after.interval()),
        difference=_ranged(difference),
        automated_before=int(was.sum()),
        automated_after=int(now.sum()),
        other_outcome=int((was & other & ~_reviewed(noisy)).sum()),
        reviewed=int((was & _reviewed(noisy)).sum()),
        errors=errors,
        errors_before=int((was_wrong & was).sum()),
        error_high=round(upper_bound(errors, int(now.sum())), 6),
    )


def _reviewed(noisy: Sequence[_Noisy]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which cases a person decides with noise; one that is drawn for audit is decided all the same."""
    decisions = [one.decided.decision for one in noisy]
    return np.array([one.route == "review" and one.reason != "audit" for one in decisions], dtype=bool)


def _differs(task: Task, one: _Noisy) -> bool:
    return one.outcome is None or task.wrong(one.decided.decision.outcome, one.outcome)


def _ranged(found: object) -> Ranged:
    return Ranged.model_validate({name: getattr(found, name) for name in ("value", "low", "high")})
