"""The texts that Penjing's own bases are grown from: only those whose licence allows it, as crops of 8 to 96 tokens.

Left out on purpose: every set on which the project reports scores, relatives of ChnSentiCorp, sources without a
licence (raw-zh-cluecorpussmall-sample), sources whose SOURCE.md has a DOUBT (lctt, smilechat, zh-instructions-mixed)
or a condition (oi-wiki), and non-commercial ones (dialogsum).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import phrases

HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_ZH = re.compile(r"[^。！？；!?\n]+[。！？；!?]*[”’」』]?")
_SENTENCE_EN = re.compile(r"(?<=[.!?;])[\"')\]]*\s+(?=[\"'(\[A-Z])")
_SPACE = re.compile(r"\s+")
_LISTED = re.compile(r"[|=<>{}\\]{2,}|https?:|&amp;|_{2,}")
# Characters a token, by which a crop is cut before it is tokenized.
_RATE = {"zh": 1.45, "en": 4.1}
COMPOSED = 60_000

Documents = Iterator[list[str]]


def _open(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace")


def split(text: str) -> list[str]:
    """The sentences of a paragraph, in order."""
    if HAN.search(text):
        return _SENTENCE_ZH.findall(text)
    return _SENTENCE_EN.split(text)


def _paragraphs(path: Path, clean: Callable[[str], str] = str) -> Documents:
    """Documents separated by a blank line, each as its sentences."""
    for document in re.split(r"\n\s*\n", _open(path)):
        yield [sentence for line in clean(document).splitlines() for sentence in split(line)]


def _lines(path: Path, clean: Callable[[str], str] = str) -> Documents:
    """Every line is a document: of reviews and titles, whose neighbours have nothing to do with each other."""
    for line in _open(path).splitlines():
        yield split(clean(line))


def detokenize(text: str) -> str:
    """English text without the spaces that a tokenizer put before its punctuation."""
    text = text.replace("`` ", '"').replace(" ''", '"').replace("''", '"').replace(" -- ", " - ")
    text = re.sub(r"([!?.]) (?=[!?.])", r"\1", text)
    text = re.sub(r" ([,.!?;:)%])", r"\1", text)
    text = re.sub(r"([(\[$]) ", r"\1", text)
    return re.sub(r" ?(n't|'s|'ll|'re|'ve|'d|'m)\b", r"\1", text).replace(" ca n't", " can't")


def _composed(_data: Path) -> Documents:
    for text in phrases.sentences(COMPOSED):
        yield [text]


def _kdconv(data: Path) -> Documents:
    for path in sorted((data / "zh-dialogue-kdconv").glob("*.json.gz")):
        for dialogue in json.loads(_open(path)):
            for turn in dialogue["messages"]:
                yield split(turn["message"])


def _tatoeba(column: int) -> Callable[[Path], Documents]:
    def read(data: Path) -> Documents:
        for line in _open(data / "enzh-translation-tatoeba" / "cmn.txt.gz").splitlines():
            yield [line.split("\t")[column]]

    return read


def _commentary(column: int) -> Callable[[Path], Documents]:
    def read(data: Path) -> Documents:
        path = data / "enzh-translation-tatoeba" / "news-commentary-v13-en-zh_sampled.txt"
        for line in _open(path).splitlines():
            yield split(line.split("\t")[column])

    return read


def _sgd(data: Path) -> Documents:
    for line in _open(data / "raw-en-modern" / "sgd-dialogues.txt.gz").splitlines():
        yield split(re.sub(r"^(User|Agent): ", "", line))


def _laws(data: Path) -> Documents:
    with tarfile.open(data / "raw-zh-laws" / "laws_md.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            file = archive.extractfile(member) if member.name.endswith(".md") else None
            if file is not None:
                lines = file.read().decode("utf-8", "replace").splitlines()
                yield [each for line in lines if not line.startswith(("#", "<", "|", "---")) for each in split(line)]


def _csl(data: Path) -> Documents:
    for name in ("dev.tsv", "test.tsv"):
        for line in _open(data / "zh-summ-csl" / name).splitlines():
            for cell in line.split("\t")[1:3]:
                yield split(re.sub(r"\.(?=[^\w\s]|[\u3400-\u9fff]|$)", "。", cell))


def _wikitext(data: Path) -> Documents:
    for path in sorted((data / "raw-en-wikitext2").glob("*.txt.gz")):
        for line in re.sub(r" @([-,.])@ ", r"\1", _open(path)).splitlines():
            if not line.strip().startswith("="):
                yield [piece for piece in split(detokenize(line)) if "<unk>" not in piece]


def _several(
    folder: str, names: tuple[str, ...], read: Callable[..., Documents], clean: Callable[[str], str] = str
) -> Callable[[Path], Documents]:
    def run(data: Path) -> Documents:
        for name in names:
            yield from read(data / folder / name, clean)

    return run


def _gutenberg(data: Path) -> Documents:
    for path in sorted((data / "raw-en-gutenberg").glob("*.txt*")):
        yield from _paragraphs(path, lambda text: detokenize(_SPACE.sub(" ", text)))


def _classics(data: Path) -> Documents:
    for path in sorted((data / "raw-zh-classics").glob("*.txt.gz")):
        yield from _lines(path)


@dataclass(frozen=True)
class Source:
    """share: of all crops; read: its documents; en, zh: what and under which licence, for the card."""

    share: float
    read: Callable[[Path], Documents]
    en: str
    zh: str


_EN, _ZH, _TECH = "raw-en-modern", "raw-zh-docs-business", "raw-zh-tech-articles"
SOURCES: dict[str, Source] = {
    "composed": Source(
        0.15,
        _composed,
        "Chinese reviews, requests and headlines composed by a grammar of this project (bases/phrases.py)",
        "本项目自编语法生成的中文评论、咨询与标题（bases/phrases.py）",
    ),
    "kdconv": Source(
        0.08,
        _kdconv,
        "KdConv dialogues on films, music and travel (Apache-2.0)",
        "KdConv 电影、音乐、旅游对话（Apache-2.0）",
    ),
    "tatoeba-zh": Source(
        0.08,
        _tatoeba(1),
        "Chinese sentences of Tatoeba, tatoeba.org (CC BY 2.0 FR)",
        "Tatoeba 中文句子（CC BY 2.0 FR）",
    ),
    "docs-zh": Source(
        0.06,
        _several(_ZH, ("dynamics365.txt.gz",), _paragraphs),
        "Microsoft Dynamics 365 documentation in Chinese (CC BY 4.0)",
        "微软 Dynamics 365 中文文档（CC BY 4.0）",
    ),
    "support-zh": Source(
        0.05,
        _several(_ZH, ("support-insights.txt.gz",), _paragraphs),
        "Microsoft support answers in Chinese (CC BY 4.0)",
        "微软中文支持解答（CC BY 4.0）",
    ),
    "government": Source(
        0.05,
        _several("raw-zh-government", ("provincial-reports-2026.txt.gz",), _paragraphs),
        "work reports of Chinese provinces (official documents, outside copyright)",
        "各省政府工作报告（官方文件，不受著作权保护）",
    ),
    "wiki-news-zh": Source(
        0.03,
        _several("raw-zh-wiki-news-small", ("wiki-xquad-gsdsimp.txt", "news-wiki-pud-traditional.txt"), _lines),
        "Chinese Wikipedia and news sentences, XQuAD and UD (CC BY-SA)",
        "中文维基与新闻句子，XQuAD、UD（CC BY-SA）",
    ),
    "commentary-zh": Source(
        0.015,
        _commentary(1),
        "News Commentary v13, Chinese side (free to use)",
        "News Commentary v13 中文部分（可自由使用）",
    ),
    "recipes": Source(
        0.03,
        _several("raw-zh-recipes", ("howtocook.txt.gz",), _paragraphs),
        "HowToCook recipes (Unlicense)",
        "HowToCook 菜谱（Unlicense）",
    ),
    "csl": Source(
        0.03,
        _csl,
        "abstracts and titles of CSL, Chinese Scientific Literature (Apache-2.0)",
        "CSL 中文科技文献摘要与标题（Apache-2.0）",
    ),
    "tech-zh": Source(
        0.025,
        _several(_TECH, ("javaguide.txt.gz", "d2l-zh.txt.gz", "hf-course.txt.gz", "vue-docs.txt.gz"), _paragraphs),
        "JavaGuide, d2l-zh, Hugging Face course (Apache-2.0) and Vue documentation (CC BY 4.0)",
        "JavaGuide、d2l-zh、Hugging Face 课程（Apache-2.0）与 Vue 文档（CC BY 4.0）",
    ),
    "laws": Source(
        0.03,
        _laws,
        "Chinese laws (outside copyright: Copyright Law of the PRC, article 5)",
        "中国法律法规（依《著作权法》第五条不受著作权保护）",
    ),
    "classics": Source(0.01, _classics, "four classic Chinese novels (public domain)", "四大名著（公有领域）"),
    "sgd": Source(
        0.09, _sgd, "service dialogues, Schema-Guided Dialogue (CC BY-SA 4.0)", "服务对话 SGD（CC BY-SA 4.0）"
    ),
    "product-reviews": Source(
        0.05,
        _several(_EN, ("product-reviews-1.txt.gz", "product-reviews-2.txt.gz"), _lines, detokenize),
        "customer reviews (CC BY 4.0)",
        "英文顾客评论（CC BY 4.0）",
    ),
    "pros-cons": Source(
        0.03,
        _several(_EN, ("pros-cons.txt.gz",), _lines),
        "pros and cons of products (CC BY 4.0)",
        "英文产品优缺点（CC BY 4.0）",
    ),
    "web-ewt": Source(
        0.045,
        _several(_EN, ("web-ewt.txt.gz",), _paragraphs),
        "English Web Treebank: reviews, answers, weblogs (CC BY-SA 4.0)",
        "英文网络文本 EWT：点评、问答、博客（CC BY-SA 4.0）",
    ),
    "masc": Source(
        0.05,
        _several(_EN, ("masc-tagged.txt.gz",), _paragraphs, detokenize),
        "MASC: news, letters, blogs, essays (free for any use)",
        "MASC：新闻、信件、博客、随笔（可自由使用）",
    ),
    "tatoeba-en": Source(
        0.03,
        _tatoeba(0),
        "English sentences of Tatoeba, tatoeba.org (CC BY 2.0 FR)",
        "Tatoeba 英文句子（CC BY 2.0 FR）",
    ),
    "wiki-en": Source(
        0.02,
        _several(_EN, ("wikipedia-demo.txt.gz",), _paragraphs),
        "English Wikipedia excerpts (CC BY-SA)",
        "英文维基节选（CC BY-SA）",
    ),
    "wikitext": Source(
        0.02, _wikitext, "WikiText-2, validation and test (CC BY-SA 3.0)", "WikiText-2 验证与测试部分（CC BY-SA 3.0）"
    ),
    "commentary-en": Source(
        0.01,
        _commentary(0),
        "News Commentary v13, English side (free to use)",
        "News Commentary v13 英文部分（可自由使用）",
    ),
    "factbook": Source(
        0.01, _several(_EN, ("world-factbook.txt.gz",), _paragraphs), "World Factbook (CC0)", "世界概况（CC0）"
    ),
    "speeches": Source(
        0.015,
        _several(_EN, ("state-union.txt.gz", "inaugural.txt.gz"), _paragraphs),
        "speeches of US presidents (public domain)",
        "美国总统演说（公有领域）",
    ),
    "docs-en": Source(
        0.015,
        _several(_EN, ("openeuler-docs.txt.gz", "tensorflow-docs.txt.gz", "hf-course.txt.gz"), _paragraphs),
        "openEuler (CC BY-SA 4.0), TensorFlow and Hugging Face documents (Apache-2.0)",
        "openEuler（CC BY-SA 4.0）、TensorFlow 与 Hugging Face 文档（Apache-2.0）",
    ),
    "gutenberg": Source(
        0.015, _gutenberg, "English books of Project Gutenberg (public domain)", "古登堡计划英文图书（公有领域）"
    ),
}


def language(text: str) -> str:
    """`zh` where at least a tenth of the characters are Chinese, else `en`."""
    return "zh" if 10 * len(HAN.findall(text)) >= len(text) else "en"


def crops(data: Path, name: str) -> list[str]:
    """Distinct crops of one source in a shuffled but fixed order: one or more whole sentences that follow each other.

    The wanted length is drawn for each crop: nine in ten log-uniform from 8 to 64 tokens, one in ten from 64 to 96.
    """
    draw = random.Random(f"crops-{name}")
    kept: dict[str, None] = {}
    for document in SOURCES[name].read(data):
        crop, wanted = "", _wanted(draw)
        for sentence in document:
            text = _SPACE.sub(" ", sentence).strip()
            if not text or _LISTED.search(text):
                continue
            kind = language(text)
            joined = (crop + ("" if kind == "zh" else " ") + text).strip()
            if len(joined) <= 1.25 * wanted * _RATE[kind]:
                crop = joined
            else:
                _keep(kept, crop)
                crop, wanted = text, _wanted(draw)
            if len(crop) >= 0.8 * wanted * _RATE[kind]:
                _keep(kept, crop)
                crop, wanted = "", _wanted(draw)
        _keep(kept, crop)
    found = list(kept)
    draw.shuffle(found)
    return found


def _wanted(draw: random.Random) -> float:
    return draw.uniform(64, 96) if draw.random() < 0.1 else 8 * 8 ** draw.random()


def _keep(kept: dict[str, None], text: str) -> None:
    kind = language(text)
    if (4 if kind == "zh" else 12) <= len(text) <= 110 * _RATE[kind]:
        kept[text] = None


def held_out(text: str, share: float = 0.02) -> bool:
    """Whether a stable hash puts the text among those that are never trained on."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < share
