"""Answers that are no fixed list: sets of labels, numbers, codes of several levels. They are generated and parsed.

A text counts only if all of it is an answer and the model then stops. Figures are computed from counts of rows, so
that one function gives the figure (every row once) and its resamples (see `bootstrap.py`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnahlm.evaluation.bootstrap import LEVEL, Curve, resamples
from dnahlm.tasks.spec import TaskSpec


def measure_open(
    spec: TaskSpec, predicted: Sequence[Any], references: Sequence[Any], chances: np.ndarray | None = None
) -> dict[str, float | None]:
    """Every figure of the kind; None where it does not exist (a correlation with a constant, no valid answer).

    Args:
        spec: the task.
        predicted: N answers as `read_answer` gives them.
        references: the right ones.
        chances: (N, K) of kind multilabel: the probability of each label; None = none were scored.
    """
    values = figures(spec, predicted, references, np.ones((len(references), 1)), chances)
    return {name: None if np.isnan(row[0]) else float(row[0]) for name, row in values.items()}


def open_intervals(
    spec: TaskSpec,
    predicted: Sequence[Any],
    references: Sequence[Any],
    n_resamples: int,
    seed: int,
    chances: np.ndarray | None = None,
) -> dict[str, list[float] | None]:
    """Metric -> [low, high] of the central 95 % of the resamples; arguments as of `measure_open`."""
    blocks = [figures(spec, predicted, references, c, chances) for c in resamples(len(references), n_resamples, seed)]
    found: dict[str, list[float] | None] = {}
    for name in blocks[0] if blocks else ():
        row = np.concatenate([block[name] for block in blocks])
        known, tail = row[~np.isnan(row)], (1 - LEVEL) / 2
        found[name] = np.quantile(known, [tail, 1 - tail]).tolist() if 2 * len(known) > len(row) else None
    return found


def figures(
    spec: TaskSpec,
    predicted: Sequence[Any],
    references: Sequence[Any],
    counts: np.ndarray,
    chances: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Metric -> (R,), for counts (N, R) of how often each row is there."""
    counts = counts.astype(np.float64)
    if spec.kind == "regression":
        return of_numbers(predicted, references, counts)
    exact = np.array([p == r for p, r in zip(predicted, references, strict=True)], dtype=float)
    found = {"exact_match": exact @ counts / counts.sum(axis=0)}
    if spec.kind == "hierarchical":
        return found | of_levels(spec.levels or 1, predicted, references, counts)
    words = list(spec.labels.values())
    found |= of_sets(words, predicted, references, counts)
    return found if chances is None else found | of_label_chances(words, chances, references, counts)


def of_numbers(predicted: Sequence[float | None], references: Sequence[float], counts: np.ndarray) -> dict:
    """Spearman, Pearson, mean absolute and root mean squared error of the rows with a valid number."""
    valid = [i for i, p in enumerate(predicted) if p is not None]
    x = np.array([predicted[i] for i in valid], dtype=np.float64)
    y = np.array([references[i] for i in valid], dtype=np.float64)
    drawn = counts[valid]
    with np.errstate(invalid="ignore", divide="ignore"):
        n, off = drawn.sum(axis=0), x - y
        return {
            "spearman": correlation(ranks(x, drawn), ranks(y, drawn), drawn),
            "pearson": correlation(x[:, None], y[:, None], drawn),
            "mae": np.abs(off) @ drawn / n,
            "rmse": np.sqrt(off**2 @ drawn / n),
        }


def correlation(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Pearson correlation of (N, R) or (N, 1) values under counts (N, R); nan where one side is constant."""
    n = counts.sum(axis=0)
    x, y = x - (x * counts).sum(axis=0) / n, y - (y * counts).sum(axis=0) / n
    spread = np.sqrt((x * x * counts).sum(axis=0) * (y * y * counts).sum(axis=0))
    return np.where(spread > 1e-12, (x * y * counts).sum(axis=0) / spread, np.nan)


def ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Midranks (N, R) of the values when each is there as often as counted."""
    if not len(values):
        return counts
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    tied = np.add.reduceat(counts[order], starts, axis=0)
    middle = np.cumsum(tied, axis=0) - tied / 2 + 0.5
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    result = np.empty_like(counts)
    result[order] = middle[group]
    return result


def of_levels(levels: int, predicted: Sequence[tuple | None], references: Sequence[tuple], counts: np.ndarray) -> dict:
    """Share of rows right down to each level, and the mean over the levels; an invalid answer is wrong at all."""
    found = {}
    for level in range(1, levels + 1):
        hits = [p is not None and p[:level] == r[:level] for p, r in zip(predicted, references, strict=True)]
        found[f"level_{level}"] = np.array(hits, dtype=float) @ counts / counts.sum(axis=0)
    return found | {"level_accuracy": np.mean(list(found.values()), axis=0)}


def of_sets(
    words: Sequence[str], predicted: Sequence[frozenset | None], references: Sequence[frozenset], counts: np.ndarray
) -> dict:
    """Micro and macro F1 over the labels that occur; an invalid answer names none of them."""
    said, true = ([[w in (row or ()) for w in words] for row in rows] for rows in (predicted, references))
    said, true = np.array(said, dtype=float), np.array(true, dtype=float)
    hits, both = (said * true).T @ counts, (said + true).T @ counts
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "f1_micro": 2 * hits.sum(axis=0) / both.sum(axis=0),
            "f1_macro": np.divide(2 * hits, both, out=np.zeros_like(both), where=both > 0).sum(axis=0)
            / (both > 0).sum(axis=0),
        }


def of_label_chances(
    words: Sequence[str], chances: np.ndarray, references: Sequence[frozenset], counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Means over the labels, each asked as yes or no: areas under both curves (nan where one is always or never there)
    and Brier score; `chances` is (N, K).
    """
    true = np.array([[word in row for word in words] for row in references])
    areas = [Curve(chances[:, k], true[:, k]).areas(counts.astype(np.float32)) for k in range(len(words))]
    auroc, auprc = np.mean(areas, axis=0)
    return {"auroc": auroc, "auprc": auprc, "brier": ((chances - true) ** 2).mean(axis=1) @ counts / counts.sum(axis=0)}
