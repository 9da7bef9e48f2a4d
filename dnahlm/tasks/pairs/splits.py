"""Which split each record, region or gene family goes to: in proportion to the rows a split is to have."""

import random
from collections.abc import Sequence

from dnahlm.io import InputError

SPLITS = ("train", "validation", "test")
LEAST_ROWS = 12


def assign(sizes: Sequence[int], rows: dict[str, int], rng: random.Random) -> list[str]:
    """A split for each item, so that the sizes of a split add up to about its share of the rows.

    Items are taken in random order; each goes to the split that still lacks most, and no split stays empty.

    Args:
        sizes: bases, residues or windows of each item; at least as many items as splits.
        rows: split -> rows it is to have.
        rng: source of chance.

    >>> assign([5, 5, 80], {"train": 8, "validation": 1, "test": 1}, random.Random(0))
    ['test', 'validation', 'train']
    """
    total = sum(sizes)
    lack = {split: total * n / sum(rows.values()) for split, n in rows.items()}
    order = rng.sample(range(len(sizes)), len(sizes))
    order.sort(key=lambda i: sizes[i] < max(lack.values()) / 2)  # what would burst a small split is placed first
    split_of: dict[int, str] = {}
    for n_placed, item in enumerate(order):
        empty = [split for split in rows if split not in split_of.values()]
        open_splits = empty if len(order) - n_placed == len(empty) else list(rows)
        chosen = max(open_splits, key=lack.__getitem__)
        split_of[item] = chosen
        lack[chosen] -= sizes[item]
    return [split_of[i] for i in range(len(sizes))]


def check_rows(rows: dict[str, int], seed: int) -> None:
    """Refuse row counts from which nothing can be made.

    Raises:
        InputError: fewer than `LEAST_ROWS` rows or an odd number in a split, or a negative seed.
    """
    for split, n in rows.items():
        if n < LEAST_ROWS or n % 2:
            raise InputError(
                f"{split}_rows: found {n}; must be an even number of {LEAST_ROWS} or more (half of the rows of a split "
                "are of each label)."
            )
    if seed < 0:
        raise InputError(f"seed: found {seed}; must be 0 or more.")


def spread(n: int, n_cells: int) -> list[int]:
    """`n` as evenly as can be over `n_cells`, the first ones larger by one.

    >>> spread(8, 3)
    [3, 3, 2]
    """
    return [n // n_cells + (cell < n % n_cells) for cell in range(n_cells)]
