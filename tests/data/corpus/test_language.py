"""The language of texts as they occur: short and long, mixed, traditional."""

from __future__ import annotations

import pytest

from penjing.data.corpus.characters import characters, tokens
from penjing.data.corpus.language import is_traditional, language_of

TEXTS = [
    ("zh", "请帮我查一下这张银行卡的余额"),
    ("zh", "用 Python 3.11 安装 transformers 之后运行 pip check 命令"),
    ("zh-hant", "雖然美國的許多數字化轉型都是史無前例的，但權力的和平轉移卻存在先例"),
    ("en", "How do I get my card back?"),
    ("en", "The café on the corner serves a naïve résumé of French cooking, and we like it."),
    ("en", "ok thanks"),
    ("ja", "このたびはお問い合わせいただき、誠にありがとうございます"),
    ("ko", "안녕하세요 고객님 무엇을 도와드릴까요"),
    ("other", "Ich habe meine Karte verloren und ich weiß nicht, was ich tun soll"),
    ("other", "Je ne sais pas où est ma carte et je voudrais la bloquer"),
    ("other", "Карта не работает, помогите пожалуйста"),
    ("none", "12345 --- 6789"),
]


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_language(language: str, text: str) -> None:
    read = characters(text)
    assert language_of(text, read, tokens(read)) == language


def test_traditional_forms_are_counted_against_simplified_ones() -> None:
    assert is_traditional("這個問題") and not is_traditional("这个问题") and not is_traditional("你好")
