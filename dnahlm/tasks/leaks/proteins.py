"""Near-duplicates among proteins: at least half of the residues of the shorter lie in words that the other has too.

A word is six residues in a row, of which there are 64 million. A word at more than `CROWD` places of the test proteins
(a repeat, a common domain) is met at the first of them only.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dnahlm.tasks.leaks.joined import Joined, batches, spread
from dnahlm.tasks.leaks.near import COVER, Found
from dnahlm.tasks.leaks.segments import covered

WORD = 6  # residues
CROWD = 64
_CODES = np.zeros(256, np.uint64)
_CODES[65:91] = np.arange(1, 27)  # letters; the stop, an asterisk, is 0


class NearProteins:
    """Test proteins indexed once, to be compared with one list of train proteins after another."""

    def __init__(self, test: Sequence[str]) -> None:
        """Index M proteins in upper-case letters."""
        self.lengths = np.fromiter(map(len, test), np.int64, len(test))
        parts = [(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))]
        for batch in batches(test):
            words, rows, places = words_of(batch)
            parts.append((words, batch.first + rows, places))
        words, rows, places = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(words, kind="stable")
        self.rows, self.places = rows[order], places[order]
        self.words, self.starts = np.unique(words[order], return_index=True)
        self.sizes = np.diff(np.append(self.starts, len(words)))

    def pairs(self, train: Sequence[str], progress: str | None = None, counts: Counter[str] | None = None) -> Found:
        """(Train indices, test indices, similarity) of the near-duplicates; equal proteins are among them.

        Similarity is the share of the shorter protein's residues that lie in common words, `COVER`..1.

        Args:
            train: N proteins in upper-case letters.
            progress: title of a progress bar; None shows none.
            counts: gets the words in crowds, and the test proteins too short for a word.

        >>> one = "MKTAYIAKQRQISFVKSHFS"
        >>> [part.tolist() for part in NearProteins([one[:9] + "W" + one[10:], "MKV"]).pairs([one])]
        [[0], [0], [0.95]]
        """
        found = [part for batch in batches(train, progress) for part in self.search(batch)]
        if counts is not None:
            counts["near_words_in_crowds"] += int((self.sizes > CROWD).sum())
            counts["near_sequences_not_searched"] += int((self.lengths < WORD).sum())
        none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        return tuple(np.concatenate(parts) for parts in zip(none, *found, strict=True))

    def search(self, batch: Joined) -> Iterator[Found]:
        """The near-duplicates of one batch."""
        words, rows, places = words_of(batch)
        if not len(self.words):
            return
        at = np.minimum(np.searchsorted(self.words, words), len(self.words) - 1)
        known = self.words[at] == words
        at, rows, places = at[known], rows[known], places[known]
        owner, within = spread(np.minimum(self.sizes[at], CROWD))
        entry = self.starts[at][owner] + within
        row, partner = rows[owner], self.rows[entry]
        begin = np.where(batch.lengths[row] <= self.lengths[partner], places[owner], self.places[entry])
        pair, together = covered(row * len(self.lengths) + partner, begin, begin + WORD)
        row, partner = np.divmod(pair, len(self.lengths))
        similarity = together / np.minimum(batch.lengths[row], self.lengths[partner])
        near = similarity >= COVER
        yield batch.first + row[near], partner[near], similarity[near]


def words_of(batch: Joined) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The word at each window without X and of more than one residue: (word, its protein in the batch, first residue).

    >>> from dnahlm.tasks.leaks.joined import join
    >>> [part.tolist() for part in words_of(join(["AAAAAAC", "QQQQQQ", "MKTXYI"]))[1:]]
    [[0], [1]]
    """
    windows, rows = batch.windows(WORD)
    words, known, mixed = np.zeros(len(windows), np.uint64), np.ones(len(windows), bool), np.zeros(len(windows), bool)
    for offset in range(WORD):
        letters = batch.letters[windows + offset]
        words = words << np.uint64(5) | _CODES[letters]
        known &= letters != ord("X")
        mixed |= letters != batch.letters[windows]
    told = known & mixed
    return words[told], rows[told], (windows - batch.starts[rows])[told]
