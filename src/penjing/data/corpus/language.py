"""The language of a text: by its scripts, and between Latin ones by frequent words; small tables, no model."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from penjing.data.corpus.characters import (
    CYRILLIC,
    HAN,
    HANGUL,
    KANA,
    LATIN,
    MARKED,
    OTHER,
    Characters,
    TextTokens,
    distinct,
    places_in,
    word_hashes,
)

Language = Literal["zh", "zh-hant", "en", "ja", "ko", "other", "none"]
_LOOK, _LOOK_WORDS = 4000, 700  # characters and words that are looked at
_LETTERS_A_WORD = 5
_HAN_SHARE = 0.3  # of Chinese characters among all words: names and terms in Latin letters are usual in Chinese
_KANA_SHARE = 0.05
_FEW, _MANY = 8, 50  # words
_MARKED_SHARE = 0.04
_WORDS = {
    "en": "the of and to a in is that it was for on are as with he be at by i this had not but from have or you his her"
    " they which an were been has would there their we my will she all one if can who what when your me do so said no"
    " about out up them then how its our please thanks does did could should any more than",
    "de": "der die das und ist nicht ein eine zu den mit auf für von dem sie ich es auch sich wird im wir aber oder",
    "fr": "le la les des et est un une dans que qui pour pas sur au du avec ce il elle nous vous sont par plus ne",
    "es": "el los las y es en que por con para una no se lo como más pero su al del está este son muy",
    "pt": "o os as e é em que não para com uma do da no na por mais se como ao dos das são está",
    "it": "il gli e è di che non per una con sono del della nel si più come ma anche al dei",
    "nl": "de het een en van is niet dat op te zijn voor met die ook aan er maar om bij",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena ada",
}  # fmt: skip
_BY_LANGUAGE = [word_hashes(words.split()) for words in _WORDS.values()]
_KNOWN = distinct(np.concatenate(_BY_LANGUAGE))
_BITS = np.stack([np.isin(_KNOWN, words) for words in _BY_LANGUAGE], axis=1)  # (words, languages), English first
# Frequent characters whose simplified form is no other character in use, beside that form (from the tables of OpenCC).
_SIMPLIFIED = (
    "这为来数时们将会选发过对开单应设并务户进动现统点项说关间实内问择运请么类创产组机还标题记样该结库经种处输两见网业没编图试"
    "无确区认变页则订义构备调别员学启转许写态证让头长预资测级节执软话环给报语电载号连决导换国条维议马称状军门块费权终销击络错强"
    "总边树护详论检仅带辑访视联读层书续宝额够领却储质东场货购删识仓较随档队误帮达响协师张难际断询负风译专拟"
)  # fmt: skip
_TRADITIONAL = (
    "這爲為來數時們將會選發過對開單應設並務戶進動現統點項說關間實內問擇運請麼類創產組機還標題記樣該結庫經種處輸兩見網業沒編圖試"
    "無確區認變頁則訂義構備調別員學啓啟轉許寫態證讓頭長預資測級節執軟話環給報語電載號連決導換國條維議馬稱狀軍門塊費權終銷擊絡錯強"
    "總邊樹護詳論檢僅帶輯訪視聯讀層書續寶額夠領卻儲質東場貨購刪識倉較隨檔隊誤幫達響協師張難際斷詢負風譯專擬"
)  # fmt: skip
_IS_SIMPLIFIED, _IS_TRADITIONAL = re.compile(f"[{_SIMPLIFIED}]"), re.compile(f"[{_TRADITIONAL}]")


def language_of(text: str, read: Characters, found: TextTokens) -> Language:
    """The language that most of a text is in; `other` for one that is not told apart, `none` without letters."""
    han, kana, hangul = (read.counts[kind] for kind in (HAN, KANA, HANGUL))
    latin, marked = read.counts[LATIN] + read.counts[MARKED], read.counts[MARKED]
    rest = read.counts[CYRILLIC] + read.counts[OTHER]
    if not read.letters:
        return "none"
    words = han + kana + hangul + (latin + rest) / _LETTERS_A_WORD
    if kana > _KANA_SHARE * (han + kana) and kana + han > _HAN_SHARE * words:
        return "ja"
    if hangul > _HAN_SHARE * words:
        return "ko"
    if han >= _HAN_SHARE * words:
        return "zh-hant" if is_traditional(text) else "zh"
    if rest > latin:
        return "other"
    return _latin(found, marked / max(1, latin))


def is_traditional(text: str) -> bool:
    """Whether more characters of a text are traditional forms than simplified ones."""
    look = text[:_LOOK]
    return len(_IS_TRADITIONAL.findall(look)) > len(_IS_SIMPLIFIED.findall(look))


def _latin(found: TextTokens, marked: float) -> Language:
    look = found.hashes[:_LOOK_WORDS]
    places = places_in(look, _KNOWN)
    hits = _BITS[places[places >= 0]].sum(axis=0)
    english, other = int(hits[0]), int(hits[1:].max())
    if len(look) < _FEW:
        return "other" if other > english or marked > _MARKED_SHARE else "en"
    if other > english or marked > _MARKED_SHARE * (3 if english > 2 * other else 1):
        return "other"
    return "other" if len(look) >= _MANY and english * 50 < len(look) else "en"
