"""Contamination: sentences that share a long run with an evaluation set are cut out, others stay as they were."""

from __future__ import annotations

from pathlib import Path

from penjing.data.corpus.against import Against, AgainstBuilder, Overlap
from penjing.data.corpus.characters import characters, tokens

ZH = "请帮我查一下这张银行卡的余额和最近三个月的账单，谢谢"
EN = "I would like to know when my new card will arrive at home"


def build() -> Against:
    builder = AgainstBuilder()
    builder.add("zh", [ZH, "卡丢了怎么办"])
    builder.add("en", [EN])
    assert builder.texts == {"zh": 2, "en": 1}
    return builder.build()


def remove(text: str) -> Overlap | None:
    return build().remove(text, tokens(characters(text)))


def test_a_sentence_with_a_long_shared_run_is_cut_out() -> None:
    other = "银行的营业时间是每天上午九点到下午五点，节假日除外，具体安排以网点公告为准，请您提前电话确认。"
    found = remove(f"{other}他问：帮我查一下这张银行卡的余额，和最近三个月！{other}")
    assert found is not None and found.text == other + other and found.sets == ("zh",)
    assert found.cut == ("他问：帮我查一下这张银行卡的余额，和最近三个月！",)
    assert remove(other) is None and remove(ZH[:12]) is None


def test_case_width_and_line_ends_do_not_hide_a_run() -> None:
    text = "We are open every day of the year. " * 3 + "Would LIKE to know,\nwhen my NEW card will arrive. We are open."
    found = remove(text)
    assert found is not None and found.sets == ("en",) and "card" not in found.text and "open every day" in found.text


def test_a_short_text_counts_where_a_sentence_is_the_whole_of_it() -> None:
    kept = "我们会尽快为您办理，请保持手机畅通，耐心等待我们的回复。"
    found = remove(f"卡丢了怎么办？{kept}")
    assert found is not None and found.text == kept
    assert remove(f"卡丢了怎么办理挂失呢？{kept}") is None


def test_a_document_that_is_mostly_an_evaluation_text_is_dropped() -> None:
    found = remove(ZH)
    assert found is not None and found.text == ""


def test_it_is_the_same_from_a_file(tmp_path: Path) -> None:
    build().save(tmp_path / "a.npz")
    again = Against.load(tmp_path / "a.npz")
    assert again.remove(ZH, tokens(characters(ZH))) == remove(ZH)
    assert not again.remove("", tokens(characters("")))
