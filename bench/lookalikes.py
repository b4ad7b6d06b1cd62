"""Makes the table of Chinese characters that look alike (src/penjing/data/noise/lookalikes.txt) out of a font.

    similarity(a, b) = cos(A - m, B - m)     A, B: blurred pictures of the characters, m: mean of all pictures

Of each of the 3,755 common characters (level 1 of GB 2312-80) the table has up to three others of at least 0.6, the
most alike first: 2,883 characters have one. Noto Sans CJK SC (SIL Open Font License 1.1) draws them; of the font itself
nothing is in the table. Needs `pillow`, and the font: python bench/lookalikes.py [FONT]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SIMPLIFIED = 2  # the place of the font for simplified Chinese in that collection
TABLE = Path(__file__).parents[1] / "src" / "penjing" / "data" / "noise" / "lookalikes.txt"
MOST, LEAST = 3, 0.6
_SIZE, _BLUR = 48, 1.5


def common_characters() -> list[str]:
    """The 3,755 characters of level 1 of GB 2312-80, in its order."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return [code.decode("gb2312") for code in codes if code <= b"\xd7\xf9"]


def pictures(characters: list[str], font: str) -> Any:
    """One blurred picture a character, (n, pixels), without the mean of all, each of length 1."""
    from PIL import Image, ImageDraw, ImageFilter, ImageFont  # type: ignore[import-not-found,unused-ignore]

    drawn = ImageFont.truetype(font, _SIZE, index=SIMPLIFIED)
    rows = []
    for character in characters:
        image = Image.new("L", (56, 60), 0)
        ImageDraw.Draw(image).text((4, -6), character, font=drawn, fill=255)
        rows.append(np.asarray(image.filter(ImageFilter.GaussianBlur(_BLUR)), dtype=np.float32).ravel())
    table = np.stack(rows)
    table -= table.mean(axis=0)
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def main() -> None:
    """Write the table: a line for each character, itself first."""
    characters = common_characters()
    table = pictures(characters, sys.argv[1] if len(sys.argv) > 1 else FONT)
    alike = table @ table.T
    np.fill_diagonal(alike, -1)
    lines = []
    for place, character in enumerate(characters):
        best = [other for other in np.argsort(-alike[place], kind="stable")[:MOST] if alike[place, other] >= LEAST]
        if best:
            lines.append(character + "".join(characters[other] for other in best))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} of {len(characters)} characters")


if __name__ == "__main__":
    main()
