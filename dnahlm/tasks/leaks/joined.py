"""Many sequences laid end to end in one array of letters, so that numpy can look at all their windows at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BATCH_BASES = 1 << 20  # a batch and what is computed from it stay within some hundred MB
BATCH_ROWS = 1 << 17


@dataclass
class Joined:
    """Sequences number `first`, `first + 1`, ... of a list, end to end."""

    first: int
    letters: np.ndarray  # (L,) uint8, ASCII
    starts: np.ndarray  # (N,) int64, where each sequence begins
    lengths: np.ndarray  # (N,) int64, bases

    def windows(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Places of all windows of `size` bases that lie inside one sequence, and the sequence (0..N-1) of each."""
        per_row = np.maximum(self.lengths - size + 1, 0)
        rows, within = spread(per_row)
        return self.starts[rows] + within, rows


def join(sequences: Sequence[str], first: int = 0) -> Joined:
    """Lay sequences end to end.

    >>> joined = join(["ACG", "T", "GG"])
    >>> [part.tolist() for part in joined.windows(2)]
    [[0, 1, 4], [0, 0, 2]]
    """
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    letters = np.frombuffer("".join(sequences).encode("ascii"), np.uint8)
    return Joined(first, letters, np.cumsum(lengths) - lengths, lengths)


def batches(sequences: Sequence[str], progress: str | None = None) -> Iterator[Joined]:
    """Yield the sequences in batches of up to `BATCH_BASES` bases, longer only where one sequence is.

    `progress` is the title of a progress bar; None shows none.
    """
    from tqdm import tqdm

    ends = np.cumsum(np.fromiter(map(len, sequences), np.int64, len(sequences)))
    first = 0
    with tqdm(total=len(sequences), desc=progress, unit="seq", disable=True if progress is None else None) as bar:
        while first < len(sequences):
            done = int(ends[first - 1]) if first else 0
            end = int(np.searchsorted(ends, done + BATCH_BASES, side="right"))
            end = min(max(end, first + 1), first + BATCH_ROWS)
            yield join(sequences[first:end], first)
            bar.update(end - first)
            first = end


def spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Owner and number within the owner of each of sum(counts) things.

    >>> [part.tolist() for part in spread(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    return owners, np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
