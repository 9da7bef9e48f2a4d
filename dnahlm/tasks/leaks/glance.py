"""A first look at hits: 48 bases around them, as bits, tell nearly all chance hits without growing a segment.

Sixteen bases are packed in 32 bits; differences of two such are 16 bits, for which tables hold what growing over them
would give. The answer is "may reach" where a segment could; a segment that reaches the score is never missed.
"""

import numpy as np

MISMATCH = -3


def gains(equal: np.ndarray) -> np.ndarray:
    """Score of each base: 1 where equal, else `MISMATCH`."""
    return np.where(equal, np.int32(1), np.int32(MISMATCH))


def run_tables(equal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(score, best score on the way, deepest fall below the best so far) of runs of bases."""
    run = np.cumsum(gains(equal), axis=1)
    top = np.maximum.accumulate(np.maximum(run, 0), axis=1)
    return run[:, -1], top[:, -1], (top - run).max(axis=1)


_EQUAL = (np.arange(1 << 16)[:, None] >> np.arange(16)) & 1 == 0  # of each number: a bit that is set is a difference
SCORE, TOP, FALL = run_tables(_EQUAL)
_, TOP_BACKWARDS, FALL_BACKWARDS = run_tables(_EQUAL[:, ::-1])


def packed(codes: np.ndarray) -> np.ndarray:
    """(L + 33,) uint32: at place p the bases p - 16 to p - 1 in two bits each; so at p + 16 and p + 32 the next ones.

    What is no A, C, G, T, or outside the text, is packed as one of them.
    """
    letters = np.zeros(len(codes) + 64, np.uint32)
    letters[16 : 16 + len(codes)] = codes & 3
    for width in (1, 2, 4, 8):
        letters = letters[:-width] | letters[width:] << np.uint32(2 * width)
    return letters[: len(codes) + 33]


def may_reach(score: int, one: np.ndarray, other: np.ndarray, at: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Whether a segment around places `at` and `to` of two packed texts, ending after a fall of `score`, may reach it.

    Ends of sequences are not heeded: what lies behind them can only raise hopes.

    >>> one = packed(np.tile(np.arange(4, dtype=np.uint8), 12))
    >>> may_reach(18, one, one, np.array([20, 20]), np.array([20, 21])).tolist()
    [True, False]
    """
    left, middle, right = (differences(one[at + shift] ^ other[to + shift]) for shift in (0, 16, 32))
    best = np.maximum(TOP[middle], SCORE[middle] + TOP[right]) + TOP_BACKWARDS[left]
    return (best >= score) | (FALL[right] <= score) | (FALL_BACKWARDS[left] <= score)


def differences(bits: np.ndarray) -> np.ndarray:
    """Of 16 bases of two bits, one bit each: whether either is set.

    >>> differences(np.array([0b10_00_01_11], np.uint32)).tolist()
    [11]
    """
    bits = (bits | bits >> np.uint32(1)) & np.uint32(0x55555555)
    for shift, keep in ((1, 0x33333333), (2, 0x0F0F0F0F), (4, 0x00FF00FF), (8, 0x0000FFFF)):
        bits = (bits | bits >> np.uint32(shift)) & np.uint32(keep)
    return bits
