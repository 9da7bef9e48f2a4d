import random
from collections import Counter
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from dnahlm.evaluation.shuffle import shuffle_pairs

DNA = st.text(st.sampled_from("ACGTN"), max_size=200)


@given(DNA, st.integers(0, 1000))
def test_pairs_of_neighbours_ends_and_length_stay(sequence, seed):
    shuffled = shuffle_pairs(sequence, random.Random(seed))
    assert Counter(pairwise(shuffled)) == Counter(pairwise(sequence))
    assert (shuffled[:1], shuffled[-1:], len(shuffled)) == (sequence[:1], sequence[-1:], len(sequence))


def test_every_sequence_with_the_same_pairs_is_drawn_about_equally_often():
    sequence = "AACAGAACGA"
    same = {
        "".join(p) for p in set(permutations(sequence[1:-1]))
        if Counter(pairwise("A" + "".join(p) + "A")) == Counter(pairwise(sequence))
    }  # fmt: skip
    rng = random.Random(0)
    found = Counter(shuffle_pairs(sequence, rng)[1:-1] for _ in range(200 * len(same)))
    assert set(found) == same
    expected = 200
    chi = sum((n - expected) ** 2 / expected for n in found.values())
    assert chi < len(same) + 5 * (2 * len(same)) ** 0.5


def test_a_motif_is_gone_but_its_pairs_are_not():
    rng = random.Random(1)
    rows = ["".join(rng.choices("ACGT", k=40)) + "TATAAAGGC" + "".join(rng.choices("ACGT", k=40)) for _ in range(100)]
    assert sum("TATAAAGGC" in shuffle_pairs(row, rng) for row in rows) <= 5
