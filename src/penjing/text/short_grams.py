"""Hashed pairs and triples of neighbouring characters, in a few passes over one array: for a look at every text.

    bucket(c_1 c_2 ..) = the top bits of mix(sum_k c_k A_k) modulo 2^32, with an odd A_k for each place

`ngrams.py` has longer ones, and words; for texts of some ten words this takes a quarter of its time. Source: Weinberger
et al., Feature Hashing for Large Scale Multitask Learning, 2009.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Buckets = npt.NDArray[np.uint32]
_FIRST, _SECOND, _THIRD, _MIX = (np.uint32(each) for each in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F))
_HALF = np.uint32(15)
MOST_BITS = 32


def short_grams(text: str, bits: int) -> Buckets:
    """Buckets below 2^bits of all pairs and triples of characters of a masked text, (n,); of "" none.

    Case and the kind of spaces make no difference; the text begins and ends with a space.
    """
    line = " ".join(text.split()).lower()
    if not line:
        return np.zeros(0, dtype=np.uint32)
    codes = np.frombuffer(f" {line} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    size = len(codes)
    found = np.empty(2 * size - 3, dtype=np.uint32)
    pairs, triples = found[: size - 1], found[size - 1 :]
    np.multiply(codes[:-1], _FIRST, out=pairs)
    pairs += codes[1:] * _SECOND
    np.add(pairs[:-1], codes[2:] * _THIRD, out=triples)
    found ^= found >> _HALF
    found *= _MIX
    found >>= np.uint32(MOST_BITS - bits)
    return found
