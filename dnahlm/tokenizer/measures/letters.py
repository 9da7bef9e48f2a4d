"""The same DNA in letters other than upper-case A, C, G, T: what it then costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from dnahlm.dna import IUPAC
from dnahlm.tokenizer.measures.cost import cost
from dnahlm.tokenizer.measures.encoder import Encoder


def odd_letters(encoder: Encoder, windows: Sequence[str], seed: int) -> dict[str, dict[str, Any]]:
    """Cost of N windows as they are and with letters changed; the lengths stay the same.

    Args:
        encoder: the tokenizer.
        windows: N sequences of A, C, G, T.
        seed: draws places and IUPAC letters; the same for every tokenizer.

    Returns:
        variant -> `n`, `refused`, `bases_per_token`, `unknown_tokens`, and `tokens_more`: tokens beyond the plain ones,
        per window.
    """
    rng = random.Random(seed)
    variants: dict[str, Callable[[str], str]] = {
        "A C G T": str,
        "lower case": str.lower,
        "U for T": lambda w: w.replace("T", "U"),
        "one N": lambda w: put(w, "N", rng),
        "ten N in a row": lambda w: put(w, "N" * min(10, len(w)), rng),
        "one IUPAC letter": lambda w: put(w, rng.choice(IUPAC), rng),
    }
    found: dict[str, dict[str, Any]] = {}
    plain = 0.0
    for name, change in variants.items():
        costs = cost(encoder, [change(window) for window in windows])
        per_window = costs["tokens"] / costs["n"] if costs["n"] else None
        plain = per_window or 0.0 if name == "A C G T" else plain
        found[name] = {
            "n": costs["n"],
            "refused": costs["refused"],
            "bases_per_token": costs["bytes_per_token"],
            "unknown_tokens": costs["unknown_tokens"],
            "tokens_more": None if per_window is None else round(per_window - plain, 2),
        }
    return found


def put(window: str, letters: str, rng: random.Random) -> str:
    """The window with `letters` in the place of as many bases, somewhere."""
    start = rng.randrange(len(window) - len(letters) + 1)
    return window[:start] + letters + window[start + len(letters) :]
