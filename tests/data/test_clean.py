"""Cleaning: one kind of space and line end, nothing invisible, idempotent."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penjing.core.errors import RequestError
from penjing.data.clean import clean, clean_with_edits

NASTY = some.text(
    some.one_of(
        some.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        some.sampled_from(" \t\r\n\x0b\x0c\x85\xa0\xad\u0301e\u200b\u200d\u2028\u3000\ufeff\u1100\u1161\u0344"),
    )
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A  b\t\tc", "A b c"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        (" \n a \n\n b　", "a\nb"),
        ("\ufeffzero\u200bwidth\xad", "zerowidth"),
        ("e\u0301", "é"),
        ("Ａ１，", "Ａ１，"),
        ("bell\x07", "bell"),
        ("", ""),
        ("\u200b \n", ""),
    ],
)
def test_what_becomes_of(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(NASTY)
def test_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once == once.strip()


def reference(text: str) -> str:
    """The same step by step, as it was first written."""
    text = re.sub("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]", "", text)
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", unicodedata.normalize("NFC", text))
    text = re.sub(" {2,}", " ", re.sub("[^\\S\n]+|[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+", " ", text))
    return re.sub(" *\n[ \n]*", "\n", text).strip(" \n")


@given(NASTY)
def test_the_same_as_step_by_step(text: str) -> None:
    assert clean(text) == reference(text)


def test_every_character_as_step_by_step() -> None:
    for code in [*range(1, 0xD800), *range(0xE000, 0x32000), *range(0xE0000, 0xE0200)]:
        text = f"a{chr(code)}一 {chr(code)}"
        assert clean(text) == reference(text), hex(code)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("A\u3000b", (((1, 2, 1),),)),
        ("A b\n", (((3, 4, 0),),)),
        ("\ufeffA \u200b b", (((0, 1, 0), (3, 4, 0)), ((1, 3, 1),))),
        ("1e\u0301 e\u0301", (((1, 3, 1), (4, 6, 1)),)),
        ("각 \u1100\u1161\u11a8!", (((2, 5, 1),),)),
        ("A b\nc", ()),
    ],
)
def test_what_was_replaced(text: str, passes: tuple[tuple[tuple[int, int, int], ...], ...]) -> None:
    cleaned, found = clean_with_edits(text)
    assert cleaned == reference(text)
    assert tuple(tuple(edits) for edits in found) == passes


@pytest.mark.parametrize(("text", "said"), [("ab\0", "a NUL character at character 3"), ("\ud800", "lone surrogate")])
def test_what_no_tokenizer_takes_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        clean(text)
