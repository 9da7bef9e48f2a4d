"""What a set of answers is worth: pure functions of predictions, references and probabilities.

N rows, K answers (the words a task allows). A prediction of None is a generated text that was not exactly one of the
answers: it is wrong, and it is a class of its own. To add a metric, write one function and one line in a table below
(and one in `bootstrap.py`, which computes the same figures for thousands of resamples at once).
"""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, matthews_corrcoef, roc_auc_score

INVALID = "\0invalid"  # cannot be an answer of a task: those are printable text
BINS = 15  # of the expected calibration error, of equal width


def mcc(predictions: Sequence[str | None], references: Sequence[str]) -> float:
    """Matthews correlation for K classes, -1..1. A constant side gives 0.0; None is a wrong class of its own.

    >>> mcc(["a", "b", "b"], ["a", "b", "b"]), mcc(["a", "a", "a"], ["a", "b", "b"])
    (1.0, 0.0)
    """
    named = _named(predictions)
    if len(set(named)) < 2 or len(set(references)) < 2:
        return 0.0
    return float(matthews_corrcoef(list(references), named))


def accuracy(predictions: Sequence[str | None], references: Sequence[str]) -> float:
    """Share of rows whose prediction is the reference, 0..1; None is never right.

    >>> accuracy(["a", None], ["a", "b"])
    0.5
    """
    return float(accuracy_score(list(references), _named(predictions)))


def f1_macro(predictions: Sequence[str | None], references: Sequence[str]) -> float:
    """Mean F1, 0..1, over the classes that occur among references or predictions.

    None is a miss of the row's class, but adds no class to the mean.

    >>> f1_macro(["a", None, "b", "b"], ["a", "a", "b", "b"])  # a: 2/3, b: 1
    0.8333333333333333
    """
    classes = sorted(set(references) | {p for p in predictions if p is not None})
    named = _named(predictions)
    return float(f1_score(list(references), named, labels=classes, average="macro", zero_division=0.0))


def auroc(probabilities: np.ndarray, references: Sequence[str], answers: Sequence[str]) -> float:
    """Area under the ROC curve, 0..1: how well the probabilities rank the rows, whatever the threshold.

    Args:
        probabilities: (N, K), columns in the order of `answers`.
        references: the right answer of each row.
        answers: the K answers; with two of them the second is the positive class.

    Returns:
        K = 2: the area for the second answer. K > 2: the mean over answers, each against the rest.
        nan when an answer does not occur among the references, because its curve does not exist.

    >>> auroc(np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]), ["no", "no", "yes"], ["no", "yes"])
    1.0
    """
    return _mean_over_answers(roc_auc_score, probabilities, references, answers)


def auprc(probabilities: np.ndarray, references: Sequence[str], answers: Sequence[str]) -> float:
    """Area under the precision-recall curve, 0..1, as average precision (steps, no interpolation).

    A random ranking gives the share of the positive class. For K > 2 the mean of each answer against the rest; nan as
    for `auroc`.

    >>> auprc(np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]]), ["no", "no", "yes"], ["no", "yes"])
    0.5
    """
    return _mean_over_answers(average_precision_score, probabilities, references, answers)


def brier(probabilities: np.ndarray, references: Sequence[str], answers: Sequence[str]) -> float:
    """Brier score: mean squared distance of the probabilities from what is right; 0 is perfect.

    K = 2: of the second answer's probability, 0..1. K > 2: summed over the answers, 0..2 (Brier 1950).

    >>> brier(np.array([[0.5, 0.5], [0.0, 1.0]]), ["no", "yes"], ["no", "yes"])
    0.125
    """
    return float(brier_terms(probabilities, numbered(references, answers)).mean())


def brier_terms(probabilities: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Each row's share in `brier`, (N,); `right` holds the column numbers of the right answers."""
    distance = ((probabilities - np.eye(probabilities.shape[1])[right]) ** 2).sum(axis=1)
    return distance / 2 if probabilities.shape[1] == 2 else distance


def ece(probabilities: np.ndarray, references: Sequence[str], answers: Sequence[str]) -> float:
    """Expected calibration error, 0..1: how far confidence and accuracy are apart, over 15 bins of equal width.

    Confidence is the probability of the likeliest answer (Guo et al. 2017).

    >>> round(ece(np.array([[0.1, 0.9]] * 4), ["yes", "yes", "yes", "no"], ["no", "yes"]), 3)
    0.15
    """
    confidence = probabilities.max(axis=1)
    bins = bins_of(confidence)
    correct = probabilities.argmax(axis=1) == numbered(references, answers)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(bins))


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """The bin of each confidence, 0 to 14; a bin holds its upper end.

    >>> bins_of(np.array([0.0, 0.2, 0.21, 1.0])).tolist()
    [0, 2, 3, 14]
    """
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


def invalid_share(predictions: Sequence[str | None]) -> float:
    """Share of rows without a usable answer, 0..1.

    >>> invalid_share(["a", None, "b", "a"])
    0.25
    """
    return sum(p is None for p in predictions) / len(predictions)


def agreement(one: Sequence[str | None], other: Sequence[str | None]) -> float:
    """Share of rows answered alike, 0..1.

    >>> agreement(["a", "b"], ["a", "a"])
    0.5
    """
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def confusion(predictions: Sequence[str | None], references: Sequence[str], answers: Sequence[str]) -> list[list[int]]:
    """Counts of shape (K, K + 1): row = right answer, column = prediction, the last column = no usable answer.

    >>> confusion(["a", "b", None], ["a", "a", "b"], ["a", "b"])
    [[1, 1, 0], [0, 0, 1]]
    """
    place: dict[str | None, int] = {answer: k for k, answer in enumerate(answers)}
    counts = [[0] * (len(answers) + 1) for _ in answers]
    for prediction, reference in zip(predictions, references, strict=True):
        counts[place[reference]][len(answers) if prediction is None else place[prediction]] += 1
    return counts


METRICS: dict[str, Callable[[Sequence[str | None], Sequence[str]], float]] = {
    "mcc": mcc,
    "accuracy": accuracy,
    "f1_macro": f1_macro,
}
PROBABILITY_METRICS: dict[str, Callable[[np.ndarray, Sequence[str], Sequence[str]], float]] = {
    "auroc": auroc,
    "auprc": auprc,
    "brier": brier,
    "ece": ece,
}


def measure(
    predictions: Sequence[str | None],
    references: Sequence[str],
    answers: Sequence[str],
    probabilities: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Every metric of the two tables; None where it does not exist (no probabilities, or an absent class).

    >>> measure(["a"], ["a"], ["a", "b"])
    {'mcc': 0.0, 'accuracy': 1.0, 'f1_macro': 1.0, 'auroc': None, 'auprc': None, 'brier': None, 'ece': None}
    """
    values: dict[str, float | None] = {name: metric(predictions, references) for name, metric in METRICS.items()}
    for name, metric in PROBABILITY_METRICS.items():
        value = float("nan") if probabilities is None else metric(probabilities, references, answers)
        values[name] = None if np.isnan(value) else value
    return values


def numbered(words: Sequence[str | None], answers: Sequence[str]) -> np.ndarray:
    """Column number of each word, (N,); K for None."""
    place: dict[str | None, int] = {answer: k for k, answer in enumerate(answers)} | {None: len(answers)}
    return np.array([place[word] for word in words], dtype=np.int64)


def _named(predictions: Sequence[str | None]) -> list[str]:
    """None under a name, because sklearn compares classes as text."""
    return [INVALID if p is None else p for p in predictions]


def _mean_over_answers(
    curve: Callable, probabilities: np.ndarray, references: Sequence[str], answers: Sequence[str]
) -> float:
    """The area of the second of two answers, or the mean over more; nan where one never or always occurs."""
    columns = [1] if len(answers) == 2 else range(len(answers))
    truth = np.asarray(references)
    hits = [truth == answers[k] for k in columns]
    if any(hit.all() or not hit.any() for hit in hits):
        return float("nan")
    return float(np.mean([curve(hit, probabilities[:, k]) for hit, k in zip(hits, columns, strict=True)]))
