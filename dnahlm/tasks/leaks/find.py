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
    leaks = LeakSearch(test, near).leaks(train, progress, counts)
    return sorted(leaks, key=attrgetter("train_index", "test_index"))


class LeakSearch:
    """Test sequences made ready once, to be compared with one list of train sequences after another."""

    def __init__(self, test: Sequence[str], near: bool = True) -> None:
        """Take M sequences over ACGTN, `near` as in `find_leaks`."""
        # numpy is loaded here, when there is something to search.
        from dnahlm.tasks.leaks.held import tables_of
        from dnahlm.tasks.leaks.near import WordIndex

        self.places = places_by_sequence(test)
        self.sequences = list(self.places)
        self.longest = max(map(len, self.sequences), default=0)
        self.held = tables_of(self.sequences)
        self.near = WordIndex(self.sequences) if near else None

    def leaks(
        self, train: Sequence[str], progress: str | None = None, counts: Counter[str] | None = None
    ) -> Iterator[Leak]:
        """The leaks of `find_leaks` one by one, near-duplicates last."""
        from dnahlm.tasks.leaks.held import held_pairs, tables_of
        from dnahlm.tasks.leaks.near import find_near

        places = places_by_sequence(train)
        sequences = list(places)
        held = set(held_pairs(self.held, sequences, progress))
        # Now the longer one is the test sequence; turned round, this too gives (train, test).
        if short := [index for index, sequence in enumerate(sequences) if len(sequence) < self.longest]:
            tables = tables_of([sequences[index] for index in short])
            held |= {(short[shorter], longer) for longer, shorter in held_pairs(tables, self.sequences, progress)}
        found = [((i, j, 1.0) for i, j in sorted(held))]
        if self.near is not None:
            found.append(zip(*find_near(sequences, self.sequences, progress, counts, self.near), strict=True))
        for number, (i, j, similarity) in enumerate(itertools.chain(*found)):
            if number >= len(held) and (i, j) in held:
                continue
            one, other = sequences[i], self.sequences[j]
            kind = kind_of(one, other) if number < len(held) else NEAR
            for train_index, test_index in itertools.product(places[one], self.places[other]):
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
