"""How easy the DNA pairs are for a score and one threshold: alignment, shared 5-mers, and GC as a control."""

from collections.abc import Callable, Sequence
from typing import Any

from dnahlm.dna import canonical
from dnahlm.tasks.pairs.align import local_score
from dnahlm.tasks.pairs.mutate import gc_bases
from dnahlm.tasks.pairs.similar import NO_BAND, SIMILAR, PairRow

K = 5  # bases
Score = Callable[[str, str, bool], float]


def kmer_jaccard(first: str, second: str, both_strands: bool = False) -> float:
    """Shared over all different 5-mers of the two sequences, 0..1; strands are not told apart if `both_strands`.

    >>> kmer_jaccard("ACGTAC", "ACGTAA")
    0.3333333333333333
    """
    a, b = kmers(first, both_strands), kmers(second, both_strands)
    return len(a & b) / len(a | b)


def kmers(sequence: str, both_strands: bool) -> set[str]:
    """The different k-mers of a sequence."""
    found = {sequence[i : i + K] for i in range(len(sequence) - K + 1)}
    return {canonical(kmer) for kmer in found} if both_strands else found


def gc_likeness(first: str, second: str, both_strands: bool = False) -> float:
    """Minus the difference in GC share: a control that should tell nothing.

    >>> gc_likeness("ACGT", "AAAA")
    -0.5
    """
    return -abs(gc_bases(first) / len(first) - gc_bases(second) / len(second))


BASELINES: dict[str, Score] = {"alignment": local_score, "kmer_jaccard": kmer_jaccard, "gc_difference": gc_likeness}


def fit_threshold(scores: Sequence[float], positives: Sequence[bool]) -> float:
    """The score from which on `positive` is said, so that accuracy is highest.

    >>> fit_threshold([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    0.5
    """
    import numpy as np

    order = np.argsort(scores, kind="stable")
    ranked, truth = np.asarray(scores, float)[order], np.asarray(positives, bool)[order]
    # right[i]: right answers when the i lowest scores are called negative; a cut inside a tie is no cut.
    right = np.concatenate([[0], np.cumsum(~truth)]) + np.concatenate([np.cumsum(truth[::-1])[::-1], [0]])
    right[1:-1][ranked[1:] == ranked[:-1]] = -1
    cut = int(right.argmax())
    bounds = np.concatenate([[ranked[0] - 1], ranked, [ranked[-1] + 1]])
    return float((bounds[cut] + bounds[cut + 1]) / 2)


def judge(train: list[PairRow], test: list[PairRow], both_strands: bool) -> dict[str, Any]:
    """Accuracy of every baseline on test: of all rows, and per length and band.

    The accuracy of a band is the mean of the share of its positives and the share of all negatives of that length
    that are told right, so 0.5 is guessing.
    """
    return {name: judge_one(score, train, test, both_strands) for name, score in BASELINES.items()}


def judge_one(score: Score, train: list[PairRow], test: list[PairRow], both_strands: bool) -> dict[str, Any]:
    """One baseline; see `judge`."""
    n_right, by_length = 0, {}
    for length in sorted({len(row.sequence1) for row in test}):
        seen, asked = ([r for r in rows if len(r.sequence1) == length] for rows in (train, test))
        scores = [score(r.sequence1, r.sequence2, both_strands) for r in seen]
        threshold = fit_threshold(scores, [r.label == SIMILAR for r in seen])
        told = [(score(r.sequence1, r.sequence2, both_strands) >= threshold) == (r.label == SIMILAR) for r in asked]
        n_right += sum(told)
        shares = {}
        for band in sorted({r.band for r in asked}):
            inside = [right for right, row in zip(told, asked, strict=True) if row.band == band]
            shares[band] = sum(inside) / len(inside)
        negatives = shares.pop(NO_BAND)
        by_length[str(length)] = {
            "threshold": round(threshold, 4),
            "negatives_right": round(negatives, 4),
            "accuracy_by_band": {band: round((share + negatives) / 2, 4) for band, share in shares.items()},
        }
    return {"accuracy": round(n_right / len(test), 4), "by_length": by_length}
