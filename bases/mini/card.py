"""CARD.md of the base, in English and Chinese, written from its measured figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_NAMES = {
    "chnsenticorp": "ChnSentiCorp", "medical": "zh-medical-dialogue", "banking77": "BANKING77",
    "phrasebank": "FinancialPhraseBank", "sms": "SMS Spam", "waimai": "waimai_10k", "thucnews": "THUCNews titles",
    "fewclue-bustm": "FewCLUE bustm", "fewclue-eprstmt": "FewCLUE eprstmt", "fewclue-tnews": "FewCLUE tnews",
    "gb2312": "GB 2312, 6,763 characters",
}  # fmt: skip

_ENGLISH = """# penjing/mini

A small Chinese and English sentence encoder to fine-tune: {layers} Transformer layers, hidden size 384, {vocabulary:,}
vocabulary entries, {parameters:.1f} M parameters, {megabytes:.1f} MB on disk. It is cut from a larger model and healed
by distillation; it is not trained for any task, and by itself decides nothing. Mean-pool the last hidden state over
the real tokens; no prefix is needed.

**From.** multilingual-e5-small (Microsoft, MIT licence; Wang et al., Multilingual E5 Text Embeddings, 2024), trimmed
to Chinese and English: its layers 0, 1, 10 and 11 of twelve; its special tokens, all its single characters and its
most frequent entries, counted on the texts below; and the {added:,} GB 2312 characters that it lacks. Word embeddings
are INT8 rows with a scale each, everything else is float16. This base is under the MIT licence too.

**Healed on**, by matching the teacher's token states, mean-pooled embeddings and in-batch similarities:
{sources_en}
Of these, {steps:,} steps drew {tokens:,} tokens in {cpu:.0f} minutes of CPU on one core. None of the texts is in this
folder. Nothing was chosen on any benchmark.

**Not trained on.** No review, patient's question, customer-service, bank, news or spam text, and no row of any set
below (what the teacher saw of the web is not known to us). Every healing text was compared
with every text, of every split, of the ten sets; one that shares {han} Chinese characters or {word} English words in a
row with any of them, or that is one of them as a whole, was dropped: {dropped:,} of {pieces:,} ({hits}).

**Measured.** Spearman's rank correlation with the teacher of all pairwise cosines of {held_out:,} held-out sentences
(the teacher itself is 1):

| | all pairs | Chinese | English | across |
|---|---|---|---|---|
| four layers, before healing | {before} |
| after healing, as shipped | {after} |

Untuned embeddings with a logistic regression on top, accuracy of {probe_test:,} rows after {probe_train:,}:

| | {probe_names} |
|---|{probe_line}
{probe}

**What it cannot encode.** The tokenizer has no byte fallback: a character without an entry becomes `<unk>`.

| texts | characters | unknown, mini | unknown, teacher | tokens against the teacher |
|---|---|---|---|---|
{coverage}

**Limits.** Sentences were healed up to 64 tokens; longer inputs (up to 512) lean on what the teacher's layers knew.
Rare characters that were added know little until fine-tuning shows them. Traditional Chinese is read, but healed on
little of it. Biases of the web text that the teacher was trained on remain.

Grown by `bases/mini/grow.py`; all figures are in `figures.json` beside this card.
"""

_CHINESE = """
# penjing/mini（中文）

供微调的中英文小型句子编码器：{layers} 层 Transformer，隐藏维 384，词表 {vocabulary:,} 项，参数 {parameters:.1f} M，
磁盘 {megabytes:.1f} MB。由较大的模型裁剪、再经蒸馏“养护”而成；未针对任何任务训练，本身不作任何判断。
使用时对最后一层隐藏状态按有效词元取平均，不需要前缀。

**来源。** multilingual-e5-small（微软，MIT 许可）的中英文裁剪版：十二层中的第 0、1、10、11 层；保留全部特殊符号、
全部单字符和在下列文本上最常见的词项，并补上其缺少的 {added:,} 个 GB 2312 汉字。词向量按行存为 INT8，其余为 float16。
本模型同样采用 MIT 许可。

**养护用文本**（对齐教师的词元状态、句向量和批内相似度）：
{sources_zh}
从中抽取 {tokens:,} 个词元，{steps:,} 步，单核 CPU {cpu:.0f} 分钟；文本本身不在此文件夹中。没有依据任何评测集作选择。

**未用于训练。** 不含任何评论、患者提问、客服、银行、新闻或垃圾短信文本，也不含上表各数据集的任何一行（教师模型见过哪些
网络文本，我们并不知道）。养护文本与这十个数据集各划分的全部文本逐一比对，凡连续 {han} 个汉字或 {word} 个英文词相同、
或整句相同者剔除：{pieces:,} 条中剔除 {dropped:,} 条。

**实测。** {held_out:,} 条留出句子两两余弦相似度与教师的 Spearman 秩相关（全部／中文／英文／跨语言）：
养护前 {before_zh}；养护后（即发布的文件）{after_zh}。

**不能编码的字符。** 分词器没有字节回退，词表外字符变为 `<unk>`；各数据集的计数见上表（GB 2312 的 6,763 个汉字
为 0）。

**局限。** 养护句长不超过 64 个词元；新补的生僻字在微调见到之前所知甚少；繁体可读，但养护文本中很少；教师训练语料的
偏差仍在。
"""

_SOURCES = {
    "laws": (
        "Chinese laws and regulations (outside copyright: Copyright Law of the PRC, article 5)",
        "中国法律法规（依《著作权法》第五条不受著作权保护）",
    ),
    "classics": ("four classic Chinese novels (public domain)", "四大名著（公有领域）"),
    "csl": (
        "abstracts and titles of CSL, Chinese Scientific Literature (Apache-2.0)",
        "CSL 中文科技文献摘要与标题（Apache-2.0）",
    ),
    "tatoeba": (
        "sentences of Tatoeba, tatoeba.org, by way of manythings.org/anki (CC BY 2.0 FR)",
        "Tatoeba 句子，tatoeba.org，经 manythings.org/anki（CC BY 2.0 FR）",
    ),
    "gutenberg": ("English books of Project Gutenberg (public domain)", "古登堡计划英文图书（公有领域）"),
    "wikitext": (
        "WikiText-2, validation and test, by Wikipedia's contributors (CC BY-SA 3.0)",
        "WikiText-2 验证与测试部分，维基百科贡献者（CC BY-SA 3.0）",
    ),
}


def write(folder: Path) -> None:
    """CARD.md of a base folder from its figures.json."""
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    report, healing = found["overlap"], found["healing"]
    sources = report["sources"]
    hits: dict[str, int] = {}
    for source in sources.values():
        for name, count in source["shared_with"].items():
            hits[name] = hits.get(name, 0) + count
    values = {
        "layers": json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"],
        "vocabulary": found["vocabulary"],
        "parameters": found["parameters"] / 1e6,
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
        "added": found["added"],
        "sources_en": "".join(f"\n- {_SOURCES[name][0]}: {each['used']:,} texts" for name, each in sources.items())
        + "\n",
        "sources_zh": "".join(f"\n- {_SOURCES[name][1]}：{each['used']:,} 条" for name, each in sources.items()) + "\n",
        "steps": healing["steps"],
        "tokens": healing["tokens"],
        "cpu": healing["cpu_minutes"],
        "han": report["han_run"],
        "word": report["word_run"],
        "dropped": sum(each["dropped"] for each in sources.values()),
        "pieces": sum(each["pieces"] for each in sources.values()),
        "hits": ", ".join(f"{_NAMES[name]} {count}" for name, count in hits.items()) or "no set",
        "held_out": found["held_out"],
        "before": " | ".join(f"{value:.3f}" for value in found["before"].values()),
        "after": " | ".join(f"{value:.3f}" for value in found["after"].values()),
        "before_zh": "／".join(f"{value:.3f}" for value in found["before"].values()),
        "after_zh": "／".join(f"{value:.3f}" for value in found["after"].values()),
        "probe_train": found["probe"]["train"],
        "probe_test": found["probe"]["test"],
        "probe_names": " | ".join(_NAMES[name] for name in found["probe"]["accuracy"]),
        "probe_line": "---|" * len(found["probe"]["accuracy"]),
        "probe": _probe(found["probe"]["accuracy"]),
        "coverage": "\n".join(_coverage(name, each) for name, each in found["coverage"].items()),
    }
    (folder / "CARD.md").write_text((_ENGLISH + _CHINESE).format(**values), encoding="utf-8")


def _listed(sources: dict[str, Any], line: str) -> str:
    return "\n" + "\n".join(line.format(*_SOURCES[name], each["used"]) for name, each in sources.items()) + "\n"


def _probe(accuracy: dict[str, dict[str, float]]) -> str:
    rows = (("before", "four layers, before healing"), ("after", "after healing, as shipped"), ("teacher", "teacher"))
    return "\n".join(
        f"| {label} | " + " | ".join(f"{each[key]:.3f}" for each in accuracy.values()) + " |" for key, label in rows
    )


def _coverage(name: str, each: dict[str, Any]) -> str:
    mini, teacher = each["mini"], each["teacher"]
    return (
        f"| {_NAMES[name]} | {mini['characters']:,} | {mini['unknown']:,} | {teacher['unknown']:,} | "
        f"{mini['tokens'] / teacher['tokens'] - 1:+.0%} |"
    )
