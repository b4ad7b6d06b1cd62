"""Segments, normalisation and byte letters, on texts whose result is written out."""

from __future__ import annotations

import pytest

from penjing.text import tokenizer_parts as parts


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Don't say 'no'", "▁Don|'t|▁say|▁'|no|'"),
        ("用iPhone15编程。。。", "用|iPhone|1|5|编程|。。。"),
        ("共２.5 元", "共|2|.|5|▁|元"),
        ("a\n\n b　c", "▁a|▁b|▁c"),
        ("（见图）!!", "(|见图|)|!!"),
        ("日本語のテスト", "日本語|のテスト"),
        ("", ""),
    ],
)
def test_segments(text: str, wanted: str) -> None:
    normal = parts.normalizer("nfkc").normalize_str(text)
    assert "|".join(piece for piece, _ in parts.segmenter().pre_tokenize_str(normal)) == wanted


def test_a_segment_has_a_bounded_length() -> None:
    for character in "a我-":
        text = parts.normalizer("nfkc").normalize_str(character * 200)
        assert max(len(piece) for piece, _ in parts.segmenter().pre_tokenize_str(text)) <= parts.LONGEST_SEGMENT + 1


def test_every_byte_has_a_letter_of_its_own() -> None:
    letters = parts.byte_letters()
    assert len(letters) == len(set(letters.values())) == 256
    assert all(letter.isprintable() and not letter.isspace() for letter in letters.values())
    assert parts.in_byte_letters("a我") == "a" + "".join(letters[value] for value in "我".encode())


def test_the_first_entries_are_the_same_for_all_kinds_up_to_the_bytes() -> None:
    for kind in parts.KINDS:
        first = parts.first_entries(kind, 2)  # type: ignore[arg-type]
        assert len(first) == len(set(first)) == 5 + 7 + 2 + 256
        assert first[:5] == list(parts.SPECIALS) and first[12:14] == ["<extra_id_0>", "<extra_id_1>"]
