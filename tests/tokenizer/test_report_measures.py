"""The measures of the tokenizer report, against tokenizers whose behaviour is known."""

import random
from itertools import product

import pytest
import tokenizer_kinds as kinds
from published_layouts import BASES

from dnahlm.tokenizer.extend import extend
from dnahlm.tokenizer.marked_pieces import MARK
from dnahlm.tokenizer.measures.cost import cost
from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.letters import odd_letters
from dnahlm.tokenizer.measures.reachable import CUT_APART, NEVER_BUILT, NO_TEXT, NOT_NEEDED, completions, unreachable
from dnahlm.tokenizer.measures.roundtrip import HARD, round_trip
from dnahlm.tokenizer.measures.stability import one_base_later, one_variant
from dnahlm.tokenizer.measures.vocabulary import describe, entries
from dnahlm.tokenizer.overlapping import AFTER, OWN, assemble_overlapping
from dnahlm.tokenizer.wrap import wrap


def windows(n=40, size=120, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices("ACGT", k=size)) for _ in range(n)]


@pytest.fixture(scope="module")
def ours(tokenizer):
    return Encoder(tokenizer, "ours")


@pytest.fixture(scope="module")
def three_mers():
    return Encoder(kinds.three_mers(), "3-mers")


@pytest.fixture(scope="module")
def bases():
    return Encoder(kinds.bases(), "bases")


def test_a_text_that_cannot_be_encoded_does_not_take_its_batch_with_it(three_mers):
    cuts = three_mers.cuts(["ACG", "say", "TT"])
    assert [cut and len(cut.ids) for cut in cuts] == [1, None, 1]
    assert "UNK" in three_mers.refusal


def test_measuring_changes_nothing_in_the_tokenizer(tokenizer):
    before = tokenizer.backend_tokenizer.to_str()
    encoder = Encoder(tokenizer, "ours")
    encoder.cuts(["ACGT"])
    round_trip(encoder, 5, 0)
    assert tokenizer.backend_tokenizer.to_str() == before


def test_dropout_in_the_file_does_not_make_the_figures_random(tokenizer):
    from transformers import PreTrainedTokenizerFast

    noisy = PreTrainedTokenizerFast(tokenizer_object=Encoder(tokenizer, "copy").backend)
    noisy.backend_tokenizer.model.dropout = 0.5
    encoder = Encoder(noisy, "noisy")
    assert encoder.dropout == 0.5
    assert encoder.cuts(windows(5)) == encoder.cuts(windows(5)) == Encoder(tokenizer, "ours").cuts(windows(5))


def test_the_contents_of_entries_join_to_the_text(ours):
    by_id = {entry.id: entry.content for entry in entries(ours)}
    for text in ("Say naïve, ACGTACGTACGT!\n", "中 文", *HARD):
        (cut,) = ours.cuts([text])
        assert b"".join(by_id[i] for i in cut.ids) == text.encode()


@pytest.fixture(scope="module")
def extended():
    """GPT-2's layout with DNA tokens added by `tokenizer extend`."""
    learnt = ["".join(p) for k in (2, 3, 4) for p in product("ACGT", repeat=k)]
    return Encoder(extend(BASES["gpt2"](), learnt, 300, 8, "gpt2"), "extended")


@pytest.fixture(scope="module")
def overlapping():
    """3-mers one base apart: `Ａｃｇ` is decoded to one base."""
    words = [
        OWN[w[0]] + "".join(AFTER[b] for b in w[1:]) for n in (1, 2, 3) for w in map("".join, product("ACGT", repeat=n))
    ]
    return Encoder(wrap(assemble_overlapping([*words, OWN["N"]], [], 8, 3)), "overlapping")


def test_the_dna_tokens_of_an_extended_tokenizer_count_as_dna_without_their_mark(extended):
    base, found = (describe(entries(encoder)) for encoder in (Encoder(BASES["gpt2"](), "base"), extended))
    assert found["mixed_entries"] == base["mixed_entries"]
    assert found["dna_entries"] == base["dna_entries"] + 300
    assert found["longest_dna_tokens"][0] == "AAAA"


def test_every_dna_token_of_an_extended_tokenizer_is_found_to_be_produced(extended):
    lost = [text for texts in unreachable(extended, entries(extended))["examples"].values() for text in texts]
    assert MARK in lost  # which never stands alone
    assert not [text for text in lost if set(text) & set("ACGTN")]


def test_overlapping_kmers_count_with_all_their_bases_and_are_found_to_be_produced(overlapping):
    found = entries(overlapping)
    assert describe(found)["dna_entry_lengths"] == {"1": 4 + 1 + 5, "2": 16, "3": 64}  # words, N, the letters as bytes
    assert unreachable(overlapping, found)["reasons"] == {NO_TEXT: 13}


def test_entries_of_dna_of_words_and_of_both_are_told_apart():
    texts = ["### Input:\nACGTACGTAC", "the cat sat"] * 50
    found = describe(entries(Encoder(kinds.unisolated(texts, 320), "joined")))
    assert found["mixed_entries"] and any("\nACGT" in text for text in found["mixed_examples"])
    assert found["dna_entries"] > 4
    assert found["dna_share"] == round(found["dna_entries"] / found["vocab_size"], 4)


def test_unreachable_entries_are_found_each_for_its_reason():
    encoder = Encoder(kinds.with_dead_entries(), "dead")
    found = unreachable(encoder, entries(encoder))
    # In UTF-8 the bytes C0, C1 and F5 to FF never occur.
    assert found["reasons"] == {NEVER_BUILT: 1, NO_TEXT: 13, CUT_APART: 1}
    assert found["examples"][NEVER_BUILT] == ["abc"] and found["examples"][CUT_APART] == ["a b"]
    assert found["proved"] == 14


def test_no_entry_that_text_produces_is_called_unreachable(ours, mixed_texts):
    found = unreachable(ours, entries(ours))
    seen = {i for cut in ours.cuts([*mixed_texts, *map(chr, range(0x20, 0x800))]) for i in cut.ids}
    assert found["n_checked"] - found["n"] >= len(seen)
    assert found["reasons"] == {NO_TEXT: 13}


def test_a_byte_stand_in_is_reachable_only_where_a_character_is_missing():
    encoder = Encoder(kinds.byte_fallback(["▁", "a", "b", "▁a"], [("▁", "a")]), "fallback")
    found = unreachable(encoder, entries(encoder))
    # a, b and the blank (written as the mark) need no byte; C0, C1 and F5 to FF occur in no text.
    assert found["reasons"] == {NOT_NEEDED: 3, NO_TEXT: 13}
    assert sorted(found["examples"][NOT_NEEDED]) == ["<0x20>", "<0x61>", "<0x62>"]


@pytest.mark.parametrize("content", [b"\x80", b"\xe2\x80", b"\x99a", b"\xa6\xf0\x9f", b"\xf4", b"\xe0"])
def test_parts_of_characters_are_completed_to_text_that_holds_them(content):
    assert all(content in text.encode() for text in completions(content))
    assert next(completions(content))


def test_cost_counts_bases_of_what_was_encoded_only(three_mers):
    found = cost(three_mers, ["ACGACG", "not DNA", "AC"])
    assert (found["bytes"], found["tokens"], found["n"], found["refused"]) == (8, 3, 2, 1)
    assert found["token_lengths"] == {"2": 1, "3": 2}


def test_single_bases_feel_one_variant_in_one_token_and_no_shift(bases):
    variant, shift = one_variant(bases, windows(), 0), one_base_later(bases, windows())
    assert variant["mean_tokens"] == 1 and variant["none"] == 1 and variant["reach"] == [0] * 40
    assert shift["mean_boundaries"] == 0 and shift["never"] == 0 and shift["reach"] == [0] * 40


def test_words_of_fixed_length_never_get_back_in_step(three_mers):
    variant, shift = one_variant(three_mers, windows(), 0), one_base_later(three_mers, windows())
    assert variant["mean_tokens"] == 1 and variant["none"] == 1
    assert shift["never"] == 1 and shift["reach"] == [] and shift["none"] == 0


def test_the_reach_of_a_variant_is_the_distance_of_the_farthest_boundary_that_moved():
    from types import SimpleNamespace

    from dnahlm.tokenizer.measures.encoder import Cut

    # Boundaries at every third base; where the sequence is not all A, also at base 20.
    def cuts(texts):
        found = []
        for text in texts:
            ends = sorted({*range(3, len(text) + 1, 3), len(text), *([20] if set(text) != {"A"} else [])})
            found.append(Cut(ends, [0, *ends[:-1]], ends))
        return found

    seen = one_variant(SimpleNamespace(cuts=cuts), ["A" * 60] * 30, 3)
    rng = random.Random(3)
    places = [rng.randrange(15, 45) for _ in range(30)]
    assert seen["reach"] == sorted(max(p - 20, 20 - p - 1, 0) for p in places)
    assert seen["mean_boundaries"] == 1


def test_the_same_seed_draws_the_same_variants_for_every_tokenizer(ours):
    assert one_variant(ours, windows(), 5) == one_variant(ours, windows(), 5) != one_variant(ours, windows(), 6)


def test_letters_outside_the_alphabet_are_dear_refused_or_unknown(ours, three_mers, bases):
    found = odd_letters(ours, windows(), 0)
    assert found["lower case"]["bases_per_token"] < 0.7 * found["A C G T"]["bases_per_token"]
    assert found["one N"]["tokens_more"] > 0 and found["A C G T"]["tokens_more"] == 0
    assert odd_letters(three_mers, windows(), 0)["U for T"]["refused"] == 40
    assert odd_letters(bases, windows(), 0)["one IUPAC letter"]["unknown_tokens"] == 40


def test_round_trip_tells_exact_changed_and_refused_apart(ours, three_mers, bases):
    assert all(kind["exact"] == kind["n"] for kind in round_trip(ours, 300, 0).values())
    lossy, strict = round_trip(bases, 100, 0), round_trip(three_mers, 100, 0)
    assert lossy["DNA"]["exact"] == 100 and lossy["bytes (Latin-1)"]["changed"] == 100
    assert strict["DNA"]["exact"] == 100 and strict["Unicode"]["refused"] == 100
    assert strict["Unicode"]["refusal"] and lossy["bytes (Latin-1)"]["examples"]


def test_a_special_token_spelt_out_in_text_comes_back_as_text(ours):
    (cut,) = ours.cuts(["<|endoftext|>"])
    assert ours.tokenizer.eos_token_id not in cut.ids and ours.decode(cut.ids) == "<|endoftext|>"
