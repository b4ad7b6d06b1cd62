"""Noise: texts as they are mistyped, misheard or written to get past a model; one file a kind. `NOISES` lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.blanks import invisible, spaces
from penjing.data.noise.case import case
from penjing.data.noise.homophones import homophones
from penjing.data.noise.lookalikes import lookalikes
from penjing.data.noise.traditional import traditional
from penjing.data.noise.typos import typos

# The free words of a text, a share of them or of their characters, a source of randomness -> what stands where instead.
# Nothing, where a text has none of the characters that this kind alters.
Noise = Callable[[Free, float, Random], list[Piece]]
NOISES: Mapping[str, Noise] = {
    "typos": typos,
    "case": case,
    "homophones": homophones,
    "lookalikes": lookalikes,
    "traditional": traditional,
    "spaces": spaces,
    "invisible": invisible,
}
