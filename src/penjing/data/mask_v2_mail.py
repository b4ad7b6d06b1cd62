"""Masking version 2: e-mail addresses, also with spaces around the sign and with words for it.

Nothing here changes once a release was made with it: another rule is another version.
"""

from __future__ import annotations

import re

_LOCAL = r"A-Za-z0-9._%+\-'À-ɏ"
_LABEL = "[A-Za-z0-9À-ɏ][A-Za-z0-9À-ɏ-]{0,62}"
_DOT = r"(?:\.|。(?=(?:com|cn|net|org|edu|gov)(?![A-Za-z])))"  # an input method for Chinese makes a dot a full stop
_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[.%+\-']*+(?P<email>[{_LOCAL}]++@(?:{_LABEL}{_DOT}){{1,8}}[A-Za-z]{{2,24}})(?![A-Za-z])"
)
_SPACED_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[.%+\-']*+(?P<email>[{_LOCAL}]++(?: @ ?|@ )(?:(?:vip\.)?(?:qq|163|126|sina)|gmail|outlook|hotmail"
    r"|foxmail|sohu|yahoo|icloud|139|189|aliyun|live|msn)\.(?:com|cn|net)(?:\.cn)?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"@[0-9]x\.(?:png|jpe?g|gif|webp|svg)$", re.IGNORECASE)

# ` at ` is a usual word: it counts before a known provider only.
_AT = re.compile(
    r" ?[(\[{<【] ?at ?[)\]}>】] ?| ?艾特 ?|(?<=[A-Za-z0-9]) at (?=(?:vip\W)?(?:qq|163|126|sina|gmail|outlook|hotmail"
    r"|foxmail|sohu|yahoo|icloud|139|189|aliyun|live|msn)[^A-Za-z0-9])",
    re.IGNORECASE,
)
_BEFORE_AT = re.compile(rf"[{_LOCAL}]{{1,64}}$")
_WORD_DOT = rf"(?:{_DOT}| ?[(\[{{<] ?(?:dot|点) ?[)\]}}>] ?| dot |(?<=[A-Za-z0-9])点(?=[A-Za-z]))"
_AFTER_AT = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}{_WORD_DOT}){{1,4}}[A-Za-z]{{2,24}}(?![A-Za-z0-9])", re.IGNORECASE
)
_MAIL_WORD = re.compile(r"(?:邮箱|邮件|e-?mail|mail)(?:地址)?(?: is|:|是|为)? ?$", re.IGNORECASE)
_BRACKETS = {0xFF08: "(", 0xFF09: ")", 0xFF1C: "<", 0xFF1E: ">"}
Span = tuple[int, int, str]


def may_hold_mail(text: str) -> bool:
    """Whether a text without digits and signs may hold an address with a word for the sign."""
    return _has_at_word(text) and _AT.search(text.translate(_BRACKETS)) is not None


def find_mail(folded: str) -> list[Span]:
    """E-mail addresses of a folded text, in their order."""
    found: list[Span] = []
    if "@" in folded:
        for pattern in (_EMAIL, _SPACED_EMAIL):
            for match in pattern.finditer(folded):
                if not _PICTURE.search(match.group()):
                    found.append((*match.span("email"), "email"))
    if _has_at_word(folded):
        found += _with_words(folded)
    found.sort()
    return [each for number, each in enumerate(found) if not number or each[0] >= found[number - 1][1]]


def _has_at_word(text: str) -> bool:
    """A quick test, so that most texts need no search."""
    return "at" in text or "AT" in text or "艾特" in text or "At" in text


def _with_words(folded: str) -> list[Span]:
    found: list[Span] = []
    for at in _AT.finditer(folded):
        after = _AFTER_AT.match(folded, at.end())
        if after is None:
            continue
        low = max(0, at.start() - 64)
        before = _BEFORE_AT.search(folded[low : at.start()])
        if before is None:
            continue
        local = before.group().lstrip(".%+-'")
        start = at.start() - len(local)
        if at.group() in (" at ", " AT ", " At "):
            mail_word = _MAIL_WORD.search(folded[max(0, start - 12) : start])
            if mail_word is None and "_" not in local and not any(map(str.isdigit, local)):
                continue
        if local:
            found.append((start, after.end(), "email"))
    return found
