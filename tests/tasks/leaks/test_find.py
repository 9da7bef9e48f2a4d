import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks import held, joined
from dnahlm.tasks.leaks.find import Leak, find_leaks

DNA = st.lists(st.text("ACG", min_size=1, max_size=9), max_size=8)


def slow_leaks(train, test):
    """Every pair compared in full."""
    leaks = []
    for i, one in enumerate(train):
        for j, other in enumerate(test):
            back = reverse_complement(other)
            if one == other:
                leaks.append(Leak(i, j, "exact"))
            elif one == back:
                leaks.append(Leak(i, j, "reverse_complement"))
            elif other in one or back in one or one in other or one in back:
                leaks.append(Leak(i, j, "contained"))
    return leaks


@settings(max_examples=300, deadline=None)
@given(train=DNA, test=DNA, passes=st.integers(1, 8))
def test_agrees_with_comparing_every_pair(train, test, passes):
    before, held.PASSES = held.PASSES, passes
    try:
        assert find_leaks(train, test) == slow_leaks(train, test)
    finally:
        held.PASSES = before


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_agrees_with_comparing_every_pair_on_pieces_of_one_genome(rng):
    genome = "".join(rng.choices("ACGT", k=150))

    def piece():
        start, size = rng.randrange(100), rng.choice([20, 31, 32, 33, 40, 50])
        cut = genome[start : start + size]
        return rng.choice([cut, reverse_complement(cut)])

    train, test = [piece() for _ in range(25)], [piece() for _ in range(25)]
    assert find_leaks(train, test, near=False) == slow_leaks(train, test)


def test_agrees_with_comparing_every_pair_across_batches(monkeypatch):
    rng = random.Random(1)
    train = ["".join(rng.choices("AC", k=rng.randint(1, 12))) for _ in range(200)]
    test = ["".join(rng.choices("AC", k=rng.randint(1, 12))) for _ in range(100)]
    monkeypatch.setattr(joined, "BATCH_BASES", 50)
    monkeypatch.setattr(joined, "BATCH_ROWS", 7)
    monkeypatch.setattr(held, "HITS", 3)
    assert find_leaks(train, test) == slow_leaks(train, test)


def test_letters_decide_where_hashes_collide(monkeypatch):
    monkeypatch.setattr(held, "LETTERS", np.zeros(256, np.uint64))  # now every window has the hash 0
    train, test = ["ACGTT", "CCCCC", "GGTAC"], ["CGT", "GTACC", "TTTTT"]
    assert find_leaks(train, test) == slow_leaks(train, test)


@pytest.mark.parametrize(
    ("train", "test", "kind"),
    [
        ("AACCG", "AACCG", "exact"),
        ("AACCG", "CGGTT", "reverse_complement"),
        ("TTAACCGTT", "AACCG", "contained"),
        ("TTCGGTTTT", "AACCG", "contained"),
        ("AACCG", "TTAACCGTT", "contained"),
        ("AACCG", "TTCGGTTTT", "contained"),
        ("ACGT", "ACGT", "exact"),  # its own reverse complement
    ],
)
def test_names_the_kind_of_leak(train, test, kind):
    assert find_leaks([train], [test]) == [Leak(0, 0, kind)]


def test_overlap_at_the_ends_is_no_leak():
    assert find_leaks(["AAAACCCC"], ["CCCCGTGT"]) == []


def test_repeated_sequences_are_all_reported():
    assert [(leak.train_index, leak.test_index) for leak in find_leaks(["AC", "AC"], ["AC", "AC"])] == [
        (0, 0), (0, 1), (1, 0), (1, 1),
    ]  # fmt: skip


def test_nothing_leaks_from_or_into_nothing():
    assert find_leaks([], ["ACGT"]) == find_leaks(["ACGT"], []) == []


def test_variants_of_one_long_start_are_not_compared_pair_by_pair():
    rng = random.Random(2)
    start = "".join(rng.choices("ACGT", k=70))  # as in a library of designed variants behind one primer
    train, test = (sorted({start + "".join(rng.choices("ACGT", k=30)) for _ in range(4_000)}) for _ in range(2))
    table = held.strands(test, range(len(test)), 100)
    batch = joined.join(train)
    assert list(held.anchor_widths(test)) == [100]
    assert list(held.candidates(batch, held.Hashes(batch.letters), 100, table)) == []


@pytest.mark.slow
def test_one_planted_leak_is_found_among_sixty_thousand_rows():
    rng = random.Random(0)
    train = ["".join(rng.choices("ACGT", k=rng.randint(70, 400))) for _ in range(60_000)]
    test = ["".join(rng.choices("ACGT", k=rng.randint(70, 400))) for _ in range(19_999)]
    planted = reverse_complement(train[17])[5:60]
    assert find_leaks(train, [*test, planted]) == [Leak(17, 19_999, "contained")]
