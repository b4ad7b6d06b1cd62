"""Where a text that should be JSON has a full-width sign or a curly quote, as a Chinese keyboard types them."""

from __future__ import annotations

_MEANT = {
    "［": "[", "］": "]", "【": "[", "】": "]", "｛": "{", "｝": "}", "：": ":", "，": ",", "、": ",",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "＂": '"', "‘": '"', "’": '"', "'": '"', "「": '"', "」": '"',
}  # fmt: skip


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
