"""The algorithms against slow exact versions."""

import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.tasks.pairs.align import identity, local_score
from dnahlm.tasks.pairs.mutate import Band, copy_within, mutate
from dnahlm.tasks.pairs.similar_baselines import fit_threshold
from dnahlm.tasks.pairs.splits import assign

SHORT = st.text("ACGT", min_size=1, max_size=6)


def best_alignments(first, second):
    """Best global score (match 1, mismatch -1, gap of n -(n + 1)) and the (equal, all) columns of every best alignment."""

    @lru_cache
    def best(i, j, gap_in):  # gap_in: the sequence in which the column before was a gap
        if i == len(first) and j == len(second):
            return 0, frozenset([(0, 0)])
        options = []
        if i < len(first) and j < len(second):
            equal = first[i] == second[j]
            options.append((1 if equal else -1, equal, best(i + 1, j + 1, None)))
        if i < len(first):
            options.append((-1 if gap_in == 2 else -2, 0, best(i + 1, j, 2)))
        if j < len(second):
            options.append((-1 if gap_in == 1 else -2, 0, best(i, j + 1, 1)))
        top = max(cost + rest[0] for cost, _, rest in options)
        columns = {
            (e + equal, c + 1) for cost, equal, rest in options if cost + rest[0] == top for e, c in rest[1]
        }  # fmt: skip
        return top, frozenset(columns)

    return best(0, 0, None)


@given(SHORT, SHORT)
def test_identity_is_that_of_a_best_alignment(first, second):
    _, columns = best_alignments(first, second)
    assert any(identity(first, second) == pytest.approx(equal / n) for equal, n in columns)


@settings(max_examples=60)
@given(st.text("ACGT", min_size=1, max_size=5), st.text("ACGT", min_size=1, max_size=5))
def test_local_score_is_the_best_global_score_of_any_two_parts(first, second):
    parts = [[s[i:j] for i in range(len(s)) for j in range(i + 1, len(s) + 1)] for s in (first, second)]
    best = max([0, *(best_alignments(a, b)[0] for a in parts[0] for b in parts[1])])
    assert local_score(first, second, both_strands=False) == pytest.approx(best / min(len(first), len(second)))


@given(st.text("ACGT", min_size=20, max_size=80), st.integers(0, 30), st.integers(0, 99))
def test_a_mutated_copy_has_the_length_of_its_window(window, n_columns, seed):
    copy = mutate(window, min(n_columns, len(window) // 2), random.Random(seed))
    assert len(copy) == len(window)
    assert not set(copy) - set("ACGT")


@given(st.text("ACGT", min_size=40, max_size=40), st.sampled_from([0.7, 0.8, 0.9]), st.integers(0, 99))
def test_a_copy_within_a_band_has_its_identity_in_the_band(window, low, seed):
    band = Band(low, round(low + 0.1, 1))
    made = copy_within(window, band, 1.0, random.Random(seed))
    if made is not None:
        copy, achieved = made
        assert achieved == identity(window, copy)
        assert band.low <= achieved < band.high


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=12))
def test_the_fitted_threshold_is_as_accurate_as_the_best_of_all(pairs):
    scores, truth = [s for s, _ in pairs], [t for _, t in pairs]

    def right(threshold):
        return sum((s >= threshold) == t for s, t in pairs)

    assert right(fit_threshold(scores, truth)) == max(right(t) for t in [-1, *(s + 0.5 for s in scores), *scores])


@given(st.lists(st.integers(1, 100), min_size=3, max_size=40), st.integers(0, 99))
def test_every_split_gets_an_item(sizes, seed):
    assert set(assign(sizes, {"train": 8, "validation": 1, "test": 1}, random.Random(seed))) == {
        "train", "validation", "test",
    }  # fmt: skip


@given(st.integers(0, 99))
def test_many_small_items_are_shared_out_in_proportion(seed):
    splits = assign([1] * 100, {"train": 8, "validation": 1, "test": 1}, random.Random(seed))
    assert splits.count("train") in range(76, 84)
    assert splits.count("test") in range(7, 13)
