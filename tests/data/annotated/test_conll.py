"""CoNLL in its variants: columns, separators, schemes, scripts with and without blanks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from penjing.core.errors import DataError
from penjing.data.annotated.conll import join, read
from penjing.data.annotated.document import AnnotatedText
from penjing.data.annotated.lines import Given
from penjing.data.cells import Fault


def reading(tmp_path: Path, content: str | bytes) -> tuple[list[AnnotatedText | Fault], list[str]]:
    path = tmp_path / "a.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    given = Given(path)
    return list(read(given)), given.notes


def texts(found: list[AnnotatedText | Fault]) -> list[tuple[int, str, list[tuple[str, str]]]]:
    assert all(isinstance(each, AnnotatedText) for each in found)
    return [
        (one.row, one.text, [(one.text[span.start : span.end], span.label) for span in one.spans])
        for one in found
        if isinstance(one, AnnotatedText)
    ]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_english_of_four_columns(tmp_path: Path, mark: bytes, end: str) -> None:
    lines = [
        "-DOCSTART- -X- O O",
        "",
        "EU NNP I-NP B-ORG",
        "rejects VBZ I-VP O",
        "German JJ I-NP B-MISC",
        "",
        "",
        "O NN X O",
    ]
    found, notes = reading(tmp_path, mark + end.join(lines).encode())
    assert texts(found) == [(3, "EU rejects German", [("EU", "ORG"), ("German", "MISC")]), (8, "O", [])]
    assert notes == ["read as CoNLL, tags BIO; tokens are joined with one blank"]


def test_chinese_one_character_a_line(tmp_path: Path) -> None:
    found, notes = reading(
        tmp_path, "彭 B-NAME\n小 M-NAME\n军 E-NAME\n2 O\n0 O\n在 O\n\n微 B-ORG\nAI B-ORG\nLab E-ORG\n"
    )
    assert texts(found)[0] == (1, "彭小军20在", [("彭小军", "NAME")])
    assert texts(found)[1][1] == "微AI Lab"
    assert "tags BMES; tokens are joined without blanks" in notes[0]
    assert notes[1].startswith("1 tags do not go on from the tag before them, the first in line 8")


def test_a_blank_may_be_a_token_and_a_hash_too(tmp_path: Path) -> None:
    found, _ = reading(tmp_path, "# text = 你 好\n你\tO\n \tO\n好\tB-A\n\n#\tO\n1\tO\n")
    assert texts(found) == [(2, "你 好", [("好", "A")]), (6, "#1", [])]


def test_lines_that_cannot_be_read_cost_their_text_only(tmp_path: Path) -> None:
    found, _ = reading(tmp_path, "a O\nb\n\nc O\nd NN O\n\ne O\nf X-A\n\ng B-A\n")
    faults = [each for each in found if isinstance(each, Fault)]
    assert [fault.row for fault in faults] == [2, 5, 8]
    assert "no tag: `b`" in faults[0].what and "3 columns, but the lines above have 2" in faults[1].what
    assert faults[2].what == "`X-A` is no tag"
    assert texts([found[-1]]) == [(10, "g", [("g", "A")])]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1 is no tag, so this is not CoNLL"):
        reading(tmp_path, "text label\nhello world\n")


def test_an_empty_file_has_no_texts(tmp_path: Path) -> None:
    assert reading(tmp_path, "\n") == ([], [])


TOKENS = st.lists(st.text("ab👍é́的中，1.", min_size=1, max_size=4), min_size=1, max_size=12)


@over(TOKENS, st.booleans())
def test_places_are_those_of_the_tokens(tokens: list[str], unspaced: bool) -> None:
    text, places = join(tokens, unspaced)
    assert [text[start:end] for start, end in places] == tokens
    assert text.replace(" ", "") == "".join(tokens)


def test_the_beginning_of_a_document_ends_a_text(tmp_path: Path) -> None:
    found, _ = reading(tmp_path, "-DOCSTART- O\nEU B-ORG\n-DOCSTART- O\nsays O\n")
    assert texts(found) == [(2, "EU", [("EU", "ORG")]), (4, "says", [])]


def test_a_first_column_that_counts_is_no_token(tmp_path: Path) -> None:
    lines = "#\thttp://x [2009]\n1\tEU\tB-ORG\tO\n2\tLtd\tI-ORG\tO\n\n#\ty\n1\tsays\tO\tB-X\n"
    found, notes = reading(tmp_path, lines)
    assert texts(found) == [(2, "EU Ltd", []), (6, "says", [("says", "X")])]
    assert notes[0] == "the first column counts the tokens of each text: the second column is read as the token"
    for plain in ("1 CD O\n2 CD O\n\n2 CD O\n", "1 O\n2 O\n", "1 CD O\n\n1 CD O\n"):
        found, notes = reading(tmp_path, plain)
        assert texts(found)[0][1] in ("1 2", "1") and len(notes) == 1
