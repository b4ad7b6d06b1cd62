"""The sections of docs/measured.md: words from docs/measured.yaml, figures from bench/results.

A section names one results file. Its words hold places such as `{load.p99_ms|.1f}`: a path into that file and a
format. Nothing else on the page is a figure. A file or value that is missing is shown as "not measured".
`docs/generate.py` writes the page; a new result needs a section in docs/measured.yaml and no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from ruamel.yaml import YAML

Values = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
TEMPLATE = ROOT / "docs" / "measured.yaml"
# What every section says, in this order; the machine and the source come from the results file itself.
FACTS = ("claim", "measured", "set", "rows", "seeds", "interval", "baseline")
PLACE = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
STEP = re.compile(r"([^.\[\]]+)|\[([^\]=]+)(?:=([^\]]*))?\]")
OVER: Mapping[str, Callable[[list[Any]], Any]] = {"min": min, "max": max, "mean": fmean, "count": len}


class MissingValueError(Exception):
    """A results file has nothing at a path."""


def load_template(path: Path = TEMPLATE) -> Values:
    """The words of the page: `words`, `labels` and `sections`."""
    loaded: Values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return loaded


def load_values(name: str, folder: Path = RESULTS) -> Values | None:
    """What a section's paths lead into: the results file, by its reader where it has one; None if it is missing."""
    path = folder / name
    if not path.is_file():
        return None
    from measured_values import READERS

    if path.name in READERS:
        return READERS[path.name](folder)
    found: Values = json.loads(path.read_bytes())
    return found


def find(values: Any, path: str) -> list[Any]:
    """Every value at a path: `a.b`, `rows[0]`, `sets[name=sms].kept`; `*` is each key or entry."""
    found = [values]
    for word, inside, wanted in STEP.findall(path):
        found = [each for one in found for each in _below(one, word or inside, wanted)]
    return found


def _below(one: Any, key: str, wanted: str) -> Iterator[Any]:
    if key == "*":
        yield from one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    elif wanted:
        yield from (each for each in one if isinstance(each, dict) and str(each.get(key)) == wanted)
    elif isinstance(one, dict) and key in one:
        yield one[key]
    elif isinstance(one, list) and re.fullmatch(r"-?\d+", key) and -len(one) <= int(key) < len(one):
        yield one[int(key)]


def value_at(values: Values, path: str) -> Any:
    """The one value at a path, or of several their `min`, `max`, `mean` or `count` (`min kinds.*.recall`)."""
    first, _, rest = path.strip().partition(" ")
    found = [one for one in find(values, rest if rest and first in OVER else path.strip()) if one is not None]
    if not found:
        raise MissingValueError(path)
    return OVER[first](found) if rest and first in OVER else found[0]


class Page:
    """The page in one language. folder: where the results files are."""

    def __init__(self, language: str, folder: Path = RESULTS, template: Values | None = None) -> None:
        self.language = language
        self.folder = folder
        self.template = template or load_template()

    def text(self) -> str:
        """An overview of all verdicts, then a section each."""
        labels, sections = self.template["labels"], self.template["sections"]
        head = [self.pick(labels[name]).lower() for name in ("what", "figure", "verdict")]
        lines = [f"| {' | '.join(head)} |", "|---|---|---|"]
        for section in sections:
            title, values = self.pick(section["title"]), self.values_of(section)
            figure = self.fill(section["figure"], values) if values else self.word("not measured")
            state = self.word(verdict(section, values))
            lines.append(f"| [{title}](#{slug(title)}) | {figure} | {state} |")
        return "\n".join([*lines, "", *(line for section in sections for line in self.section(section))])

    def section(self, section: Values) -> list[str]:
        """One result: verdict, facts, table, machine, source, and what it does not prove."""
        labels, values = self.template["labels"], self.values_of(section)
        limits = {"limit": section.get("limit", {})}
        state = self.word(verdict(section, values))
        lines = [f"## {self.pick(section['title'])}", ""]
        lines += [f"**{self.pick(labels['verdict'])}{self.colon}{state}**", ""]
        for fact in FACTS if values else ("claim",):
            lines.append(f"- {self.pick(labels[fact])}{self.colon}{self.fill(section[fact], values or limits)}")
        if values:
            lines.append(f"- {self.pick(labels['machine'])}{self.colon}{self.machine(values)}")
        lines += [f"- {self.pick(labels['source'])}{self.colon}{self.source(section, values)}", ""]
        if values and "table" in section:
            lines += [*self.table(section["table"], values), ""]
        open_points = [self.fill(one, values or limits) for one in section.get("unproven", ())]
        if open_points:
            lines += [self.pick(labels["unproven"]), ""]
            lines += [*(f"- {one}" for one in open_points), ""]
        return lines

    def table(self, table: Values, values: Values) -> list[str]:
        """A line for each entry of a list in the results file."""
        head = [self.pick(one) for one in table["head"]]
        rows = find(values, table["over"] + ".*")
        cells = [[self.fill(cell, values | row) for cell in table["cells"]] for row in rows]
        return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells)]

    def values_of(self, section: Values) -> Values | None:
        """A section's results with the goals of its protocol beside them."""
        values = load_values(section["file"], self.folder)
        return None if values is None else values | {"limit": section.get("limit", {})}

    def machine(self, values: Values) -> str:
        """The hardware that the file names; of several runs each once."""
        found = [str(one) for path in ("hardware", "machine", "sets.*.machine") for one in find(values, path)]
        sets = [str(one) for one in find(values, "instruction_set")]
        names = [f"{one} ({', '.join(sets)})" if sets else one for one in dict.fromkeys(found)]
        return "; ".join(names) or self.word("not named")

    def source(self, section: Values, values: Values | None) -> str:
        """The results file with the date and commit that it names, and the script that writes it."""
        path = (self.folder / section["file"]).resolve()
        shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        up = "../" if self.language == "en" else "../../"
        link = f"[{path.name}]({up}{shown})" if values else f"`{shown}`"
        named = [str(one) for key in ("date", "commit") for one in find(values or {}, key)]
        page = section.get("page")
        more = [f"[{self.pick(self.template['labels']['page'])}]({up.removesuffix('../')}{page})"] if page else []
        comma = ", " if self.language == "en" else "，"
        return comma.join([link, *named, f"`{section['script']}`", *more])

    def fill(self, words: Any, values: Values) -> str:
        """Words in the page's language with the figures in their places."""

        def place(found: re.Match[str]) -> str:
            try:
                value = value_at(values, found[1])
            except MissingValueError:
                return self.word("not measured")
            return self.show(value, found[2] or "")

        return PLACE.sub(place, self.pick(words))

    def show(self, value: Any, form: str) -> str:
        """A value by its format: Python's, `word` for a translated name, `pairs`, `~PATTERN` for a part of a text."""
        if form == "pairs":
            return ", ".join(f"{self.word(key)} {_short(each)}" for key, each in value.items())
        if form == "word":
            return self.word(str(value))
        if form.startswith("~"):
            match = re.search(form[1:], str(value))
            return match[1] if match else self.word("not measured")
        return format(value, form).replace("%", " %")

    def pick(self, words: Any) -> str:
        """Words that are the same in both languages, or those of this one."""
        return str(words[self.language] if isinstance(words, dict) else words)

    def word(self, name: str) -> str:
        """A name in the page's language; one that has no translation stays as it is."""
        return self.pick(self.template["words"].get(name, name))

    @property
    def colon(self) -> str:
        """The colon of the language."""
        return ": " if self.language == "en" else "："


def slug(title: str) -> str:
    """The anchor that a heading gets: lower case, hyphens for blanks, no punctuation."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        ends = [f"{value[end]:.4g}" for end in ("low", "high") if end in value]
        return f"{value['value']:.4g}" + (f" [{', '.join(ends)}]" if ends else "")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def verdict(section: Values, values: Values | None) -> str:
    """`held`, `broken` or `unproven` by the section's checks; `not measured` without a results file.

    `reported`: the section has no checks, because nothing was promised before the run.

    A check compares `value`, and where it has one also the confidence bound at `bound`, with `at_most` or `at_least`
    (a number, or a path into the results). Broken: a value is on the wrong side. Unproven: a bound is, or a value is
    missing.
    """
    if values is None:
        return "not measured"
    values = values | {"limit": section.get("limit", {})}
    state = "held" if section["checks"] else "reported"
    for check in section["checks"]:
        try:
            if not _within(check, value_at(values, check["value"]), values):
                return "broken"
            if "bound" in check and not _within(check, value_at(values, check["bound"]), values):
                state = "unproven"
        except MissingValueError:
            state = "unproven"
    return state


def _within(check: Values, value: float, values: Values) -> bool:
    at_most = "at_most" in check
    limit = check["at_most" if at_most else "at_least"]
    if isinstance(limit, str):
        limit = value_at(values, limit)
    return bool(value <= limit if at_most else value >= limit)
