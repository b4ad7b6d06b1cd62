"""Labels are read in one way; those that only look alike stay several until the recipe says otherwise."""

from __future__ import annotations

import sys

import pytest
from ruamel.yaml import YAML

from penjing.core.errors import RequestError
from penjing.core.recipe import Data
from penjing.data import labels
from penjing.data.labels import (
    alike,
    as_yaml,
    looks,
    match_label,
    nearest_label,
    nearly,
    read_as,
    read_label,
    same_value,
    unite,
)

KNOWN = ("FAQ", "1", "true", "退款(含运费)")


@pytest.mark.parametrize(
    ("written", "label"),
    [("FAQ", "FAQ"), (" FAQ\u3000", "FAQ"), ("F\u200bAQ", "FAQ"), ("1.0", "1"), ("1.00", "1"), ("True", "true"),
     ("TRUE", "true"), ("问答", "FAQ"), ("faq", None), ("ＦＡＱ", None), ("01", None), ("1.5", None)],
)  # fmt: skip
def test_matches_what_means_the_same(written: str, label: str | None) -> None:
    assert match_label(written, KNOWN, {"问答": "FAQ"}) == label


def test_matches_an_old_release_with_labels_of_pandas() -> None:
    assert match_label("1", ("0.0", "1.0"), {}) == "1.0"
    assert match_label("true", ("False", "True"), {}) == "True"
    assert match_label("1", ("1.0", "1.00"), {}) is None, "two could be meant"


def test_reads_are_cleaned() -> None:
    data = Data.model_validate({"files": "a", "labels": {" ＦＡＱ\u3000": "FAQ ", "x": "x"}})
    assert read_as(data) == {"ＦＡＱ": "FAQ"}
    with pytest.raises(RequestError, match="the label has a NUL"):
        read_label("a\0")


@pytest.mark.parametrize(
    ("one", "other"),
    [("FAQ", "ＦＡＱ"), ("FAQ", "faq"), ("退款（含运费）", "退款(含运费)"), ("退款【急】", "退款[急]"),
     ("credit card", "Credit-Card"), ("credit_card", "creditcard")],
)  # fmt: skip
def test_what_looks_alike(one: str, other: str) -> None:
    assert looks(one) == looks(other) and same_value(one) != same_value(other)
    assert nearest_label(one, (other, "x")) == f"did you mean `{other}`?"


def test_what_does_not_look_alike() -> None:
    assert len({looks(label) for label in ("退款", "退货", "1", "1.0", "a/b", "ab", "²", "2")}) == 8


def test_the_most_frequent_one_is_kept_and_the_line_is_ready_to_paste() -> None:
    found = alike(
        {"FAQ": 30, "ＦＡＱ": 2, "faq": 3, "退款（含运费）": 5, "退款(含运费)": 4, "other": 9, "no": 1, "NO": 4}
    )
    assert found == {"faq": "FAQ", "ＦＡＱ": "FAQ", "退款(含运费)": "退款（含运费）", "no": "NO"}
    assert YAML(typ="safe").load(as_yaml(found)) == {"labels": found}
    assert as_yaml({"ＦＡＱ": "FAQ"}) == "labels: {ＦＡＱ: FAQ}"
    awkward = {"a, b: c": '"x"', "{y}": "1", "null": "#z", "-": "é\n"}
    assert YAML(typ="safe").load(as_yaml(awkward)) == {"labels": awkward}


@pytest.mark.parametrize(
    ("one", "other"),
    [("退款", "（退款）"), ("退款", "退款。"), ("退款", "【退款】："), ("退貨", "退货"), ("物流慢", "物流慢！！"),
     ("Refund", "refund"), ("re-fund", "Ｒｅｆｕｎｄ"), ("退 款", "退款…"), ("退款（含运费）", "退款(含運費)"),
     ("01", "1"), ("（1）", "1"), ("2.", "2.0")],
)  # fmt: skip
def test_what_people_hardly_tell_apart(one: str, other: str) -> None:
    assert nearly(one) == nearly(other)
    assert alike({one: 3, other: 9}) == {one: other}


def test_what_people_tell_apart() -> None:
    known = (
        "退款",
        "退货",
        "1",
        "-1",
        "1.5",
        "15",
        "C",
        "C+",
        "C++",
        "C#",
        "(a)(b)",
        "ab",
        "!",
        "?",
        "...",
        "投诉(一)",
    )
    assert len({nearly(label) for label in known}) == len(known)
    assert alike(dict.fromkeys(known, 5)) == {}


def test_without_opencc_traditional_characters_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    labels._converter.cache_clear()
    assert nearly("退貨") != nearly("退货") and nearly("退款。") == nearly("退款")
    labels._converter.cache_clear()


def test_labels_of_one_value_are_united_under_that_of_train() -> None:
    assert unite({"1": 90, "1.0": 100, "a": 5}, {"1": 90}) == {"1.0": "1"}
    assert unite({"True": 3, "true": 2, "TRUE": 1, "01": 1, "1": 1}, {}) == {"TRUE": "True", "true": "True"}
