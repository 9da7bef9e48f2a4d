"""Near-duplicates: sequences much alike over most of the shorter one, on either strand, told by the words they share.

A word is 13 letters read through a window of 21 bases (`MASK`), on the strand that gives the smaller number. Gaps make
neighbouring words fail less often together than those of 13 bases in a row do, so a mutated copy more surely keeps some
(Ma, Tromp and Li, Bioinformatics 18, 2002). 13 letters make 33.6 million words: two unrelated rows of 100 bases have a
chance of about 1 in 5,000 to share one. The mask is its own mirror image, so both strands are read through it alike;
the odd number of letters leaves no word that is its own reverse complement.

Measured with `eval/benchmarks/leakage.py` (2 cores of an AMD EPYC with AVX-512-BF16, 2026-11-25): of random rows with
each base substituted with a chance of 5 %, on either strand, 99.35 % of those of 100 bases were found (10,000 among
300,000 rows), 97.5 % of 70 bases, 99.9 % of 150, 91.6 % of 40 (2,000 each among 60,000): chance gives a short row more
substitutions than 5 % more often. No row of shuffled DNA was taken for near.

The search is exact unless a word is in more than `CROWD` sequences of one list (a repeat family, a primer, a poly-A
run). Then each sequence of the other list meets `CROWD` of those only, for each word the same ones as far as possible,
so that members of a family still meet its representatives; words and sequences concerned are counted.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dnahlm.tasks.leaks.joined import Joined, batches, spread

MASK = "110110100111001011011"
OFFSETS = [place for place, mark in enumerate(MASK) if mark == "1"]
SPAN, WEIGHT = len(MASK), len(OFFSETS)
THRESHOLD = 0.15  # of the distinct words of the one that has fewer; 0.15 is what 14 % substitutions leave on average
REACH = 0.5  # bases from the first to the last shared word, of the shorter sequence: "most of it"
MIN_WORDS = 10  # distinct words; what has fewer (under 30 bases, or a plain repeat) is searched for equality only
CROWD = 32

_CODES = np.full(256, 4, np.uint8)
_CODES[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
_PLACE_BITS, _WORD_BITS = np.uint64(20), np.uint64(2 * WEIGHT)
_LAST_PLACE = (1 << 20) - 1

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # indices in one list, indices in the other, similarity


def find_near(
    train: Sequence[str],
    test: Sequence[str],
    progress: str | None = None,
    counts: Counter[str] | None = None,
    index: "WordIndex | None" = None,
) -> Found:
    """All near-duplicate pairs: (train indices, test indices, similarity), sorted; equal sequences are among them.

    Similarity is the share of the distinct words of the sequence that has fewer which the other has too, 0..1; a pair
    is near from `THRESHOLD` on, if the shared words reach over `REACH` of the shorter one. Windows with N have no word.

    Args:
        train: N sequences over ACGTN.
        test: M sequences over ACGTN.
        progress: title of a progress bar; None shows none.
        counts: gets what the search could not look at in full, see `note`.
        index: of `test`, where it is there already.

    >>> one = "ACGATTACCAGTTGACCATTAGCAGGCATCAGTTTACGGA"
    >>> other = one[:35] + "C" + one[36:]
    >>> [part.round(2).tolist() for part in find_near([one], ["T" * 40, other])]
    [[0], [1], [0.8]]
    """
    index = WordIndex(test) if index is None else index
    found = [index.search(train, progress)]
    crowded = index.crowded_rows()
    if len(crowded):  # the members of a crowd beyond its representatives still have to meet the other list's
        back = WordIndex(train, only=index.words_of(crowded))
        meeting = back.search([test[row] for row in crowded], progress)
        found.append((meeting[1], crowded[meeting[0]], meeting[2]))
    if counts is not None:
        note(counts, index, crowded)
    trains, tests, similarities = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((-similarities, tests, trains))
    trains, tests, similarities = trains[order], tests[order], similarities[order]
    first = np.ones(len(order), bool)  # found both ways: the higher similarity is the truer one
    first[1:] = (np.diff(trains) != 0) | (np.diff(tests) != 0)
    return trains[first], tests[first], similarities[first]


def note(counts: Counter[str], index: "WordIndex", crowded: np.ndarray) -> None:
    """Add to `counts` how far the search fell short of an exact one."""
    counts["near_words_in_crowds"] += int((np.diff(index.starts) > CROWD).sum())
    counts["near_sequences_in_crowds"] += len(crowded)  # may have a near-duplicate that went unseen
    counts["near_sequences_not_searched"] += int((index.sizes < MIN_WORDS).sum())


class WordIndex:
    """Word -> sequences that have it, as sorted arrays."""

    def __init__(self, sequences: Sequence[str], only: np.ndarray | None = None) -> None:
        """Index the sequences' words, or those among the sorted words `only`."""
        self.lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        self.sizes = np.zeros(len(sequences), np.int64)  # distinct words per sequence, indexed or not
        # The order of sequences within a word is one random order for all words, so that a crowd's first are the same.
        self.order = np.random.default_rng(0).permutation(len(sequences))
        ranks = np.argsort(self.order)
        keys = []
        for batch in batches(sequences):
            rows, words, _ = distinct_words(batch)
            self.sizes[batch.first : batch.first + len(batch.lengths)] = np.bincount(rows, minlength=len(batch.lengths))
            if only is not None:
                rows, words = (values[among(words, only)] for values in (rows, words))
            keys.append(words.astype(np.uint64) << np.uint64(32) | ranks[batch.first + rows].astype(np.uint64))
        key = np.concatenate([*keys, np.empty(0, np.uint64)])
        del keys
        key.sort()
        words = (key >> np.uint64(32)).astype(np.uint32)
        self.ranks = (key & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        edges = np.flatnonzero(np.diff(words, prepend=np.uint32(0xFFFFFFFF)))
        self.words = words[edges]  # (W,) distinct, ascending
        self.starts = np.append(edges, len(words))  # (W + 1,)
        self.seen = np.zeros(4**WEIGHT, bool)
        self.seen[self.words] = True

    def search(self, sequences: Sequence[str], progress: str | None = None) -> Found:
        """Near pairs: (indices in `sequences`, indices in the index, similarity)."""
        found = [self.search_batch(batch) for batch in batches(sequences, progress)]
        none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        return tuple(np.concatenate(parts) for parts in zip(none, *found, strict=True))

    def search_batch(self, batch: Joined) -> Found:
        """Near pairs of one batch: each shared word makes a key (pair, place); keys are sorted and counted per pair."""
        rows, words, places = distinct_words(batch)
        sizes = np.bincount(rows, minlength=len(batch.lengths))
        known = self.seen[words]
        rows, words, places = rows[known], words[known], places[known]
        at = np.searchsorted(self.words, words)
        owner, within = spread(np.minimum(self.starts[at + 1] - self.starts[at], CROWD))
        partners = self.order[self.ranks[self.starts[at][owner] + within]]
        n = max(len(self.lengths), 1)
        keys = (rows[owner] * n + partners).astype(np.uint64) << _PLACE_BITS | places[owner].astype(np.uint64)
        keys.sort()
        pairs = keys >> _PLACE_BITS
        first = np.flatnonzero(np.diff(pairs, prepend=np.uint64(1 << 63)))
        shared = np.diff(np.append(first, len(keys)))
        last = first + shared - 1
        reach = (keys[last] - keys[first]).astype(np.int64) + SPAN  # the places are the keys' low bits
        row, partner = np.divmod(pairs[first].astype(np.int64), n)
        least = np.minimum(sizes[row], self.sizes[partner])
        near = (shared >= THRESHOLD * least) & (least >= MIN_WORDS)
        near &= reach >= REACH * np.minimum(batch.lengths[row], self.lengths[partner])
        return batch.first + row[near], partner[near], shared[near] / least[near]

    def crowded_rows(self) -> np.ndarray:
        """Indices of the sequences that have a word found in more than `CROWD` of them, ascending."""
        counts = np.diff(self.starts)
        crowded = np.repeat(counts > CROWD, counts)
        return np.unique(self.order[self.ranks[crowded]])

    def words_of(self, rows: np.ndarray) -> np.ndarray:
        """The distinct words of these sequences, ascending."""
        chosen = np.zeros(len(self.lengths), bool)
        chosen[rows] = True
        hits = np.logical_or.reduceat(chosen[self.order[self.ranks]], self.starts[:-1])
        return self.words[hits]


def distinct_words(batch: Joined) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct words of each sequence: (its number in the batch, word, place of the word's first window)."""
    places, rows = batch.windows(SPAN)
    codes = _CODES[batch.letters]
    forward, backward = (np.zeros(len(places), np.uint32) for _ in range(2))
    known = np.ones(len(places), bool)
    for number, offset in enumerate(OFFSETS):
        code = codes[places + offset].astype(np.uint32)
        known &= code < 4
        forward |= code << np.uint32(2 * (WEIGHT - 1 - number))
        backward |= (3 - (code & 3)) << np.uint32(2 * number)
    word = np.minimum(forward, backward)[known].astype(np.uint64)
    rows = rows[known].astype(np.uint64)
    within = np.minimum(places[known] - batch.starts[rows.astype(np.int64)], _LAST_PLACE).astype(np.uint64)
    keys = ((rows << _WORD_BITS | word) << _PLACE_BITS) | within
    keys.sort()
    first = np.flatnonzero(np.diff(keys >> _PLACE_BITS, prepend=np.uint64(1 << 63)))
    keys = keys[first]
    word = ((keys >> _PLACE_BITS) & np.uint64(4**WEIGHT - 1)).astype(np.uint32)
    return (keys >> (_PLACE_BITS + _WORD_BITS)).astype(np.int64), word, (keys & np.uint64(_LAST_PLACE)).astype(np.int64)


def among(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Whether each value is one of the sorted `chosen`.

    >>> among(np.array([3, 5, 9]), np.array([5, 7])).tolist()
    [False, True, False]
    """
    if not len(chosen):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(chosen, values), len(chosen) - 1)
    return chosen[at] == values
