import importlib.util
import itertools
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks import near
from dnahlm.tasks.leaks.find import Leak, find_leaks
from dnahlm.tasks.leaks.near import find_near
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.table import read_task_table

BENCHMARK = Path(__file__).parents[3] / "eval" / "benchmarks" / "leakage.py"
_spec = importlib.util.spec_from_file_location("leakage_benchmark", BENCHMARK)
slow = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(slow)


def dna(n, size=100, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices("ACGT", k=size)) for _ in range(n)]


def mutated(text, share, seed=0):
    rng = random.Random(seed)
    return "".join(slow.substituted(base, rng) if rng.random() < share else base for base in text)


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_agrees_with_comparing_every_pair_by_the_definition(rng):
    ancestors = ["".join(rng.choices("ACGTN", (30, 20, 20, 30, 1), k=60)) for _ in range(3)]

    def relative():
        text = mutated(rng.choice(ancestors), rng.choice([0, 0.02, 0.05, 0.15]), rng.random())
        start = rng.randrange(30)
        return rng.choice([text, reverse_complement(text)])[start : start + rng.choice([31, 40, 60])]

    train, test = [relative() for _ in range(12)], [relative() for _ in range(12)]
    assert find_leaks(train, test) == slow.every_pair(train, test)


def test_rows_with_five_per_cent_substituted_are_found_on_either_strand():
    train, test, planted = slow.planted_rows(30_000, 100, random.Random(0))
    found = {(leak.train_index, leak.test_index) for leak in find_leaks(train, test)}
    for name, least in {"exact": 1, "contained": 1, "mutated": 0.985, "mutated, exactly": 0.995}.items():
        hits = [(source, place) in found for place, source in planted[name].items()]
        assert sum(hits) / len(hits) >= least, name


def test_shuffled_real_and_random_dna_raises_no_alarm(data_root):
    rows = read_task_table(load_task("core_promoter"), data_root).rows
    train = [row.sequence for row in rows["train"]]
    rng = random.Random(0)
    shuffled = [slow.dinucleotide_shuffled(text, rng) for text in train[::2]]
    alarmed = {leak.test_index for leak in find_leaks(train, shuffled)}
    assert len(alarmed) / len(shuffled) < 0.01


def test_shuffling_keeps_every_dinucleotide():
    text = dna(1)[0]
    shuffled = slow.dinucleotide_shuffled(text, random.Random(0))
    assert shuffled != text
    assert Counter(itertools.pairwise(shuffled)) == Counter(itertools.pairwise(text))


def test_an_insertion_and_a_deletion_leave_a_near_duplicate():
    (text,) = dna(1)
    assert [leak.kind for leak in find_leaks([text], [text[:30] + "A" + text[30:70] + text[72:]])] == ["near"]


def test_a_short_overlap_at_the_ends_is_no_near_duplicate_and_most_of_the_row_is():
    one, other = dna(2)
    assert find_leaks([one + other], [other[60:] + dna(1, 60, seed=5)[0]]) == []
    assert find_leaks([one], [one[40:] + other[:40]]) == [Leak(0, 0, "near", 0.5)]  # 60 bases: 40 of 80 words


def test_similarity_is_the_share_of_words_and_equal_rows_have_all():
    (text,) = dna(1)
    assert [part.tolist() for part in find_near([text], [text])] == [[0], [0], [1.0]]
    (leak,) = find_leaks([text], [mutated(text, 0.03)])
    assert near.THRESHOLD <= leak.similarity < 1


def test_rows_too_short_or_too_plain_to_tell_are_counted():
    counts = Counter()
    find_near(dna(1), ["ACGTTGCA", "AC" * 50, "N" * 100, *dna(1)], counts=counts)
    assert counts["near_sequences_not_searched"] == 3


def family(n, seed):
    """Copies of one ancestor, a twentieth of the bases of each substituted: two differ in a tenth."""
    return [mutated(dna(1, 200)[0], 0.05, f"{seed}-{i}") for i in range(n)]


def test_every_member_of_a_large_family_is_found_through_its_representatives():
    train, test, counts = family(500, "train"), family(400, "test"), Counter()
    leaks = find_leaks([*train, *dna(50, 200, 7)], [*test, *dna(50, 200, 8)], counts=counts)
    assert {leak.train_index for leak in leaks} >= set(range(500))
    assert {leak.test_index for leak in leaks} >= set(range(400))
    assert max(leak.train_index for leak in leaks) < 500
    assert max(leak.test_index for leak in leaks) < 400
    assert len(leaks) < 2 * near.CROWD * 900  # not 500 x 400
    assert counts["near_words_in_crowds"] > 0
    assert counts["near_sequences_in_crowds"] == 400


def test_no_crowd_is_counted_where_the_search_was_exact():
    counts = Counter()
    find_near(dna(100), dna(100, seed=1), counts=counts)
    assert not any(counts.values())


@pytest.mark.parametrize("train, test", [([], []), ([], dna(2)), (dna(2), []), (["AC"], ["AC"])])
def test_nothing_is_near_nothing(train, test):
    assert [part.tolist() for part in find_near(train, test)] == [[], [], []]


@pytest.mark.parametrize("task", ["core_promoter", "tf_binding_0"])
def test_a_twelfth_of_published_test_rows_has_a_near_duplicate_in_train(task, data_root):
    rows = read_task_table(load_task(task), data_root).rows
    leaks = find_leaks([row.sequence for row in rows["train"]], [row.sequence for row in rows["test"]])
    held = {leak.test_index for leak in leaks if leak.kind != "near"}
    share = len({leak.test_index for leak in leaks} - held) / len(rows["test"])
    assert 1 / 15 < share < 1 / 9
