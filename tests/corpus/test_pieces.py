import random

from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus.pieces import cuts


@given(length=st.integers(0, 3000), shortest=st.integers(1, 50), more=st.integers(0, 200), seed=st.integers(0, 9))
def test_cuts_are_contiguous_and_within_their_limits(length, shortest, more, seed):
    longest = shortest + more
    found = list(cuts(7, 7 + length, shortest, longest, random.Random(seed)))
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert all(shortest <= end - start <= longest for start, end in found)
    lost = 7 + length - (found[-1][1] if found else 7)
    assert lost == 0 if longest >= 2 * shortest and length >= shortest else 0 <= lost < shortest
