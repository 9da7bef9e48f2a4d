"""Paired tests against slow, plain versions of themselves and against published values."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom
from sklearn.metrics import matthews_corrcoef

from dnahlm.evaluation.report.stats import confidence_bins, holm, length_bins, mcc_difference, mcnemar


def answers(seed, n=200, k=3):
    rng = np.random.default_rng(seed)
    right = rng.integers(0, k, n)
    a = np.where(rng.random(n) < 0.5, right, rng.integers(0, k, n))
    b = np.where(rng.random(n) < 0.7, right, rng.integers(-1, k, n))
    return right, a, b


def test_mcc_difference_is_that_of_sklearn_with_the_interval_of_resampled_rows():
    right, a, b = answers(0)
    gap = mcc_difference(right, a, b, n_bootstrap=4000)
    assert gap.value == pytest.approx(matthews_corrcoef(right, b) - matthews_corrcoef(right, a))
    rng, slow = np.random.default_rng(1), []
    for _ in range(300):
        i = rng.integers(0, len(right), len(right))
        slow.append(matthews_corrcoef(right[i], b[i]) - matthews_corrcoef(right[i], a[i]))
    assert (gap.low, gap.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.03)


def test_a_model_against_itself_differs_by_nothing():
    right, a, _ = answers(2)
    gap = mcc_difference(right, a, a, n_bootstrap=200)
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)
    assert mcnemar(a == right, a == right) == (0, 0, 1.0)


@pytest.mark.parametrize("constant", [0, -1])
def test_a_constant_side_has_mcc_zero(constant):
    right, _, b = answers(3)
    gap = mcc_difference(right, np.full(len(right), constant), b, n_bootstrap=100)
    assert gap.value == pytest.approx(matthews_corrcoef(right, b))


def test_draws_hang_on_the_seed_and_not_on_the_size_of_the_pieces(monkeypatch):
    right, a, b = answers(4)
    whole = mcc_difference(right, a, b, n_bootstrap=300, seed=5)
    monkeypatch.setattr("dnahlm.evaluation.report.stats.CHUNK_CELLS", 100)
    assert np.array_equal(whole.draws, mcc_difference(right, a, b, n_bootstrap=300, seed=5).draws)
    assert not np.array_equal(whole.draws, mcc_difference(right, a, b, n_bootstrap=300, seed=6).draws)


def test_mcnemar_is_the_sign_test_of_the_rows_only_one_has_right():
    a = np.array([True] * 9 + [False] * 2 + [True] * 50 + [False] * 7)
    b = np.array([False] * 9 + [True] * 2 + [True] * 50 + [False] * 7)
    only_a, only_b, p = mcnemar(a, b)
    assert (only_a, only_b) == (9, 2)
    assert p == pytest.approx(2 * binom.cdf(2, 11, 0.5))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_ordered_as_the_p_values_between_them_and_bonferroni(p):
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert all(a <= min(1.0, len(p) * b) + 1e-12 or a <= max(adjusted) for a, b in zip(adjusted, p, strict=True))
    assert np.all(np.diff(np.array(adjusted)[np.argsort(p, kind="stable")]) >= 0)
    assert min(adjusted) == pytest.approx(min(1.0, len(p) * min(p)))


@settings(max_examples=50)
@given(arrays(float, st.integers(1, 80), elements=st.floats(0.0, 1.0)), st.integers(0, 100))
def test_every_row_is_in_one_bin_of_confidence(confidence, seed):
    right = np.random.default_rng(seed).random(len(confidence)) < 0.5
    bins = confidence_bins(confidence, right)
    assert sum(b.n for b in bins) == len(confidence)
    assert sum(b.right for b in bins) == right.sum()
    assert all(b.low - 1e-9 <= b.x <= b.high + 1e-9 for b in bins)


@settings(max_examples=100)
@given(arrays(int, st.integers(1, 200), elements=st.integers(20, 60)), st.integers(0, 100))
def test_every_row_is_in_one_bin_of_length_and_no_bin_is_small(bases, seed):
    right = np.random.default_rng(seed).random(len(bases)) < 0.5
    bins = length_bins(bases, right)
    if not bins:
        assert len(bases) < 10
        return
    assert sum(b.n for b in bins) == len(bases)
    assert sum(b.right for b in bins) == right.sum()
    assert all(b.n >= 10 for b in bins)
    assert all(one.high < two.low for one, two in pairwise(bins))
