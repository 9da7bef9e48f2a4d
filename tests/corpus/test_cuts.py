import random

from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus import cuts as module
from dnahlm.corpus.cuts import cuts
from dnahlm.dna import canonical, reverse_complement


def bases(length, seed=0):
    return "".join(random.Random(seed).choices("ACGT", k=length))


def documents(sequence, shortest=100, longest=300, seed=0):
    return {canonical(sequence[a:b]) for a, b in cuts(sequence, 0, len(sequence), shortest, longest, seed)}


@given(length=st.integers(0, 3000), shortest=st.integers(1, 50), more=st.integers(0, 200), letters=st.integers(1, 4))
def test_cuts_are_contiguous_and_within_their_limits(length, shortest, more, letters):
    longest = shortest + more
    sequence = "N" * 7 + "".join(random.Random(length).choices("ACGT"[:letters], k=length))
    found = list(cuts(sequence, 7, 7 + length, shortest, longest, seed=0))
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert all(shortest <= end - start <= longest for start, end in found)
    lost = 7 + length - (found[-1][1] if found else 7)
    assert lost == 0 if longest >= 2 * shortest and length >= shortest else 0 <= lost < shortest


def test_both_strands_are_cut_alike():
    sequence = bases(20_000)
    assert documents(sequence) == documents(reverse_complement(sequence))


def test_a_chromosome_longer_than_a_segment_is_cut_alike_on_both_strands(monkeypatch):
    monkeypatch.setattr(module, "SEGMENT", 5000)
    sequence = bases(60_000)
    assert documents(sequence) == documents(reverse_complement(sequence))
    pieces = list(cuts(sequence, 0, len(sequence), 100, 300, seed=0))
    assert sum(end - start for start, end in pieces) == 60_000


def test_the_same_stretch_elsewhere_gives_mostly_the_same_documents():
    stretch = bases(20_000)
    here, there = documents(bases(3000, 1) + stretch), documents(bases(777, 2) + stretch + bases(5000, 3))
    inside = {document for document in here if document in stretch or reverse_complement(document) in stretch}
    assert len(inside & there) > 0.9 * len(inside)


def test_lengths_spread_over_the_range_and_the_seed_decides_them():
    lengths = [len(document) for document in documents(bases(200_000), 300, 1000)]
    assert min(lengths) < 350
    assert max(lengths) > 950
    assert 450 < sum(lengths) / len(lengths) < 750
    assert documents(bases(5000), seed=1) != documents(bases(5000), seed=2)


def test_windows_of_one_length_are_cut_end_to_end():
    assert list(cuts("A" * 1250, 0, 1250, 500, 500, seed=0)) == [(0, 500), (500, 1000)]
