import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.evaluation.bootstrap import Answered, Meter, intervals, resamples
from dnahlm.evaluation.metrics import METRICS, PROBABILITY_METRICS, measure, numbered

NAMES = (*METRICS, *PROBABILITY_METRICS)


@st.composite
def answered(draw):
    """Rows of a few classes, some without an answer, with coarse probabilities so that there are ties."""
    k, n = draw(st.integers(2, 4)), draw(st.integers(1, 30))
    answers = [f"answer {j}" for j in range(k)]
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    chances = rng.integers(1, 4, (n, k)).astype(float)
    chances /= chances.sum(axis=1, keepdims=True)
    predicted = [None if rng.random() < 0.1 else answers[j] for j in chances.argmax(axis=1)]
    references = [answers[j] for j in rng.integers(0, k, n)]
    return Answered(predicted, chances), references, answers, rng


def figures(way, references, answers, counts):
    return Meter(way, numbered(references, answers), answers).measure(np.asarray(counts, dtype=np.float32))


@settings(deadline=None, max_examples=150)
@given(answered())
def test_a_resample_is_measured_as_if_its_rows_were_written_out(case):
    way, references, answers, rng = case
    n = len(references)
    drawn = rng.integers(0, n, n)
    counts = np.stack([np.ones(n), np.bincount(drawn, minlength=n)], axis=1)
    found = figures(way, references, answers, counts)
    for column, rows in enumerate((np.arange(n), drawn)):
        expected = measure([way.predicted[i] for i in rows], [references[i] for i in rows], answers, way.chances[rows])
        for name, value in zip(NAMES, found[:, column], strict=True):
            if expected[name] is None:
                assert np.isnan(value), name
            else:
                assert value == pytest.approx(expected[name], abs=2e-5), name


def test_every_resample_has_as_many_rows_as_there_are_and_none_is_another():
    blocks = list(resamples(50, 30, seed=3))
    counts = np.concatenate(blocks, axis=1)
    assert counts.shape == (50, 30)
    assert (counts.sum(axis=0) == 50).all()
    assert len({tuple(column) for column in counts.T}) == 30


def test_the_interval_of_accuracy_is_that_of_a_binomial():
    n, right = 400, 300
    references = ["a"] * n
    way = Answered(["a"] * right + ["b"] * (n - right))
    low, high = intervals({"scored": way}, references, ["a", "b"], 2000, 0)["scored"]["accuracy"]
    spread = 1.96 * np.sqrt(0.75 * 0.25 / n)
    assert (low, high) == pytest.approx((0.75 - spread, 0.75 + spread), abs=0.006)


def test_intervals_are_the_same_for_the_same_seed_and_none_where_there_is_no_figure():
    rng = np.random.default_rng(0)
    answers, chances = ["a", "b"], rng.dirichlet([1, 1], 60)
    references = [answers[i] for i in rng.integers(0, 2, 60)]
    way = Answered([answers[i] for i in chances.argmax(axis=1)], chances)
    one, again, other = (intervals({"w": way}, references, answers, 200, seed) for seed in (1, 1, 2))
    assert one == again != other
    low, high = one["w"]["auroc"]
    assert low < measure(way.predicted, references, answers, chances)["auroc"] < high
    assert intervals({"w": Answered(way.predicted)}, references, answers, 50, 0)["w"]["brier"] is None
    assert intervals({"w": way}, references, answers, 0, 0) == {}


def test_six_thousand_rows_are_resampled_2000_times_in_a_fraction_of_the_time_allowed():
    rng = np.random.default_rng(0)
    answers, n = ["a", "b"], 6000
    chances = rng.dirichlet([1, 1], n)
    references = [answers[i] for i in rng.integers(0, 2, n)]
    way = Answered([answers[i] for i in chances.argmax(axis=1)], chances)
    started = time.process_time()
    intervals({str(i): way for i in range(4)}, references, answers, 2000, 0)
    # 12 tasks of 14 ways, all and clean rows, in 60 s: 0.18 s a way; the bound leaves room for a busy machine.
    assert time.process_time() - started < 4 * 0.5
