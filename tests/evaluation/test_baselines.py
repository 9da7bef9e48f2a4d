import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.evaluation.baselines.cnn import cnn
from dnahlm.evaluation.baselines.data import Data, hold_back, majority, rows_of
from dnahlm.evaluation.baselines.kmers import kmer_lr
from dnahlm.evaluation.baselines.markov import PRIOR, class_tables, log_likelihoods, markov
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.metrics import mcc

ANSWERS = ["background", "TATA box"]


def motif_table(n, seed):
    """Random 60-base sequences; those labelled TATA box hold TATAAA somewhere."""
    rng = random.Random(seed)
    sequences, labels = [], []
    for i in range(n):
        bases = rng.choices("ACGT", k=60)
        if i % 2:
            at = rng.randrange(54)
            bases[at : at + 6] = "TATAAA"
        sequences.append("".join(bases))
        labels.append(ANSWERS[i % 2])
    return sequences, labels


def record(source, sequence, answer, strand="+"):
    return {"source": source, "input": sequence, "output": answer, "strand": strand}


def data(train, test, answers=ANSWERS, validation=None, **more):
    validation = validation or motif_table(60, seed=9)
    return Data(*train, *validation, test, answers, **more)


def found_by(baseline, **more):
    """MCC of a baseline that has seen 400 rows, on 200 others."""
    test, references = motif_table(200, seed=2)
    chances = baseline(data(motif_table(400, seed=1), test, **more))
    assert chances.shape == (200, 2)
    assert chances.sum(axis=1) == pytest.approx(np.ones(200))
    return mcc([ANSWERS[k] for k in chances.argmax(axis=1)], references)


def test_kmers_find_a_motif_and_majority_cannot():
    assert found_by(kmer_lr) > 0.6
    assert found_by(majority) == 0.0


def test_a_markov_model_finds_a_motif_of_six_bases():
    assert found_by(markov) > 0.4


def test_the_cnn_finds_a_motif_on_either_strand():
    assert found_by(cnn) > 0.4
    train, test = motif_table(60, seed=1), motif_table(40, seed=2)[0]
    one, other = (cnn(data(train, rows, symmetric=True)) for rows in (test, [reverse_complement(t) for t in test]))
    assert np.allclose(one, other, atol=1e-5)


def test_the_cnn_knows_where_a_motif_stands_and_kmers_do_not():
    rng = random.Random(0)

    def table(n):
        rows = [list(rng.choices("ACGT", k=60)) for _ in range(n)]
        for i, row in enumerate(rows):
            at = 10 if i % 2 else 44
            row[at : at + 6] = "TATAAA"
        return ["".join(row) for row in rows], [ANSWERS[i % 2] for i in range(n)]

    train, validation, (test, references) = table(240), table(60), table(100)
    values = {}
    for baseline in (cnn, kmer_lr):
        chances = baseline(data(train, test, validation=validation))
        values[baseline] = mcc([ANSWERS[k] for k in chances.argmax(axis=1)], references)
    assert values[cnn] > 0.9
    assert abs(values[kmer_lr]) < 0.3


def test_the_cnn_is_the_same_for_the_same_seed_and_leaves_the_random_state_alone():
    train, test = motif_table(40, seed=1), motif_table(20, seed=2)[0]
    before = torch.get_rng_state()
    one, again, other = (cnn(data(train, test, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_markov_chances_are_those_of_a_chain_counted_by_hand():
    tables = class_tables(["AC", "AA"], symmetric=False)
    first = (np.array([3, 1, 0, 0]) + PRIOR / 4) / (4 + PRIOR)  # A A A C
    after_a = (np.array([1, 1, 0, 0]) + PRIOR * first) / (2 + PRIOR)
    assert np.exp(tables[0][0]) == pytest.approx(first)
    assert np.exp(tables[1][0]) == pytest.approx(after_a)
    likelihoods = log_likelihoods(["AC", "NA", "AAN"], [tables])
    assert likelihoods[1, :, 0] == pytest.approx(
        [np.log(first[0] * after_a[1]), np.log(first[0]), np.log(first[0] * after_a[0])]
    )


@given(st.integers(0, 50), st.integers(0, 3))
def test_markov_models_are_probability_distributions(seed, order):
    rng = random.Random(seed)
    texts = ["".join(rng.choices("ACGTN", k=rng.randrange(1, 30))) for _ in range(rng.randrange(1, 6))]
    table = np.exp(class_tables(texts, symmetric=bool(seed % 2))[order])
    assert table.sum(axis=1) == pytest.approx(np.ones(4**order))
    assert (table > 0).all()


def test_markov_of_a_symmetric_task_hardly_tells_the_strands_apart():
    train, test = motif_table(400, seed=1), motif_table(50, seed=2)[0]
    one, other = (markov(data(train, rows, symmetric=True)) for rows in (test, [reverse_complement(t) for t in test]))
    assert np.abs(one - other).max() < 0.1


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_columns_follow_the_order_of_the_answers_not_of_the_alphabet(baseline):
    train = motif_table(120, seed=3)
    chances = baseline(data(train, train[0][:50]))
    swapped = baseline(data(train, train[0][:50], ANSWERS[::-1]))
    if baseline is not cnn:  # its weights are drawn for the columns
        assert np.allclose(chances, swapped[:, ::-1], atol=1e-6)
    else:
        assert np.corrcoef(chances[:, 0], swapped[:, 1])[0, 1] > 0.5


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_an_answer_without_train_rows_gets_hardly_any_probability(baseline):
    chances = baseline(data(motif_table(40, seed=4), ["ACGTACGT"], [*ANSWERS, "enhancer"]))
    assert chances[0, 2] == (0.0 if baseline is not cnn else pytest.approx(0.0, abs=0.1))


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_train_rows_of_one_class_give_the_class_shares(baseline):
    chances = baseline(Data(["ACGTACGT"] * 3, ["a"] * 3, ["ACGT"], ["a"], ["CCCC"], ["a", "b"]))
    assert chances.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_rows_too_short_unequal_or_with_other_letters_are_no_accident(baseline):
    rows = ["A", "CN", "ACGTACGTNN", "GGGGG ACGT mkv", "A" * 30]
    chances = baseline(Data(rows, ["a", "b", "a", "b", "a"], rows[:2], ["a", "b"], [*rows, "NNN", "RWZ"], ["a", "b"]))
    assert chances.sum(axis=1) == pytest.approx(np.ones(7))


def test_train_rows_too_short_for_words_give_the_class_shares():
    short = Data(["A", "C"], ["a", "b"], [], [], ["G"], ["a", "b"])
    assert np.allclose(kmer_lr(short), majority(short))


def test_validation_is_held_back_from_train_where_there_is_none():
    texts, labels, held, held_labels = hold_back([str(i) for i in range(20)], [f"l{i}" for i in range(20)], seed=1)
    assert len(held) == 2
    assert sorted(texts + held, key=int) == [str(i) for i in range(20)]
    assert [f"l{t}" for t in texts + held] == labels + held_labels


def test_reverse_complement_copies_are_not_counted_twice():
    rows = [record("f.csv:2", "AACC", "a"), record("f.csv:2", "GGTT", "a", "-"), record("f.csv:3", "ACAC", "b")]
    assert rows_of(rows) == (["AACC", "ACAC"], ["a", "b"])
    assert rows_of(rows[::-1])[1].count("a") == 1


def test_a_row_that_is_only_there_reversed_is_turned_back():
    assert rows_of([record("f.csv:2", reverse_complement("AACC"), "a", "-")]) == (["AACC"], ["a"])


def test_a_limited_draw_is_the_same_for_the_same_seed():
    rows = [record(f"f.csv:{i}", "ACGT", str(i)) for i in range(50)]
    assert rows_of(rows, limit=10, seed=7) == rows_of(rows, limit=10, seed=7)
    assert rows_of(rows, limit=10, seed=7) != rows_of(rows, limit=10, seed=8)
    assert len(rows_of(rows, limit=10)[0]) == 10
    assert len(rows_of(rows, limit=500)[0]) == 50
