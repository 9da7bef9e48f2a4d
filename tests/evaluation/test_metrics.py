import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.evaluation.metrics import METRICS, accuracy, auroc, confusion, f1_macro, invalid_share, mcc, measure

CLASSES = ["donor", "acceptor", "neither"]
PAIRS = st.lists(st.tuples(st.sampled_from([*CLASSES, None]), st.sampled_from(CLASSES)), min_size=1, max_size=40)


def test_mcc_of_two_classes_by_hand():
    # yes/yes 3, yes/no 1, no/no 4, no/yes 2 (reference/prediction): (3*4 - 2*1) / sqrt(5*4*6*5)
    references = ["yes"] * 4 + ["no"] * 6
    predictions = ["yes"] * 3 + ["no"] + ["no"] * 4 + ["yes"] * 2
    assert mcc(predictions, references) == pytest.approx(10 / math.sqrt(600))


def test_an_invalid_answer_lowers_every_label_metric():
    references = ["yes", "no"] * 5
    broken = [None, *references[1:]]
    for name, metric in METRICS.items():
        assert metric(broken, references) < metric(references, references), name


def test_invalid_answers_only_are_worth_nothing():
    assert [metric([None, None], ["a", "b"]) for metric in METRICS.values()] == [0.0, 0.0, 0.0]


def test_f1_macro_by_hand_without_a_class_for_invalid():
    # a: precision 1, recall 1/2 -> 2/3; b: precision 1, recall 0 of 1 invalid -> 0
    assert f1_macro(["a", "a", None, None], ["a", "a", "b", "a"]) == pytest.approx((4 / 5 + 0) / 2)


def test_auroc_by_hand_counts_ordered_pairs_and_half_of_ties():
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.3, 0.7]])
    # positives 0.4 and 0.7, negatives 0.1 and 0.4: wins 1 + 1 + 1, one tie -> 3.5 of 4
    assert auroc(chances, ["no", "no", "yes", "yes"], ["no", "yes"]) == pytest.approx(3.5 / 4)


def test_auroc_of_three_classes_is_the_mean_of_each_against_the_rest():
    chances = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]])
    # donor and acceptor are ranked first; neither (0.3) ties with the acceptor row and beats the donor row
    assert auroc(chances, CLASSES, CLASSES) == pytest.approx((1 + 0.5 + 0.75) / 3)


def test_auroc_without_one_of_the_classes_does_not_exist():
    assert math.isnan(auroc(np.full((2, 2), 0.5), ["a", "a"], ["a", "b"]))
    assert measure(["a", "a"], ["a", "a"], ["a", "b"], np.full((2, 2), 0.5))["auroc"] is None


def test_confusion_counts_invalid_in_the_last_column():
    counts = confusion(["donor", None, "neither"], ["donor", "donor", "acceptor"], CLASSES)
    assert counts == [[1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]


@given(PAIRS)
def test_metrics_stay_in_their_range_and_do_not_depend_on_row_order(pairs):
    predictions, references = map(list, zip(*pairs, strict=True))
    for name, metric in METRICS.items():
        value = metric(predictions, references)
        assert (-1.0 if name == "mcc" else 0.0) <= value <= 1.0
        assert metric(predictions[::-1], references[::-1]) == pytest.approx(value)


@given(PAIRS)
def test_accuracy_and_invalid_share_agree_with_the_confusion_matrix(pairs):
    predictions, references = map(list, zip(*pairs, strict=True))
    counts = np.array(confusion(predictions, references, CLASSES))
    assert counts.shape == (3, 4)
    assert counts.sum() == len(pairs)
    assert accuracy(predictions, references) == pytest.approx(np.trace(counts[:, :3]) / len(pairs))
    assert invalid_share(predictions) == pytest.approx(counts[:, 3].sum() / len(pairs))


@given(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=20).filter(lambda r: len(set(r)) > 1))
def test_right_answers_are_perfect_and_one_answer_for_all_is_worth_zero_mcc(references):
    assert [metric(references, references) for metric in METRICS.values()] == pytest.approx([1.0, 1.0, 1.0])
    assert mcc(["donor"] * len(references), references) == 0.0
