"""BPE-dropout for overlapping k-mers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.load import load_tokenizer
from dnahlm.tokenizer.train import TokenizerConfig, run
from dnahlm.tokenizer.word_dropout import WordDropout, dropout_for

TEXT = "A promoter? GAT\n\n### Input:\nACGTTGCAACGTNACGTTGCATTGCAG\n\n### Response:\n"


@pytest.fixture(scope="module")
def tokenizer(make_corpus, tmp_path_factory):
    corpus, folder = make_corpus(dna=["genome.fa"], text=["english.txt"]), tmp_path_factory.mktemp("k") / "t"
    run(TokenizerConfig(str(corpus), str(folder), kind="kmer_overlapping", k=4, vocab_size=900))
    return load_tokenizer(folder)


def drawn(tokenizer, dropout, seed, text=TEXT):
    cutter = WordDropout(tokenizer, dropout)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids, cutter.apply(ids, cutter.units([text])[0], random.Random(seed), room=0)


def spelt(tokenizer, ids):
    return tokenizer.convert_ids_to_tokens(ids)


@given(dropout=st.floats(0, 0.95), seed=st.integers(0, 2**32))
def test_every_token_becomes_a_start_of_itself_and_the_text_stays(tokenizer, dropout, seed):
    ids, new = drawn(tokenizer, dropout, seed)
    pairs = list(zip(spelt(tokenizer, ids), spelt(tokenizer, new), strict=True))
    assert all(word.startswith(shorter) and shorter for word, shorter in pairs)
    assert all(word == shorter for word, shorter in pairs if word[0] < "Ａ")  # English
    assert tokenizer.decode(new) == tokenizer.decode(ids)


def test_each_join_is_left_out_with_the_probability_asked_for(tokenizer):
    rng = random.Random(0)
    text = "".join(rng.choices("ACGT", k=40_000))
    _, new = drawn(tokenizer, 0.3, 0, text)
    lengths = [len(word) for word in spelt(tokenizer, new)]
    for bases, share in ((1, 0.3), (2, 0.7 * 0.3), (3, 0.7**2 * 0.3), (4, 0.7**3)):
        assert lengths.count(bases) / len(lengths) == pytest.approx(share, abs=0.01)


def test_without_dropout_nothing_changes(tokenizer):
    ids, new = drawn(tokenizer, 0.0, 0)
    assert new == ids


def test_the_kind_of_tokenizer_decides_what_is_left_out(tokenizer, tiny_tokenizer):
    assert isinstance(dropout_for(tokenizer, 0.1), WordDropout)
    assert isinstance(dropout_for(tiny_tokenizer, 0.1), DnaDropout)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_probability_out_of_range_is_refused(tokenizer, dropout):
    with pytest.raises(InputError, match=r"bpe_dropout: .*at least 0 and below 1"):
        WordDropout(tokenizer, dropout)
