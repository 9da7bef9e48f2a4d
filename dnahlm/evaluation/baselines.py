"""What cheap methods reach on the very same rows: a model that does not beat them has learned nothing new.

Both are fitted on the train rows of the instruction files the model was tuned on. To add one, write a function of the
same shape and one line in `BASELINES`.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.tasks.kinds import sequences_in


def train_rows(records: Iterable[dict], limit: int = 0, seed: int = 0) -> tuple[list[str], list[str]]:
    """Sequences and answers of a task's train records, each sequence of a source row once and on its own strand.

    Args:
        records: instruction records of one task. Reverse-complement copies (strand "-") are turned back.
        limit: rows to keep, drawn by `seed`; 0 = all.
        seed: of the draw.

    >>> train_rows([{"source": "f:2", "strand": "-", "input": "CG", "output": "x"},
    ...             {"source": "f:1", "strand": "+", "input": "AA", "output": "y"},
    ...             {"source": "f:1", "strand": "-", "input": "TT", "output": "y"},
    ...             {"source": "f:1", "strand": "+", "input": "AC", "output": "y"}])
    (['CG', 'AA', 'AC'], ['x', 'y', 'y'])
    """
    # A source row with sliding windows gives several sequences; one that was asked several times gives one.
    kept = {(record["source"], letters(record)): record["output"] for record in records}
    rows = list(kept.items())
    if limit and limit < len(rows):
        rows = random.Random(seed).sample(rows, limit)
    return [sequence for (_, sequence), _ in rows], [output for _, output in rows]


def letters(record: dict) -> str:
    r"""The sequence a record asks about, on its own strand; those of a pair joined by a blank, without their names.

    >>> letters({"input": "Reference: AC\nAlternative: CC", "strand": "-"}), letters({"input": "AC", "strand": "+"})
    ('GT GG', 'AC')
    """
    names = record["input"].split("\n")
    found = sequences_in(record["input"])
    if record["strand"] == "-":  # a protein has no other strand
        found = [
            s if name.startswith("Protein: ") else reverse_complement(s) for name, s in zip(names, found, strict=True)
        ]
    return " ".join(found)


def majority(
    sequences: Sequence[str], labels: Sequence[str], test: Sequence[str], answers: Sequence[str]
) -> np.ndarray:
    """Always the commonest answer of the train rows: their class shares, (N, K), the same for every test row.

    >>> majority(["A", "C", "G"], ["x", "y", "x"], ["T"], ["x", "y"]).round(2).tolist()
    [[0.67, 0.33]]
    """
    counts = Counter(labels)
    shares = np.array([counts[answer] for answer in answers], dtype=np.float64) / len(labels)
    return np.tile(shares, (len(test), 1))


def kmer_lr(sequences: Sequence[str], labels: Sequence[str], test: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    """Logistic regression on the tf-idf weights of 3- to 6-mers; probabilities (N, K), columns as in `answers`.

    It knows which words a sequence holds, not where they stand, so a task decided by position (a splice site in the
    middle of its window) is hard for it. Settings are fixed, never chosen on test rows: log-scaled counts, C = 1,
    solver lbfgs. Measured on one CPU core: 42,367 rows of 70 bases take 3.2 s, 32,378 rows of 101 bases 3.0 s
    (lbfgs itself under 1 s; liblinear reaches the same figures in 3 s). Official test splits of GUE: MCC 0.588
    prom_core_all, 0.659 tf/0, 0.547 mouse/0.

    An answer that no train row has gets probability 0; train rows of one class give `majority`.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) < 2 or max(map(len, sequences)) < 3:
        return majority(sequences, labels, test, answers)
    words = TfidfVectorizer(analyzer="char", ngram_range=(3, 6), lowercase=False, sublinear_tf=True, dtype=np.float32)
    classifier = LogisticRegression(C=1.0, solver="lbfgs", max_iter=1000)
    classifier.fit(words.fit_transform(sequences), labels)
    known = classifier.predict_proba(words.transform(test))
    probabilities = np.zeros((len(test), len(answers)))
    for column, answer in enumerate(classifier.classes_):
        probabilities[:, list(answers).index(answer)] = known[:, column]
    return probabilities


BASELINES: dict[str, Callable[[Sequence[str], Sequence[str], Sequence[str], Sequence[str]], np.ndarray]] = {
    "majority": majority,
    "kmer_lr": kmer_lr,
}
