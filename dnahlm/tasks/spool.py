"""Rows on disk: checked rows in a temporary file, so that a build of any size needs a few bytes of memory per row."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from dnahlm.tasks.rows import LabelledRow, Reading


class Spool:
    """Rows one after another in a file without a name, which is gone when the process ends, however it ends.

    Memory holds 17 bytes a row: where it starts, the hash of its label, and whether something gives it away.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        """Open an empty file on the disk of `folder`; None is the system's place for temporary files."""
        self.folder = str(folder or tempfile.gettempdir())
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by `__exit__`, or when it is let go)
        self.starts = array("Q", [0])  # one more than there are rows
        self.labels = array("q")
        self.given_away = bytearray()
        self.writing = True  # rows may still be in the file's buffer

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, OSError) and error.filename is None:  # a full disk; the file has no name to be told
            error.filename = self.folder
        self.file.close()

    def __len__(self) -> int:
        return len(self.labels)

    def add(self, name: str, reading: Reading, source: str) -> None:
        """Put a row behind the others.

        Args:
            name: what its id ends with; the rest is that of its task and split, see `Rows`.
            reading: its sequences and its label, none of which has a line break.
            source: file and line.
        """
        if not self.writing:
            self.file.seek(0, os.SEEK_END)
            self.writing = True
        fields = (name, reading.label, reading.sequence, reading.second, reading.protein, source)
        size = self.file.write("\n".join(fields).encode())
        self.starts.append(self.starts[-1] + size)
        self.labels.append(hash(reading.label))
        self.given_away.append(False)

    def read(self, numbers: np.ndarray, prefix: str) -> Iterator[LabelledRow]:
        """Yield rows, numbers counted from 0 over all tasks; fast where they are in the order of the file."""
        for number in numbers:
            self.writing = False
            self.file.seek(self.starts[number])
            yield self.parsed(number, self.file.read(self.starts[number + 1] - self.starts[number]), prefix)

    def row(self, number: int, prefix: str) -> LabelledRow:
        """One row, without what lies around it in the file: half the time, where rows are drawn at random."""
        if self.writing:
            self.file.flush()
            self.writing = False
        start = self.starts[number]
        return self.parsed(number, os.pread(self.file.fileno(), self.starts[number + 1] - start, start), prefix)

    def parsed(self, number: int, text: bytes, prefix: str) -> LabelledRow:
        """The row that `add` wrote as these bytes."""
        name, label, sequence, second, protein, source = text.decode().split("\n", 5)
        return LabelledRow(prefix + name, sequence, label, source, second, protein, not self.given_away[number])


class Rows(Sequence[LabelledRow]):
    """Some rows of a spool, in an order; each is read from disk when it is asked for."""

    def __init__(self, spool: Spool, numbers: np.ndarray, prefix: str) -> None:
        self.spool = spool
        self.numbers = numbers  # (N,) int64, places in the spool
        self.prefix = prefix  # of their ids: task-split-

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> LabelledRow:  # type: ignore[override]  # no slices: `only` does that
        return self.spool.row(self.numbers[place], self.prefix)

    def __iter__(self) -> Iterator[LabelledRow]:
        return self.spool.read(self.numbers, self.prefix)

    def only(self, chosen: np.ndarray) -> Rows:
        """The rows at these places (integers), or where the mask (N,) is true."""
        return Rows(self.spool, self.numbers[chosen], self.prefix)

    def then(self, others: Rows) -> Rows:
        """These rows and, behind them, others of the same split."""
        return Rows(self.spool, np.concatenate([self.numbers, others.numbers]), self.prefix)

    @property
    def labels(self) -> np.ndarray:
        """(N,) int64, equal where labels are equal; other numbers in another process."""
        return np.frombuffer(self.spool.labels, np.int64)[self.numbers]

    def mark(self, given_away: np.ndarray) -> None:
        """Set `clean` of all rows: false where the mask (N,) is true."""
        np.frombuffer(self.spool.given_away, np.bool_)[self.numbers] = given_away
