"""Which places of a list of sequences, on either strand, have the same spaced word as places of other sequences."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dnahlm.tasks.leaks.joined import Joined, batches, spread
from dnahlm.tasks.leaks.segments import Text, text_of
from dnahlm.tasks.leaks.words import MASKS, WEIGHT, codes_of, words_of

CROWD = 32  # a word at more places than these is met at the first REPRESENTATIVES of them only
REPRESENTATIVES = 8
HITS = 1 << 21  # looked at together
_PLACE_BITS = 38  # of a key: word, place, strand


class Table(NamedTuple):
    """Word of one mask -> windows that have it."""

    mask: str
    words: np.ndarray  # (W,) uint32, distinct, ascending
    starts: np.ndarray  # (W + 1,) where the entries of each word begin
    entries: np.ndarray  # place of the window << 1 | the word is that of the other strand
    seen: np.ndarray  # (4^WEIGHT,) bool, whether there is such a word

    @property
    def sizes(self) -> np.ndarray:
        """Entries of each word."""
        return np.diff(self.starts)


class Met(NamedTuple):
    """Windows of a batch whose word the index has."""

    places: np.ndarray  # in the batch
    rows: np.ndarray  # sequence of the batch
    minus: np.ndarray  # the word is that of the other strand
    first: np.ndarray  # entry of the table
    entries: np.ndarray  # how many to look at from there


class WordIndex:
    """Sequences and, behind them, their reverse complements in one text, and the words of it."""

    def __init__(self, sequences: Sequence[str], only: Sequence[np.ndarray] | None = None) -> None:
        """Index the sequences' words, or for each mask those among the sorted words `only`."""
        # One random order for all words, so that the representatives of every crowd are the same sequences.
        self.order = np.random.default_rng(0).permutation(len(sequences))
        ordered = [sequences[i] for i in self.order]
        self.has_words = np.zeros(len(sequences), bool)
        codes, keys = [np.empty(0, np.uint8)], [[np.empty(0, np.uint64)] for _ in MASKS]
        lengths = np.fromiter(map(len, ordered), np.int64, len(ordered))
        starts = np.cumsum(lengths) - lengths
        for batch in batches(ordered):
            codes.append(codes_of(batch.letters))
            for number, mask in enumerate(MASKS):
                found = words_of(batch, codes[-1], mask)
                self.has_words[self.order[batch.first + found.rows]] = True
                entry = (starts[batch.first] + found.places) << 1 | found.minus
                key = found.words.astype(np.uint64) << np.uint64(_PLACE_BITS) | entry.astype(np.uint64)
                keys[number].append(key if only is None else key[among(found.words, only[number])])
        forward = np.concatenate(codes)
        both = np.concatenate([forward, 3 - forward[::-1]])
        both[both > 3] = 5  # the unknown letters of the others are 4: equal to none of these
        lengths = np.concatenate([lengths, lengths[::-1]])
        self.text: Text = text_of(both, np.cumsum(lengths) - lengths, lengths)
        self.tables = [table_of(mask, parts, len(both)) for mask, parts in zip(MASKS, keys, strict=True)]

    def rows_of(self, strands: np.ndarray) -> np.ndarray:
        """Index of the sequence that each sequence of the text is, or is the reverse complement of."""
        return self.order[np.minimum(strands, len(self.text.starts) - 1 - strands)]

    def crowded_words(self) -> list[np.ndarray]:
        """For each mask, the words at more than `CROWD` places, ascending."""
        return [table.words[table.sizes > CROWD] for table in self.tables]

    def crowded_rows(self) -> np.ndarray:
        """Indices of the sequences that have a crowded word and are not among its representatives, ascending."""
        rows = [np.empty(0, np.int64)]
        for table in self.tables:
            crowds = np.flatnonzero(table.sizes > CROWD)
            owner, within = spread(table.sizes[crowds] - REPRESENTATIVES)
            places = table.entries[table.starts[crowds][owner] + REPRESENTATIVES + within] >> 1
            rows.append(self.rows_of(self.text.rows_at(places)))
        return np.unique(np.concatenate(rows))

    def hits(self, batch: Joined, codes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (places in the batch, places in the text) of common words, about `HITS` at a time, rows undivided."""
        met = [self.meet(batch, codes, table) for table in self.tables]
        per_row = sum(np.bincount(part.rows, part.entries, len(batch.lengths)) for part in met)
        part_of_row = (np.cumsum(per_row) // HITS).astype(np.int64)
        for number in np.unique(part_of_row[per_row > 0]):
            found = [
                self.places(table, Met(*(values[part_of_row[part.rows] == number] for values in part)))
                for table, part in zip(self.tables, met, strict=True)
            ]
            at, to = (np.concatenate(places) for places in zip(*found, strict=True))
            yield at, to

    def meet(self, batch: Joined, codes: np.ndarray, table: Table) -> Met:
        """The windows of a batch whose word is in the table."""
        found = words_of(batch, codes, table.mask)
        known = np.flatnonzero(table.seen[found.words])
        known = known[np.argsort(found.words[known])]  # in the table's order, look-ups stay near one another
        at = np.searchsorted(table.words, found.words[known])
        entries = table.starts[at + 1] - table.starts[at]
        entries[entries > CROWD] = REPRESENTATIVES
        return Met(found.places[known], found.rows[known], found.minus[known], table.starts[at], entries)

    def places(self, table: Table, met: Met) -> tuple[np.ndarray, np.ndarray]:
        """Where the windows and the entries of their words lie, on the same strand."""
        owner, within = spread(met.entries)
        entries = table.entries[met.first[owner] + within].astype(np.int64)
        to = entries >> 1
        turned = len(self.text.codes) - to - len(table.mask)
        return met.places[owner], np.where((entries & 1) == met.minus[owner], to, turned)


def table_of(mask: str, parts: list[np.ndarray], size: int) -> Table:
    """Sort the keys of one mask; `parts` is emptied, to save memory; `size` is that of the text."""
    key = np.concatenate(parts)
    parts.clear()
    key.sort()
    words = (key >> np.uint64(_PLACE_BITS)).astype(np.uint32)
    edges = np.flatnonzero(np.diff(words, prepend=np.uint32(0xFFFFFFFF)))
    entries = (key & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.min_scalar_type(size))
    seen = np.zeros(4**WEIGHT, bool)
    seen[words] = True
    return Table(mask, words[edges], np.append(edges, len(words)), entries, seen)


def among(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Whether each value is one of the sorted `chosen`.

    >>> among(np.array([3, 5, 9]), np.array([5, 7])).tolist()
    [False, True, False]
    """
    if not len(chosen):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(chosen, values), len(chosen) - 1)
    return chosen[at] == values
