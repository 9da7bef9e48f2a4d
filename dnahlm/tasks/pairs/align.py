"""Alignment of two DNA sequences by Biopython: measured identity, and how much unrelated windows look alike.

Scores: match 1, mismatch -1, gap of n bases -(n + 1).
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from dnahlm.dna import reverse_complement

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner


@lru_cache
def aligner(mode: str) -> "PairwiseAligner":
    """The `global` (Needleman-Wunsch, Gotoh) or `local` (Smith-Waterman, Gotoh) aligner with this file's scores."""
    from Bio.Align import PairwiseAligner

    return PairwiseAligner(mode=mode, match_score=1, mismatch_score=-1, open_gap_score=-2, extend_gap_score=-1)


def identity(first: str, second: str) -> float:
    """Equal columns over all columns, gaps included, of the best global alignment; 0..1.

    Of several best alignments the one Biopython gives first is taken.

    >>> identity("ACGTACGT", "ACGTTCGT")
    0.875
    >>> identity("ACGTACGT", "ACGACGT")
    0.875
    """
    alignment = aligner("global").align(first, second)[0]
    return alignment.counts().identities / alignment.length


def local_score(first: str, second: str, both_strands: bool = True) -> float:
    """Score of the best local alignment per base of the shorter sequence, 0..1; the better of both strands.

    >>> local_score("ACGTACGTAA", "ACGTACGTAA")
    1.0
    >>> local_score("AAAAGGAAAA", "TTTTCCTTTT"), local_score("AAAAGGAAAA", "TTTTCCTTTT", both_strands=False)
    (1.0, 0.0)
    """
    local, shorter = aligner("local"), min(len(first), len(second))
    score = local.score(first, second)
    if both_strands:
        score = max(score, local.score(first, reverse_complement(second)))
    return score / shorter
