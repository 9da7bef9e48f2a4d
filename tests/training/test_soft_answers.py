"""A teacher's probabilities as targets: the loss of the whole distribution over answers, at the right tokens."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, log_softmax

from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.training.epochs import EpochCollator
from dnahlm.training.examples import encode_records
from dnahlm.training.soft_answers import SHARES, TOKENS, answer_loss, as_tensors, soft_targets

ANSWERS = st.sets(st.tuples(st.integers(1, 3)) | st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1)


@given(ANSWERS, st.integers(0, 999))
def test_in_expectation_over_the_drawn_answer_the_loss_is_that_of_the_whole_distribution(found, seed):
    rng = np.random.default_rng(seed)
    shares = {(*ids, 0): share for ids, share in zip(sorted(found), rng.dirichlet([1.0] * len(found)), strict=True)}
    model: dict[tuple[int, ...], np.ndarray] = {}

    def logp(prefix, token):
        model.setdefault(prefix, rng.dirichlet([1.0] * 4))
        return math.log(model[prefix][token])

    whole = -sum(p * sum(logp(ids[:i], ids[i]) for i in range(len(ids))) for ids, p in shares.items())
    expected = 0.0
    for ids, p in shares.items():
        soft = soft_targets(ids, shares)
        hard = set(range(len(ids))) - {place for place, *_ in soft}
        loss = -sum(share * logp(ids[:place], token) for place, token, share in soft)
        expected += p * (loss - sum(logp(ids[:place], ids[place]) for place in hard))
    assert expected == pytest.approx(whole)


@settings(deadline=None)
@given(st.integers(0, 999))
def test_the_loss_is_the_cross_entropy_with_the_shares_where_there_are_some(seed):
    torch.manual_seed(seed)
    columns, targets = torch.tensor([3, 4, 6]), torch.randint(0, 9, (4, 3))
    targets[torch.rand(4, 3) < 0.3] = -100
    targets[0, 0], targets[3, 2] = 1, 5
    whole = torch.randn(4, 3, 9)
    soft = as_tensors([[(4, 1, 0.25), (4, 2, 0.75)], [], [], [(7, 5, 0.5), (7, 6, 0.5)]])
    wanted = cross_entropy(whole.flatten(0, 1), targets.flatten(), reduction="sum")
    for (row, column), given_shares in {(0, 0): {1: 0.25, 2: 0.75}, (3, 2): {5: 0.5, 6: 0.5}}.items():
        chances = log_softmax(whole[row, column], dim=-1)
        wanted += chances[targets[row, column]] - sum(p * chances[token] for token, p in given_shares.items())
    for predicted in (targets != -100, torch.ones_like(targets, dtype=torch.bool)):
        found = answer_loss(whole[predicted], targets, predicted, columns, soft[TOKENS], soft[SHARES])
        assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_shares_stand_where_the_answers_part_however_the_dna_was_cut(tiny_tokenizer, instructions, dropout):
    records = read_instructions(instructions / "train.jsonl")[:16]
    for record in records[::2]:
        record["probabilities"] = {"strong": 0.75, "weak": 0.25}
    rows = list(encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl"))
    cutter = DnaDropout(tiny_tokenizer, dropout) if dropout else None
    collator = EpochCollator(PromptEncoder(tiny_tokenizer), records, None, cutter, 0, 256)
    collator.collate = lambda shown: {"labels": [row["labels"] for row in shown]}
    batch = collator(rows)
    assert set(batch[TOKENS][:, 0].tolist()) == set(range(0, 16, 2))
    first = {word: tiny_tokenizer.encode(word + "\n", add_special_tokens=False)[0] for word in ("strong", "weak")}
    for (row, place, token), share in zip(batch[TOKENS].tolist(), batch[SHARES].tolist(), strict=True):
        labels = batch["labels"][row]
        assert labels[place] != -100 and labels[place - 1] == -100
        assert labels[place] == first[records[row]["output"]]
        assert share == {first["strong"]: 0.75, first["weak"]: 0.25}[token]


def test_a_batch_without_probabilities_has_no_soft_targets(tiny_tokenizer, instructions):
    records = read_instructions(instructions / "train.jsonl")[:4]
    rows = list(encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl"))
    collator = EpochCollator(PromptEncoder(tiny_tokenizer), records, None, None, 0, 256)
    collator.collate = lambda shown: {"labels": shown}
    assert set(collator(rows)) == {"labels"}
