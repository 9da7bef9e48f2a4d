"""Kind multilabel with few labels: the answers are the sets of labels, and each of them is scored.

A label's probability is that of all sets that hold it (the label powerset of Tsoumakas and Katakis 2007).
"""

from itertools import combinations

import numpy as np

from dnahlm.inference.scorer import probabilities
from dnahlm.tasks.spec import TaskSpec, answers, has_fixed_answers

MANY_LABELS = 5  # labels whose sets (2 to the power of it) are all scored; with more, answers are only written


def set_texts(spec: TaskSpec) -> list[str]:
    """Every answer that a task of kind multilabel allows; none for other kinds and for more than `MANY_LABELS`."""
    return [", ".join(found) or str(spec.none_label) for found in label_sets(spec)]


def scorable(spec: TaskSpec) -> list[str]:
    """The answers of a task that are scored: those of its list, or sets of a few labels; none = they are written."""
    return answers(spec) if has_fixed_answers(spec) else set_texts(spec)


def label_sets(spec: TaskSpec) -> list[tuple[str, ...]]:
    """The sets behind `set_texts`, their words in the order of the task."""
    words = list(spec.labels.values())
    if spec.kind != "multilabel" or len(words) > MANY_LABELS:
        return []
    return [found for n in range(len(words) + 1) for found in combinations(words, n)]


def set_shares(spec: TaskSpec, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each of S sets, (N, S), and of each of K labels, (N, K), from the log-probabilities (N, S)."""
    shares = probabilities(scores)
    holds = np.array([[word in found for word in spec.labels.values()] for found in label_sets(spec)], dtype=float)
    return shares, np.clip(shares @ holds, 0, 1)
