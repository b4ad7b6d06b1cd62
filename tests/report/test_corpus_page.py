"""The page of a corpus: every reason in words of both languages, texts escaped, samples left out where asked."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from penjing.core.folder import sealed_folder
from penjing.data.corpus.card import LENGTHS, Amount, CorpusCard, DomainCard, SourceCard
from penjing.data.corpus.folder import Corpus, open_corpus, write_card
from penjing.report.contract import PageLanguage
from penjing.report.corpus_page import reason_words, render_corpus, write_page


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    two, three = Amount(documents=2, characters=20), Amount(documents=3, characters=30)
    source = SourceCard(
        name="客服", domain="客服", given="raw/客服", files=1, files_not_read={"bomb": 2, "about": 1}, read=three,
        kept=two, dropped={"too_short": Amount(documents=1, characters=10)}, changed={"masked": 1}, languages={"zh": 2},
    )  # fmt: skip
    domain = DomainCard(name="客服", folder="客服", train=two, lengths=(2,) + (0,) * len(LENGTHS))
    card = CorpusCard(sources=(source,), domains=(domain,), masking="2", masked={"mobile": 1}, settings={"near": True})
    with sealed_folder(tmp_path / "corpus") as partial:
        write_card(partial, card, {"too_short": [{"text": "<b>好</b>", "from": "客服/a:1"}]})
    return open_corpus(tmp_path / "corpus")


@pytest.mark.parametrize(("language", "words"), [("en", "unpack to too much 2"), ("zh", "解压后过大 2")])
def test_the_page(corpus: Corpus, tmp_path: Path, language: PageLanguage, words: str) -> None:
    write_page(corpus, tmp_path / "page.html", language)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert words in page and "&lt;b&gt;好&lt;/b&gt;" in page and "<b>好" not in page
    assert reason_words("too_short", language) in page
    assert {"en": "2 of 3 documents", "zh": "读入 3 篇文本，2 篇"}[language] in page
    assert "&lt;b&gt;" not in render_corpus(corpus, language, texts=False)


def test_every_phrase_is_in_both_languages() -> None:
    table = json.loads(files("penjing.report").joinpath("templates/corpus.json").read_text(encoding="utf-8"))
    assert all(set(phrases) == set(get_args(PageLanguage)) and all(phrases.values()) for phrases in table.values())
    reasons = ["unreadable", "empty", "too_large", "too_short", "language", "symbols", "digits", "filler", "repetition"]
    reasons += ["word_length", "ellipses", "no_prose", "contaminated"]
    for reason in [*reasons, "exact_duplicate", "near_duplicate", "kept", "divided"]:
        assert reason_words(reason, "zh") != reason


def test_settings_are_words_of_the_language(corpus: Corpus) -> None:
    assert "near duplicates left out <code>yes</code>" in render_corpus(corpus, "en")
    page = render_corpus(corpus, "zh")
    assert "剔除近似重复 <code>是</code>" in page and "near" not in page.split("<footer>")[1]
