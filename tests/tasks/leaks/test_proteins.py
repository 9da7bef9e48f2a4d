import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.tasks.leaks.find import Leak, LeakSearch
from dnahlm.tasks.leaks.near import COVER
from dnahlm.tasks.leaks.proteins import WORD, NearProteins

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def leaks(train, test, near=True, counts=None):
    return sorted(LeakSearch(test, near, proteins=True).leaks(train, counts=counts))


def proteins(n, size=50, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices(RESIDUES, k=size)) for _ in range(n)]


def words(protein):
    cuts = ((start, protein[start : start + WORD]) for start in range(len(protein) - WORD + 1))
    return {start: word for start, word in cuts if "X" not in word and len(set(word)) > 1}


def slow_leaks(train, test):
    """Every pair compared in full."""
    found = []
    for (i, one), (j, other) in itertools.product(enumerate(train), enumerate(test)):
        if one == other:
            found.append(Leak(i, j, "exact"))
        elif one in other or other in one:
            found.append(Leak(i, j, "contained"))
        else:
            shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
            known = set(words(longer).values())
            bases = {start + i for start, word in words(shorter).items() if word in known for i in range(WORD)}
            if len(bases) >= COVER * len(shorter):
                found.append(Leak(i, j, "near", len(bases) / len(shorter)))
    return found


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_agrees_with_comparing_every_pair(seed):
    rng = random.Random(seed)
    ancestors = [*proteins(2, 60, seed), "QQQQQQQQ" + "XX".join(proteins(3, 15, seed))]

    def relative():
        share = rng.choice([0, 0.05, 0.2])
        text = "".join(rng.choice(RESIDUES) if rng.random() < share else x for x in rng.choice(ancestors))
        start = rng.randrange(20)
        return text[start : start + rng.choice([3, 12, 30, 60])]

    train, test = [relative() for _ in range(15)], [relative() for _ in range(15)]
    assert leaks(train, test) == slow_leaks(train, test)


@pytest.mark.parametrize(("train", "test"), [("TTTT", "AAAA"), ("ACGT", "ACGTT"[::-1]), ("WSRK", "MYSW")])
def test_proteins_have_no_other_strand(train, test):
    assert leaks([train], [test]) == []


def test_one_residue_in_twenty_substituted_is_a_near_duplicate_and_strangers_are_none():
    train = proteins(2_000)
    rng = random.Random(1)
    test = ["".join(rng.choice(RESIDUES) if rng.random() < 0.05 else x for x in text) for text in train]
    found = {(leak.train_index, leak.test_index) for leak in leaks(train, test)}
    assert len(found & {(i, i) for i in range(2_000)}) >= 1_990
    assert all(i == j for i, j in found)


def test_words_in_crowds_and_proteins_without_a_word_are_counted():
    counts = Counter()
    (domain,) = proteins(1, 20)
    NearProteins([domain + tail for tail in proteins(100, 20, 1)] + ["MKV"]).pairs(["MKT"], counts=counts)
    assert counts["near_words_in_crowds"] == 20 - WORD + 1
    assert counts["near_sequences_not_searched"] == 1


@pytest.mark.parametrize(("train", "test"), [([], []), ([], ["MKV"]), (["MKV"], []), (["MKTAYIAK"], ["M"])])
def test_near_none(train, test):
    assert [part.tolist() for part in NearProteins(test).pairs(train)] == [[], [], []]
