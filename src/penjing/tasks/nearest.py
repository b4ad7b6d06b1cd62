"""The task `nearest`: which entry of a catalogue is nearest to a text, such as the standard question of a question.

    z_e = w_e x + b_e,   w_e made from the text of entry e;   p = softmax([z, r] / T);   the answer is the largest p,
    and an error is another entry than the gold

Head: one number an entry, trained by cross entropy. A method does not learn the rows of its last layer freely, it makes
them from the texts of the entries (`CatalogueTask`), so entries without any train row can be answered. Calibration, the
score r of "none of these" and the metrics are in `tasks/ranking.py`. Certified by the probability of the answer, with
one limit for all entries. Prefer `classify` where the answers are few and each has many rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field

from penjing.core.answers import Answer, Ranked, as_kind
from penjing.core.errors import DataError, RequestError, shown
from penjing.core.options import Options as _Options
from penjing.core.options import nearest
from penjing.core.task import ALL, IGNORED, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.data.catalogue import MOST_ENTRIES, Catalogue, checked, read_catalogue
from penjing.data.labels import LONGEST_LABEL, looks, read_label
from penjing.data.mask import mask
from penjing.tasks.band import margin_within
from penjing.tasks.metrics import Floats, Ints
from penjing.tasks.ranking import (
    BLOCK_CELLS,
    fit_ranking,
    nearest_places,
    rank_counts,
    rank_metrics,
    some_rows,
    with_none,
)

_NUMERAL = re.compile(r"\d")
HEAD = "entry"
_DIGITS = 6
_CONFUSED = 20


class Options(_Options):
    """The options of `task: {type: nearest}`."""

    among: str = Field("", description="the file of the catalogue; left out, the entries are the labels of the rows")
    entry: str = Field("text", min_length=1, description="the column of the texts of its entries")
    id: str = Field("", description="the column of their ids, which the labels name; left out, labels are the texts")
    none: str = Field("none", min_length=1, max_length=60, description="the label of a text that no entry answers")


ABOUT = About(
    name="nearest",
    gold="the column of the right entry: its id, or its text",
    metric="share of the teacher's recall at 1",
    line="{type: nearest}",
    comment="which entry of a catalogue is nearest; `among: FILE` names it",
    facts=("entry", "p", "margin"),
    files=("among",),
)


def open_reader(options: Options) -> NearestReader:
    """The reader of entries. Raises UsageError and DataError as `read_catalogue`."""
    if not options.among:
        return NearestReader(options.none)
    found = read_catalogue(options.among, options.entry, options.id)
    _check_none(options.none, found.ids, options.among)
    return ListedReader(options.none, found)


def _check_none(none: str, ids: Sequence[str], where: str | None = None) -> None:
    if none in ids:
        what = f"the catalogue has an entry `{none}`, which means that no entry is right"
        raise DataError(what, where=where, fix="name another word: `task: {type: nearest, none: WORD}`")


def restore(state: Mapping[str, Any]) -> Nearest:
    """The task of an artifact, from its entries in their order."""
    return Nearest(state["none"], Catalogue(tuple(state["ids"]), tuple(state["texts"])))


@dataclass(frozen=True)
class NearestReader:
    """Reads the entry of a row before the entries are known: labels are the texts of the entries.

    none: the word for a text that no entry answers.
    """

    none: str

    golds_are_names = False
    golds_are_lists = False
    golds_are_open = True

    def read(self, cell: str, masked: MaskedText | None = None) -> str:  # noqa: ARG002
        """The cleaned name of an entry. Raises DataError."""
        try:
            name = read_label(cell)
        except RequestError as error:
            raise DataError(error.what, fix=error.fix) from None
        if len(name) > LONGEST_LABEL:
            what = f"the name of an entry has {len(name)} characters"
            raise DataError(what, fix="is `label:` the right column? Long entries need a catalogue with ids")
        return name

    def strata(self, golds: Sequence[str]) -> list[str]:
        """`entry` or the word for none: entries are many and rare."""
        return [gold and (self.none if gold == self.none else "entry") for gold in golds]

    def learn(self, golds: Sequence[str]) -> Nearest:
        """The task of the entries that occur, sorted. Raises DataError for fewer than two or too many."""
        ids = sorted({gold for gold in golds if gold and gold != self.none})
        if len(ids) > MOST_ENTRIES:
            what = f"the rows have {len(ids):,} different entries; {MOST_ENTRIES:,} are the most"
            raise DataError(what, fix="is `label:` the right column?")
        return Nearest(self.none, Catalogue(tuple(ids), tuple(mask(name).text for name in checked(ids, ids))))


@dataclass(frozen=True)
class ListedReader(NearestReader):
    """Reads the entry of a row where the catalogue is known."""

    catalogue: Catalogue

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.catalogue.ids)}

    @cached_property
    def _alike(self) -> Mapping[str, str]:
        """The entry of each text that looks like the text of one entry only, and of no id."""
        found: dict[str, str] = {}
        for name, text in zip(self.catalogue.ids, self.catalogue.texts, strict=True):
            found[looks(text)] = "" if looks(text) in found else name
        return found

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The id of the entry that is named by its id or its text. Raises DataError for an unknown one."""
        name = super().read(cell, masked)
        if not name or name == self.none or name in self._place:
            return name
        if found := self._alike.get(looks(name)):
            return found
        raise DataError(f"`{shown(name, 60)}` is no entry of the catalogue", fix=self._near(name))

    def _near(self, name: str) -> str:
        known = self.catalogue.ids
        found = nearest(name, known) if len(known) <= 1000 else ""
        # `P161` is another entry than `P129`, which the catalogue may not have any more, and no slip.
        numbered = {_NUMERAL.sub("0", one) for one in known if one in found}
        if found.startswith("did you mean") and _NUMERAL.sub("0", name) not in numbered:
            return found
        return f"write the id of an entry, or add it to the catalogue; `{self.none}` is a text that no entry answers"

    def learn(self, golds: Sequence[str]) -> Nearest:  # noqa: ARG002 - the catalogue says it all
        """The task of the catalogue."""
        return Nearest(self.none, self.catalogue)


@dataclass(frozen=True)
class Nearest(ListedReader):
    """One entry of a catalogue, or none of them."""

    name = "nearest"
    errors = ()
    scopes = (ALL,)

    @property
    def state(self) -> dict[str, Any]:
        return {"ids": list(self.catalogue.ids), "texts": list(self.catalogue.texts), "none": self.none}

    @property
    def entry_texts(self) -> tuple[str, ...]:
        return self.catalogue.texts

    def with_entries(self, ids: Sequence[str], texts: Sequence[str]) -> Nearest:
        """The same task over another catalogue. Raises DataError for an entry of the name that means none."""
        _check_none(self.none, ids)
        return Nearest(self.none, Catalogue(tuple(ids), tuple(texts)))

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {HEAD: Head("pooled", len(self.catalogue.ids), "cross_entropy")}

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return (*self.catalogue.ids, self.none)

    def listed(self) -> Mapping[str, tuple[str, ...]]:
        return {"entry": self._names}

    def with_rows(self, rows: Mapping[str, int]) -> Nearest:  # noqa: ARG002 - every entry counts
        return self

    def _places(self, golds: Sequence[str]) -> Ints:
        """The position of each gold, N for none, IGNORED for an entry that the catalogue does not have."""
        known = {**self._place, self.none: len(self.catalogue.ids)}
        return np.fromiter((known.get(gold, IGNORED) for gold in golds), dtype=np.int64, count=len(golds))

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:  # noqa: ARG002
        """{"entry": positions (n,) int64}; none and unknown entries have no target."""
        places = self._places(golds)
        return {HEAD: np.where(places < len(self.catalogue.ids), places, IGNORED)}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:  # noqa: ARG002
        """{"temperature", "none"}; the second is null where no row has none."""
        kept = some_rows(len(golds), len(self.catalogue.ids))
        temperature, none = fit_ranking(outputs[HEAD][kept], self._places(golds)[kept])
        return {"temperature": temperature, "none": none}

    def plain(self) -> dict[str, Any]:
        return {"temperature": 1.0, "none": None}

    def _table(self, outputs: Outputs, calibration: Mapping[str, Any]) -> Floats:
        return with_none(outputs[HEAD], calibration["temperature"], calibration["none"])

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:  # noqa: ARG002
        """A Ranked an item, of at most ten entries."""
        rows = max(1, BLOCK_CELLS // len(self.catalogue.ids))
        blocks = range(0, len(outputs[HEAD]), rows)
        return [one for at in blocks for one in self._ranked({HEAD: outputs[HEAD][at : at + rows]}, calibration)]

    def _ranked(self, outputs: Outputs, calibration: Mapping[str, Any]) -> list[Answer]:
        table = self._table(outputs, calibration)
        powers = np.exp(table - table.max(axis=1, keepdims=True))
        # A sum in the order of the entries, so that no other row changes it.
        shares = powers / np.add.reduce(powers, axis=1, keepdims=True)
        places = nearest_places(table)
        best = np.take_along_axis(shares, places, axis=1).round(_DIGITS).tolist()
        return [
            Ranked(tuple(self._names[place] for place in row), tuple(values))
            for row, values in zip(places.tolist(), best, strict=True)
        ]

    def energy(self, outputs: Outputs, calibration: Mapping[str, Any]) -> Floats:
        """-log sum_e exp(z_e / T), as of `classify`."""
        table, rows = outputs[HEAD], max(1, BLOCK_CELLS // len(self.catalogue.ids))
        found = [
            -np.logaddexp.reduce(
                np.asarray(table[at : at + rows], dtype=np.float64) / calibration["temperature"], axis=1
            )
            for at in range(0, len(table), rows)
        ]
        return np.concatenate(found) if found else np.zeros(0)

    def kinds(self) -> dict[str, FactKind]:
        return {"entry": "enum", "p": "unit", "margin": "unit"}

    def facts(self, answer: Answer) -> dict[str, Any]:
        """entry, p, margin (p less that of the second entry)."""
        ranked = as_kind(answer, Ranked)
        p = ranked.probabilities[0]
        second = ranked.probabilities[1] if len(ranked.probabilities) > 1 else 0.0
        return {"entry": ranked.labels[0], "p": p, "margin": round(p - second, _DIGITS)}

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all entries
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        entry: str = facts["entry"]
        return entry

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Each probability may change by the band, so two entries that differ by at most twice the band may swap."""
        return margin_within(facts, 2 * band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a probability; an entry that an answer does not list has at most its last one."""
        if not (isinstance(one, Ranked) and isinstance(other, Ranked)):
            return 1.0
        first, second = (dict(zip(each.labels, each.probabilities, strict=True)) for each in (one, other))
        if not first.keys() & second.keys():
            return 1.0
        ends = one.probabilities[-1], other.probabilities[-1]
        names = first.keys() | second.keys()
        return round(max(abs(first.get(name, ends[0]) - second.get(name, ends[1])) for name in names), _DIGITS)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The log-odds of the first entry. Raises ValueError for an entry that the catalogue does not have."""
        place = self._names.index(as_kind(answer, Ranked).labels[0])

        def odds(outputs: Outputs) -> Floats:
            table = self._table(outputs, calibration)
            result: Floats = table[:, place] - np.logaddexp.reduce(np.delete(table, place, axis=1), axis=1)
            return result

        return odds

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 4), as `ranking.rank_counts` describes."""
        return rank_counts([as_kind(answer, Ranked).labels for answer in answers], golds)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """recall_at_1, recall_at_10 and mrr, from sums (..., 4)."""
        return rank_metrics(np.asarray(sums, dtype=np.float64))

    def wrong(self, outcome: str, gold: str) -> bool:
        return outcome != gold

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {"en": "another entry than the right one", "zh": "答成了另一个条目"}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the first entry."""
        outcome = self.outcome(facts)
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """At which place the right entry is, and which entries are taken for which."""
        ranked = [as_kind(answer, Ranked).labels for answer in answers]
        return (_places_section(ranked, golds), _confused_section(ranked, golds))


def _places_section(ranked: Sequence[Sequence[str]], golds: Sequence[str]) -> Section:
    places = [names.index(gold) if gold in names else -1 for names, gold in zip(map(list, ranked), golds, strict=True)]
    listed = max((len(names) for names in ranked), default=0)
    rows = [(str(place + 1), float(places.count(place))) for place in range(listed)]
    return Section(
        name="places",
        kind="bars",
        title={"en": "Place of the right entry", "zh": "正确条目排在第几位"},
        columns=("place", "rows"),
        rows=(*rows, ("-", float(places.count(-1)))),
        note={"en": "- : not among those that are listed", "zh": "- ：不在列出的条目之中"},
    )


def _confused_section(ranked: Sequence[Sequence[str]], golds: Sequence[str]) -> Section:
    pairs: dict[tuple[str, str], int] = {}
    for names, gold in zip(ranked, golds, strict=True):
        if names[0] != gold:
            pairs[gold, names[0]] = pairs.get((gold, names[0]), 0) + 1
    most = sorted(pairs.items(), key=lambda one: (-one[1], one[0]))[:_CONFUSED]
    return Section(
        name="taken_for",
        kind="table",
        title={"en": "Entries taken for others", "zh": "哪些条目被答成了别的条目"},
        columns=("right entry", "answer", "rows"),
        rows=tuple((gold, given, float(count)) for (gold, given), count in most),
    )
