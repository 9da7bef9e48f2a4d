"""Which training sequences are, or lie inside, or hold a test sequence, on either strand.

Every sequence is found by its first bases (its anchor, up to `ANCHOR` of them): a window of that width slides over the
other side, and each hit is compared letter by letter. One pass serves all lengths from `ANCHOR` up; shorter sequences
get one pass per length.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dnahlm.dna import reverse_complement

ANCHOR = 32  # bases: long enough that a hit by chance is rare
EXACT, REVERSE_COMPLEMENT, CONTAINED = "exact", "reverse_complement", "contained"
KINDS = (EXACT, REVERSE_COMPLEMENT, CONTAINED)  # the first that holds names a pair


@dataclass(frozen=True, order=True)
class Leak:
    """One training sequence that gives one test sequence away; indices into the two lists that were compared."""

    train_index: int
    test_index: int
    kind: str  # one of KINDS; contained: either inside the other, on either strand


def find_leaks(train: Sequence[str], test: Sequence[str], progress: str | None = None) -> list[Leak]:
    """Every pair of a train and a test sequence of which one is, or holds, the other or its reverse complement.

    Args:
        train: N sequences over ACGTN.
        test: M sequences over ACGTN; N is a letter like the others.
        progress: title of a progress bar; None shows none.

    >>> find_leaks(["AACC", "GGTT", "TTTTTT", "CACACA"], ["AACC", "AAA"])
    [Leak(train_index=0, test_index=0, kind='exact'), Leak(train_index=1, test_index=0, kind='reverse_complement'), \
Leak(train_index=2, test_index=1, kind='contained')]
    """
    train_places, test_places = places_by_sequence(train), places_by_sequence(test)
    unique_train, unique_test = list(train_places), list(test_places)
    pairs = set(held_pairs(unique_test, tracked(unique_train, progress)))
    # Now the longer one is the test sequence; turned round, this set too holds (train, test).
    pairs |= {(longer, shorter) for shorter, longer in held_pairs(unique_train, tracked(unique_test, progress))}
    leaks = []
    for train_index, test_index in pairs:
        one, other = unique_train[train_index], unique_test[test_index]
        kind = kind_of(one, other)
        leaks += [Leak(i, j, kind) for i in train_places[one] for j in test_places[other]]
    return sorted(leaks)


def held_pairs(shorter: Sequence[str], longer: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield (index of the longer, index of the shorter) where the shorter, on either strand, lies inside the longer."""
    anchors = anchor_tables(shorter)
    for index, sequence in enumerate(longer):
        for width, table in anchors.items():
            for start in range(len(sequence) - width + 1):
                candidates = table.get(sequence[start : start + width])
                if candidates:
                    yield from ((index, i) for i, strand in candidates if sequence.startswith(strand, start))


def anchor_tables(sequences: Sequence[str]) -> dict[int, dict[str, list[tuple[int, str]]]]:
    """Width -> first `width` bases -> (index, sequence or its reverse complement); the empty sequence is left out."""
    tables: dict[int, dict[str, list[tuple[int, str]]]] = defaultdict(dict)
    for index, sequence in enumerate(sequences):
        width = min(len(sequence), ANCHOR)
        for strand in {sequence, reverse_complement(sequence)} - {""}:
            tables[width].setdefault(strand[:width], []).append((index, strand))
    return dict(tables)


def kind_of(train: str, test: str) -> str:
    """Name of a leak already found.

    >>> kind_of("ACGT", "ACGT"), kind_of("AAAC", "GTTT"), kind_of("AAACC", "GTTT")
    ('exact', 'reverse_complement', 'contained')
    """
    if train == test:
        return EXACT
    return REVERSE_COMPLEMENT if train == reverse_complement(test) else CONTAINED


def places_by_sequence(sequences: Iterable[str]) -> dict[str, list[int]]:
    """Sequence -> all its indices: what is there twice is searched once."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, sequence in enumerate(sequences):
        places[sequence].append(index)
    return dict(places)


def tracked(sequences: Sequence[str], progress: str | None) -> Iterable[str]:
    """The sequences, behind a progress bar when a title is given."""
    if progress is None:
        return sequences
    from tqdm import tqdm

    return tqdm(sequences, desc=progress, unit="seq", disable=None)
