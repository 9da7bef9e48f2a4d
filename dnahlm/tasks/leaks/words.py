"""Spaced words: the letters of a window that a mask lets through, as one number, the same for both strands.

Unlike 13 letters in a row, neighbouring words of one mask share few letters, so that substitutions less often spoil
all of them (Ma, Tromp and Li, Bioinformatics 18, 2002). The masks are their own mirror images, so that both strands are
read through them alike; their odd number of letters leaves no word that is its own reverse complement.
"""

from typing import NamedTuple

import numpy as np

from dnahlm.tasks.leaks.joined import Joined

# Of all pairs of mirror masks of 13 letters within 21 bases, one that leaves fewest copies without a common word.
MASKS = ("111110111011111", "111011010010010110111")
WEIGHT = 13
SHORTEST = min(map(len, MASKS))
PERIODS = range(1, 7)  # bases of the unit of a plain repeat, as in microsatellites

_CODES = np.full(256, 4, np.uint8)
_CODES[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)


class Words(NamedTuple):
    """The words of a batch under one mask, in the order of their places; W windows have one."""

    places: np.ndarray  # (W,) int64, of the window in the batch
    rows: np.ndarray  # (W,) int64, number of the sequence in the batch
    words: np.ndarray  # (W,) uint32
    minus: np.ndarray  # (W,) bool, the word is that of the other strand


def codes_of(letters: np.ndarray) -> np.ndarray:
    """A, C, G, T as 0 to 3, so that 3 - code is the complement; anything else is 4."""
    return _CODES[letters]


def words_of(batch: Joined, codes: np.ndarray, mask: str) -> Words:
    """The word of each window that lies inside one sequence, is all A, C, G, T and is no plain repeat."""
    span = len(mask)
    places, rows = batch.windows(span)
    forward, backward = spaced(codes, mask), spaced((3 - codes)[::-1], mask)[::-1]
    known = ~(holds_unknown(codes, span) | is_repeat(codes, span))[places]
    places, rows = places[known], rows[known]
    forward, backward = forward[places], backward[places]
    return Words(places, rows, np.minimum(forward, backward), backward < forward)


def spaced(codes: np.ndarray, mask: str) -> np.ndarray:
    """The letters at the ones of the mask as a number of base 4, for the window at each place.

    >>> spaced(np.array([0, 1, 2, 3], np.uint8), "101").tolist()
    [2, 7]
    """
    words = np.zeros(max(len(codes) - len(mask) + 1, 0), np.uint32)
    for offset, mark in enumerate(mask):
        if mark == "1":
            words <<= np.uint32(2)
            words |= codes[offset : offset + len(words)]
    return words


def holds_unknown(codes: np.ndarray, span: int) -> np.ndarray:
    """Whether the window of `span` bases at each place has a letter other than A, C, G, T."""
    before = counts_before(codes > 3)
    return before[span:] != before[: max(len(codes) - span + 1, 0)]


def is_repeat(codes: np.ndarray, span: int) -> np.ndarray:
    """Whether the window of `span` bases at each place repeats a unit of one of `PERIODS`, all through.

    >>> is_repeat(codes_of(np.frombuffer(b"ACACACACACACACACTT", np.uint8)), 15).tolist()
    [True, True, False, False]
    """
    windows = max(len(codes) - span + 1, 0)
    found = np.zeros(windows, bool)
    for period in PERIODS:
        before = counts_before(codes[period:] != codes[: max(len(codes) - period, 0)])
        found |= before[span - period :][:windows] == before[:windows]
    return found


def counts_before(marks: np.ndarray) -> np.ndarray:
    """How many marks lie before each place, and before the end."""
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(marks, dtype=np.int32)])
