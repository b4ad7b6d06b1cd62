"""The report's figures, by hand for a tokenizer of five entries."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models

from penjing.core.errors import DataError
from penjing.text.tokenizer_report import Text, gb2312, language_of, report


def five() -> Tokenizer:
    entries = [("<unk>", 0.0), ("我", -1.0), ("们", -1.0), ("我们", -1.0), ("a", -1.0)]
    return Tokenizer(models.Unigram(entries, unk_id=0))


def test_every_figure() -> None:
    texts = [Text("我们我", "x", "f:1"), Text("aab", "y", "f:2"), Text("们 你", "y", "f:3")]
    found = report([("five", five()), ("same", five())], texts)
    assert found["texts"] == {"texts": 3, "characters": 9, "distinct_characters": 5}
    one, two = found["tokenizers"]
    assert one == {**two, "name": "five"}
    # 我们|我  a|a|?  们|? (a run without an entry is one unknown token)
    assert (one["kind"], one["entries"], one["tokens_per_character"]) == ("Unigram", 5, round(7 / 9, 4))
    assert one["by_language"] == {"en": 1.0, "zh": round(4 / 6, 4)}
    assert one["by_domain"] == {"x": round(2 / 3, 4), "y": round(5 / 6, 4)}
    assert (one["unknown"], one["bytes"]) == (round(2 / 7, 6), 0.0)
    assert one["coverage"]["occurring"] == 0.6 and one["coverage"]["occurrences"] == round(6 / 8, 4)
    assert one["coverage"]["gb2312_1"] == round(2 / 3755, 4) and one["coverage"]["gb2312_2"] == 0
    assert one["unused"] == {"entries": 0, "share": 0.0}
    assert one["lengths"]["most"] == 3 and one["longest"][0] == {"tokens": 3, "characters": 3, "where": "f:2"}


def test_the_standard_has_so_many_characters() -> None:
    assert (len(gb2312("gb2312_1")), len(gb2312("gb2312_2"))) == (3755, 3008)
    assert gb2312("gb2312_1")[0] == "啊" and gb2312("gb2312_2")[-1] == "齄"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("我们 use it", "zh"), ("the word 我 is used here", "en"), ("", "en"), ("我abcd", "en"), ("我abc", "zh")],
)
def test_language(text: str, wanted: str) -> None:
    assert language_of(text) == wanted


def test_no_texts() -> None:
    for texts in ([], [Text("", "a", "a:1")]):
        with pytest.raises(DataError, match="there is no text to compare tokenizers on"):
            report([("five", five())], texts)
