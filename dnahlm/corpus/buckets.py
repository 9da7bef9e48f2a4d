"""Rows sorted on disk: parted by the first bits of their keys into files small enough to be sorted one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

ROWS = 1 << 16  # in a bucket about, as keys are hashes; many rows of one key stay together whatever their number
MOST_BITS = 10  # of a key; as many files are open at a time as they tell apart


class Buckets:
    """Rows with the fields `key` and `rank` (uint64), added in any order and read in the order of both.

    Args:
        folder: a new folder for the files.
        dtype: of a row.
        expected: about how many rows there will be.
    """

    def __init__(self, folder: Path, dtype: np.dtype, expected: int) -> None:
        self.dtype = dtype
        self.bits = min(max(expected // ROWS, 0).bit_length(), MOST_BITS)
        folder.mkdir()
        self.paths = [folder / f"{number}.bin" for number in range(1 << self.bits)]
        self.opened = ExitStack()
        self.files = [self.opened.enter_context(path.open("wb")) for path in self.paths]

    def __enter__(self) -> Buckets:
        return self

    def __exit__(self, *error: object) -> None:
        self.opened.close()

    def add(self, rows: np.ndarray) -> None:
        """Take (N,) rows."""
        number = rows["key"] >> np.uint64(64 - self.bits) if self.bits else np.zeros(len(rows), np.uint64)
        order = np.argsort(number, kind="stable")
        borders = np.searchsorted(number[order], np.arange(1, len(self.files), dtype=np.uint64))
        for file, part in zip(self.files, np.split(rows[order], borders), strict=True):
            file.write(part.tobytes())

    def read(self) -> Iterator[np.ndarray]:
        """Yield all rows, a bucket at a time, and delete its file; rows of one key come together."""
        self.opened.close()
        for path in self.paths:
            rows = np.fromfile(path, self.dtype)
            path.unlink()
            yield rows[np.lexsort((rows["rank"], rows["key"]))]
        self.paths[0].parent.rmdir()


def first_of_key(rows: np.ndarray) -> np.ndarray:
    """(N,) bool: the rows, sorted by key, before which none has the same key."""
    first = np.ones(len(rows), bool)
    first[1:] = rows["key"][1:] != rows["key"][:-1]
    return first
