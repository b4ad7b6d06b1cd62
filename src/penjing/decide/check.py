"""Finds the problems of a table before anything starts: rows that never hold or fire, contradictions, overlaps, gaps.

Exact over the facts of the answer, all declared fields, words, word lists and the clock. A case may lack any declared
field; a row that needs it is then neither true nor false, and if it is the first that is not false, the case goes to a
person. A row *holds* where every condition is true; it can *fire* if it holds in some case in which every row before it
is false. Each regular expression is true or false as its pattern says on texts that the check makes up; where no such
text settles a question, and the question cannot be refuted either, it is reported as undecided. So is what a bounded
search leaves open.
"""

from __future__ import annotations

from penjing.decide.logic import findings
from penjing.decide.logic.boxes import Boxes
from penjing.decide.logic.findings import Finding
from penjing.decide.logic.overlaps import Meetings
from penjing.decide.logic.questions import WORK, BoxTests, Logic, Taken, Undecided, Witness
from penjing.decide.logic.rows import MadeCase, TableRows
from penjing.decide.logic.wording import box_of, is_plain
from penjing.decide.table import RuleTable

SHOWN = 5  # gaps
_LONG = 400  # characters of gaps
NAMED = 10  # rows of one overlap
PAIRS = 6_000  # of rows that are compared; in a table of n rows about PAIRS / n rows above each


def check(table: RuleTable, work: int = WORK) -> list[Finding]:
    """All findings, errors first. work: how many cases the search may try for the whole table."""
    rows = TableRows(table)
    logic, boxes = Logic(rows, work), Boxes(rows)
    found = [each for row in range(len(table.rules)) for each in _row(table, logic, row)]
    if not any(each.level == "error" for each in found):
        found += _overlaps(table, logic, Meetings(rows, boxes))
    found.append(_gap(table, logic, boxes))
    return sorted(found, key=lambda each: ("error", "warning", "info").index(each.level))


def _row(table: RuleTable, logic: Logic, row: int) -> list[Finding]:
    """What is wrong with one row: nothing where a case is found in which it holds first."""
    rule = table.rules[row]
    answer = logic.holding(row, before=row)
    if isinstance(answer, Witness):
        return [] if answer.sure else [findings.undecided(table, rule, answer.case)]
    if isinstance(answer, Undecided):
        return [findings.undecided(table, rule, None)]
    if not answer.by:
        return [findings.impossible(table, logic.rows, rule)]
    twin = next((each for each in answer.by if _twins(table, logic, each, row)), None)
    if twin is not None:
        return [findings.contradiction(table, table.rules[twin], rule)]
    by = sorted((table.rules[each] for each in answer.by), key=lambda each: each.row)
    missing = logic.standing(row, before=row)
    without: tuple[str, ...] = ()
    if isinstance(missing, Witness):
        named = dict.fromkeys(condition.fact for condition in rule.conditions)
        without = tuple(fact for fact in named if fact in missing.case.absent and fact in table.schema.fields)
    return [findings.unreachable(table, rule, by, without)]


def _twins(table: RuleTable, logic: Logic, one: int, other: int) -> bool:
    """Whether two rows have the same conditions, in whatever words, and different ends."""
    if table.rules[one].then == table.rules[other].then:
        return False
    apart = (logic.standing(one, but=other), logic.standing(other, but=one))
    return all(isinstance(each, Taken) for each in apart)


def _overlaps(table: RuleTable, logic: Logic, meetings: Meetings) -> list[Finding]:
    """For each row, the first rows above it with another end that win where both hold.

    A narrow row above a wide one is the usual form of an exception, and is none.
    """
    found: list[Finding] = []
    skipped = 0
    share = PAIRS // max(1, len(table.rules))
    compared, named = max(4, share), min(NAMED, max(1, share // 2))
    for row, rule in enumerate(table.rules):
        meet: list[int] = []
        example: MadeCase | None = None
        above = meetings.above(row)
        for place, one in enumerate(above):
            if place == compared or len(meet) == named:
                skipped += 1
                break
            answer = logic.holding(one, row, before=one)
            if isinstance(answer, Undecided):
                skipped += 1
                break
            if isinstance(answer, Taken) or not (meetings.apart(one, row) or _reaches_out(logic, one, row)):
                continue
            if answer.sure:
                meet.append(one)
                example = example or answer.case
            else:
                found.append(findings.may_overlap(table, rule, table.rules[one], answer.case))
        if example is not None:
            rules = [table.rules[each] for each in meet]
            found.append(findings.overlap(table, rule, rules, example, logic.rows))
    if skipped:
        what = f"rows that may overlap with more rows above: {skipped}; only the first rows above were compared"
        found.append(Finding("info", "undecided", (), what, table.path))
    return found


def _reaches_out(logic: Logic, one: int, other: int) -> bool:
    """Whether the first row holds in some case in which the other does not."""
    return not isinstance(logic.holding(one, but=other), Taken)


def _gap(table: RuleTable, logic: Logic, boxes: Boxes) -> Finding:
    """Cases that no row decides, each as the largest set of such cases around it."""
    known: list[BoxTests] = []
    words: list[str] = []
    plain = worded = False
    answer = logic.open()
    while isinstance(answer, Witness) and answer.sure and len(known) < SHOWN and len("; ".join(words)) < _LONG:
        box = boxes.around(answer.case)
        # What is said of texts without phrases is said once, at the end: boxes with a phrase do not stand beside it.
        if words and (worded or ("text" in box and not is_plain(box, logic.rows))):
            break
        worded = "text" in box and not is_plain(box, logic.rows)
        plain = plain or is_plain(box, logic.rows)
        said = box_of(box, logic.rows) or "any case"
        words += [] if said in words else [said]  # boxes that differ in texts without phrases have the same words
        known.append(boxes.tests(box))
        answer = logic.open(known)
    if not words:
        if isinstance(answer, Taken):
            return _covered(table)
        what = "it is undecided whether the rules cover every case: the search for one that is left was ended"
        return Finding("warning", "undecided", (), what, table.path)
    cases = "any case" if "any case" in words else "; ".join(words)
    more = "" if isinstance(answer, Taken) or "any case" in words else "; and others"
    none = ", where the text holds none of the phrases" if plain else ""
    return Finding("info", "gap", (), f"no rule covers {cases}{more}{none}: the model decides", table.path)


def _covered(table: RuleTable) -> Finding:
    models = [rule for rule in table.rules if rule.then.kind == "model"]
    if models:
        what = f"the rules cover every case: the model decides only by rows with `model`, e.g. row {models[0].row}"
        return Finding("info", "gap", (), what, table.path)
    return Finding("warning", "gap", (), "the rules cover every case: the model alone decides none", table.path)
