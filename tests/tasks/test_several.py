"""The task `several`: sets read and learned, its facts, rules over them, and what moves an answer."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.abilities import ScopedTask
from penjing.core.answers import Flags
from penjing.core.errors import DataError, RecipeError
from penjing.core.task import SetReader, read_words
from penjing.decide.schema import FactSchema
from penjing.tasks import described, open_reader
from penjing.tasks.several import Several, SeveralReader

LABELS = ("卡", "贷款", "费用")


def reader(none: str = "无") -> SeveralReader:
    found = open_reader("several", {"none": none, "separator": "；"})
    assert isinstance(found, SeveralReader) and isinstance(found, SetReader)
    return found


def learned() -> Several:
    return reader().learn(["费用；卡", "无", "贷款"])


def flags(*given: str, p: float = 0.9, margin: float = 0.2) -> Flags:
    return Flags(
        LABELS,
        tuple(0.8 if each in given else 0.1 for each in LABELS),
        tuple(each in given for each in LABELS),
        p,
        margin,
    )


def test_gold_is_sorted_and_no_label_is_a_word() -> None:
    assert reader().read(" 费用;卡 ") == reader().read('["卡", "费用"]') == "卡；费用"
    assert reader().read("[]") == reader().read("无") == "无" and reader().read("  ") == ""
    assert learned().state == {"labels": list(LABELS), "separator": "；", "none": "无"}
    with pytest.raises(DataError, match="which means no label, beside other labels"):
        reader().read("卡；无")


def test_an_empty_cell_is_no_label_where_the_recipe_says_so() -> None:
    found = open_reader("several", {"none": "无", "separator": "；", "empty": "none"})
    assert [found.read(cell) for cell in ("", "  ", "[]", "卡")] == ["无", "无", "无", "卡"]
    assert found.learn(["卡", "贷款", "无"]).read("") == "", "a verdict that is empty is none"
    with pytest.raises(RecipeError, match="empty"):
        open_reader("several", {"empty": "all"})


def test_a_known_set_has_known_labels_only() -> None:
    with pytest.raises(DataError, match="unknown label `卡片`"):
        learned().read("费用；卡片")
    assert learned().read("费用；贷款") == "贷款；费用"


@pytest.mark.parametrize(
    ("golds", "words"),
    [
        (["卡", "卡"], "one label only"),
        (["无", ""], "no train row has a label"),
        ([f"l{n}" for n in range(2001)], "2,001 different labels"),
        (["卡、费用", "卡", "费用"], "is several labels with `、` between them"),
    ],
)
def test_what_cannot_be_learned_is_said(golds: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        reader().learn(golds)


def test_a_text_is_of_the_stratum_of_its_rarest_label() -> None:
    golds = ["卡", "卡", "卡；费用", "卡；费用；贷款", "无", ""]
    assert reader().strata(golds) == ["卡", "卡", "费用", "贷款", "无", ""]


def test_words_that_are_read_as_a_label_are_merged_label_by_label() -> None:
    reads = {"信用卡": "卡", "没有": "无"}
    assert read_words(reader(), "费用；信用卡", reads) == "费用；卡"
    assert read_words(reader(), "卡；信用卡", reads) == "卡"
    assert reader().read(read_words(reader(), "没有", reads)) == "无"
    assert read_words(open_reader("classify", {}), "信用卡", reads) == "卡"


def test_facts_name_each_label() -> None:
    facts = learned().facts(flags("卡", "费用"))
    assert facts["count"] == 2 and facts["has.卡"] and not facts["has.贷款"] and facts["p.贷款"] == 0.1
    assert learned().outcome(facts) == "卡；费用" and learned().outcome(learned().facts(flags())) == "无"
    assert learned().wrong("卡；费用", "卡") and not learned().wrong("无", "无")


def test_rules_know_the_facts_and_read_outcomes() -> None:
    schema = FactSchema((), other=described(learned())["task"], read_as={"信用卡": "卡"})
    assert {"count", "p", "margin", "has.费用", "p.费用", "text"} <= schema.kinds().keys()
    assert (
        schema.outcome("费用;信用卡") == "卡；费用" and schema.outcome("无") == "无" and schema.outcome("别的") is None
    )
    assert schema.bounds.listed["count"] == (0, 1, 2, 3)
    with pytest.raises(RecipeError, match=r"has\.费用"):
        FactSchema((), {"has.费用": "bool"}, other=described(learned())["task"])


def test_a_set_is_unsettled_where_a_label_is_near_its_threshold() -> None:
    facts = learned().facts(flags("卡", margin=0.000050))
    assert learned().unsettled(facts, 50) and not learned().unsettled(facts, 49) and not learned().unsettled(facts, 0)
    assert learned().moved(flags("卡"), flags("卡", p=0.5)) == pytest.approx(0.4)
    assert learned().moved(flags("卡"), flags("费用")) == pytest.approx(0.7)


def test_the_energy_is_the_sum_over_labels() -> None:
    task = learned()
    assert isinstance(task, ScopedTask)
    by_hand = -(np.log1p(np.exp(2.0)) + 2 * np.log1p(np.exp(-3.0)))
    logits = np.array([[2.0, -3.0, -3.0], [-3.0, -3.0, -3.0]], dtype=np.float32)
    found = task.energy({"labels": logits}, task.plain())
    assert found[0] == pytest.approx(by_hand) and found[1] > found[0]


def test_evidence_is_about_the_given_labels() -> None:
    task = learned()
    outputs = {"labels": np.array([[2.0, 1.0, 5.0], [0.0, 1.0, 9.0]])}
    given = task.focus(flags("卡"), task.plain())(outputs)
    assert given.tolist() == [2.0, 0.0]
    none = task.focus(flags(), task.plain())(outputs)
    assert none.tolist() == [-5.0, -9.0], "of no label what speaks most for one"


def test_the_mean_over_labels_leaves_out_those_of_few_rows() -> None:
    task = learned()
    rows = {"卡": 30, "费用": 29, "贷款": 400}
    answers, golds = [flags("卡"), flags(), flags("贷款")], ["卡", "费用", "贷款"]
    sums = task.counts(answers, golds).sum(axis=0)
    assert task.with_rows(rows).metrics(sums)["macro_f1"] == 1 > task.metrics(sums)["macro_f1"]
    assert task.with_rows({"卡": 2}).metrics(sums)["macro_f1"] == task.metrics(sums)["macro_f1"]
    assert task.with_rows(rows).metrics(sums)["micro_f1"] == task.metrics(sums)["micro_f1"] < 1
    assert task.with_rows(rows).state == task.state
