"""figures.json and CARD.md of a base, in English and Chinese: what it is, what it was grown on, what it scores.

python bases/card.py nano --data DIR --models DIR --folder FOLDER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import overlap
import probe
import texts
from safetensors.numpy import load_file
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent

_NAMES = {
    "chnsenticorp": "ChnSentiCorp", "medical": "zh-medical-dialogue", "banking77": "BANKING77",
    "phrasebank": "FinancialPhraseBank", "sms": "SMS Spam", "waimai": "waimai_10k", "thucnews": "THUCNews titles",
    "fewclue-bustm": "FewCLUE bustm", "fewclue-eprstmt": "FewCLUE eprstmt", "fewclue-tnews": "FewCLUE tnews",
    "online-shopping": "online_shopping_10_cats", "fraud": "TeleAntiFraud", "clinc150": "CLINC150",
    "finance-news": "Chinese finance news",
}  # fmt: skip

_ENGLISH = """# penjing/{name}

A small Chinese and English text encoder to fine-tune: {layers} Transformer layers, hidden size {width}, {entries:,}
vocabulary entries, {parameters:.1f} M parameters, {megabytes:.1f} MB on disk. It is cut from a larger model and learnt
that model's states by distillation; it is not trained for any task, and by itself decides nothing. Mean-pool the last
hidden state over the real tokens; no prefix is needed.

**From.** multilingual-e5-small (Microsoft, MIT licence; Wang et al., Multilingual E5 Text Embeddings, 2024), trimmed to
Chinese and English. {cut_en}
Its vocabulary has all the teacher's entries with a Chinese character, all single characters, the Latin entries that are
used most, the GB 2312 characters that the teacher lacks, and 256 bytes, so that no character is unknown. Word
embeddings{matrices_en} are INT8 rows with a scale each, everything else is float16. This base is under the
MIT licence too.

**Grown on** (`bases/grow.py {name}`), {passes:g} passes over {tokens:,} tokens of these texts, {seen:,} tokens in all:
{sources_en}
None of the texts is in this folder. The loss: the teacher's token states and mean-pooled states in units of their
spread, and its similarities within the batch.{frozen_en}

**Not grown on.** No evaluation set of this project, no part of one, no Chinese review of another set. Every crop was
compared with every text of {sets} sets; one that shares {han} Chinese characters or {word} English words in a row with
any of them, or that is one of them as a whole, was dropped ({dropped} in all). What the teacher saw of the web is not
known to us.

**Measured.** A logistic regression on untuned mean-pooled states, accuracy of {test} test rows, mean of {seeds} draws
of the train rows (500 / 2,000), beside word counts (TF-IDF of words and characters with a linear model):

| | {probe_names} |
|---|{probe_line}
{probes}

Spearman's rank correlation with the teacher of all pairwise cosines of {held_out} held-out crops: {spearman:.3f}.

| texts | tokens against the teacher |
|---|---|
{coverage}

**Limits.** Crops had up to 96 tokens; longer inputs (up to 512) rest on what the positions of the teacher knew.
Characters that were added, and bytes, know little until fine-tuning shows them. Traditional Chinese is read, but was
seen little. Biases of the web text that the teacher was trained on remain.

All figures are in `figures.json` beside this card; the curve is `bases/results/{name}.jsonl`.
"""

_CHINESE = """
# penjing/{name}（中文）

供微调的中英文小型文本编码器：{layers} 层 Transformer，隐藏维 {width}，词表 {entries:,} 项，参数 {parameters:.1f} M，
磁盘 {megabytes:.1f} MB。由较大的模型裁剪，再通过蒸馏学习其内部状态；未针对任何任务训练，本身不作任何判断。
使用时对最后一层隐藏状态按有效词元取平均，不需要前缀。

**来源。** multilingual-e5-small（微软，MIT 许可）的中英文裁剪版。{cut_zh}
词表保留教师模型所有含汉字的词项、全部单字符和最常用的拉丁词项，补上其缺少的 GB 2312 汉字，并加入 256 个字节项，
因此没有不能编码的字符。词向量{matrices_zh}按行存为 INT8，其余为 float16。本模型同样采用 MIT 许可。

**训练文本**（`bases/grow.py {name}`）：下列文本共 {tokens:,} 个词元，读 {passes:g} 遍，合计 {seen:,} 个词元：
{sources_zh}
文本本身不在此文件夹中。损失为：以自身离散程度为单位的教师词元状态和平均状态，以及批内相似度。{frozen_zh}

**未用于训练。** 不含本项目任何评测集或其任何部分，也不含其他数据集的中文评论。每段文本都与 {sets} 个数据集的全部文本
逐一比对，凡连续 {han} 个汉字或 {word} 个英文词相同、或整句相同者剔除，共剔除 {dropped} 段。
教师模型见过哪些网络文本，我们并不知道。

**实测。** 上表为不经微调、在平均状态上做逻辑回归的准确率（{test} 条测试数据，训练 500／2,000 条，
{seeds} 次抽样取平均），并列出词频模型（词与字的 TF-IDF 加线性模型）。{held_out} 段留出文本两两余弦相似度与教师的
Spearman 秩相关为 {spearman:.3f}。

**局限。** 训练时每段不超过 96 个词元，更长的输入（至多 512）依靠教师原有的位置向量；新补的汉字和字节
在微调见到之前所知甚少；繁体可读，但见得不多；教师训练语料的偏差仍在。
"""


def gather(
    data: Path, teacher: Path, folder: Path, scratch: Path, training: dict[str, Any], name: str
) -> dict[str, Any]:
    """Everything that the card says of the folder of a base."""
    raw = load_file(folder / "model.safetensors")
    chosen = np.load(scratch / "chosen.npz", allow_pickle=False)
    report = json.loads(str(chosen["report"]))
    mine, old = (Tokenizer.from_file(str(each / "tokenizer.json")) for each in (folder, teacher))
    coverage = {}
    for key, group in overlap.benchmark_texts(data).items():
        some = group[:3000]
        counts = [sum(len(each.ids) for each in tokenizer.encode_batch_fast(some)) for tokenizer in (mine, old)]
        coverage[key] = {"tokens": counts[0], "teacher": counts[1]}
    held = np.split(chosen["held_ids"], np.cumsum(chosen["held_lengths"])[:-1])
    crops = mine.decode_batch([list(map(int, row)) for row in held])
    return {
        "name": name,
        "parameters": sum(int(tensor.size) for key, tensor in raw.items() if not key.endswith(".scale")),
        "entries": int(raw["embeddings.word_embeddings.weight"].shape[0]),
        "int8": sum(key.endswith(".scale") for key in raw),
        "training": training,
        "texts": report,
        "coverage": coverage,
        "held_out": len(crops),
        "spearman": round(alike(probe.embed(folder, crops), probe.embed(teacher, crops)), 4),
        "rows": {"few": min(probe.SIZES), "more": max(probe.SIZES), "test": probe.TEST},
        "probes": newest_probes(name),
        "accuracy": {base: _means(found) for base, found in newest_probes(name).items()},
    }


def alike(left: np.ndarray, right: np.ndarray) -> float:
    """Spearman's rank correlation of all pairwise cosines of two embeddings of the same texts."""
    cosines = []
    for matrix in (left, right):
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        cosines.append((unit @ unit.T)[np.triu_indices(len(unit), 1)])
    ranks = [np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in cosines]
    return float(np.corrcoef(*ranks)[0, 1])


def newest_probes(name: str) -> dict[str, dict[str, list[float]]]:
    """The newest line of word counts, of the teacher, of the base before and of this one."""
    lines = [json.loads(line) for line in probe.RESULTS.read_text(encoding="utf-8").splitlines()]
    found = {line["base"]: {key: value for key, value in line.items() if isinstance(value, list)} for line in lines}
    return {
        key: found[key] for key in ("tf-idf", "mini-of-four-layers", f"{name}-random", name, "teacher") if key in found
    }


def _means(probes: dict[str, list[float]]) -> dict[str, float]:
    return {key: round(float(np.mean(value)), 4) for key, value in probes.items()}


def write(folder: Path) -> None:
    """CARD.md of a folder from its figures.json."""
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    training, report = found["training"], found["texts"]
    used = {name: each for name, each in report["sources"].items() if each["used"]}
    several = found["int8"] > 1
    kept = ", ".join(map(str, training["layers"]))
    narrowed = config["hidden_size"] < 384
    values = {
        "name": found["name"], "layers": config["num_hidden_layers"], "width": config["hidden_size"],
        "entries": found["entries"], "parameters": found["parameters"] / 1e6,
        "megabytes": sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".md") / 1e6,
        "cut_en": f"Its layers {kept} of twelve"
        + (", with their principal channels, heads and neurons." if narrowed else ", with all channels."),
        "cut_zh": f"取十二层中的第 {kept.replace(', ', '、')} 层"
        + ("，保留主要通道和最强的注意力头与神经元。" if narrowed else "，保留全部通道。"),
        "matrices_en": " and the matrices of the layers" if several else "",
        "matrices_zh": "和各层的矩阵" if several else "",
        "frozen_en": f" The lowest {training['frozen']} layers and the word embeddings are the teacher's, unchanged."
        if training["frozen"] else "",
        "frozen_zh": f"最低的 {training['frozen']} 层和词向量与教师相同，没有改动。" if training["frozen"] else "",
        "passes": training["passes"], "tokens": training["tokens"], "seen": training["seen"],
        "sources_en": _listed([f"{texts.SOURCES[name].en}: {each['tokens']:,} tokens" for name, each in used.items()]),
        "sources_zh": _listed([f"{texts.SOURCES[name].zh}：{each['tokens']:,} 个词元" for name, each in used.items()]),
        "sets": len(found["coverage"]), "han": report["han_run"], "word": report["word_run"],
        "dropped": training["dropped"], "test": probe.TEST, "seeds": probe.SEEDS,
        "probe_names": " | ".join(_NAMES[key] for key in _sets(found["probes"])),
        "probe_line": "---|" * len(_sets(found["probes"])), "probes": _probes(found["probes"], found["name"]),
        "held_out": found["held_out"], "spearman": found["spearman"],
        "coverage": "\n".join(
            f"| {_NAMES[key]} | {each['tokens'] / each['teacher'] - 1:+.1%} |"
            for key, each in found["coverage"].items()
        ),
    }  # fmt: skip
    (folder / "CARD.md").write_text((_ENGLISH + _CHINESE).format(**values), encoding="utf-8")


def _listed(lines: list[str]) -> str:
    return "".join(f"\n- {line}" for line in lines) + "\n"


def _sets(probes: dict[str, dict[str, list[float]]]) -> list[str]:
    return list(dict.fromkeys(key.rsplit("-", 1)[0] for each in probes.values() for key in each))


def _probes(probes: dict[str, dict[str, list[float]]], name: str) -> str:
    labels = {
        "tf-idf": "word counts", "mini-of-four-layers": "penjing/mini before (four layers)",
        f"{name}-random": "the same network with random weights", name: f"**penjing/{name}**", "teacher": "the teacher",
    }  # fmt: skip
    rows = []
    for key, each in probes.items():
        cells = [" / ".join(f"{np.mean(each[f'{name}-{size}']):.3f}" for size in probe.SIZES) for name in _sets(probes)]
        rows.append(f"| {labels[key]} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, default=HERE.parent / "out" / "bases")
    parser.add_argument("--folder", type=Path, required=True, help="the folder that grow.py wrote, with training.json")
    arguments = parser.parse_args()
    teacher = arguments.models / "multilingual-e5-small-zh-en"
    training = json.loads((arguments.folder / "training.json").read_text(encoding="utf-8"))
    found = gather(arguments.data, teacher, arguments.folder, arguments.scratch, training, arguments.base)
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    (arguments.folder / "figures.json").write_text(text, encoding="utf-8")
    (arguments.folder / "training.json").unlink()
    write(arguments.folder)


if __name__ == "__main__":
    main()
