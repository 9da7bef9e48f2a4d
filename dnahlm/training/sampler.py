"""Batches of similar length in random order: little padding, and no task is met in one long stretch."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

BUCKET = 64  # tokens; wide enough that tasks and wordings of about one length share their batches


class BucketSampler(Sampler[int]):
    """Row numbers such that every `batch_size` of them in a row have lengths within one bucket, or nearly.

    Upstream's sampler for `group_by_length` runs from the longest batch to the shortest over and over. With tasks of
    different lengths that is one task after the other, and a small model forgets each in turn. Here the batches are
    shuffled, and rows within a bucket are too.

    Args:
        lengths: N lengths in tokens.
        batch_size: rows per device and forward pass.
        seed: with the epoch, draws the order; every process draws the same.
        bucket: tokens; lengths of 1 to `bucket` are one bucket, and so on, as padding to a multiple of it needs.

    >>> rows = list(BucketSampler([10, 200, 12, 210], batch_size=2, seed=0))
    >>> sorted(map(sorted, (rows[:2], rows[2:])))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, bucket: int = BUCKET) -> None:
        self.buckets = (np.asarray(lengths) - 1) // bucket
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, and when a run is resumed."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.buckets)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        rows = rng.permutation(len(self.buckets))
        rows = rows[np.argsort(self.buckets[rows], kind="stable")]
        n_full = len(rows) // self.batch_size * self.batch_size
        # The rows left over, fewer than a batch, come last: elsewhere they would shift the borders of all batches.
        rest = rng.choice(len(rows), len(rows) - n_full, replace=False)
        left_over, rows = rows[rest], np.delete(rows, rest)
        batches = rng.permutation(rows.reshape(-1, self.batch_size))
        yield from (int(row) for row in (*batches.flat, *left_over))
