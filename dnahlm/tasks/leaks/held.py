"""Which sequences lie inside others, on either strand: windows are compared by rolling hash, hits letter by letter.

The hash of a window is a polynomial over its letters modulo 2^64, the difference of two prefix sums (Karp and Rabin,
IBM J. Res. Dev. 31, 1987), so that windows of any width cost the same. A sequence is looked up by its first bases (its
anchor) and, where those agree, by the hash of all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks.joined import Joined, batches, join, spread

PASSES = 8  # anchor widths at most, one pass each; equal lengths need one, and then the anchor is the whole sequence
HITS = 1 << 22  # candidates compared at a time
TABLE_BITS = 24  # of a hash, for the first look-up: 16 MB

_RANDOM = np.random.default_rng(20)
LETTERS = _RANDOM.integers(1 << 63, size=256, dtype=np.uint64)  # a value for each letter
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2^64
INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


@dataclass
class Strands:
    """Sequences and their reverse complements, ordered by the hash of their anchors of one width."""

    texts: list[str]
    owners: np.ndarray  # (S,) int64, index of the sequence a strand belongs to
    lengths: np.ndarray  # (S,) int64, bases
    whole: np.ndarray  # (S,) uint64, hash of the whole strand
    anchors: np.ndarray  # (S,) uint64, ascending
    table: np.ndarray  # (2^TABLE_BITS,) bool, whether an anchor begins with these bits


def tables_of(sequences: Sequence[str]) -> dict[int, Strands]:
    """Width of the anchor -> both strands of the sequences it serves: distinct ones, over any ASCII letters."""
    return {width: strands(sequences, members, width) for width, members in anchor_widths(sequences).items()}


def held_pairs(
    shorter: dict[int, Strands], longer: Sequence[str], progress: str | None = None
) -> Iterator[tuple[int, int]]:
    """Yield (index of the longer, index of the shorter) where the shorter, on either strand, lies inside the longer.

    The longer ones are distinct too; the empty sequence lies in none.

    >>> sorted(held_pairs(tables_of(["AAC", "GG"]), ["TTGTTT", "AACC"]))
    [(0, 0), (1, 0), (1, 1)]
    """
    for batch in batches(longer, progress):
        hashes = Hashes(batch.letters)
        for width, table in shorter.items():
            for row, strand in candidates(batch, hashes, width, table):
                if table.texts[strand] in longer[row]:
                    yield row, int(table.owners[strand])


def anchor_widths(sequences: Sequence[str]) -> dict[int, list[int]]:
    """Width of the anchor -> indices of the sequences it serves: the longest of `PASSES` widths that fits.

    >>> anchor_widths(["ACGT", "AC", "GGGG", ""])
    {2: [1], 4: [0, 2]}
    """
    lengths = sorted({len(sequence) for sequence in sequences} - {0})
    widths = np.array(sorted({lengths[i * len(lengths) // PASSES] for i in range(PASSES)} if lengths else []))
    served: dict[int, list[int]] = {int(width): [] for width in widths}
    for index, sequence in enumerate(sequences):
        if sequence:
            served[int(widths[np.searchsorted(widths, len(sequence), side="right") - 1])].append(index)
    return served


def strands(sequences: Sequence[str], members: Sequence[int], width: int) -> Strands:
    """Both strands of the member sequences, ready to be looked up."""
    texts, owners = [], []
    for index in members:
        for text in dict.fromkeys((sequences[index], reverse_complement(sequences[index]))):
            texts.append(text)
            owners.append(index)
    whole, anchors = [], []
    for batch in batches(texts):
        hashes = Hashes(batch.letters)
        whole.append(hashes.of(batch.starts, batch.lengths))
        anchors.append(hashes.of(batch.starts, width))
    anchor = np.concatenate(anchors)
    order = np.argsort(anchor)
    table = np.zeros(1 << TABLE_BITS, bool)
    table[anchor >> np.uint64(64 - TABLE_BITS)] = True
    lengths = join(texts).lengths[order]
    return Strands(
        [texts[i] for i in order], np.array(owners)[order], lengths, np.concatenate(whole)[order], anchor[order], table
    )


def candidates(batch: Joined, hashes: "Hashes", width: int, table: Strands) -> Iterator[tuple[int, int]]:
    """Yield (index of the longer, strand), each once, where a window has the hash of the whole strand."""
    # A window where not even the shortest strand of this width has room is not worth a look.
    places, rows = batch.windows(int(table.lengths.min()))
    anchors = hashes.of(places, width)
    seen = table.table[anchors >> np.uint64(64 - TABLE_BITS)]
    places, rows, anchors = places[seen], rows[seen], anchors[seen]
    low, high = (np.searchsorted(table.anchors, anchors, side=side) for side in ("left", "right"))
    counts = high - low
    found: set[tuple[int, int]] = set()
    # Cut so that anchors shared by many strands never make more than about HITS candidates at a time.
    cuts = np.flatnonzero(np.diff(np.cumsum(counts) // HITS)) + 1
    for part in np.split(np.arange(len(counts)), cuts):
        owner, within = spread(counts[part])
        window = part[owner]
        strand = low[window] + within
        size = table.lengths[strand]
        room = batch.starts[rows[window]] + batch.lengths[rows[window]] - places[window]
        window, strand, size = (values[size <= room] for values in (window, strand, size))
        same = hashes.of(places[window], size) == table.whole[strand]
        found.update(zip((batch.first + rows[window[same]]).tolist(), strand[same].tolist(), strict=True))
    yield from sorted(found)


class Hashes:
    """Rolling hashes of one array of letters."""

    def __init__(self, letters: np.ndarray) -> None:
        self.inverses = powers(INVERSE, len(letters) + 1)
        sums = np.cumsum(LETTERS[letters] * powers(BASE, len(letters)), dtype=np.uint64)
        self.sums = np.concatenate([np.zeros(1, np.uint64), sums])  # (L + 1,)

    def of(self, places: np.ndarray, sizes: np.ndarray | int) -> np.ndarray:
        """Hash of the `sizes` letters from each place on: equal letters have equal hashes wherever they lie.

        >>> hashes = Hashes(join(["ACGTACGG"]).letters)
        >>> (hashes.of(np.array([0, 4]), 3) == hashes.of(np.array([4, 5]), 3)).tolist()
        [True, False]
        """
        return (self.sums[places + sizes] - self.sums[places]) * self.inverses[places]


def powers(base: np.uint64, n: int) -> np.ndarray:
    """The powers 0 to n - 1 of a number modulo 2^64.

    >>> powers(np.uint64(3), 4).tolist()
    [1, 3, 9, 27]
    """
    factors = np.full(n, base, np.uint64)
    factors[:1] = 1
    return np.multiply.accumulate(factors)
