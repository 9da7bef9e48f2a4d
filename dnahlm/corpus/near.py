"""Near-duplicate documents, by MinHash: the bands of their signatures.

The words of a document are 16 bases (either strand), five words of English (case aside) or six residues. Each word has
a hash; of the hashes in each of `BINS` classes the smallest is kept (one-permutation hashing, empty classes take the
next one's: Shrivastava and Li 2014). Two documents that share the share J of their words agree in a class with the
chance J, and are near-duplicates when they agree in all classes of one of the `BANDS` bands:

| J | 0.9 | 0.8 | 0.7 | 0.6 | 0.5 | 0.3 |
|---|---|---|---|---|---|---|
| found | 100 % | 95 % | 61 % | 24 % | 6 % | 0.1 % |

One base in a hundred changed leaves J = 0.74. Documents of fewer than `LEAST` words are compared exactly only.
"""

import zlib
from collections.abc import Sequence

import numpy as np

from dnahlm.corpus.words import dna_words, mixed

BANDS, PER_BAND = 16, 8
BINS = BANDS * PER_BAND
LEAST = 32  # words
ENGLISH_WORDS, RESIDUES = 5, 6
_EMPTY = np.uint32(0xFFFFFFFF)


def bands_of(kinds: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """(N, BANDS) uint64: what near-duplicates have one of in common; 0 throughout for a document too short.

    >>> one = "ACGATTACCAGTTGACCATTAGCAGGCATCAGTTTACGGACCTTAGACT"
    >>> first, same, other = bands_of(["dna"] * 3, [one, one[:49], one[::-1]])
    >>> bool((first == same).all()), bool((first == other).any())
    (True, False)
    """
    words = [np.empty(0, np.uint32), *map(hashes_of, kinds, texts)]
    counts = np.fromiter(map(len, words[1:]), np.int64, len(texts))
    bands = folded(signatures(np.concatenate(words), np.repeat(np.arange(len(texts)), counts), len(texts)))
    bands[counts < LEAST] = 0
    return bands


def hashes_of(kind: str, text: str) -> np.ndarray:
    """(W,) uint32: one hash for each word of a document."""
    if kind == "dna":
        return dna_words(text)
    if kind == "text":
        units = np.fromiter(map(zlib.crc32, text.lower().encode().split()), np.uint32)
        size = ENGLISH_WORDS
    else:
        units, size = np.frombuffer(text.encode(), np.uint8).astype(np.uint32), RESIDUES
    n_words = max(len(units) - size + 1, 0)
    words = np.zeros(n_words, np.uint32)
    for offset in range(size):
        words = words * np.uint32(0x9E3779B1) + units[offset : offset + n_words]
    return mixed(words)


def signatures(hashes: np.ndarray, rows: np.ndarray, n_rows: int) -> np.ndarray:
    """(N, BINS) uint32: the smallest hash of each class.

    Args:
        hashes: (W,) uint32, of the words of all documents.
        rows: (W,) the document of each.
        n_rows: N.
    """
    shift = np.uint32(32 - BINS.bit_length() + 1)
    least = np.full(n_rows * BINS, _EMPTY)
    np.minimum.at(least, rows * BINS + (hashes >> shift), hashes & ((np.uint32(1) << shift) - np.uint32(1)))
    least = least.reshape(n_rows, BINS)
    places = np.arange(BINS)
    filled = np.where(least != _EMPTY, places, 2 * BINS)
    twice = np.concatenate([filled, filled + BINS], axis=1)  # the class after the last one is the first
    following = np.minimum.accumulate(twice[:, ::-1], axis=1)[:, : BINS - 1 : -1]
    far = (following - places).astype(np.uint32)
    return mixed(np.take_along_axis(least, following % BINS, axis=1) + far * np.uint32(0x9E3779B1))


def folded(classes: np.ndarray) -> np.ndarray:
    """(N, BANDS) uint64: the classes (N, BINS) of each band as one number."""
    parts = classes.reshape(len(classes), BANDS, PER_BAND).astype(np.uint64)
    bands = np.zeros((len(classes), BANDS), np.uint64)
    for number in range(PER_BAND):
        bands = (bands ^ parts[:, :, number]) * np.uint64(0x9E3779B97F4A7C15)
        bands ^= bands >> np.uint64(29)
    return bands * np.uint64(0xBF58476D1CE4E5B9)
