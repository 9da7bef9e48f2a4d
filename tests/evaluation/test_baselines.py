import random

import numpy as np
import pytest

from dnahlm.dna import reverse_complement
from dnahlm.evaluation.baselines.data import Data, majority, rows_of
from dnahlm.evaluation.baselines.kmers import kmer_lr
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


def test_kmer_regression_finds_a_motif_and_majority_cannot():
    train, labels = motif_table(400, seed=1)
    test, references = motif_table(200, seed=2)
    found = {}
    for name, baseline in BASELINES.items():
        chances = baseline(train, labels, test, ANSWERS)
        assert chances.shape == (200, 2)
        assert chances.sum(axis=1) == pytest.approx(np.ones(200))
        found[name] = mcc([ANSWERS[k] for k in chances.argmax(axis=1)], references)
    assert found["majority"] == 0.0
    assert found["kmer_lr"] > 0.6


def test_columns_follow_the_order_of_the_answers_not_of_the_alphabet():
    train, labels = motif_table(200, seed=3)
    chances = kmer_lr(train, labels, train[:50], ANSWERS)
    swapped = kmer_lr(train, labels, train[:50], ANSWERS[::-1])
    assert np.allclose(chances, swapped[:, ::-1])


def test_an_answer_without_train_rows_gets_probability_zero():
    train, labels = motif_table(40, seed=4)
    for baseline in BASELINES.values():
        assert baseline(train, labels, ["ACGTACGT"], [*ANSWERS, "enhancer"])[0, 2] == 0.0


def test_train_rows_of_one_class_or_too_short_for_words_give_the_class_shares():
    assert kmer_lr(["ACGTACGT"] * 3, ["a"] * 3, ["CCCC"], ["a", "b"]).tolist() == [[1.0, 0.0]]
    assert np.allclose(
        kmer_lr(["A", "C"], ["a", "b"], ["G"], ["a", "b"]), majority(["A", "C"], ["a", "b"], ["G"], ["a", "b"])
    )


def test_reverse_complement_copies_are_not_counted_twice():
    rows = [record("f.csv:2", "AACC", "a"), record("f.csv:2", "GGTT", "a", "-"), record("f.csv:3", "ACAC", "b")]
    assert train_rows(rows) == (["AACC", "ACAC"], ["a", "b"])
    assert train_rows(rows[::-1])[1].count("a") == 1


def test_a_row_that_is_only_there_reversed_is_turned_back():
    assert train_rows([record("f.csv:2", reverse_complement("AACC"), "a", "-")]) == (["AACC"], ["a"])


def test_a_limited_draw_is_the_same_for_the_same_seed():
    rows = [record(f"f.csv:{i}", "ACGT", str(i)) for i in range(50)]
    assert train_rows(rows, limit=10, seed=7) == train_rows(rows, limit=10, seed=7)
    assert train_rows(rows, limit=10, seed=7) != train_rows(rows, limit=10, seed=8)
    assert len(train_rows(rows, limit=10)[0]) == 10
    assert len(train_rows(rows, limit=500)[0]) == 50
