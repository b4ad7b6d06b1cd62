"""Where a text that should be JSON has a full-width sign or a curly quote, as a Chinese keyboard types them."""

from __future__ import annotations

import json

_MEANT = {
    "［": "[", "］": "]", "【": "[", "】": "]", "｛": "{", "｝": "}", "：": ":", "，": ",", "、": ",",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "＂": '"', "‘": '"', "’": '"', "'": '"', "「": '"', "」": '"',
}  # fmt: skip


# How a list begins that was typed with these signs: a text may begin so too.
ODD_BRACKETS = tuple(sign for sign, meant in _MEANT.items() if meant == "[")


def is_list_in_odd_signs(written: str) -> bool:
    """Whether a text that begins with another bracket than JSON's is a list of words or of objects but for such signs.

    `［］` and `［{"start"：0，"end"：3}］` are; `【通知】` is not.
    """
    if not written.lstrip().startswith(ODD_BRACKETS):
        return False
    try:
        found = json.loads("".join(_MEANT.get(sign, sign) for sign in written))
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(each, str | dict) for each in found)


def with_odd_sign(what: str, written: str) -> str:
    """A message about a text that is no JSON, with the first sign that JSON has in another form; as it is without one.

    What stands between straight quotes is a value, which may hold any sign.
    """
    inside = escaped = False
    for place, sign in enumerate(written, start=1):
        if inside:
            inside, escaped = escaped or sign != '"', not escaped and sign == "\\"
        elif sign == '"':
            inside = True
        elif sign in _MEANT:
            return f"{what}; at character {place} it has `{sign}` where JSON has `{_MEANT[sign]}`"
    return what
