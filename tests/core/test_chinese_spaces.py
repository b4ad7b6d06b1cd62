"""In every Chinese form a space is between a Chinese character and a Latin letter or a digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

HAN = "[\u4e00-\u9fff]"
LATIN = "[A-Za-z0-9%²]"
# The name of a column in a rules file, which is one word.
NAMES = ("脱敏.IP地址",)
# Parts of the phrases of a report that are Chinese words, as those of a sentence that are marked `{name*}`.
WORDS = frozenset({"error", "why", "promise", "metric", "an_error", "what", "lead", "when"})
TABLES = [
    *(each for each in files("penjing.core").joinpath("zh").iterdir() if each.name.endswith(".json")),
    *(files("penjing.report").joinpath("templates", name) for name in ("zh.json", "corpus.json")),
]


def _forms(found: object, name: str = "") -> Iterator[tuple[str, str]]:
    """The forms of a table with their keys."""
    if isinstance(found, str):
        yield name, found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _forms(value, key)
    elif isinstance(found, list):
        for value in found:
            yield from _forms(value, name)


def crowded(english: str, form: str) -> list[str]:
    """Where a space is missing. Parts between backticks are written as they are in a file."""
    said = re.sub(r"`[^`]*`", " ", form)
    for name in NAMES:
        said = said.replace(name, " ")
    words = WORDS | set(re.findall(r"\{(\w+)\*\}", english + form))
    missing = re.findall(f"{HAN}{LATIN}|{LATIN}{HAN}", said)
    parts = re.finditer(rf"(?<={HAN})\{{(\w+)\*?\}}|\{{(\w+)\*?\}}(?={HAN})", said)
    return [*missing, *(part[0] for part in parts if (part[1] or part[2]) not in words)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_form_is_crowded(table: Traversable) -> None:
    forms = _forms(json.loads(table.read_text(encoding="utf-8")))
    assert not [(form, found) for english, form in forms if (found := crowded(english, form))]


def test_a_missing_space_is_found() -> None:
    assert crowded("", "宏平均F1约 3 个") == ["均F", "1约"] and crowded("{rate} of all", "{rate}的文本") == ["{rate}"]
    assert crowded("{what*} is here", "这里有{what}，写 `30天内`") == []
