from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus.select import budgets

AMOUNTS = st.integers(0, 10**6)


@given(
    dna=AMOUNTS,
    text=AMOUNTS,
    protein=AMOUNTS,
    share=st.sampled_from([0.0, 0.1, 0.5, 0.8]),
    of_protein=st.sampled_from([0.05, 0.2]),
    limit=AMOUNTS,
)
def test_budgets_stay_within_what_there_is_and_the_limit_and_keep_the_shares(
    dna, text, protein, share, of_protein, limit
):
    available = {"dna": dna, "text": text, "protein": protein}
    keep = budgets(available, share, of_protein, limit)
    assert all(0 <= keep[kind] <= available[kind] for kind in keep)
    assert not limit or sum(keep.values()) <= limit + 1.5  # each kind is rounded
    of_protein *= protein > 0
    asked = {"dna": share, "protein": of_protein, "text": 1 - share - of_protein} if share else available
    asked = {kind: amount * (available[kind] > 0) for kind, amount in asked.items()}
    for kind, amount in asked.items():
        assert abs(keep[kind] - amount / (sum(asked.values()) or 1) * sum(keep.values())) <= 3
