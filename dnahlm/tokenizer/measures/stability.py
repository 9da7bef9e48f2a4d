"""How far one changed base, or starting one base later, disturbs the segmentation of DNA."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import mean
from typing import Any

from dnahlm.dna import BASES
from dnahlm.tokenizer.measures.encoder import Cut, Encoder

IN_STEP = 20  # bases without a difference that are no chance: tokens of 8 bases or so often share a border by luck


def one_variant(encoder: Encoder, windows: Sequence[str], seed: int) -> dict[str, Any]:
    """Change one base of each window, away from its ends, and compare the two segmentations.

    Args:
        encoder: the tokenizer.
        windows: N sequences of A, C, G, T.
        seed: draws the place (in the middle half of the window) and the new base; the same for every tokenizer.

    Returns:
        `n` windows and, over them, `mean_boundaries` and `mean_tokens` changed, the share `none` without a boundary
        changed, and `reach`: for each window, bases from the variant to the farthest changed boundary (0: none, or the
        boundaries beside it), in order of size.
    """
    rng = random.Random(seed)
    places = [rng.randrange(len(w) // 4, len(w) - len(w) // 4) for w in windows]
    changed = [
        w[:place] + rng.choice([b for b in BASES if b != w[place]]) + w[place + 1 :]
        for w, place in zip(windows, places, strict=True)
    ]
    boundaries, tokens, reach = [], [], []
    pairs = zip(places, encoder.cuts(windows), encoder.cuts(changed), strict=True)
    for place, before, after in pairs:
        if before is None or after is None:
            continue
        moved = set(before.ends) ^ set(after.ends)
        boundaries.append(len(moved))
        tokens.append(len(set(pieces(before)) - set(pieces(after))))
        reach.append(max((max(place - b, b - place - 1, 0) for b in moved), default=0))
    return summary(boundaries, tokens, reach)


def one_base_later(encoder: Encoder, windows: Sequence[str]) -> dict[str, Any]:
    """Start each window one base later and compare the segmentations of what both hold.

    Returns:
        as `one_variant`, `reach` from the start of the window to the last boundary that differs, and `never`: the share
        of windows whose segmentations still differ in their last `IN_STEP` bases, which have no reach.
    """
    boundaries: list[int] = []
    tokens: list[int] = []
    reach: list[int] = []
    later = encoder.cuts([window[1:] for window in windows])
    for window, before, after in zip(windows, encoder.cuts(windows), later, strict=True):
        if before is None or after is None:
            continue
        last = len(window)
        early, late = ({end for end in ends if 1 < end < last} for ends in (before.ends, [e + 1 for e in after.ends]))
        moved = early ^ late
        boundaries.append(len(moved))
        tokens.append(len(set(pieces(before)) - {(id, s + 1, e + 1) for id, s, e in pieces(after)}))
        farthest = max(moved, default=0)
        if farthest <= last - IN_STEP:
            reach.append(farthest)
    return summary(boundaries, tokens, reach)


def pieces(cut: Cut) -> list[tuple[int, int, int]]:
    """(id, start, end) of every token."""
    return list(zip(cut.ids, cut.starts, cut.ends, strict=True))


def summary(boundaries: list[int], tokens: list[int], reach: list[int]) -> dict[str, Any]:
    """Means over windows, and the reach of every disturbance that ended, in order."""
    n = len(boundaries)
    if not n:
        return {"n": 0, "mean_boundaries": None, "mean_tokens": None, "none": None, "never": None, "reach": []}
    return {
        "n": n,
        "mean_boundaries": round(mean(boundaries), 3),
        "mean_tokens": round(mean(tokens), 3),
        "none": round(boundaries.count(0) / n, 4),
        "never": round((n - len(reach)) / n, 4),
        "reach": sorted(reach),
    }
