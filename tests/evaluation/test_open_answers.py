import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score

from dnahlm.evaluation.baselines.open import OPEN_BASELINES
from dnahlm.evaluation.open_answers import figures, measure_open, open_intervals
from dnahlm.tasks.spec import Source, TaskSpec
from dnahlm.tasks.written import read_answer


def spec(kind, **more):
    return TaskSpec("t", 1, "", "", "", Source(), [], [], [], kind=kind, **more)


NUMBER = spec("regression", decimals=1)
CODE = spec("hierarchical", levels=3)
SETS = spec("multilabel", labels={"a": "brain", "b": "liver", "c": "heart"}, none_label="none of them")


@pytest.mark.parametrize(
    ("task", "text", "value"),
    [
        (NUMBER, "-1.5", -1.5), (NUMBER, "2", 2.0), (NUMBER, "1.5 units", None), (NUMBER, "nan", None),
        (NUMBER, "1e3", None), (NUMBER, "", None),
        (CODE, "1.2.3", ("1", "2", "3")), (CODE, "1.2.-", ("1", "2", "-")), (CODE, "1.2", None), (CODE, "1.2.3 ", None),
        (CODE, "1..3", None),
        (SETS, "liver, brain", frozenset({"liver", "brain"})), (SETS, "none of them", frozenset()),
        (SETS, "liver, liver", None), (SETS, "liver, spleen", None), (SETS, "liver, none of them", None),
        (SETS, "", None), (SETS, "liver,brain", None),
    ],
)  # fmt: skip
def test_a_text_is_an_answer_only_as_a_whole(task, text, value):
    assert read_answer(task, text) == value


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=4, max_size=40), st.integers(0, 100))
def test_correlations_of_a_resample_are_those_of_its_rows_written_out(pairs, seed):
    predicted, references = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    drawn = np.random.default_rng(seed).integers(0, len(pairs), len(pairs))
    counts = np.bincount(drawn, minlength=len(pairs))[:, None].astype(float)
    found = figures(NUMBER, predicted.tolist(), references.tolist(), counts)
    x, y = predicted[drawn], references[drawn]
    assert found["mae"][0] == pytest.approx(np.abs(x - y).mean())
    assert found["rmse"][0] == pytest.approx(np.sqrt(((x - y) ** 2).mean()))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert found["pearson"][0] == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
        assert found["spearman"][0] == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    else:
        assert np.isnan(found["pearson"][0])


def test_invalid_numbers_are_left_out_and_none_at_all_gives_no_figure():
    assert measure_open(NUMBER, [1.0, None, 3.0], [1.0, 2.0, 4.0])["mae"] == pytest.approx(0.5)
    assert measure_open(NUMBER, [None, None], [1.0, 2.0]) == dict.fromkeys(("spearman", "pearson", "mae", "rmse"))


def test_levels_are_right_only_down_from_the_top():
    predicted = [("1", "2", "3"), ("1", "9", "3"), ("9", "2", "3"), None]
    found = measure_open(CODE, predicted, [("1", "2", "3")] * 4)
    assert found == {"exact_match": 0.25, "level_1": 0.5, "level_2": 0.25, "level_3": 0.25, "level_accuracy": 1 / 3}


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sets(st.sampled_from(["brain", "liver", "heart"]))] * 2), min_size=1, max_size=20))
def test_f1_of_sets_is_that_of_sklearn_over_the_labels_that_occur(pairs):
    predicted, references = ([frozenset(s) for s in side] for side in zip(*pairs, strict=True))
    found = measure_open(SETS, predicted, references)
    names = sorted({w for row in (*predicted, *references) for w in row})
    if not names:
        assert found["f1_micro"] is None
        return
    said, true = ([[w in row for w in names] for row in rows] for rows in (predicted, references))
    for average in ("micro", "macro"):
        expected = f1_score(true, said, average=average, zero_division=0) if len(names) > 1 else f1_score(
            np.ravel(true), np.ravel(said), zero_division=0)  # fmt: skip
        assert found[f"f1_{average}"] == pytest.approx(expected)
    assert found["exact_match"] == pytest.approx(np.mean([p == r for p, r in zip(predicted, references, strict=True)]))


def test_an_invalid_set_misses_every_label_and_is_not_the_empty_set():
    found = measure_open(SETS, [None, frozenset()], [frozenset(), frozenset({"liver"})])
    assert found["exact_match"] == 0.0
    assert found["f1_micro"] == 0.0


def test_intervals_hold_the_figure():
    rng = np.random.default_rng(0)
    references = rng.normal(size=200).tolist()
    predicted = [r + n for r, n in zip(references, rng.normal(size=200), strict=True)]
    limits = open_intervals(NUMBER, predicted, references, 300, 0)
    for name, value in measure_open(NUMBER, predicted, references).items():
        assert limits[name][0] < value < limits[name][1]


def test_kmers_beat_one_answer_for_all():
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(300)]
    texts = [("GGGCGG" * (i % 4) + t)[:40] for i, t in enumerate(texts)]
    numbers = [f"{i % 4:.1f}" for i in range(300)]
    sets = [["none of them", "brain", "brain, liver", "brain, liver, heart"][i % 4] for i in range(300)]
    codes = [f"1.{i % 4}.0" for i in range(300)]
    for task, answers, name, better in (
        (NUMBER, numbers, "mae", -1), (SETS, sets, "exact_match", 1), (CODE, codes, "level_2", 1),
    ):  # fmt: skip
        values = {}
        for baseline, fit in OPEN_BASELINES.items():
            said = [read_answer(task, a) for a in fit(task, texts[:200], answers[:200], texts[200:])]
            assert None not in said
            values[baseline] = measure_open(task, said, [read_answer(task, a) for a in answers[200:]])[name]
        assert better * values["kmer_lr"] > better * values["majority"]
