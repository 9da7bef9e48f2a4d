"""The rows of several tables end to end, as the leak search reads them: some ten thousand at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np

from dnahlm.tasks.spool import Rows
from dnahlm.tasks.table import TaskTable


class Batch(NamedTuple):
    """Some rows of a pool."""

    sequences: list[str]  # of a pair both: either gives the row away
    rows: list[int]  # index in the pool of the row that each sequence is from


class Pool:
    """All rows of these splits, split by split and within a split table by table, counted from 0."""

    def __init__(self, tables: Iterable[TaskTable], splits: Sequence[str], as_read: bool = False) -> None:
        """Take the rows of the tables; `as_read` adds, behind those of each part, what cleaning left out of it."""
        tables = list(tables)
        self.parts = [(table.spec.id, split) for split in splits for table in tables]
        self.rows: list[Rows] = [
            table.rows[split].then(table.dropped[split]) if as_read and split in table.dropped else table.rows[split]
            for split in splits
            for table in tables
        ]
        self.starts = [0, *accumulate(map(len, self.rows))]

    def place(self, index: int) -> tuple[int, int]:
        """Which part a row is in, and its place there."""
        part = bisect_right(self.starts, index) - 1
        return part, index - self.starts[part]

    def mask(self, part: int) -> np.ndarray:
        """(N,) bool, false for every row of a part."""
        return np.zeros(len(self.rows[part]), bool)

    def masks(self) -> list[np.ndarray]:
        """A mask of each part."""
        return [self.mask(part) for part in range(len(self.parts))]

    def batches(self, size: int, proteins: bool = False) -> Iterator[Batch]:
        """Yield the DNA, or the proteins, of all rows, `size` rows at a time."""
        batch = Batch([], [])
        for index, row in enumerate(chain.from_iterable(self.rows)):
            if index and index % size == 0 and batch.sequences:
                yield batch
                batch = Batch([], [])
            for sequence in filter(None, (row.protein,) if proteins else (row.sequence, row.second)):
                batch.sequences.append(sequence)
                batch.rows.append(index)
        if batch.sequences:
            yield batch
