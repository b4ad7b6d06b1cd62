"""Labels that are perhaps wrong, as they are handed on: without texts, and texts on one line."""

from __future__ import annotations

import pytest

from penjing.data.doubts import Doubt, LabelDoubts, shorten


def test_without_texts_nothing_else_is_lost() -> None:
    doubt = Doubt(file="a.csv", row=3, text="好", given="x", suggested="y", p=0.9, p_given=0.1)
    found = LabelDoubts(looked=100, count=1, doubts=(doubt,), left_out=("z",))
    bare = found.without_texts()
    assert bare.doubts[0].text is None and bare.doubts[0].model_dump(exclude={"text"}) == doubt.model_dump(
        exclude={"text"}
    )
    assert (bare.looked, bare.count, bare.left_out) == (100, 1, ("z",)) and found.doubts[0].text == "好"


@pytest.mark.parametrize(
    ("text", "short"), [("a\n b", "a b"), ("字" * 60, "字" * 60), ("字" * 61, "字" * 58 + " …"), ("", "")]
)
def test_a_text_on_one_line(text: str, short: str) -> None:
    assert shorten(text) == short
