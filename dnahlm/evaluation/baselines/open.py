"""Baselines for answers that are no fixed list: one answer for all rows, and a linear model of k-mers."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from dnahlm.tasks.kinds import options
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.written import read_answer


def open_majority(spec: TaskSpec, texts: Sequence[str], answers: Sequence[str], test: Sequence[str]) -> list[str]:
    """One answer for all N rows: the mean of the train numbers, else the commonest train answer."""
    if spec.kind == "regression":
        return [written(spec, np.mean([float(answer) for answer in answers]))] * len(test)
    return [Counter(answers).most_common(1)[0][0]] * len(test)


def open_kmers(spec: TaskSpec, texts: Sequence[str], answers: Sequence[str], test: Sequence[str]) -> list[str]:
    """A linear model of the tf-idf weights of 3- to 6-mers, settings as of `kmers.kmer_lr`, never chosen.

    Numbers: ridge regression (alpha = 1). Sets: one logistic regression per label. Codes, of which there are many with
    few rows each: the code of the train row with the most similar k-mers (cosine).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier

    if max(map(len, texts)) < 3:
        return open_majority(spec, texts, answers, test)
    words = TfidfVectorizer(analyzer="char", ngram_range=(3, 6), lowercase=False, sublinear_tf=True, dtype=np.float32)
    known, asked = words.fit_transform(texts), words.transform(test)
    if spec.kind == "regression":
        model = Ridge(alpha=1.0).fit(known, [float(answer) for answer in answers])
        return [written(spec, value) for value in model.predict(asked)]
    if spec.kind == "hierarchical":
        return KNeighborsClassifier(n_neighbors=1, metric="cosine").fit(known, list(answers)).predict(asked).tolist()
    sets = [read_answer(spec, answer) for answer in answers]
    named: list[list[str]] = [[] for _ in test]
    for label in options(spec):
        if label == spec.none_label:
            continue
        has = [label in found for found in sets]
        if len(set(has)) == 2:
            hits = LogisticRegression(C=1.0, max_iter=1000).fit(known, has).predict(asked)
        else:
            hits = np.full(len(test), has[0])
        for row in np.flatnonzero(hits):
            named[row].append(label)
    return [", ".join(labels) or str(spec.none_label) for labels in named]


def written(spec: TaskSpec, value: float) -> str:
    """A number as an answer is written."""
    return f"{round(float(value), spec.decimals) + 0.0:.{spec.decimals}f}"


OPEN_BASELINES: dict[str, Callable[[TaskSpec, Sequence[str], Sequence[str], Sequence[str]], list[str]]] = {
    "majority": open_majority,
    "kmer_lr": open_kmers,
}
