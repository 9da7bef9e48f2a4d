"""Ungapped segments that two texts have in common, grown from a place in each as BLAST grows its word hits.

A base that is equal scores 1, another -3; a segment ends, on either side, at its best score, once that falls by more
than `MIN_SCORE` (the X-drop of Altschul et al., J. Mol. Biol. 215, 1990). What scores 18 is 18 equal bases in a row, 22
with one substitution, 38 with five, and so on: always more than three quarters are equal.
"""

from typing import NamedTuple

import numpy as np

from dnahlm.tasks.leaks.glance import gains, may_reach, packed

MIN_SCORE = 18
CHUNK = 1 << 16  # places grown at a time
FIRST_STEP, LONGEST_STEP = 16, 256  # bases
_NEVER = -(1 << 20)


class Text(NamedTuple):
    """Sequences end to end."""

    codes: np.ndarray  # (L,) uint8
    sixteens: np.ndarray  # see `dnahlm.tasks.leaks.glance.packed`
    starts: np.ndarray  # (N,) int64, where each sequence begins
    lengths: np.ndarray  # (N,) int64, bases

    def rows_at(self, places: np.ndarray) -> np.ndarray:
        """Number of the sequence that each place is in."""
        return np.searchsorted(self.starts, places, side="right") - 1


def text_of(codes: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> Text:
    """A text and what is looked up in it."""
    return Text(codes, packed(codes), starts, lengths)


class Segments(NamedTuple):
    """What S segments have in common."""

    rows: np.ndarray  # (S,) number of the sequence in one text
    partners: np.ndarray  # (S,) and in the other
    at: np.ndarray  # (S,) base of the row where the segment begins
    to: np.ndarray  # (S,) base of the partner
    bases: np.ndarray  # (S,) length


def segments(one: Text, other: Text, at: np.ndarray, to: np.ndarray) -> Segments:
    """The segments around hits (places `at` in one text and `to` in the other); none is grown from inside another.

    >>> codes, start, size = np.tile(np.arange(4, dtype=np.uint8), 5), np.array([0]), np.array([20])
    >>> text = text_of(codes, start, size)
    >>> [part.tolist() for part in segments(text, text, np.array([2, 7]), np.array([2, 7]))]
    [[0], [0], [0], [0], [20]]
    """
    hopeful = may_reach(MIN_SCORE, one.sixteens, other.sixteens, at, to)
    at, to = by_diagonal(at[hopeful], to[hopeful], len(one.codes))
    rows, partners = one.rows_at(at), other.rows_at(to)
    found = [(np.empty(0, np.int64),) * len(Segments._fields)]
    while len(at):  # the first hit of each diagonal of each pair, then the first one that lies behind its segment, ...
        turn = np.ones(len(at), bool)
        turn[1:] = (np.diff(to - at) != 0) | (np.diff(rows) != 0) | (np.diff(partners) != 0)
        heads = np.flatnonzero(turn)
        row, partner = rows[heads], partners[heads]
        here, there = at[heads] - one.starts[row], to[heads] - other.starts[partner]
        right = np.minimum(one.lengths[row] - here, other.lengths[partner] - there)
        ahead = grow(one.codes, other.codes, at[heads], to[heads], right)
        backwards = (one.codes[::-1], other.codes[::-1], len(one.codes) - at[heads], len(other.codes) - to[heads])
        behind = grow(*backwards, np.minimum(here, there))
        good = ahead.scores + behind.scores >= MIN_SCORE
        begin, bases = behind.bases, behind.bases + ahead.bases
        found.append(tuple(part[good] for part in (row, partner, here - begin, there - begin, bases)))
        end = np.where(good, at[heads] + ahead.bases, at[heads])
        left = at >= end[np.cumsum(turn) - 1]
        left[heads] = False
        at, to, rows, partners = at[left], to[left], rows[left], partners[left]
    return Segments(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def by_diagonal(at: np.ndarray, to: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Hits in the order of their diagonals, and on each in that of their places; `at` is below `size`.

    >>> [part.tolist() for part in by_diagonal(np.array([5, 1, 3]), np.array([6, 0, 4]), 9)]
    [[1, 3, 5], [0, 4, 6]]
    """
    bits = size.bit_length()
    key = (to - at + size) << bits | at  # below 2^63: texts have up to 2^37 bases, batches up to some 2^25
    key.sort()
    at = key & ((1 << bits) - 1)
    return at, (key >> bits) - size + at


class Growth(NamedTuple):
    """What growing to one side gave, per place."""

    scores: np.ndarray  # (N,) int64, the best, 0 where no base was added
    bases: np.ndarray  # (N,) int64, up to the best score


def grow(one: np.ndarray, other: np.ndarray, at: np.ndarray, to: np.ndarray, room: np.ndarray) -> Growth:
    """Grow to the right from places `at` in one text and `to` in the other, by at most `room` bases each.

    >>> one = np.array([0, 1, 2, 3, 0, 1])
    >>> [part.tolist() for part in grow(one, one, np.array([0, 0]), np.array([4, 0]), np.array([2, 6]))]
    [[2, 6], [2, 6]]
    """
    chunks = ((part[start : start + CHUNK] for part in (at, to, room)) for start in range(0, len(at), CHUNK))
    parts = [grow_chunk(one, other, *chunk) for chunk in chunks]
    none = np.empty(0, np.int64)
    return Growth(*(np.concatenate(columns) for columns in zip((none, none), *parts, strict=True)))


def grow_chunk(one: np.ndarray, other: np.ndarray, at: np.ndarray, to: np.ndarray, room: np.ndarray) -> Growth:
    """As `grow`, of a matrix that is to fit in memory: some bases of all places at a time, while any still grows."""
    best, bases = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    growing, score, done, step = np.arange(len(at)), np.zeros(len(at), np.int32), 0, FIRST_STEP
    while len(growing):
        steps = np.arange(done, done + step)
        equal = one.take(at[growing, None] + steps, mode="clip") == other.take(to[growing, None] + steps, mode="clip")
        gain = gains(equal)
        gain[steps >= room[growing, None]] = _NEVER
        run = np.cumsum(gain, axis=1, dtype=np.int32) + score[:, None]
        top = np.maximum(np.maximum.accumulate(run, axis=1), best[growing, None])
        dropped = np.logical_or.accumulate(run < top - MIN_SCORE, axis=1)
        run[dropped] = _NEVER
        place = run.argmax(axis=1)
        value = run[np.arange(len(run)), place]
        better = value > best[growing]
        best[growing[better]], bases[growing[better]] = value[better], done + place[better] + 1
        going = ~dropped[:, -1]
        growing, score = growing[going], run[going, -1]
        done, step = done + step, min(2 * step, LONGEST_STEP)
    return Growth(best, bases)


def covered(groups: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct groups, and how many places the intervals begin..end of each cover together.

    >>> [part.tolist() for part in covered(np.array([5, 3, 5]), np.array([8, 0, 0]), np.array([12, 4, 10]))]
    [[3, 5], [4, 12]]
    """
    order = np.lexsort((begins, groups))
    groups, begins, ends = groups[order], begins[order], ends[order]
    first = np.diff(groups, prepend=-1) != 0
    # Each group counts from where no place of the one before it lies, so that one running maximum serves all.
    base = np.cumsum(first) * (ends.max(initial=0) + 1)
    reached = np.maximum.accumulate(base + ends)
    before = np.concatenate([np.zeros(1, np.int64), reached[:-1]])[: len(base)] - base
    gained = np.maximum(ends - np.maximum(begins, before), 0)
    return groups[first], np.add.reduceat(gained, np.flatnonzero(first)) if len(gained) else gained
