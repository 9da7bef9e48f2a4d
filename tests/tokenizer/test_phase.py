"""Random phase of fixed-length DNA tokens."""

import random

import pytest

from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import train_bpe
from dnahlm.tokenizer.load import load_tokenizer
from dnahlm.tokenizer.phase import DnaPhase
from dnahlm.tokenizer.train import TokenizerConfig, run

TEXT = "A promoter? GAT\n\n### Input:\nACGTTGCAACGTACGTTGCATTGCAG\n\n### Response:\n"


@pytest.fixture(scope="module", params=["kmer", "bpe_fixed"])
def tokenizer(request, make_corpus, tmp_path_factory):
    corpus, folder = make_corpus(dna=["genome.fa"], text=["english.txt"]), tmp_path_factory.mktemp("k") / "t"
    kind = {"kind": "kmer", "k": 4} if request.param == "kmer" else {"max_dna_piece": 4, "max_dna_token": 4}
    run(TokenizerConfig(str(corpus), str(folder), vocab_size=900, **kind))
    return load_tokenizer(folder)


def cuts(tokenizer, seeds=range(40), room=99):
    phase = DnaPhase(tokenizer)
    ids, units = tokenizer(TEXT, add_special_tokens=False)["input_ids"], phase.units([TEXT])[0]
    return ids, units, [phase.apply(ids, units, random.Random(seed), room) for seed in seeds]


def test_every_phase_is_drawn_and_only_the_dna_changes(tokenizer):
    ids, units, found = cuts(tokenizer)
    assert all(tokenizer.decode(new) == TEXT for new in found)
    ((first, n),) = units
    rest = len(ids) - first - n
    assert all(new[:first] == ids[:first] and new[len(new) - rest :] == ids[first + n :] for new in found)
    singles = {sum(len(tokenizer.decode([i])) == 1 for i in new[first : first + 3]) for new in found}
    assert singles == {0, 1, 2, 3} and ids in found


def test_dna_that_would_not_fit_stays_as_it_is(tokenizer):
    ids, _, found = cuts(tokenizer, room=0)
    assert all(len(new) <= len(ids) for new in found)


def test_tokens_of_one_base_have_no_phase(mixed_texts):
    with pytest.raises(InputError, match="random_phase: this tokenizer has no DNA tokens of several bases"):
        DnaPhase(train_bpe(mixed_texts, 500, min_dna_run=8, max_dna_token=1))
