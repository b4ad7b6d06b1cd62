"""Texts as short vectors: hashed n-grams of characters, weighted by their rarity, summed into a few signed columns.

    v_j(x) = sum over n-grams g of x with column(g) = j of sign(g) (1 + ln count(g)) idf(g),   divided by its length
    idf(g) = ln((1 + n) / (1 + texts with g)) + 1

The product of two vectors estimates that of their TF-IDF vectors without bias, with an error of about 1 / sqrt(size).
Source: Weinberger, Dasgupta, Langford, Smola and Attenberg, Feature Hashing for Large Scale Multitask Learning, 2009.
When: to tell texts apart that no model has states for, and quickly. When not: for texts that mean the same in other
words; these are far apart here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from penjing.text.short_grams import short_grams

Vectors = npt.NDArray[np.float32]
# 2^18 buckets hold the pairs and triples of a Chinese collection with few collisions, in 1 MB of counts.
BITS = 18
SIZE = 256
_SIGN, _COLUMN = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)


def project(texts: Sequence[str], size: int = SIZE, seen: Callable[[], None] = lambda: None) -> Vectors:
    """The vectors (n, size) float32 of n masked texts, each of length 1; of "" zeros.

    seen: is called after each text, twice a text: the first pass counts in how many texts each n-gram is.
    """
    within = np.zeros(1 << BITS, dtype=np.int32)
    for text in texts:
        within[np.unique(short_grams(text, BITS))] += 1
        seen()
    idf = np.log((1 + len(texts)) / (1 + within)) + 1
    buckets = np.arange(1 << BITS, dtype=np.uint32)
    columns = ((buckets * _COLUMN) >> np.uint32(8)) % np.uint32(size)
    signs = np.where((buckets * _SIGN) >> np.uint32(31), 1.0, -1.0)
    vectors = np.zeros((len(texts), size), dtype=np.float32)
    for place, text in enumerate(texts):
        found, counts = np.unique(short_grams(text, BITS), return_counts=True)
        weights = signs[found] * (1 + np.log(counts)) * idf[found]
        vector = np.bincount(columns[found], weights=weights, minlength=size)
        length = float(np.sqrt(np.dot(vector, vector)))
        vectors[place] = vector / length if length else vector
        seen()
    return vectors
