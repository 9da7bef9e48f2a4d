import json
import random

import pytest

from dnahlm.manifest import read_manifest
from dnahlm.tokenizer import dna_merges
from dnahlm.tokenizer.bpe import LETTERS, SMALLEST_VOCABULARY, assemble, byte_level_bpe, split_dna
from dnahlm.tokenizer.dna_merges import bpe, learn_dna_merges, merges_of
from dnahlm.tokenizer.joined import train_joined
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, token_ids
from dnahlm.tokenizer.sample import Sample
from dnahlm.tokenizer.train import TokenizerConfig, run


@pytest.fixture(scope="module")
def dna():
    """60 kb with repeats, so that long pieces are frequent."""
    rng = random.Random(0)
    units = ["".join(rng.choices("ACGT", k=40)) for _ in range(20)]
    return ["".join(rng.choice(units) + "".join(rng.choices("ACGT", k=20)) for _ in range(10)) for _ in range(100)]


@pytest.fixture
def corpus(make_corpus):
    return make_corpus(dna=["genome.fa"], text=["english.txt"])


def sample_of(corpus, dna=0, text=0, seed=0):
    return Sample(str(corpus), read_manifest(corpus, "corpus build"), {"dna": dna, "text": text}, seed)


def lengths(merges):
    return [len(left + right) for left, right in merges]


def n_tokens(merges, texts):
    tokenizer = assemble(merges, split_dna(8, 10_000))
    return sum(len(encoding.ids) for encoding in tokenizer.encode_batch(texts))


def test_going_on_in_another_alphabet_learns_what_one_training_learns(dna, monkeypatch):
    monkeypatch.setattr(dna_merges, "FIRST_MERGES", 100)
    in_two_steps = learn_dna_merges(lambda: iter(dna), 600, 1000, 10_000)
    in_one = merges_of(bpe(dna, list(LETTERS), 600))
    assert in_two_steps[:100] == in_one[:100]
    assert max(lengths(in_two_steps)) >= 40
    assert n_tokens(in_two_steps, dna) == pytest.approx(n_tokens(in_one, dna), rel=0.01)


@pytest.mark.parametrize("longest", [1, 2, 5, 12])
@pytest.mark.parametrize("piece", [12, 10_000])
def test_dna_tokens_are_as_long_as_allowed_and_no_longer(dna, longest, piece):
    assert max(lengths(learn_dna_merges(lambda: iter(dna), 3000, longest, piece)), default=1) == longest


def test_first_merges_learnt_from_few_bases_cost_little(dna, monkeypatch):
    whole = learn_dna_merges(lambda: iter(dna), 500, 32, 10_000)
    monkeypatch.setattr(dna_merges, "FIRST_BASES", 15_000)
    part = learn_dna_merges(lambda: iter(dna), 500, 32, 10_000)
    assert part != whole
    assert n_tokens(part, dna) == pytest.approx(n_tokens(whole, dna), rel=0.05)


@pytest.mark.parametrize("share", [0, 0.25, 0.55, 1])
def test_share_of_dna_is_as_asked(corpus, share):
    tokenizer, counts = train_joined(sample_of(corpus), [], SMALLEST_VOCABULARY + 60, 8, 6, 100, share)
    assert counts["dna_entries_learnt"] == round(60 * share)
    learnt = list(tokenizer.get_vocab().items())
    dna_entries = [t for t, i in learnt if i >= SMALLEST_VOCABULARY and set(t) <= set(LETTERS)]
    assert len(dna_entries) == round(60 * share)


def test_entries_one_kind_cannot_fill_go_to_the_other(corpus):
    tokenizer, counts = train_joined(sample_of(corpus), [], SMALLEST_VOCABULARY + 60, 8, 2, 100, 0.9)
    assert counts == {"dna_entries_learnt": 16, "english_entries_learnt": 44}
    assert tokenizer.get_vocab_size() == SMALLEST_VOCABULARY + 60


def test_share_left_open_is_near_what_one_training_over_both_gives(corpus):
    sample = sample_of(corpus)
    _, counts = train_joined(sample, [], SMALLEST_VOCABULARY + 300, 8, 32, 4096, None)
    together = byte_level_bpe(sample.read(("dna", "text")), SMALLEST_VOCABULARY + 300, split_dna(8, 4096)).get_vocab()
    expected = sum(set(t) <= set(LETTERS) for t, i in together.items() if i >= SMALLEST_VOCABULARY)
    assert counts["dna_entries_learnt"] == pytest.approx(expected, abs=15)


def test_dna_is_cut_as_by_the_dna_vocabulary_alone(corpus):
    sample = sample_of(corpus)
    both, _ = train_joined(sample, [], SMALLEST_VOCABULARY + 100, 8, 32, 4096, 0.5)
    alone = assemble(learn_dna_merges(lambda: sample.read(["dna"]), 50, 32, 4096), split_dna(8, 4096))
    for text in sample.read(["dna"]):
        assert both.encode(text).tokens == alone.encode(text).tokens


def test_every_learnt_entry_can_be_made(corpus):
    tokenizer, _ = train_joined(sample_of(corpus), [], SMALLEST_VOCABULARY + 100, 8, 32, 4096, 0.5)
    made = {left + right for left, right in merges_of(tokenizer)}
    assert made == {t for t, i in tokenizer.get_vocab().items() if i >= SMALLEST_VOCABULARY}
    known = set(byte_level_bpe([], 258, split_dna(8, 8)).get_vocab())
    for left, right in merges_of(tokenizer):
        assert {left, right} <= known
        known.add(left + right)


def test_a_sample_is_the_same_documents_each_time_and_others_with_another_seed(corpus):
    sample = sample_of(corpus, dna=20_000)
    first, second = list(sample.read(["dna"])), list(sample.read(["dna"]))
    assert first == second != list(sample_of(corpus, dna=20_000, seed=1).read(["dna"]))
    assert 10_000 < sum(map(len, first)) < 30_000
    assert len(list(sample.read(["text"]))) == sample.counts["documents"] - len(first)


def test_a_reading_that_stops_early_counts_what_it_read_and_a_longer_one_counts_instead(corpus):
    sample = sample_of(corpus)
    reading = sample.read(["dna"])
    first = next(reading)
    reading.close()
    assert sample.counts == {"documents": 1, "dna_characters": len(first), "text_characters": 0}
    every = list(sample.read(["dna"]))
    list(sample.read(["dna"]))
    assert sample.counts == {"documents": len(every), "dna_characters": sum(map(len, every)), "text_characters": 0}


def test_even_rates_keep_the_mix(corpus):
    sample = sample_of(corpus, dna=20_000)
    sample.even_rates()
    assert sample.rates["dna"] == sample.rates["text"] < 1


def test_what_was_drawn_is_said_and_in_the_manifest_and_training_repeats(corpus, tmp_path, capsys):
    options = {"corpus": str(corpus), "vocab_size": 500, "sample_bases": 20_000, "seed": 3}
    manifest = run(TokenizerConfig(output=str(tmp_path / "one"), **options))
    run(TokenizerConfig(output=str(tmp_path / "two"), **options))
    assert "of the documents, drawn evenly (seed 3)" in capsys.readouterr().out
    assert manifest["sample"]["dna"]["kept_share"] < 1 == manifest["sample"]["text"]["kept_share"]
    assert 0 < manifest["counts"]["dna_characters"] < manifest["sample"]["dna"]["characters"]
    assert manifest["config"]["max_dna_token"] == 32
    one, two = load_tokenizer(tmp_path / "one"), load_tokenizer(tmp_path / "two")
    assert fingerprint(one) == fingerprint(two) == manifest["tokenizer_sha256"]
    assert json.loads((tmp_path / "one/tokenizer.json").read_text())["model"]["type"] == "BPE"


def test_ids_are_those_of_a_plain_call_and_settings_of_the_tokenizer_stay(tokenizer):
    texts = ["Is it a promoter? ACGTACGTNNACGT", "stop <|endoftext|> here", "", "naïve\n"]
    plain = tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert token_ids(tokenizer, texts) == plain
    assert tokenizer("<|endoftext|>")["input_ids"] == [tokenizer.eos_token_id]
