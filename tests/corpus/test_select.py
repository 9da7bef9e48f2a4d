import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus.select import KINDS, budgets, choose


@given(
    dna=st.integers(0, 10**6),
    text=st.integers(0, 10**6),
    share=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    limit=st.integers(0, 10**6),
)
def test_budgets_stay_within_what_there_is_and_the_limit_and_keep_the_shares(dna, text, share, limit):
    keep = budgets({"dna": dna, "text": text}, share, limit)
    assert 0 <= keep["dna"] <= dna
    assert 0 <= keep["text"] <= text
    assert not limit or sum(keep.values()) <= limit + 1  # each kind is rounded
    wanted = share if share and dna and text else dna / ((dna + text) or 1)
    assert abs(keep["dna"] - wanted * sum(keep.values())) <= 2


def test_choice_is_seeded_shuffled_and_fills_its_budget():
    kinds = np.array([0, 1] * 50)
    sizes = np.full(100, 10)
    keep = {"dna": 200, "text": 300}
    rows = choose(kinds, sizes, keep, np.random.default_rng(1))
    assert [int((kinds[rows] == code).sum()) for code in range(len(KINDS))] == [20, 30]
    assert sorted(rows) != rows.tolist()
    assert rows.tolist() == choose(kinds, sizes, keep, np.random.default_rng(1)).tolist()
    assert rows.tolist() != choose(kinds, sizes, keep, np.random.default_rng(2)).tolist()
