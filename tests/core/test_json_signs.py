"""Signs of a Chinese keyboard in a text that should be JSON: the first one is named with its place."""

from __future__ import annotations

import pytest

from penjing.core.chinese import chinese
from penjing.core.errors import DataError
from penjing.core.json_signs import is_list_in_odd_signs, with_odd_sign
from penjing.tasks.answer_gold import read_answers
from penjing.tasks.tag_spans import read_entities
from penjing.tasks.triples_gold import read_graph


@pytest.mark.parametrize(
    ("written", "place", "sign", "meant"),
    [
        ('［{"start": 0, "end": 2, "label": "a"}]', 1, "［", "["),
        ('[{"start"：0, "end": 2, "label": "a"}]', 10, "：", ":"),
        ('[{"start": 0， "end": 2, "label": "a"}]', 13, "，", ","),
        ('[{"start": 0, "end": 2, "label": “a”}]', 34, "“", '"'),
        ('[{"start": 0, "end": 2, "label": "a：\\"，"｝]', 41, "｝", "}"),
        ("[{'start': 0}]", 3, "'", '"'),
    ],
)
def test_the_first_sign_that_is_none_of_json_is_named(written: str, place: int, sign: str, meant: str) -> None:
    said = f"; at character {place} it has `{sign}` where JSON has `{meant}`"
    assert with_odd_sign("no", written) == f"no{said}"
    with pytest.raises(DataError, match="no JSON list of entities") as raised:
        read_entities(written)
    assert raised.value.what.endswith(said)
    assert chinese(raised.value.what).endswith(f"；第 {place} 个字符是 `{sign}`，JSON 里应为 `{meant}`")


def test_values_may_hold_any_sign_and_other_faults_name_none() -> None:
    for written in ('[{"label": "a：“b”，［c］"', "", '{"a": 1,}'):
        assert with_odd_sign("no JSON", written) == "no JSON"


@pytest.mark.parametrize(
    ("written", "is_list"),
    [
        ("［］", True),
        ("【】", True),
        (" ［ ］", True),
        ('［{"start"：0，"end"：3}］', True),
        ("【“费用”、“投诉”】", True),
        ("［1］", False),
        ("【通知】", False),
        ("［通知］今天停水", False),
        ("[]", False),
        ("", False),
    ],
)
def test_a_list_that_was_typed_with_signs_of_a_chinese_keyboard_is_told_from_words(written: str, is_list: bool) -> None:
    assert is_list_in_odd_signs(written) is is_list


def test_every_answer_that_is_json_says_so() -> None:
    with pytest.raises(DataError, match="at character 2 it has `｛` where JSON has"):
        read_answers("[｛}]")
    with pytest.raises(DataError, match="at character 13 it has `：` where JSON has"):
        read_graph('{"entities" ：[], "relations": []}')
