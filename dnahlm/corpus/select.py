"""Choose which documents stay, so that DNA and English have the shares asked for, and the order they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

KINDS = ("dna", "text")


def budgets(available: dict[str, int], dna_share: float, max_characters: int) -> dict[str, int]:
    """Characters to keep of each kind: as much as there is while the shares hold and the sum is within the limit.

    Args:
        available: characters per kind.
        dna_share: of all characters; 0.0 leaves the shares as they are. Of no effect when a kind is absent.
        max_characters: limit on the sum; 0 is none.

    >>> budgets({"dna": 800, "text": 200}, dna_share=0.5, max_characters=0)
    {'dna': 200, 'text': 200}
    >>> budgets({"dna": 800, "text": 200}, dna_share=0.0, max_characters=100)
    {'dna': 80, 'text': 20}
    """
    total = sum(available.values())
    if not dna_share or 0 in available.values():
        shares = {kind: available[kind] / total if total else 0.0 for kind in KINDS}
    else:
        shares = {"dna": dna_share, "text": 1 - dna_share}
        total = min(int(available[kind] / shares[kind]) for kind in KINDS if shares[kind])
    total = min(total, max_characters) if max_characters else total
    return {kind: min(round(total * shares[kind]), available[kind]) for kind in KINDS}


def choose(kinds: np.ndarray, sizes: np.ndarray, keep: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    """Row numbers to write, in random order; of each kind, random documents that together stay within `keep`.

    Args:
        kinds: (N,) 0 for DNA, 1 for English, as in `KINDS`.
        sizes: (N,) characters per document.
        keep: characters to keep per kind.
        rng: decides both the choice and the order.
    """
    import numpy as np

    order = rng.permutation(len(kinds))
    chosen = np.zeros(len(kinds), dtype=bool)
    for code, kind in enumerate(KINDS):
        of_kind = kinds[order] == code
        chosen |= of_kind & (np.cumsum(np.where(of_kind, sizes[order], 0)) <= keep[kind])
    return order[chosen]
