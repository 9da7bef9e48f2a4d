"""BPE-dropout for DNA: the DNA is cut anew, nothing else is touched, and each merge is drawn once."""

import json
import random
from collections import Counter
from itertools import pairwise

import pytest
import tokenizer_kinds as kinds
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.tokenizer.dropout import DnaDropout

ROOM = 10**6


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def cut(dropout, tokenizer, text, seed=0, room=ROOM):
    (units,) = dropout.units([text])
    return dropout.apply(ids_of(tokenizer, text), units, random.Random(seed), room)


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(
        st.one_of(st.text("ACGTN", max_size=40), st.sampled_from([" ", "\n", "### Input:\n", "CATalog", "é"]))
    ),
    seed=st.integers(0, 99),
)
def test_the_text_comes_back_and_only_dna_is_cut_anew(tokenizer, parts, seed):
    text, dropout = "".join(parts), DnaDropout(tokenizer, 0.4)
    plain, anew = ids_of(tokenizer, text), cut(dropout, tokenizer, text, seed)
    assert tokenizer.decode(anew) == tokenizer.decode(plain) == text
    assert [i for i in anew if i not in dropout.letters] == [i for i in plain if i not in dropout.letters]


@settings(max_examples=60, deadline=None)
@given(text=st.text("ACGTN", min_size=8, max_size=200))
def test_without_dropout_the_merges_give_what_the_tokenizer_gives(tokenizer, text):
    assert cut(DnaDropout(tokenizer, 0.0), tokenizer, text) == ids_of(tokenizer, text)


def test_a_cut_never_crosses_the_borders_the_tokenizer_sets_before_merging(tokenizer):
    dna = "".join(random.Random(2).choices("ACGT", k=400))
    plain, anew = (
        {sum(map(len, tokens[:i])) for i in range(len(tokens))}
        for tokens in (tokenizer.batch_decode([[i] for i in ids]) for ids in (
            ids_of(tokenizer, dna), cut(DnaDropout(tokenizer, 0.3), tokenizer, dna)
        ))
    )  # fmt: skip
    every_fifth = set(range(0, 400, 5))  # pieces of max_dna_token bases
    assert every_fifth <= plain and every_fifth <= anew and plain != anew


def drawn_once(word, ranks, p, rng):
    """Take the best possible merge, leave it out for good with probability p or make it; until none is left."""
    ends, left_out = list(range(len(word) + 1)), set()
    while True:
        threes = [three for three in zip(ends, ends[1:], ends[2:], strict=False) if three not in left_out]
        found = [(ranks.get((word[a:b], word[b:c])), (a, b, c)) for a, b, c in threes]
        possible = [merge for merge in found if merge[0] is not None]
        if not possible:
            return tuple(word[a:b] for a, b in pairwise(ends))
        three = min(possible)[1]
        if rng.random() < p:
            left_out.add(three)
        else:
            ends.remove(three[1])


@pytest.mark.parametrize("word", ["AT", "TATAA", "AATTA", "ATATATATTA"])
def test_every_segmentation_is_as_frequent_as_when_each_merge_is_drawn_once(tokenizer, word):
    n, p, rng = 4000, 0.2, random.Random(6)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    dropout = DnaDropout(tokenizer, p)
    ours = Counter(tuple(dropout.letters[i] for i in dropout.segment(word, rng)) for _ in range(n))
    theirs = Counter(drawn_once(word, ranks, p, rng) for _ in range(n))
    assert len(theirs) > 1
    for cut_so in ours | theirs:
        assert ours[cut_so] / n == pytest.approx(theirs[cut_so] / n, abs=0.04)


def test_dropout_cuts_a_long_stretch_as_finely_as_short_ones(tokenizer):
    dna, dropout, rng = "".join(random.Random(8).choices("ACGT", k=8000)), DnaDropout(tokenizer, 0.3), random.Random(9)
    plain = DnaDropout(tokenizer, 0.0)

    def more(size):
        stretches = [dna[i : i + size] for i in range(0, len(dna), size)]
        return sum(len(dropout.segment(s, rng)) for s in stretches) / sum(len(plain.segment(s, rng)) for s in stretches)

    long, short = more(4000), more(40)
    assert long == pytest.approx(short, rel=0.05) and long > 1.1


def test_one_possible_merge_is_left_out_as_often_as_asked(tokenizer):
    dropout, rng = DnaDropout(tokenizer, 0.1), random.Random(7)
    assert sum(len(dropout.segment("AT", rng)) == 2 for _ in range(10_000)) / 10_000 == pytest.approx(0.1, abs=0.01)


def test_a_seed_gives_one_segmentation_and_another_seed_another(tokenizer):
    dna, dropout = "".join(random.Random(3).choices("ACGT", k=300)), DnaDropout(tokenizer, 0.2)
    assert cut(dropout, tokenizer, dna, 1) == cut(dropout, tokenizer, dna, 1) != cut(dropout, tokenizer, dna, 2)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_no_more_tokens_are_added_than_there_is_room_for(tokenizer, room):
    dna = "ACGTA" * 40
    assert len(cut(DnaDropout(tokenizer, 0.9), tokenizer, dna, room=room)) <= len(ids_of(tokenizer, dna)) + room


def test_dna_letters_in_words_and_proteins_are_left_alone(tokenizer):
    dropout = DnaDropout(tokenizer, 0.5)
    assert dropout.units(["Protein: MKACGTNACGTNAK", "GATTACATAGs, CAT, tag"]) == [[], []]
    assert dropout.units(["DNA: GATTACATAG"])[0]


def test_where_dna_is_not_isolated_the_token_it_shares_with_text_stays_whole():
    rng = random.Random(4)
    dna = ["".join(rng.choices("ACGT", k=60)) for _ in range(60)]
    tokenizer = kinds.unisolated(["\nA"] * 2000 + dna, 330)
    text, dropout = f"\nA{dna[0]}\n", DnaDropout(tokenizer, 0.5)
    first = ids_of(tokenizer, text)[0]
    assert tokenizer.decode([first]) == "\nA"
    assert all(cut(dropout, tokenizer, text, seed)[0] == first for seed in range(20))
    assert len({tuple(cut(dropout, tokenizer, text, seed)) for seed in range(20)}) > 1


@pytest.mark.parametrize("value", [-0.1, 1.0, 2])
def test_a_probability_out_of_range_is_refused(tokenizer, value):
    with pytest.raises(InputError, match="at least 0 and below 1"):
        DnaDropout(tokenizer, value)


def test_tokenizers_without_merges_for_dna_are_refused():
    with pytest.raises(InputError, match="kind WordLevel, which has no merges"):
        DnaDropout(kinds.three_mers(), 0.1)
    added = kinds.unisolated(["the cat sat on the mat"] * 20, 270)
    added.add_tokens(["ACGT", "TTAA", "AAAA", "CC", "GA"])
    with pytest.raises(InputError, match="does not build its DNA tokens by merges"):
        DnaDropout(added, 0.1)


def test_making_and_using_it_leaves_the_tokenizer_without_dropout(tokenizer):
    before = tokenizer.backend_tokenizer.to_str()
    cut(DnaDropout(tokenizer, 0.3), tokenizer, "ACGTACGTACGTACGT")
    assert tokenizer.backend_tokenizer.to_str() == before and tokenizer.backend_tokenizer.model.dropout is None
