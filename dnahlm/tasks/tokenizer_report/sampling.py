"""A uniform sample of texts of unknown number, bounded by their size."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Iterator

LONGEST = 1000  # bases of a window; the pieces of a corpus are about as long, and BPE is slow on longer words
SHORTEST = 20  # bases; the last token of a window is rarely a full one, which weighs more the shorter it is


class Sample:
    """Keeps texts drawn without replacement, at most `limit` characters of them, in random order.

    >>> sample = Sample(limit=4, seed="0")
    >>> sample.add(["ACG", "GGT", "TTA"])
    >>> len(sample.texts()), sample.n_seen, sample.size_seen
    (1, 3, 9)
    """

    def __init__(self, limit: int, seed: str) -> None:
        self.limit, self.size, self.n_seen, self.size_seen = limit, 0, 0, 0
        self._rng = random.Random(seed)
        self._heap: list[tuple[float, str]] = []  # the text drawn last is on top

    def add(self, texts: Iterable[str]) -> None:
        """Offer texts."""
        for text in texts:
            self.n_seen += 1
            self.size_seen += len(text)
            heapq.heappush(self._heap, (-self._rng.random(), text))
            self.size += len(text)
            while self.size > self.limit and len(self._heap) > 1:
                self.size -= len(heapq.heappop(self._heap)[1])

    def texts(self) -> list[str]:
        """What was drawn."""
        return [text for _, text in sorted(self._heap, reverse=True)]


def windows(sequence: str) -> Iterator[str]:
    """Consecutive windows of `LONGEST` bases; a rest shorter than `SHORTEST` is left out.

    >>> [len(window) for window in windows("A" * 2010)]
    [1000, 1000]
    """
    for start in range(0, len(sequence), LONGEST):
        window = sequence[start : start + LONGEST]
        if len(window) >= SHORTEST:
            yield window
