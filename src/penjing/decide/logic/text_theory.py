"""Whether a solution can be a text: a text with it, or clauses that say what no text can be.

A free text is made of the words that must be in it, with a separator between them that no word has in it, behind the
longest word that it must start with. So nothing is in it but these words and what is inside them, and every solution in
which a word brings the words inside it, a start is one chain of prefixes, and a list has a word that brings nothing
forbidden is a text. A field may also be one value, named in a cell or in a list, and then all else follows from it.
Patterns bring the words that they need, a piece brings the patterns that are found in it wherever it stands. Else a
pattern is free: the case says what is supposed of it, and `TableRows.confirmed` looks it up in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from penjing.decide.logic.clauses import TextProperty, TextVariables
from penjing.decide.logic.pattern_texts import needed
from penjing.decide.logic.rows import TableRows
from penjing.decide.logic.texts import MadeText

Clauses = list[list[int]]


class TextTheory:
    """One text of a query: its variables, and what a solution says of it: the properties whose variables are true."""

    def __init__(self, rows: TableRows, variables: TextVariables, true: Collection[TextProperty]) -> None:
        self._rows, self._words = rows, rows.words
        self._literals, self._patterns, self._true = variables.literals, variables.patterns, true

    def solve(self, empty: int | None) -> MadeText | Clauses:
        """A text, or clauses that this solution breaks. empty: the literal that there is no text, if it is true."""
        if empty is not None:
            wrong = [key for key in self._true if key[0] != "pattern"]
            return [[-empty, -self._literals[key]] for key in wrong] or MadeText(exact=True, supposed=self._supposed())
        values = self._of("value")
        if len(values) > 1:
            return [[-self._literals["value", one], -self._literals["value", values[0]]] for one in values[1:]]
        if values:
            return self._value(values[0])
        lists = self._of("listed")
        return self._listed_value(lists) if lists else self._free()

    def _of(self, kind: str) -> list[str]:
        return sorted(what for each, what in self._true if each == kind)

    def _supposed(self) -> dict[str, bool]:
        return {pattern: ("pattern", pattern) in self._true for pattern in self._patterns}

    def _value(self, value: str) -> MadeText | Clauses:
        """The text is one value: everything else follows."""
        mine = self._literals["value", value]
        if wrong := self._wrong(value):
            return [[-mine, literal] for literal in wrong]
        return MadeText(value, exact=True)

    def _wrong(self, value: str) -> list[int]:
        """The literals that are true where the text is this value, and false in the solution."""
        return [literal for key, literal in self._of_value(value).items() if (literal > 0) != (key in self._true)]

    def _of_value(self, value: str) -> dict[TextProperty, int]:
        """Of each property the literal that is true where the text is this value."""
        inside, lists, patterns = self._words.inside(value), self._words.with_word(value), self._rows.patterns
        tests: dict[str, Callable[[str], bool]] = {
            "has": inside.words.__contains__,
            "list": inside.lists.__contains__,
            "start": value.startswith,
            "value": value.__eq__,
            "listed": lists.__contains__,
            "pattern": (patterns.found(value) if patterns else frozenset()).__contains__,
        }
        return {
            (kind, what): literal if tests[kind](what) else -literal for (kind, what), literal in self._literals.items()
        }

    def _listed_value(self, lists: list[str]) -> MadeText | Clauses:
        """The text is one word of a list that no cell names."""
        name = min(lists, key=lambda each: len(self._words.lists[each]))
        wanted = self._of("has")
        words = [word for word in self._words.lists[name] if all(each in word for each in wanted)]
        blocking = {-self._literals["has", each]: None for each in wanted if len(words) < len(self._words.lists[name])}
        for word in words:
            wrong = self._wrong(word)
            if not wrong:
                return MadeText(word, exact=True)
            if not any(literal in blocking for literal in wrong):
                blocking[wrong[0]] = None
        return [[-self._literals["listed", name], *blocking]]

    def _free(self) -> MadeText | Clauses:
        clauses: Clauses = []
        starts = self._of("start")
        start = max(starts, key=len, default="")
        if start:
            mine = self._literals["start", start]
            clauses += [[-mine, -self._literals["start", each]] for each in starts if not start.startswith(each)]
            prefixes = (("start", start[:length]) for length in range(1, len(start)))
            clauses += [
                [-mine, self._literals[key]] for key in prefixes if key in self._literals and key not in self._true
            ]
            clauses += self._brought(start, mine)
        pieces = self._of("has")
        for word in pieces:
            clauses += self._brought(word, self._literals["has", word])
        for pattern in self._of("pattern"):
            for word in needed(pattern):
                clauses += self._brought(word, self._literals["pattern", pattern])
        if clauses:
            return clauses
        held = {name for piece in (start, *pieces) for name in self._words.inside(piece).lists}
        for name in self._of("list"):
            if name not in held:
                found = self._word_of(name)
                if not isinstance(found, str):
                    return [found]
                pieces.append(found)
                held |= self._words.inside(found).lists
        return self._with_patterns(MadeText(start, tuple(pieces), supposed=self._supposed()))

    def _with_patterns(self, written: MadeText) -> MadeText:
        """The text with pieces in which its patterns are found, where such pieces bring nothing else; or as it is."""
        patterns, separator = self._rows.patterns, self._words.separator
        if patterns is None:
            return written
        for pattern in self._of("pattern"):
            if pattern in patterns.found(written.text(separator)):
                continue
            for piece in patterns.samples(pattern):
                if self._missing(piece):
                    continue
                more = replace(written, pieces=(*written.pieces, piece))
                at_start = replace(written, start=piece)
                if pattern in patterns.found(more.text(separator)):
                    written = more
                    break
                if not written.start and pattern in patterns.found(at_start.text(separator)):
                    written = at_start if self._starts(piece) else written
                    break
                if not self._wrong(piece):
                    return MadeText(piece, exact=True, supposed=written.supposed)
        return written

    def _starts(self, piece: str) -> bool:
        """Whether a text may start with a piece."""
        return not any(kind == "start" and piece.startswith(what) for kind, what in self._literals)

    def _brought(self, piece: str, literal: int) -> Clauses:
        """Clauses for what is inside a piece and that the solution leaves out."""
        return [[-literal, self._literals[key]] for key in self._missing(piece)]

    def _missing(self, piece: str) -> list[TextProperty]:
        inside = self._words.inside(piece)
        keys = [*(("has", word) for word in sorted(inside.words)), *(("list", name) for name in sorted(inside.lists))]
        if self._rows.patterns is not None:
            keys += [("pattern", each) for each in sorted(self._rows.patterns.found_around(piece))]
        return [key for key in keys if key in self._literals and key not in self._true]

    def _word_of(self, name: str) -> str | list[int]:
        """A word of a list that brings nothing which the solution leaves out, or a clause that it must bring some."""
        blocking: dict[int, None] = {}
        for word in self._words.lists[name]:
            missing = [self._literals[key] for key in self._missing(word)]
            if not missing:
                return word
            if not any(literal in blocking for literal in missing):
                blocking[missing[0]] = None
        return [-self._literals["list", name], *blocking]
