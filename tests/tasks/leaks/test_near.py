import importlib.util
import itertools
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from Bio.Align import PairwiseAligner
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks import index, joined
from dnahlm.tasks.leaks.find import Leak, find_leaks
from dnahlm.tasks.leaks.near import COVER, NearSearch, find_near
from dnahlm.tasks.leaks.segments import MIN_SCORE
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
    return slow.mutated(text, share, random.Random(seed))


def relatives(rng, n):
    """Pieces of three ancestors, mutated, with unknown letters and repeats in them."""
    ancestors = ["".join(rng.choices("ACGTN", (30, 20, 20, 30, 1), k=90)) for _ in range(2)]
    ancestors.append(ancestors[0][:40] + "CA" * 15 + ancestors[1][:30] * 2)

    def relative():
        change = rng.choice([slow.mutated, slow.with_indels])
        text = change(rng.choice(ancestors), rng.choice([0, 0.02, 0.05, 0.15]), rng)
        start = rng.randrange(40)
        return rng.choice([text, reverse_complement(text)])[start : start + rng.choice([17, 31, 40, 60, 90])]

    return [relative() for _ in range(n)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_agrees_with_comparing_every_pair_by_the_definition(seed):
    rng = random.Random(seed)
    train, test = relatives(rng, 12), relatives(rng, 12)
    assert find_leaks(train, test) == slow.every_pair(train, test)


BLOCKS = st.lists(
    st.sampled_from(["ACGGTCA", "TGACCGT", "GATTACAGATTACT", "CA", "N", "T"]), min_size=1, max_size=12
).map("".join)


@settings(max_examples=200, deadline=None)
@given(train=st.lists(BLOCKS, max_size=4), test=st.lists(BLOCKS, max_size=4))
def test_agrees_with_comparing_every_pair_of_rows_that_repeat_themselves(train, test):
    before, index.CROWD = index.CROWD, 1000
    try:
        assert find_leaks(train, test) == slow.every_pair(train, test)
    finally:
        index.CROWD = before


def test_agrees_with_comparing_every_pair_across_batches_and_parts(monkeypatch):
    rng = random.Random(1)
    train, test = relatives(rng, 40), relatives(rng, 40)
    monkeypatch.setattr(joined, "BATCH_BASES", 300)
    monkeypatch.setattr(index, "HITS", 50)
    monkeypatch.setattr(index, "CROWD", 1000)
    assert find_leaks(train, test) == slow.every_pair(train, test)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([(40, 3), (50, 5), (70, 7), (100, 7)]))
def test_no_copy_with_the_promised_number_of_substitutions_is_missed(seed, promise):
    rng, (bases, substitutions) = random.Random(seed), promise
    train = ["".join(rng.choices("ACGT", k=bases)) for _ in range(50)]
    test = []
    for text in train:
        letters, start = list(text), rng.randrange(bases)  # clustered or spread
        for place in rng.sample(range(rng.choice([10, bases])), substitutions):
            place = (start + place) % bases
            letters[place] = slow.substituted(letters[place], rng)
        test.append(rng.choice([str, reverse_complement])("".join(letters)))
    pairs = {(leak.train_index, leak.test_index) for leak in find_leaks(train, test)}
    assert pairs >= {(i, i) for i in range(50)}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_agrees_with_full_local_alignment_where_that_leaves_no_doubt(seed):
    """Found has a good local alignment; a local alignment that is nearly perfect over most of a row is found."""
    rng = random.Random(seed)
    aligner = PairwiseAligner(mode="local", match_score=1, mismatch_score=-3, gap_score=-1000)
    ancestors = dna(3, 60, rng.random())
    train, test = (
        [mutated(rng.choice(ancestors), rng.choice([0.02, 0.1, 0.2]), rng.random()) for _ in range(8)] for _ in range(2)
    )
    test = [rng.choice([text, reverse_complement(text)]) for text in test]
    found = {(leak.train_index, leak.test_index) for leak in find_leaks(train, test)}
    for (i, one), (j, other) in itertools.product(enumerate(train), enumerate(test)):
        score = max(aligner.score(one, strand) for strand in (other, reverse_complement(other)))
        if (i, j) in found:
            assert score >= MIN_SCORE
        else:
            assert score < 0.7 * 60


@pytest.mark.parametrize(("bases", "least"), [(40, 0.985), (70, 0.999), (100, 0.999)])
def test_rows_with_each_base_substituted_at_five_per_cent_are_found_on_either_strand(bases, least):
    train, test, planted = slow.planted_rows(20_000, bases, random.Random(0))
    leaks = find_leaks(train, test)
    found, told = {(leak.train_index, leak.test_index) for leak in leaks}, {leak.test_index for leak in leaks}
    shares = {
        name: np.mean([(source, place) in found for place, source in places.items()])
        for name, places in planted.items()
    }
    assert shares["exact"] == shares["contained"] == 1
    assert shares["5 %"] >= least
    assert shares["5 % indels"] >= least - 0.12
    assert np.mean([place in told for place in planted["shuffled"]]) < 0.01


def test_shuffled_real_dna_raises_no_alarm(data_root):
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


def test_segments_on_both_sides_of_an_insertion_and_a_deletion_count_together():
    (text,) = dna(1)
    (leak,) = find_leaks([text], [text[:30] + "A" + text[30:70] + text[72:]])
    assert leak.kind == "near"
    assert leak.similarity > 0.95


def test_a_short_overlap_at_the_ends_is_no_near_duplicate_and_most_of_the_row_is():
    one, other = dna(2)
    assert find_leaks([one + other], [other[60:] + dna(1, 60, seed=5)[0]]) == []
    assert find_leaks([one], [one[40:] + other[:40]]) == [Leak(0, 0, "near", 0.6)]


def test_the_middle_of_a_row_in_other_surroundings_is_a_near_duplicate():
    one, other = dna(2)
    (leak,) = find_leaks([one], [other[:20] + reverse_complement(one[20:80]) + other[80:]])
    assert 0.6 <= leak.similarity < 0.65  # chance adds a base or two


def test_equal_rows_are_alike_all_over_and_others_by_what_they_have_in_common():
    (text,) = dna(1)
    assert [part.tolist() for part in find_near([text], [text])] == [[0], [0], [1.0]]
    (leak,) = find_leaks([text], [mutated(text, 0.03)])
    assert COVER <= leak.similarity <= 1


def test_rows_that_have_only_a_microsatellite_in_common_are_no_near_duplicates():
    one, other = dna(2, 40)
    assert find_leaks([one + "CA" * 30], [other + "CA" * 30]) == []


def test_rows_too_short_or_too_plain_to_tell_are_counted():
    counts = Counter()
    NearSearch(["ACGTTGCA", "AC" * 50, "N" * 100, *dna(1)]).pairs(dna(1), counts=counts)
    assert counts["near_sequences_not_searched"] == 3


def family(n, seed):
    """Copies of one ancestor, a twentieth of the bases of each substituted: two differ in a tenth."""
    return [mutated(dna(1, 200)[0], 0.05, f"{seed}-{i}") for i in range(n)]


def test_every_member_of_a_large_family_is_found_through_its_representatives():
    train, test, counts = family(500, "train"), family(400, "test"), Counter()
    leaks = find_leaks([*train, *dna(50, 200, 7)], [*test, *dna(50, 200, 8)], counts=counts)
    assert {leak.train_index for leak in leaks} == set(range(500))
    assert {leak.test_index for leak in leaks} == set(range(400))
    assert len(leaks) < 500 * 400 / 2
    assert counts["near_words_in_crowds"] > 0
    assert 400 - 2 * index.REPRESENTATIVES * 200 < counts["near_sequences_in_crowds"] <= 400


def test_no_crowd_is_counted_where_the_search_was_exact():
    counts = Counter()
    NearSearch(dna(100, seed=1)).pairs(dna(100), counts=counts)
    assert not any(counts.values())


def test_one_index_serves_many_lists():
    test = dna(30)
    search = NearSearch(test)
    for seed in range(3):
        train = [mutated(text, 0.05, seed) for text in test]
        assert [part.tolist() for part in search.pairs(train)] == [part.tolist() for part in find_near(train, test)]


@pytest.mark.parametrize("train, test", [([], []), ([], dna(2)), (dna(2), []), (["AC"], ["AC"]), ([""], [""])])
def test_nothing_is_near_nothing(train, test):
    assert [part.tolist() for part in find_near(train, test)] == [[], [], []]


@pytest.mark.parametrize("task", ["core_promoter", "tf_binding_0"])
def test_a_tenth_of_published_test_rows_has_a_near_duplicate_in_train(task, data_root):
    rows = read_task_table(load_task(task), data_root).rows
    leaks = find_leaks([row.sequence for row in rows["train"]], [row.sequence for row in rows["test"]])
    held = {leak.test_index for leak in leaks if leak.kind != "near"}
    share = len({leak.test_index for leak in leaks} - held) / len(rows["test"])
    assert 1 / 12 < share < 1 / 7
