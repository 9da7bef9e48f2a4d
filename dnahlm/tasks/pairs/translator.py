"""The six-frame translator: what a program says that translates a DNA window in all six frames and looks for a protein.

Two of them: `exact` asks whether the whole protein segment stands in one frame; `seed` is content with a stretch of
`SEED` residues, as search tools that start from short matches are.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dnahlm.dna import reverse_complement
from dnahlm.tasks.pairs.genes import translate

SEED = 5  # residues


class Pair(Protocol):
    """What the baselines read of a row."""

    sequence: str
    protein: str
    label: str
    negative_kind: str


def six_frames(window: str, code: int = 1) -> list[str]:
    """Translations of the frames 0, 1, 2 of the window, then of its reverse complement; whole codons only.

    >>> six_frames("ATGGCT")
    ['MA', 'W', 'G', 'SH', 'A', 'P']
    """
    return [translate(strand[frame:], code) for strand in (window, reverse_complement(window)) for frame in range(3)]


def codes_exactly(window: str, protein: str, code: int = 1) -> bool:
    """Whether one frame holds the whole protein segment.

    >>> codes_exactly("CATGGCTC", "MA"), codes_exactly("CATGGCTC", "MAL")
    (True, False)
    """
    return any(protein in frame for frame in six_frames(window, code))


def shares_seed(window: str, protein: str, code: int = 1) -> bool:
    """Whether one frame and the protein segment have `SEED` residues in a row in common.

    >>> shares_seed("ATGGCTAAACGTTGG", "LLMAKRWLL")
    True
    """
    seeds = [protein[i : i + SEED] for i in range(len(protein) - SEED + 1)]
    return any(seed in frame for frame in six_frames(window, code) for seed in seeds)


def open_frame(window: str, protein: str = "", code: int = 1) -> bool:
    """Whether one of the six frames has no stop codon: what can be said without looking at the protein.

    >>> open_frame("TAATAATAATAA"), open_frame("TTAATTAATTAATTAA")
    (True, False)
    """
    return any("*" not in frame for frame in six_frames(window, code))


BASELINES: dict[str, Callable[[str, str, int], bool]] = {
    "six_frame_exact": codes_exactly,
    "six_frame_seed": shares_seed,
    "open_frame": open_frame,
}


def judge(rows: Sequence[Pair], code: int) -> dict[str, dict[str, float]]:
    """Share of rows each baseline tells right: of all, of the positives, and of each kind of negative."""
    results: dict[str, dict[str, Any]] = {}
    for name, says in BASELINES.items():
        right: dict[str, list[bool]] = {"all": []}
        for row in rows:
            told = says(row.sequence, row.protein, code) == (row.label == "1")
            right["all"].append(told)
            right.setdefault("positive" if row.label == "1" else row.negative_kind, []).append(told)
        results[name] = {group: round(sum(told) / len(told), 4) for group, told in sorted(right.items())}
    return results
