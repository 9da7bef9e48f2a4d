"""95 % intervals: every figure again on resamples of the rows, thousands at once (percentile bootstrap, Efron 1979).

A resample is N rows drawn with replacement, that is, a count for every row; each figure is computed from the counts.
All columns of a task are measured on the same resamples. Resamples are worked through in blocks small enough for a
CPU's cache: an area under a curve is a sort done once and then sums along the sorted rows.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dnahlm.evaluation.metrics import BINS, METRICS, PROBABILITY_METRICS, bins_of, brier_terms, numbered

LEVEL = 0.95
BLOCK = 1 << 18  # counts held at once (rows x resamples); 2 MB


class Answered(NamedTuple):
    """What one way of asking gave: a prediction for each of N rows, and their probabilities (N, K) if there are any."""

    predicted: Sequence[str | None]
    chances: np.ndarray | None = None


def intervals(
    ways: dict[str, Answered], references: Sequence[str], answers: Sequence[str], n_resamples: int, seed: int
) -> dict[str, dict[str, list[float] | None]]:
    """Way -> metric -> [low, high]; None where a metric does not exist.

    Args:
        ways: N predictions each, all of the same rows.
        references: N right answers.
        answers: K answers, the columns of the probabilities.
        n_resamples: how many times the rows are drawn; 0 gives no intervals.
        seed: of the draws.
    """
    right = numbered(references, answers)
    meters = {name: Meter(answered, right, answers) for name, answered in ways.items()}
    found: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for counts in resamples(len(right), n_resamples, seed):
        for name, meter in meters.items():
            found[name].append(meter.measure(counts))
    return {name: limits(np.concatenate(values, axis=1)) for name, values in found.items() if values}


def resamples(n_rows: int, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield counts of shape (N, block): how often each row was drawn in each resample; every column sums to N."""
    rng = np.random.default_rng(seed)
    block = max(1, min(n_resamples, BLOCK // max(n_rows, 1)))
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        drawn = rng.integers(0, n_rows, (n_rows, size), dtype=np.int64) * size + np.arange(size)
        yield np.bincount(drawn.ravel(), minlength=n_rows * size).reshape(n_rows, size).astype(np.float32)


def limits(values: np.ndarray) -> dict[str, list[float] | None]:
    """Metric -> the central 95 % of its row in (metrics, resamples); resamples in which it does not exist are left out.

    None when it does not exist in half of them or more.
    """
    result: dict[str, list[float] | None] = {}
    for name, row in zip((*METRICS, *PROBABILITY_METRICS), values, strict=True):
        known = row[~np.isnan(row)]
        tail = (1 - LEVEL) / 2
        result[name] = np.quantile(known, [tail, 1 - tail]).tolist() if 2 * len(known) > len(row) else None
    return result


class Meter:
    """One way's rows, prepared so that counts of rows become figures by sums alone."""

    def __init__(self, answered: Answered, right: np.ndarray, answers: Sequence[str]) -> None:
        k = len(answers)
        predicted = numbered(answered.predicted, answers)
        # Columns: the right answers, the predictions (the last one: none), the right predictions.
        marks = [np.eye(k)[right], np.eye(k + 1)[predicted], (predicted == right)[:, None] * np.eye(k)[right]]
        self.marks, self.k = np.concatenate(marks, axis=1, dtype=np.float32).T.copy(), k
        self.curves: list[Curve] = []
        self.has_chances = answered.chances is not None
        if answered.chances is not None:
            chances = answered.chances
            confidence = chances.max(axis=1)
            gaps = np.eye(BINS)[bins_of(confidence)].T * ((chances.argmax(axis=1) == right) - confidence)
            self.terms = np.concatenate([gaps, brier_terms(chances, right)[None]], dtype=np.float32)
            self.curves = [Curve(chances[:, j], right == j) for j in ([1] if k == 2 else range(k))]

    def measure(self, counts: np.ndarray) -> np.ndarray:
        """The figures in the order of the metric tables, (metrics, resamples); nan where one does not exist."""
        n, k = counts.sum(axis=0, dtype=np.float64), self.k
        sums = (self.marks @ counts).astype(np.float64)
        true, said, hits = sums[:k], sums[k : 2 * k + 1], sums[2 * k + 1 :]
        c = hits.sum(axis=0)
        covariance = c * n - (true * said[:k]).sum(axis=0)
        spread = np.sqrt((n**2 - (said**2).sum(axis=0)) * (n**2 - (true**2).sum(axis=0)))
        mcc = np.divide(covariance, spread, out=np.zeros_like(n), where=spread > 0)
        both = true + said[:k]
        f1 = np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0).sum(axis=0) / (both > 0).sum(axis=0)
        if not self.has_chances:
            return np.stack([mcc, c / n, f1, *np.full((4, len(n)), np.nan)])
        areas = np.mean([curve.areas(counts) for curve in self.curves], axis=0)
        terms = self.terms @ counts / n
        return np.stack([mcc, c / n, f1, *areas, terms[BINS], np.abs(terms[:BINS]).sum(axis=0)])


class Curve:
    """ROC and precision-recall of one answer against the rest."""

    def __init__(self, chances: np.ndarray, positive: np.ndarray) -> None:
        order = np.argsort(-chances, kind="stable")
        self.true, self.false = order[positive[order]], order[~positive[order]]
        falling, others = -chances[self.true], -chances[self.false]
        # For each true row: how many true rows, and false rows, are at least as likely; false rows that are likelier.
        self.true_with = np.searchsorted(falling, falling, side="right")
        self.false_with = np.searchsorted(others, falling, side="right")
        self.false_above = np.searchsorted(others, falling, side="left")
        self.tied = bool((self.false_with != self.false_above).any() or (np.diff(falling) == 0).any())

    def areas(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Areas under both curves for each column of counts; nan where one class is absent."""
        hits = counts[self.true]
        true, false = sums_before(hits), sums_before(counts[self.false])
        pairs = true[-1] * false[-1]
        with_false = false[self.false_with]
        with_true = true[self.true_with] if self.tied else true[1:]
        above = (false[self.false_above] + with_false) / 2 if self.tied else with_false
        drawn = with_true + with_false
        precision = np.divide(with_true, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            roc = 1 - np.einsum("nr,nr->r", hits, above) / pairs
            area = np.einsum("nr,nr->r", hits, precision) / true[-1]
        return np.where(pairs > 0, roc, np.nan), np.where(pairs > 0, area, np.nan)


def sums_before(counts: np.ndarray) -> np.ndarray:
    """(N, R) -> (N + 1, R): the sum of the first 0, 1, ... N rows."""
    sums = np.zeros((len(counts) + 1, counts.shape[1]), dtype=counts.dtype)
    np.cumsum(counts, axis=0, out=sums[1:])
    return sums
