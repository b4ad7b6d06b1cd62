"""Places count the recorded text: a verdict behind a change of the text in the file is refused."""

from __future__ import annotations

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError
from penjing.core.pair import SEPARATOR
from penjing.store.verdict_places import AsRecorded, check_places
from penjing.tasks.answer import AnswerReader
from penjing.tasks.tag import Tag

TASK = Tag(("ORG",))
TEXT = "Acme and Bolt\nmet"
PLACE = '[{"start":9,"end":13,"label":"ORG"}]'


@pytest.mark.parametrize(
    "given",
    [
        TEXT,
        "Acme and Bolt\r\nmet",
        "Acme and Bolt",
        "Acme and Bolt met",
        "Acme and Bolt […]",
        TEXT + " again",
        TEXT.strip(),
    ],
)
def test_a_change_behind_the_places_is_nothing(given: str) -> None:
    check_places(TASK, PLACE, TEXT, given)


@pytest.mark.parametrize(
    ("given", "place"), [("Acme  and Bolt\nmet", 5), ("acme and Bolt\nmet", 0), ("Acme and Bol", 12)]
)
def test_a_change_before_a_place_is_refused(given: str, place: int) -> None:
    with pytest.raises(DataError, match=f"differs from the exported one from character {place} on") as caught:
        check_places(TASK, PLACE, TEXT, given)
    assert f"从第 {place} 个字符" in chinese(caught.value.what) and "删去文本一列" in chinese(caught.value.what)
    check_places(TASK, "[]", TEXT, given)


def test_the_apostrophe_before_a_formula_is_no_change() -> None:
    for text in ("=Acme", "'=Acme"):
        check_places(TASK, '[{"start":1,"end":5,"label":"ORG"}]', text, "=Acme")


def test_the_second_text_of_a_case_is_a_line_below() -> None:
    text = f"Acme paid{SEPARATOR}who?"
    check_places(AnswerReader(), '[{"start":0,"end":4}]', text, "Acme paid\nwho?")  # type: ignore[arg-type]
    with pytest.raises(DataError):
        check_places(AnswerReader(), '[{"start":5,"end":9}]', text, "Acme  paid\nwho?")  # type: ignore[arg-type]


def test_a_recorded_text_has_its_own_places() -> None:
    assert AsRecorded("abc").offsets.to_masked(1, 3) == (1, 3)
