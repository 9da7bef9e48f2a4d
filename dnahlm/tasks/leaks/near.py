"""Near-duplicates: sequences alike over at least half of the shorter one, on either strand.

Alike are the bases in common ungapped segments (`dnahlm.tasks.leaks.segments`: more than three quarters of the bases
equal); several segments of a pair, as an insertion leaves, count together. Segments are grown from common spaced words
(`dnahlm.tasks.leaks.words`), of which windows that are plain repeats, such as poly-A, have none.

What is found for certain: a copy with up to 3 bases in 40 substituted, 5 in 50 or 7 in 70, whichever they are, unless
its words are in crowds. Printed by `eval/benchmarks/leakage.py` (2 cores of an AMD EPYC, one used, 2026-11-25), shares
found of rows on either strand whose bases were each changed with a chance (of the indels, half are substitutions):

| bases | train rows | planted each | 5 % substituted | 10 % | 5 % with indels | alarms: shuffled | unrelated |
|---|---|---|---|---|---|---|---|
| 40 | 300,000 | 8,333 | 99.5 % | 88.4 % | 88.5 % | 0.13 % | 0.11 % of 50,002 |
| 70 | 60,000 | 1,666 | 99.9 % | 99.5 % | 93.5 % | 0 | 0 of 10,004 |
| 100 | 300,000 | 8,333 | 100 % | 99.9 % | 97.8 % | 0 | 0 of 50,002 |
| 150 | 60,000 | 1,666 | 100 % | 100 % | 99.6 % | 0 | 0 of 10,004 |

300,000 train against 100,000 test rows of 100 bases took 20 s and 1.04 GB, with all other kinds of leaks.

A word at more than `dnahlm.tasks.leaks.index.CROWD` places of one list (a repeat family, a primer) is met only at its
first few, in one random order for all words, so that members of a family still meet its representatives; then the same
the other way round. Words and sequences concerned are counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dnahlm.tasks.leaks.index import WordIndex
from dnahlm.tasks.leaks.joined import Joined, batches
from dnahlm.tasks.leaks.segments import covered, segments, text_of
from dnahlm.tasks.leaks.words import codes_of

COVER = 0.5  # of the bases of the shorter sequence

Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # indices in one list, indices in the other, similarity


def find_near(train: Sequence[str], test: Sequence[str]) -> Found:
    """All near-duplicate pairs: (train indices, test indices, similarity), sorted; equal sequences are among them.

    Similarity is the share of the shorter sequence that lies in common segments, `COVER`..1.

    Args:
        train: N sequences over ACGTN; N is like no letter.
        test: M sequences over ACGTN.

    >>> one = "ACGATTACCAGTTGACCATTAGCAGGCATCAGTTTACGGA"
    >>> other = "T" + one[:35] + "C" + one[36:]
    >>> [part.round(2).tolist() for part in find_near([one], ["T" * 40, other])]
    [[0], [1], [1.0]]
    """
    return NearSearch(test).pairs(train)


class NearSearch:
    """Test sequences indexed once, to be compared with one list of train sequences after another."""

    def __init__(self, test: Sequence[str]) -> None:
        """Index M sequences over ACGTN."""
        self.test = test
        self.index = WordIndex(test)
        self.crowded = self.index.crowded_rows()

    def pairs(self, train: Sequence[str], progress: str | None = None, counts: Counter[str] | None = None) -> Found:
        """The pairs of `find_near`.

        Args:
            train: N sequences over ACGTN.
            progress: title of a progress bar; None shows none.
            counts: gets how far the search fell short, in words and test sequences.
        """
        found = [search(self.index, train, progress)]
        if len(self.crowded):  # what a crowd has beyond its representatives still has to meet the other list's
            back = WordIndex(train, only=self.index.crowded_words())
            meeting = search(back, [self.test[row] for row in self.crowded], progress)
            found.append((meeting[1], self.crowded[meeting[0]], meeting[2]))
        if counts is not None:
            counts["near_words_in_crowds"] += sum(map(len, self.index.crowded_words()))
            counts["near_sequences_in_crowds"] += len(self.crowded)  # may have a near-duplicate that went unseen
            # Too short, plain repeats or N throughout:
            counts["near_sequences_not_searched"] += int((~self.index.has_words).sum())
        trains, tests, similarities = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((-similarities, tests, trains))
        trains, tests, similarities = trains[order], tests[order], similarities[order]
        first = np.ones(len(order), bool)  # found on both strands, or both ways: the higher similarity is the truer one
        first[1:] = (np.diff(trains) != 0) | (np.diff(tests) != 0)
        return trains[first], tests[first], similarities[first]


def search(index: WordIndex, sequences: Sequence[str], progress: str | None = None) -> Found:
    """Near pairs: (indices in `sequences`, indices in the index, similarity); a pair may come once per strand."""
    found = [part for batch in batches(sequences, progress) for part in search_batch(index, batch)]
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return tuple(np.concatenate(parts) for parts in zip(none, *found, strict=True))


def search_batch(index: WordIndex, batch: Joined) -> Iterator[Found]:
    """Near pairs of one batch, part by part."""
    codes = codes_of(batch.letters)
    text = text_of(codes, batch.starts, batch.lengths)
    for at, to in index.hits(batch, codes):
        row, strand, begin, partner_begin, bases = segments(text, index.text, at, to)
        ours, theirs = batch.lengths[row], index.text.lengths[strand]
        begin = np.where(ours <= theirs, begin, partner_begin)  # on the shorter one
        pair, together = covered(row * len(index.text.starts) + strand, begin, begin + bases)
        row, strand = np.divmod(pair, max(len(index.text.starts), 1))
        similarity = together / np.minimum(batch.lengths[row], index.text.lengths[strand])
        near = similarity >= COVER
        yield batch.first + row[near], index.rows_of(strand[near]), similarity[near]
