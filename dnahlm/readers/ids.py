"""The ids of a file that have been seen, in 8 bytes each: a set of a million Python strings takes 100 MB and more."""

from hashlib import blake2b

import numpy as np


class SeenIds:
    """A growing set of ids, kept as 64-bit hashes; two of a million ids get one hash with a chance of 3 in 10^8.

    >>> seen = SeenIds()
    >>> seen.add("a")
    >>> "a" in seen, "b" in seen, len(seen)
    (True, False, 1)
    """

    BLOCK = 1 << 14  # hashes held as Python numbers, some 100 bytes each, before they are sorted in

    def __init__(self) -> None:
        self.sorted = np.empty(0, dtype=np.uint64)
        self.recent: set[int] = set()

    def add(self, name: str) -> None:
        """Put an id into the set that is not in it yet."""
        self.recent.add(hashed(name))
        if len(self.recent) >= self.BLOCK:
            new = np.sort(np.fromiter(self.recent, dtype=np.uint64, count=len(self.recent)))
            # Put in place by place: sorting all of them anew would take three copies of them.
            self.sorted = np.insert(self.sorted, np.searchsorted(self.sorted, new), new)
            self.recent = set()

    def __contains__(self, name: str) -> bool:
        value = hashed(name)
        place = np.searchsorted(self.sorted, np.uint64(value))
        return value in self.recent or (place < len(self.sorted) and int(self.sorted[place]) == value)

    def __len__(self) -> int:
        return len(self.sorted) + len(self.recent)


def hashed(name: str) -> int:
    """The first 64 bits of a text's hash."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
