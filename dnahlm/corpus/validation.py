"""What of a source is held out for validation: whole records, of one long record of DNA its end."""

import hashlib

import numpy as np


def order_of(record: str, seed: int) -> int:
    """64 bits by which records are drawn."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{record}".encode(), digest_size=8).digest(), "little")


def held_out_records(kind: str, sizes: np.ndarray, orders: np.ndarray, share: float) -> np.ndarray:
    """(R,) bool: the records that go to validation whole, about `share` of the source's characters.

    English gives its last records and at least one of several, since neighbours in a file often tell one story. DNA and
    proteins give records in the order of a hash of their ids, as far as they fit; proteins at least one of several.

    Args:
        kind: dna, text or protein.
        sizes: (R,) characters of each record.
        orders: (R,) uint64, the hashes.
        share: of all characters.
    """
    target = share * int(sizes.sum())
    chosen = np.zeros(len(sizes), bool)
    if kind == "text":
        from_the_end = np.cumsum(sizes[:0:-1])  # the first record is always train
        number = max(int(np.searchsorted(from_the_end, target, side="right")), min(1, len(from_the_end)))
        chosen[len(sizes) - number :] = True
        return chosen
    taken = 0
    drawn = np.argsort(orders, kind="stable")
    for record in drawn:
        if taken + int(sizes[record]) <= target:
            chosen[record] = True
            taken += int(sizes[record])
    if kind == "protein" and not taken and len(sizes) > 1:
        chosen[drawn[0]] = True
    return chosen


def record_to_part(sizes: np.ndarray, orders: np.ndarray, chosen: np.ndarray, part: float) -> int | None:
    """The record of DNA whose last `part` bases are held out, where whole ones gave too little; None if all are short.

    Args:
        sizes: (R,) bases.
        orders: (R,) uint64, hashes of the ids.
        chosen: (R,) bool, the records held out whole.
        part: bases.

    >>> record_to_part(np.array([1000, 50]), np.array([7, 3]), np.array([False, False]), 100)
    0
    """
    fit = np.flatnonzero(~chosen & (sizes >= 2 * part))
    return int(fit[np.argmin(orders[fit])]) if len(fit) else None
