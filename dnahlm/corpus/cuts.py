"""Where a run of DNA is cut into pieces: at the words with the smallest hashes, not at places counted from its start.

So the same stretch is cut alike wherever it stands, on either strand: copies of a record give the same documents, and
two strains or isoforms the same ones but for what differs, which is what exact and near-duplicates are told by.
"""

from collections.abc import Iterator

import numpy as np

from dnahlm.corpus.words import WORD, dna_words

SEGMENT = 1 << 20  # bases looked at together; chromosomes are cut into such parts first


def cuts(sequence: str, start: int, end: int, shortest: int, longest: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield the pieces (start, end) of a run, from left to right, each of `shortest` to `longest` bases.

    Nothing is lost of a run of at least `shortest` where `longest` is at least twice as long. Where it is not, the run
    is cut into windows of `longest` end to end, and what is left of it may be too short.

    Args:
        sequence: only A, C, G, T between `start` and `end`.
        start: base where the run begins.
        end: base behind it.
        shortest: bases.
        longest: bases.
        seed: another one gives other cuts.

    >>> list(cuts("A" * 25, 0, 25, 10, 20, seed=0)), list(cuts("A" * 25, 0, 9, 10, 20, seed=0))
    ([(0, 13), (13, 25)], [])
    """
    if longest < 2 * shortest:
        for first in range(start, end - shortest + 1, longest):
            yield first, min(first + longest, end)
        return
    edge = start
    for border in [*segment_borders(sequence, start, end, longest, seed), end]:
        yield from cut_segment(sequence, edge, border, shortest, longest, seed)
        edge = border


def segment_borders(sequence: str, start: int, end: int, longest: int, seed: int) -> Iterator[int]:
    """Where a long run is parted; by the smallest hash within about one piece of evenly spaced places."""
    n_segments = (end - start) // max(SEGMENT, 8 * longest)
    for number in range(1, n_segments):
        middle = start + number * (end - start) // n_segments
        yield middle - longest + lowest(border_hashes(sequence[middle - longest : middle + longest], seed))


def cut_segment(
    sequence: str, start: int, end: int, shortest: int, longest: int, seed: int
) -> Iterator[tuple[int, int]]:
    """The pieces of one segment: it is parted at the smallest hash, then each part is, until all are short enough."""
    if end - start < shortest:
        return
    hashes = border_hashes(sequence[start:end], seed) if end - start > longest else None
    parts = [(0, end - start)]
    while parts:
        first, last = parts.pop()
        if last - first <= longest:
            yield start + first, start + last
        else:
            at = first + shortest + lowest(hashes[first + shortest : last - shortest + 1])
            parts += [(at, last), (first, at)]


def border_hashes(sequence: str, seed: int) -> np.ndarray:
    """(L + 1,) uint32: of the word around each place between two bases; the largest number near the ends."""
    hashes = np.full(len(sequence) + 1, np.iinfo(np.uint32).max, np.uint32)
    words = dna_words(sequence, seed)
    hashes[WORD // 2 : WORD // 2 + len(words)] = words
    return hashes


def lowest(hashes: np.ndarray) -> int:
    """Where the smallest value stands; of several, as in repeats, the middle one."""
    places = np.flatnonzero(hashes == hashes.min())
    return int(places[len(places) // 2])
