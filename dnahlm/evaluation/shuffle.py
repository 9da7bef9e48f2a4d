"""The control that takes the order out of DNA but leaves its composition: a random walk over the same pairs of bases.

A sequence is a path through its letters in which every pair of neighbours is an edge. Every path over the same edges
with the same ends has the same counts of single letters and of pairs; one of them is drawn, each as likely as the next
(Altschul and Erickson 1985; the draw of last edges by rejection as in Kandel, Matias, Unger and Winkler 1996).
"""

import random
from collections import defaultdict
from itertools import pairwise


def shuffle_pairs(sequence: str, rng: random.Random) -> str:
    """A sequence with the same first and last letter and the same number of every pair of neighbouring letters.

    >>> shuffle_pairs("AACCGGTT", random.Random(1))[0], len(shuffle_pairs("AACCGGTT", random.Random(1)))
    ('A', 8)
    """
    if len(sequence) < 4:  # nothing can change places
        return sequence
    after: dict[str, list[str]] = defaultdict(list)
    for letter, following in pairwise(sequence):
        after[letter].append(following)
    last = draw_last(after, sequence[-1], rng)
    for letter, following in after.items():
        if letter in last:
            following.remove(last[letter])
        rng.shuffle(following)
        if letter in last:
            following.append(last[letter])
        following.reverse()  # taken from the end
    letter = sequence[0]
    walk = [letter]
    for _ in range(len(sequence) - 1):
        letter = after[letter].pop()
        walk.append(letter)
    return "".join(walk)


def draw_last(after: dict[str, list[str]], end: str, rng: random.Random) -> dict[str, str]:
    """For each letter but the end, the step with which the walk leaves it for good: from all of them one gets to it."""
    while True:
        last = {letter: rng.choice(following) for letter, following in after.items() if letter != end}
        if all(arrives(letter, last, end) for letter in last):
            return last


def arrives(letter: str, last: dict[str, str], end: str) -> bool:
    """Whether the last steps lead from a letter to the end and not into a circle."""
    for _ in range(len(last)):
        letter = last.get(letter, end)
    return letter == end
