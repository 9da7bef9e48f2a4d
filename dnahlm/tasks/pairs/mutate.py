"""Copies of a DNA window with substitutions and small indels, of the same length and with a measured identity."""

import random
from dataclasses import dataclass

from dnahlm.dna import BASES
from dnahlm.tasks.pairs.align import identity

INDEL_SHARE = 0.1  # of the events; each is a deletion and an insertion of equal size, so the length stays
LONGEST_INDEL = 3  # bases
TRIES = 60


@dataclass(frozen=True)
class Band:
    """Identities from `low` up to, but not including, `high`; so no band holds an unchanged copy."""

    low: float
    high: float

    @property
    def name(self) -> str:
        """As in the table: `0.7-0.8`."""
        return f"{float(self.low)}-{float(self.high)}"

    def holds(self, value: float) -> bool:
        """Whether an identity lies in the band."""
        return self.low <= value < self.high


def mutate(window: str, n_columns: int, rng: random.Random) -> str:
    """A copy with about `n_columns` alignment columns that are not equal; same length as `window`.

    >>> len(mutate("ACGT" * 10, 8, random.Random(0)))
    40
    """
    letters = list(window)
    untouched = rng.sample(range(len(letters)), len(letters))
    while n_columns > 0:
        if n_columns >= 2 and rng.random() < INDEL_SHARE:
            size = rng.randint(1, min(LONGEST_INDEL, n_columns // 2))
            start = rng.randrange(len(letters) - size + 1)
            del letters[start : start + size]
            place = rng.randrange(len(letters) + 1)
            letters[place:place] = rng.choices(BASES, k=size)
            n_columns -= 2 * size
        else:
            place = untouched.pop()
            letters[place] = rng.choice(BASES.replace(letters[place], ""))
            n_columns -= 1
    return "".join(letters)


def copy_within(window: str, band: Band, gc_tolerance: float, rng: random.Random) -> tuple[str, float] | None:
    """A mutated copy whose aligned identity lies in the band, and that identity; None when the window yields none.

    Args:
        window: over A, C, G, T.
        band: allowed identities.
        gc_tolerance: how far the GC share of the copy may be from the window's, so that GC does not tell the label.
        rng: source of chance.
    """
    allowed = gc_tolerance * len(window) + 1e-9
    for _ in range(TRIES):
        n_columns = max(1, round((1 - rng.uniform(band.low, band.high)) * len(window)))
        copy = mutate(window, n_columns, rng)
        if abs(gc_bases(copy) - gc_bases(window)) <= allowed and band.holds(achieved := identity(window, copy)):
            return copy, achieved
    return None


def gc_bases(sequence: str) -> int:
    """Number of G and C.

    >>> gc_bases("ACGTG")
    3
    """
    return sequence.count("G") + sequence.count("C")
