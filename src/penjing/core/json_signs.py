"""Where a text that should be JSON has a full-width sign or a curly quote, as a Chinese keyboard types them."""

from __future__ import annotations

_MEANT = {
    "［": "[", "］": "]", "【": "[", "】": "]", "｛": "{", "｝": "}", "：": ":", "，": ",", "、": ",",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "＂": '"', "‘": '"', "’": '"', "'": '"', "「": '"', "」": '"',
}  # fmt: skip


def odd_sign(written: str) -> str:
    """Of a text that is no JSON, where it has the first sign that JSON has in another form; "" where it has none.

    What stands between straight quotes is a value, which may hold any sign.
    """
    inside = escaped = False
    for place, sign in enumerate(written, start=1):
        if inside:
            inside, escaped = escaped or sign != '"', not escaped and sign == "\\"
        elif sign == '"':
            inside = True
        elif sign in _MEANT:
            return f"; at character {place} it has `{sign}` where JSON has `{_MEANT[sign]}`"
    return ""
