"""Statistics of rows: intervals of shares, paired tests of two sets of predictions, correction for many tests.

All are exact or resample the test rows; none assumes that figures are normally distributed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from dnahlm.evaluation.metrics import BINS, bins_of

CHUNK_CELLS = 20_000_000  # bootstrap counts held at once, 160 MB


@dataclass
class Difference:
    """A paired difference of MCC, b - a, with its bootstrap interval (95 %)."""

    value: float
    low: float
    high: float
    draws: np.ndarray  # (n_bootstrap,)

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. B. Wilson, 1927).

    >>> [round(end, 3) for end in wilson(9, 10)]
    [0.596, 0.982]
    """
    found = binomtest(right, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def mcnemar(a_right: np.ndarray, b_right: np.ndarray) -> tuple[int, int, float]:
    """McNemar's exact test of two models on the same N rows (Q. McNemar, 1947; two-sided binomial).

    Args:
        a_right: (N,) whether model a is right.
        b_right: (N,) the same of model b.

    Returns:
        rows only a has right, rows only b has right, p-value. It is exact for any N; rows both have right or both have
        wrong say nothing about which is better.

    >>> mcnemar(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 1], bool))
    (1, 2, 1.0)
    """
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return only_a, only_b, p


def mcc_difference(
    references: np.ndarray, a: np.ndarray, b: np.ndarray, n_bootstrap: int = 2000, seed: int | Sequence[int] = 0
) -> Difference:
    """MCC of b minus MCC of a on the same rows, with a paired percentile bootstrap over the rows.

    Args:
        references: (N,) numbers of the right answers.
        a: (N,) numbers of model a's answers; a number that is no right answer anywhere (such as -1 for no usable
            answer) is a wrong class of its own.
        b: (N,) the same of model b.
        n_bootstrap: resamples. Both models are read on the same resampled rows.
        seed: of the resampling.
    """
    triples, counts = np.unique(np.stack([references, a, b]), axis=1, return_counts=True)
    classes = np.unique(triples)
    right, of_a, of_b = (classes[None, :] == row[:, None] for row in triples)  # (cells, K)
    value = _mcc(counts[None], right, of_b) - _mcc(counts[None], right, of_a)
    # Drawing rows with replacement is drawing the counts of the distinct (reference, a, b) from a multinomial.
    rng, draws = np.random.default_rng(seed), []
    step = max(1, CHUNK_CELLS // len(counts))
    for start in range(0, n_bootstrap, step):
        drawn = rng.multinomial(counts.sum(), counts / counts.sum(), size=min(step, n_bootstrap - start))
        draws.append(_mcc(drawn, right, of_b) - _mcc(drawn, right, of_a))
    drawn = np.concatenate(draws)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Difference(float(value[0]), float(low), float(high), drawn)


def _mcc(counts: np.ndarray, right: np.ndarray, said: np.ndarray) -> np.ndarray:
    """MCC for K classes of B sets of counts, (B, cells) -> (B,); 0 where a side is constant (J. Gorodkin, 2004)."""
    counts = counts.astype(np.float64)
    n = counts.sum(axis=1)
    hits = counts @ (right & said).any(axis=1)
    true, given = counts @ right, counts @ said  # (B, K)
    cov = hits * n - (true * given).sum(axis=1)
    spread = (n**2 - (true**2).sum(axis=1)) * (n**2 - (given**2).sum(axis=1))
    return np.divide(cov, np.sqrt(spread), out=np.zeros_like(cov), where=spread > 0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (S. Holm, 1979): the chance of one false claim among all stays under each of them.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, worst = [0.0] * len(order), 0.0
    for place, index in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


@dataclass
class Bin:
    """Rows put together: where on the x axis, how many, how many right."""

    low: float
    high: float
    x: float  # their mean
    n: int
    right: int

    @property
    def share(self) -> float:
        """Share of right rows."""
        return self.right / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share."""
        return wilson(self.right, self.n)


def confidence_bins(confidence: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Rows by the probability of the answer given, in the bins of the calibration error; empty ones are left out.

    >>> [(b.n, b.right) for b in confidence_bins(np.array([0.55, 0.95, 1.0]), np.array([1, 0, 1], bool))]
    [(1, 1), (2, 1)]
    """
    number = bins_of(confidence)
    return [
        Bin(k / BINS, (k + 1) / BINS, float(confidence[number == k].mean()), int((number == k).sum()),
            int(right[number == k].sum()))
        for k in np.unique(number).tolist()
    ]  # fmt: skip


def length_bins(bases: np.ndarray, right: np.ndarray, n_bins: int = 5, least: int = 10) -> list[Bin]:
    """Rows by their length in bases, in bins of about equal numbers of rows, none split within one length.

    Returns:
        at most `n_bins` bins of at least `least` rows each; fewer than two when nearly all rows are of one length.
    """
    edges = np.unique(np.quantile(bases, np.linspace(0, 1, n_bins + 1), method="lower"))
    found: list[Bin] = []
    number = np.clip(np.searchsorted(edges, bases, side="right") - 1, 0, max(0, len(edges) - 2))
    left_over = np.zeros(len(bases), bool)
    for k in np.unique(number):
        rows = (number == k) | left_over
        if rows.sum() < least:
            left_over = rows
            continue
        left_over = np.zeros(len(bases), bool)
        found.append(_length_bin(bases, right, rows))
    if left_over.any() and found:
        rows = left_over | (bases >= found[-1].low)
        found[-1] = _length_bin(bases, right, rows)
    return found


def _length_bin(bases: np.ndarray, right: np.ndarray, rows: np.ndarray) -> Bin:
    own = bases[rows]
    return Bin(float(own.min()), float(own.max()), float(own.mean()), int(rows.sum()), int(right[rows].sum()))
