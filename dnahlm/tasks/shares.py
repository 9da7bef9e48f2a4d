"""How many of a number of rows each class of a task, or each task of a mixture, gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", str, int)
HALVINGS = 100  # of a range of at most some 10^6 logarithms


def rows_by_share(
    available: Mapping[Key, int], total: int, weights: Mapping[Key, float] | None = None, temperature: float = 1.0
) -> dict[Key, int]:
    """Rows of each class or task, at least 1 and at most what it has.

    The share of one is its weight times n^(1/T), n being its rows. What it cannot give, the others give.

    Args:
        available: class or task -> n, 1 or more.
        total: rows to reach, one or more for each; 0 for as many as exact shares allow.
        weights: of each, above 0; None is 1 for all.
        temperature: T.

    >>> rows_by_share({"a": 900, "b": 99, "c": 1}, 10)
    {'a': 8, 'b': 1, 'c': 1}
    >>> rows_by_share({"a": 900, "b": 100}, 0, temperature=2.0)
    {'a': 300, 'b': 100}
    >>> rows_by_share({"a": 900, "b": 100}, 500, {"a": 1, "b": 3})
    {'a': 400, 'b': 100}
    """
    most = np.log(np.array(list(available.values()), float))
    # Logarithms: n^(1/T) may be beyond any float.
    shares = most / temperature + (np.log([weights[key] for key in available]) if weights else 0.0)

    def rows(scale: float) -> np.ndarray:
        return np.exp(np.clip(scale + shares, 0.0, most))

    if total >= sum(available.values()):
        return dict(available)
    low, high = -shares.max(), (most - shares).max()
    for _ in range(HALVINGS if total else 0):  # the larger the scale, the more rows
        middle = (low + high) / 2
        low, high = (middle, high) if rows(middle).sum() < total else (low, middle)
    exact = rows(high if total else (most - shares).min())
    numbers = whole_numbers(exact, total) if total else np.rint(exact)
    return {key: int(n) for key, n in zip(available, numbers, strict=True)}


def whole_numbers(exact: np.ndarray, total: int) -> np.ndarray:
    """Numbers that add up to about `total`, made whole so that they add up to it: the largest remainders go up.

    >>> whole_numbers(np.array([2.5, 1.2, 1.3]), 5).tolist()
    [3, 1, 1]
    """
    numbers = np.floor(exact + 1e-6).astype(np.int64)
    numbers[np.argsort(numbers - exact, kind="stable")[: max(total - numbers.sum(), 0)]] += 1
    return numbers
