"""Which training sequences are, lie inside, hold or are much like a test sequence, on either strand."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from dnahlm.dna import reverse_complement

EXACT, REVERSE_COMPLEMENT, CONTAINED, NEAR = "exact", "reverse_complement", "contained", "near"
KINDS = (EXACT, REVERSE_COMPLEMENT, CONTAINED, NEAR)  # the first that holds names a pair


@dataclass(frozen=True, order=True, slots=True)
class Leak:
    """One training sequence that gives one test sequence away; indices into the two lists that were compared."""

    train_index: int
    test_index: int
    kind: str  # one of KINDS; contained: either inside the other, on either strand
    similarity: float = 1.0  # near: share of words in common, see `dnahlm.tasks.leaks.near`; else 1


def find_leaks(
    train: Sequence[str],
    test: Sequence[str],
    progress: str | None = None,
    near: bool = True,
    counts: Counter[str] | None = None,
) -> list[Leak]:
    """Every pair of a train and a test sequence of which one gives the other away, on either strand.

    That is: they are equal or reverse complements, one holds the other, or they are alike over most of the shorter
    one (`dnahlm.tasks.leaks.near` states how much, and what its search may miss).

    Args:
        train: N sequences over ACGTN.
        test: M sequences over ACGTN; N is a letter like the others, but near-duplicates are told by what is no N.
        progress: title of the progress bars; None shows none.
        near: look for near-duplicates too.
        counts: gets the number of sequences that the search for near-duplicates could not look at in full.

    >>> find_leaks(["AACC", "GGTT", "TTTTTT", "CACACA"], ["AACC", "AAA"])
    [Leak(train_index=0, test_index=0, kind='exact', similarity=1.0), \
Leak(train_index=1, test_index=0, kind='reverse_complement', similarity=1.0), \
Leak(train_index=2, test_index=1, kind='contained', similarity=1.0)]
    """
    return sorted(each_leak(train, test, progress, near, counts), key=attrgetter("train_index", "test_index"))


def each_leak(
    train: Sequence[str],
    test: Sequence[str],
    progress: str | None = None,
    near: bool = True,
    counts: Counter[str] | None = None,
) -> Iterator[Leak]:
    """The leaks of `find_leaks` one by one, near-duplicates last: where rows are many copies of few, pairs are many."""
    # numpy is loaded here, when there is something to search.
    from dnahlm.tasks.leaks.held import held_pairs
    from dnahlm.tasks.leaks.near import find_near

    train_places, test_places = places_by_sequence(train), places_by_sequence(test)
    unique_train, unique_test = list(train_places), list(test_places)
    held = set(held_pairs(unique_test, unique_train, progress))
    # Now the longer one is the test sequence; turned round, this too gives (train, test).
    held |= {(shorter, longer) for longer, shorter in held_pairs(unique_train, unique_test, progress)}
    found = [((i, j, 1.0) for i, j in sorted(held))]
    if near:
        found.append(zip(*find_near(unique_train, unique_test, progress, counts), strict=True))
    for number, (i, j, similarity) in enumerate(itertools.chain(*found)):
        if number >= len(held) and (i, j) in held:
            continue
        one, other = unique_train[i], unique_test[j]
        kind = kind_of(one, other) if number < len(held) else NEAR
        for train_index, test_index in itertools.product(train_places[one], test_places[other]):
            yield Leak(train_index, test_index, kind, float(similarity))


def kind_of(train: str, test: str) -> str:
    """Name of a pair of which one holds the other.

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
