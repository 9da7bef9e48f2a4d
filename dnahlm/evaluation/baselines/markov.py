"""Class-conditional Markov models: how likely are these bases, one after the other, in each class?"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from dnahlm.evaluation.baselines.data import Data, majority, other_strand

MAX_ORDER = 8  # bases of context
PRIOR = 4.0  # pseudo-counts that the next shorter context's probabilities weigh
_TABLE = np.full(128, 4, dtype=np.int64)
_TABLE[[ord(base) for base in "ACGT"]] = np.arange(4)


def markov(data: Data) -> np.ndarray:
    """Probabilities (N, K) by Bayes' rule from one order-k Markov model of the bases per class.

    Each context's probabilities are smoothed towards those of the context one base shorter (a Dirichlet prior, MacKay
    and Peto 1995), order 0 towards a quarter each. k, 0 to 8, is the order under which the validation answers are
    likeliest, with a temperature for each order that takes back the overconfidence of a product over many bases. Of
    strand-symmetric tasks, both strands are counted. It knows no position; letters that are no bases (a protein too)
    say nothing.

    An answer that no train row has gets probability 0; train rows of one class give `majority`.
    """
    known = [answer for answer in data.answers if answer in set(data.labels)]
    if len(known) < 2:
        return majority(data)
    tables = [class_tables([t for t, a in zip(data.train, data.labels, strict=True) if a == answer], data.symmetric)
              for answer in known]  # fmt: skip
    log_prior = np.log([data.labels.count(answer) / len(data.labels) for answer in known])
    rows = [i for i, answer in enumerate(data.validation_labels) if answer in known]
    texts = [data.validation[i] for i in rows]
    right = [known.index(data.validation_labels[i]) for i in rows]
    fits = [fit_temperature(scores + log_prior, right) for scores in log_likelihoods(texts, tables)]
    order = min(range(len(fits)), key=lambda k: fits[k][1])
    temperature = fits[order][0]
    chances = softmax((log_likelihoods(data.test, tables)[order] + log_prior) / temperature, axis=1)
    result = np.zeros((len(data.test), len(data.answers)))
    result[:, [data.answers.index(answer) for answer in known]] = chances
    return result


def class_tables(texts: list[str], symmetric: bool) -> list[np.ndarray]:
    """Log P(next base | context) of one class: entry k has shape (4^k, 4), for contexts of k bases."""
    codes = np.concatenate([encode(text) for text in texts + [other_strand(t) for t in texts if symmetric]])
    tables, shorter = [], np.full((1, 4), 0.25)
    for order in range(MAX_ORDER + 1):
        words, whole = windows(codes, order)
        counts = np.bincount(words[whole], minlength=4 ** (order + 1)).reshape(-1, 4).astype(np.float64)
        # Rows of `shorter` repeat: a context's last bases are its number modulo 4^(k-1).
        prior = np.tile(shorter, (len(counts) // len(shorter), 1))
        shorter = (counts + PRIOR * prior) / (counts.sum(axis=1, keepdims=True) + PRIOR)
        tables.append(np.log(shorter))
    return tables


def encode(text: str) -> np.ndarray:
    """Base numbers 0 to 3, 4 for any other letter; one more 4 parts the text from what follows."""
    return np.append(_TABLE[np.frombuffer(text.encode("ascii"), dtype=np.uint8)], 4)


def windows(codes: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Number, to base 4, of the word of order + 1 letters that ends at each place; whether it is all bases."""
    words, whole = np.zeros(len(codes), dtype=np.int64), np.ones(len(codes), dtype=bool)
    for back in range(order + 1):
        letter = np.full(len(codes), 4)
        letter[back:] = codes[: max(len(codes) - back, 0)]
        words += np.minimum(letter, 3) * 4**back
        whole &= letter < 4
    return words, whole


def log_likelihoods(texts: list[str], tables: list[list[np.ndarray]]) -> np.ndarray:
    """Log P(text | class) for every order: (orders, N, classes).

    A base with fewer than k bases before it (at a start, or after an N) is judged by what there is.
    """
    if not texts:
        return np.zeros((len(tables[0]), 0, len(tables)))
    pieces = [encode(text) for text in texts]
    codes, starts = np.concatenate(pieces), np.cumsum([0, *map(len, pieces[:-1])])
    result = np.zeros((len(tables[0]), len(texts), len(tables)))
    terms = np.zeros((len(tables), len(codes)))  # by the longest context so far
    for order in range(len(tables[0])):
        words, whole = windows(codes, order)
        for k, table in enumerate(tables):
            terms[k, whole] = table[order].ravel()[words[whole]]
        result[order] = np.add.reduceat(terms, starts, axis=1).T
    return result


def fit_temperature(scores: np.ndarray, right: list[int]) -> tuple[float, float]:
    """The temperature, 0.1 to 100, under which the right classes (column numbers) are likeliest, and their loss."""
    if not right:
        return 1.0, 0.0
    rows = np.arange(len(right))

    def loss(log_temperature: float) -> float:
        return -log_softmax(scores / np.exp(log_temperature), axis=1)[rows, right].mean()

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(100)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
