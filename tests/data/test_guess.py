"""What `penjing init` sees in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from penjing.core.errors import DataError, UsageError
from penjing.data.choice import ChoiceError
from penjing.data.guess import guess
from penjing.data.read import Reading


def write(folder: Path, name: str, lines: list[str], encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


ROWS = [(f"{word} and what came of it, number {i}", ["up", "down"][i % 2]) for i, word in enumerate("abcdefgh" * 5)]


def test_columns_by_what_is_in_them(tmp_path: Path) -> None:
    lines = ["nr;what;where", *(f"{i};{text};{label}" for i, (text, label) in enumerate(ROWS))]
    found = guess(write(tmp_path, "a.csv", lines))
    assert (found.text, found.label, found.columns) == ("what", "where", None)


def test_without_a_header_the_columns_get_names(tmp_path: Path) -> None:
    found = guess(write(tmp_path, "a.tsv", [f"{label}\t{text}" for text, label in ROWS]))
    assert (found.text, found.label, found.columns) == ("text", "label", ("label", "text"))
    assert "no header" in found.notes[0]
    plain = guess(write(tmp_path, "a.txt", [f"{text}\t{label}" for text, label in ROWS]))
    assert plain.columns == ("text", "label")


def test_western_files_are_read_as_cp1252_with_a_note(tmp_path: Path) -> None:
    lines = ["text,label", *(f'"Mäkinen {text}",{label}' for text, label in ROWS)]
    found = guess(write(tmp_path, "a.csv", lines, "cp1252"))
    assert found.encoding == "cp1252"
    assert "read as cp1252" in found.notes[0]


def test_names_that_are_given_are_taken_or_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", ["text,other,label", *(f'"{text}",{text[:1]},{label}' for text, label in ROWS)])
    assert guess(path, label="other").label == "other"
    with pytest.raises(UsageError, match="did you mean `label`"):
        guess(path, label="lable")


def test_what_cannot_be_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one column only"):
        guess(write(tmp_path, "a.txt", ["just", "lines"]))
    with pytest.raises(DataError, match="no column looks like labels"):
        guess(write(tmp_path, "a.csv", ["one,two", *(f"{i} a,{i} b" for i in range(50))]))
    with pytest.raises(DataError, match="no rows"):
        guess(write(tmp_path, "b.csv", ["text,label"]))


TICKETS = {
    "工单编号": lambda i: f"GD{i:06}",
    "受理渠道": lambda i: ["网站", "电话", "邮件"][i % 3],
    "是否会员": lambda i: "是否"[i % 2],
    "投诉内容": lambda i: f"快递太慢了，等了{i}天还没有收到，请处理",
    "问题类型": lambda i: ["物流类", "质量类", "退款类", "咨询类"][i % 4],
    "处理意见": lambda i: f"已联系客户说明情况，{i}天内处理完毕，客户表示接受，工单关闭，后续继续跟进",
    "登记时间": lambda i: f"2026-01-{i % 28 + 1:02} 09:{i % 60:02}",
}
ENGLISH = {
    "Ticket ID": lambda i: str(i),
    "Channel": lambda i: ["web", "app"][i % 2],
    "Is Member": lambda i: ["Y", "N"][i % 2],
    "Month": lambda i: f"2026-{i % 12 + 1:02}",
    "Customer Comment": lambda i: f"my parcel {i} never arrived and nobody answers",
    "Issue Type": lambda i: ["shipping", "billing", "quality"][i % 3],
    "Agent Notes": lambda i: f"called the customer {i} times and promised a refund; closed the ticket; will follow up",
}


def table(folder: Path, columns: dict[str, Any], names: list[str] | None = None) -> Path:
    names = names or list(columns)
    lines = [",".join(names), *(",".join(columns[name](i) for name in names) for i in range(60))]
    return write(folder, "a.csv", lines, "gb18030")


@pytest.mark.parametrize(
    ("columns", "text", "label"), [(TICKETS, "投诉内容", "问题类型"), (ENGLISH, "Customer Comment", "Issue Type")]
)
def test_names_lengths_and_values_are_weighed_together(
    tmp_path: Path, columns: dict[str, Any], text: str, label: str
) -> None:
    found = guess(table(tmp_path, columns))
    assert (found.text, found.label) == (text, label)
    backwards = guess(table(tmp_path, columns, list(columns)[::-1]))
    assert (backwards.text, backwards.label) == (text, label)


def test_a_yes_or_no_column_is_the_label_where_there_is_no_other(tmp_path: Path) -> None:
    assert guess(table(tmp_path, TICKETS, ["投诉内容", "是否会员"])).label == "是否会员"
    assert guess(table(tmp_path, ENGLISH, ["Month", "Is Member", "Customer Comment"])).label == "Is Member"


def test_several_that_fit_are_a_question_with_the_options_to_pass(tmp_path: Path) -> None:
    both = TICKETS | {"客户描述": TICKETS["投诉内容"]}
    with pytest.raises(ChoiceError) as caught:
        guess(table(tmp_path, both))
    assert (caught.value.role, set(caught.value.choices)) == ("text", {"投诉内容", "客户描述"})
    assert caught.value.exit_code == 2
    assert caught.value.fix is not None and caught.value.fix.endswith("--label 问题类型")
    kinds = TICKETS | {"业务类型": lambda i: "甲乙丙"[i % 3]}
    with pytest.raises(ChoiceError) as caught:
        guess(table(tmp_path, kinds))
    assert (caught.value.role, set(caught.value.choices)) == ("label", {"问题类型", "业务类型"})
    assert "--text 投诉内容 --label" in str(caught.value.fix)
    assert guess(table(tmp_path, kinds), label="业务类型").label == "业务类型"


def test_names_that_all_speak_against_it_are_a_question(tmp_path: Path) -> None:
    columns = {name: ENGLISH[name] for name in ("Customer Comment", "Channel")}
    columns["Product"] = lambda i: ["card", "loan", "mortgage"][i % 3]
    with pytest.raises(ChoiceError) as caught:
        guess(table(tmp_path, columns))
    assert set(caught.value.choices) == {"Channel", "Product"}


def test_a_table_with_a_header_whatever_the_suffix(tmp_path: Path) -> None:
    lines = ["留言内容\t处理类别", *(f"{text}\t{label}" for text, label in ROWS)]
    found = guess(write(tmp_path, "a.txt", lines))
    assert (found.text, found.label, found.columns) == ("留言内容", "处理类别", None)


def test_titles_are_passed_over_and_a_given_header_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", ["1月明细", "", "内容,类别", *(f'"{text}",{label}' for text, label in ROWS)])
    found = guess(path)
    assert (found.text, found.label, found.header) == ("内容", "类别", None)
    assert "row 1 above the header" in found.notes[0]
    assert guess(path, reading=Reading(header=3)).header == 3


def test_nested_columns_are_named(tmp_path: Path) -> None:
    lines = [json.dumps({"meta": {"id": i}, "labels": ["a", "b"], "body": text}) for i, (text, _) in enumerate(ROWS)]
    with pytest.raises(DataError) as caught:
        guess(write(tmp_path, "a.jsonl", lines))
    assert "`meta` is an object with `id`" in caught.value.what
    assert "`labels` is a list of 2 values (a, b)" in caught.value.what


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [
        ("en-spam-sms/sms.tsv", "text", "label"),
        ("zh-medical-dialogue/sample_internal_medicine_5000-6000.csv.gz", "ask", "department"),
        ("en-intent-banking77/train.csv", "text", "category"),
        ("en-finance-phrasebank/all-data.csv", "news", "label"),
        ("zh-finance-news-sentiment/news_seed.xlsx", "标题", "正/负面"),
        ("zh-sentiment-reviews/waimai_10k.csv", "review", "label"),
        ("zh-sentiment-chnsenticorp/train.tsv.gz", "text_a", "label"),
        ("zh-news-thucnews-titles/dev.txt", "text", "label"),
    ],
)
def test_real_data(name: str, text: str, label: str) -> None:
    folder = os.environ.get("PENJING_DATA")
    if not folder:
        pytest.skip("PENJING_DATA is not set: the folder of the public data sets")
    found = guess(Path(folder) / name)
    assert (found.text, found.label) == (text, label)


def test_numbers_of_cases_are_no_texts_and_fraud_is_a_question(tmp_path: Path) -> None:
    lines = ["case;memo;risk_level", *(f"GD{i:08d};{text};{label}" for i, (text, label) in enumerate(ROWS))]
    assert guess(write(tmp_path, "a.csv", lines)).text == "memo"
    lines = ["memo;is_fraud;merchant_category"]
    lines += [f"{text};{'yes' if i % 3 else 'no'};{label}" for i, (text, label) in enumerate(ROWS)]
    with pytest.raises(ChoiceError, match="several columns may hold the labels"):
        guess(write(tmp_path, "b.csv", lines))


COMPLAINT = ("投诉内容", lambda i: f"你们的快递太慢了，等了{i}天还没有收到，请尽快处理一下")
MESSAGE = ("message", lambda i: f"my parcel number {i} never arrived and nobody answers the phone")


@pytest.mark.parametrize(
    ("text", "one", "other", "chosen"),
    [
        (COMPLAINT, "投诉类型:物流 质量 退款", "处理结果:已解决 未解决", "投诉类型"),
        (COMPLAINT, "情感:正面 负面", "评分:1 2 3 4 5", "情感"),
        (COMPLAINT, "人工标签:投诉 咨询", "模型标签:投诉 咨询", "人工标签"),
        (COMPLAINT, "科室:内科 外科", "病情等级:轻 重", "科室"),
        (COMPLAINT, "流失:0 1", "客户等级:金 银", "流失"),
        (COMPLAINT, "是否投诉:是 否", "渠道:电话 网站", "是否投诉"),
        (COMPLAINT, "一级分类:物流 质量", "二级分类:慢 丢 坏 假", None),
        (COMPLAINT, "欺诈标记:0 1", "风险等级:高 中 低", None),
        (COMPLAINT, "欺诈标记:是 否", "风险等级:高 中 低", None),
        (COMPLAINT, "欺诈标识:欺诈 正常", "风险级别:1 2 3", None),
        (COMPLAINT, "是否欺诈:是 否", "案件类型:电信 网络", None),
        (COMPLAINT, "审核结果:通过 驳回", "违规类型:色情 广告", None),
        (COMPLAINT, "诉求类型:噪音 道路", "承办单位:环保局 城管局", None),
        (COMPLAINT, "故障类型:电 机械", "故障等级:一级 二级", None),
        (COMPLAINT, "问题分类:物流 质量", "满意度:满意 不满意", None),
        (MESSAGE, "category:billing shipping", "priority:high low", "category"),
        (MESSAGE, "label:a b", "predicted_label:a b", "label"),
        (MESSAGE, "rating:1 2 3 4 5", "sentiment:pos neg", "sentiment"),
        (MESSAGE, "status:open closed", "fraud_flag:0 1", "fraud_flag"),
        (MESSAGE, "vip_flag:0 1", "issue_type:bug feature", "issue_type"),
        (MESSAGE, "resolution:fixed wontfix", "issue_type:bug feature", "issue_type"),
        (MESSAGE, "intent:pay card", "sub_intent:in out lost new", None),
        (MESSAGE, "sentiment:pos neg", "topic:food room", None),
        (MESSAGE, "severity:high low", "component:ui api", None),
        (MESSAGE, "label_text:good bad", "label:0 1", None),
        (MESSAGE, "annotator1:a b", "annotator2:a b", None),
        (MESSAGE, "is_fraud:0 1", "risk_level:high low", None),
    ],
)
def test_of_two_that_fit_one_is_taken_in_silence_only_where_it_is_clearly_better(
    tmp_path: Path, text: tuple[str, Any], one: str, other: str, chosen: str | None
) -> None:
    columns = dict([text])
    for column in (one, other):
        name, _, values = column.partition(":")
        columns[name] = lambda i, of=values: of.split()[(i * 7 + i // 3) % len(of.split())]
    for names in (list(columns), list(columns)[::-1]):
        path = table(tmp_path, columns, names)
        if chosen:
            found = guess(path)
            assert (found.text, found.label) == (text[0], chosen)
        else:
            with pytest.raises(ChoiceError) as caught:
                guess(path)
            assert set(caught.value.choices) == {*columns} - {text[0]}
            assert "--label" in str(caught.value.fix)


def test_an_export_of_a_chat_is_refused_with_what_to_write(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "it is late"}, {"role": "assistant", "content": "shipping"}]
    for name, lines in (
        ("a.jsonl", [json.dumps({"messages": chat})] * 40),
        ("b.jsonl", [json.dumps({"messages": chat, "label": label}) for _, label in ROWS]),
        ("c.json", [json.dumps({"messages": chat})]),
        ("d.json", [json.dumps([{"id": str(i), "conversations": chat} for i in range(40)])]),
    ):
        with pytest.raises(DataError, match="conversation") as caught:
            guess(write(tmp_path, name, lines))
        assert "write one text a row" in str(caught.value.fix)
    turns = [{"role": ["user", "assistant"][i % 2], "content": f"message {i}"} for i in range(40)]
    with pytest.raises(DataError, match="no column looks like labels"):
        guess(write(tmp_path, "e.json", [json.dumps(turns)]))


@pytest.mark.parametrize(
    ("header", "cells", "label"),
    [
        # Many decimals, and few of them, beside columns that could be labels too.
        ("title,channel,year,label", ["app,2001,{0:.2f}", "web,2002,{0:.2f}", "web,2003,{0:.2f}"], "label"),
        ("title,kind,label", ["a,1.5", "b,2", "b,2.5"], "label"),
        ("title,标签,channel", ["３．５,app", "2,web", "1,app"], "标签"),
        # Words under that name stay labels, whatever numbers stand beside them.
        ("title,label,score", ["up,1.25", "down,2.5", "up,{0:.2f}"], "label"),
    ],
)
def test_a_label_with_decimals_is_found_beside_other_columns(
    tmp_path: Path, header: str, cells: list[str], label: str
) -> None:
    lines = [header]
    for i in range(90):
        lines.append(f"what came of it in the end number {i}," + cells[i % 3].format(i / 7))
    found = guess(write(tmp_path, "a.csv", lines))
    assert (found.text, found.label) == ("title", label)
    assert found.numbers == ("none" if cells[0] == "up,1.25" else "many")


def test_a_rating_with_decimals_is_the_label_beside_a_channel(tmp_path: Path) -> None:
    rows = (f"what came of it number {i},{['app', 'web'][i % 2]},{i / 7:.2f}" for i in range(90))
    found = guess(write(tmp_path, "a.csv", ["title,channel,rating", *rows]))
    assert (found.label, found.numbers) == ("rating", "many")


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("受理时间", ["2026-01-05 10:30", "2026年1月6日"], "受理时间"),
        ("created_at", ["2026-01-05T10:30:00Z"], "created_at"),
        ("createdAt", ["2026-01-05"], "createdAt"),
        ("date", ["2026/1/5"], "date"),
        ("date", ["05/01/2026"], None),  # the day or the month first?
        ("date", ["2026-01-05", ""], None),  # half of the rows have none
        ("update", ["2026-01-05"], None),
        ("since", ["2026-01-05"], None),
    ],
)
def test_a_column_of_times_has_a_name_of_times_and_dates(
    tmp_path: Path, name: str, cells: list[str], expected: str | None
) -> None:
    lines = [f"text,label,{name}"]
    lines += [f'"{text}",{label},{cells[i % len(cells)]}' for i, (text, label) in enumerate(ROWS)]
    assert guess(write(tmp_path, "a.csv", lines)).time == expected
