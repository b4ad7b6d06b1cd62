"""Personal numbers in a corpus: masked as everywhere, after a quick test that most texts fail."""

from __future__ import annotations

import re

from penjing.data.mask import VERSION, Masking, open_masking

SAMPLE = 500  # characters of a sample
LOOK = 4 * SAMPLE  # characters that are masked for it: a number that the end of it divides is still seen whole

# Digits of any script, and words and signs for digits as the masking reads them.
_DIGIT = (
    r"\d〇一二三四五六七八九零壹贰叁肆伍陆柒捌玖○幺两⓪①-⑨⓿❶-❾➀-➈➊-➒⁰¹²³⁴-⁹₀-₉⒈-⒐⑴-⑼"
)  # fmt: skip
_SEVEN_DIGITS = re.compile(rf"[{_DIGIT}](?:[^{_DIGIT}]{{0,12}}[{_DIGIT}]){{6}}")
_ADDRESS = re.compile(r"\d[.。․﹒．｡]\d")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]\W?[A-HJ-NP-Za-hj-np-zＡ-Ｚａ-ｚ]", re.ASCII
)
_MAIL = re.compile(
    r"[@＠﹫]|艾特|[Aa][Tt] ?[)\]}>】）＞]|[Aa][Tt] (?=(?:vip|qq|1|sina|gm|ou|ho|fo|so|y|ic|al|l|ms))", re.I
)


def may_hold_personal(text: str) -> bool:
    """Whether a text may hold something that is masked: False only where masking would change nothing.

    Every kind needs seven digits near each other, an address, a plate, or a sign of e-mail.
    """
    return bool(
        _SEVEN_DIGITS.search(text) or _ADDRESS.search(text) or _MAIL.search(text) or _PLATE.search(text)
    )  # in the order of what is frequent


def mask_personal(text: str, masking: Masking) -> tuple[str, dict[str, int]]:
    """The masked text, and how often each kind occurs in it; zeros are left out."""
    if "⟦" not in text and not may_hold_personal(text):
        return text, {}
    masked = masking(text)
    return masked.text, {kind: times for kind, times in masked.counts.items() if times}


def masked_sample(text: str) -> str:
    """The first characters of a text as people are shown them: masked, whatever the corpus holds."""
    return open_masking(VERSION)(text[:LOOK]).text[:SAMPLE]
