"""What a filled cell of a rules file asks of one fact: the closed set of tests, as data, second edition.

Every test says what holds of a value that is there. A fact without a value (a declared field that was not given) makes
every test but `Empty` neither true nor false: such a row sends the case to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Inclusive ranges of whole numbers; None is no bound.
Ranges = tuple[tuple[int | None, int | None], ...]


@dataclass(frozen=True)
class Contains:
    """The text has one of these words in it; `every`: all of them; `negated`: not so.

    words: folded as the release folds. lists: names of word lists, each of which counts as all of its words; never with
    `every`.
    """

    words: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    every: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Starts:
    """The folded text starts with one of these words; `negated`: with none of them."""

    words: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Matches:
    """A regular expression (RE2) is found in the folded text; `negated`: it is not."""

    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Among:
    """The value is one of these, or one of the words of these lists; `negated`: none of them.

    Values of labels and enumerations are compared as they are; those of a `str` field, and lists, folded.
    """

    values: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Between:
    """A number, in whole units of 1/scale (a date: seconds since 1970), is in one of these inclusive ranges.

    None is no bound. A negation is written as the ranges that are left.
    """

    ranges: Ranges


@dataclass(frozen=True)
class Is:
    """The fact is true, or false."""

    value: bool


@dataclass(frozen=True)
class Within:
    """A date lies at most so many days before (`past`) and after (`future`) the clock of the request; `negated`: not.

    None: that side is closed, and only the day of the clock itself counts on it.
    """

    past: int | None
    future: int | None
    negated: bool = False

    @property
    def ranges(self) -> Ranges:
        """The days from the clock to the date for which the test holds."""
        first, last = -(self.past or 0), self.future or 0
        return ((None, first - 1), (last + 1, None)) if self.negated else ((first, last),)


@dataclass(frozen=True)
class Empty:
    """The field was not given, or is empty; `negated`: it has a value."""

    negated: bool = False


Test = Contains | Starts | Matches | Among | Between | Is | Within | Empty


@dataclass(frozen=True)
class Condition:
    """One filled cell: the fact, its test, and the cell as it is written, in which equal conditions may differ."""

    fact: str
    test: Test
    written: str = field(compare=False)


@dataclass(frozen=True)
class Then:
    """What follows where a row holds.

    kind: `outcome` (that value, automatically), `review` (a person, of the queue `value` if it is not ""), or `model`
    (the model decides as if no rule stood).
    """

    kind: str
    value: str = ""


@dataclass(frozen=True)
class Rule:
    """One row of a rules file; `row` is its number in the file.

    valid_from, valid_to: the seconds since 1970 in which the row stands (inclusive; None: no bound).
    """

    name: str
    row: int
    conditions: tuple[Condition, ...]
    then: Then
    why: str = ""
    priority: int = 0
    owner: str = ""
    valid_from: int | None = None
    valid_to: int | None = None


@dataclass(frozen=True)
class WordList:
    """A named list of words, `words/NAME.txt` beside the rules file: one word a line.

    words: folded, in the order of the file, each once. raw: the bytes of the file, which are sealed.
    """

    name: str
    words: tuple[str, ...]
    raw: bytes
