import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.leaks.split import assign_splits, place_groups

SHARES = {"validation": 0.1, "test": 0.2}


def split_by(keys, seed=0, shares=SHARES, facts=None):
    return assign_splits(keys, ["A"] * len(keys), shares, "gene", seed, facts)


@settings(max_examples=100, deadline=None)
@given(keys=st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=60), seed=st.integers(0, 5))
def test_a_group_never_crosses_splits(keys, seed):
    homes = defaultdict(set)
    for key, split in zip(keys, split_by(keys, seed), strict=True):
        homes[key].add(split)
    assert {len(splits) for splits in homes.values()} == {1}


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_met_to_the_row_where_groups_are_small(seed):
    rng = random.Random(seed)
    keys = [str(group) for group in range(400) for _ in range(rng.randint(1, 5))]
    counts = Counter(split_by(keys, seed))
    for split, share in {"train": 0.7, **SHARES}.items():
        assert abs(counts[split] - share * len(keys)) <= 1.5


def test_twenty_four_chromosomes_come_close_to_the_shares():
    keys = [f"chr{i}" for i in range(1, 25) for _ in range(260 - 9 * i)]
    facts = {}
    split_by(keys, facts=facts)
    assert facts["groups"] == 24
    for split, share in facts["asked_shares"].items():
        assert abs(facts["reached_shares"][split] - share) < 0.03
    assert not facts["note"]


def test_the_seed_decides_and_the_order_of_rows_does_not():
    keys = [str(i % 50) for i in range(200)]
    homes = dict(zip(keys, split_by(keys, 3), strict=True))
    assert homes == dict(zip(keys[::-1], split_by(keys[::-1], 3), strict=True))
    assert homes != dict(zip(keys, split_by(keys, 4), strict=True))


def test_large_groups_reach_the_test_split_as_often_as_small_ones():
    sizes = Counter({"large": 10, **{str(i): 1 for i in range(90)}})
    homes = Counter(place_groups(sizes, {"train": 0.8, "test": 0.2}, seed)["large"] for seed in range(300))
    assert 0.12 < homes["test"] / 300 < 0.28


def test_a_group_larger_than_its_share_is_reported():
    facts = {}
    split_by(["big"] * 90 + [str(i) for i in range(10)], facts=facts)
    assert "one gene group has 90 % of the rows" in facts["note"]
    assert facts["largest_group_rows"] == 90


def test_a_split_left_without_rows_is_reported():
    facts = {}
    split_by(["a"] * 10, facts=facts)
    assert facts["reached_shares"] == {"train": 1.0, "validation": 0.0, "test": 0.0}
    assert facts["note"]


def families(n, members):
    rng = random.Random(1)
    rows = []
    for _ in range(n):
        ancestor = rng.choices("ACGT", k=120)
        for _ in range(members):
            text = "".join(rng.choice("ACGT") if rng.random() < 0.03 else base for base in ancestor)
            rows.append(rng.choice([text, reverse_complement(text), text[:80]]))
    return rows


def test_near_duplicates_on_either_strand_stay_together():
    rows = families(40, 5)
    facts = {}
    splits = assign_splits(None, rows, SHARES, "similarity", 0, facts)
    assert facts["groups"] == 40
    assert all(len(set(splits[i : i + 5])) == 1 for i in range(0, 200, 5))
    assert Counter(splits) == {"train": 140, "validation": 20, "test": 40}


def test_similarity_groups_keep_their_split_when_rows_are_reversed_or_turned():
    rows = families(20, 3)
    splits = assign_splits(None, rows, SHARES, "similarity", 0)
    turned = assign_splits(None, [reverse_complement(row) for row in rows[::-1]], SHARES, "similarity", 0)
    assert splits == turned[::-1]


@pytest.mark.parametrize("shares", [{"test": 1.0}, {"test": 0.0}, {"dev": 0.1}, {"train": 0.5, "test": 0.2}])
def test_shares_that_cannot_be_are_refused(shares):
    with pytest.raises(InputError, match="shares"):
        split_by(["a"], shares=shares)


def test_no_rows_get_no_splits():
    assert assign_splits(None, [], SHARES, "similarity", 0) == assign_splits([], [], SHARES, "gene", 0) == []
