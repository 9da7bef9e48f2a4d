"""Near-duplicates: sequences alike over at least half of the shorter one, on either strand.

Alike are the bases in common ungapped segments (`dnahlm.tasks.leaks.segments`); several segments of a pair, as an
insertion between them leaves, count together. Segments are grown from common spaced words (`dnahlm.tasks.leaks.words`).
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


def find_near(
    train: Sequence[str], test: Sequence[str], progress: str | None = None, counts: Counter[str] | None = None
) -> Found:
    """All near-duplicate pairs: (train indices, test indices, similarity), sorted; equal sequences are among them.

    Similarity is the share of the shorter sequence that lies in common segments, `COVER`..1.

    Args:
        train: N sequences over ACGTN; N is like no letter.
        test: M sequences over ACGTN.
        progress: title of a progress bar; None shows none.
        counts: gets what the search could not look at in full, see `note`.

    >>> one = "ACGATTACCAGTTGACCATTAGCAGGCATCAGTTTACGGA"
    >>> other = "T" + one[:35] + "C" + one[36:]
    >>> [part.round(2).tolist() for part in find_near([one], ["T" * 40, other])]
    [[0], [1], [1.0]]
    """
    index = WordIndex(test)
    found = [search(index, train, progress)]
    crowded = index.crowded_rows()
    if len(crowded):  # what a crowd has beyond its representatives still has to meet the other list's
        back = WordIndex(train, only=index.crowded_words())
        meeting = search(back, [test[row] for row in crowded], progress)
        found.append((meeting[1], crowded[meeting[0]], meeting[2]))
    if counts is not None:
        note(counts, index, crowded)
    trains, tests, similarities = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((-similarities, tests, trains))
    trains, tests, similarities = trains[order], tests[order], similarities[order]
    first = np.ones(len(order), bool)  # found on both strands, or both ways: the higher similarity is the truer one
    first[1:] = (np.diff(trains) != 0) | (np.diff(tests) != 0)
    return trains[first], tests[first], similarities[first]


def note(counts: Counter[str], index: WordIndex, crowded: np.ndarray) -> None:
    """Add to `counts` how far the search fell short."""
    counts["near_words_in_crowds"] += sum(map(len, index.crowded_words()))
    counts["near_sequences_in_crowds"] += len(crowded)  # may have a near-duplicate that went unseen
    counts["near_sequences_not_searched"] += int((~index.has_words).sum())  # too short, plain repeats, or N throughout


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
