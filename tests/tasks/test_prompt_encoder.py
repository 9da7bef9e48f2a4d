"""Prompts encoded in parts: always the ids of the whole text."""

import random

import pytest
from tokenizer_kinds import unisolated

from dnahlm.io import InputError
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tokenizer.load import load_tokenizer
from dnahlm.tokenizer.wrap import chat_template

QUESTIONS = ["Is this a promoter? Answer yes or no.", "Donor, acceptor or neither?", "ACGTACGTACGT: is it this?"]
OTHER = ["", "ACG", "acgt" * 9, "DNA: ACGTACGTACGTACGTACGT\nProtein: MKV", "ACGTACGTACGTACGTACGT ACGT"]


def rows():
    rng = random.Random(0)
    dna = ["".join(rng.choices("ACGTN", weights=[5, 5, 5, 5, 1], k=rng.randint(16, 90))) for _ in range(300)]
    return [(rng.choice(QUESTIONS), input, rng.choice(["yes", "no", "neither"])) for input in [*dna, *OTHER * 3]]


def same_as_whole_texts(tokenizer):
    questions, inputs, outputs = zip(*rows(), strict=True)
    encoder = PromptEncoder(tokenizer)
    prompts = render_prompts(tokenizer, questions, inputs)
    assert encoder.encode(questions, inputs, outputs) == encode(tokenizer, prompts, outputs)
    assert [encoder.text(q, i) for q, i in zip(questions, inputs, strict=True)] == prompts
    return encoder


def test_ids_are_those_of_the_whole_text_and_the_question_is_encoded_once(tiny_tokenizer):
    encoder = same_as_whole_texts(tiny_tokenizer)
    assert all(encoder.frame(question) for question in QUESTIONS)


KINDS = {
    "kmer": {"k": 4},
    "kmer_overlapping": {"k": 3},
    "kmer_overlapping, template": {"k": 3, "template_tokens": True},
    "char": {},
    "bpe": {"max_dna_token": 1},
    "sentencepiece_bpe": {},
    "sentencepiece_unigram": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_every_kind_of_tokenizer_are_those_of_the_whole_text(kind, world, tmp_path):
    from dnahlm.tokenizer.train import TokenizerConfig, run

    run(
        TokenizerConfig(
            f"{world}/corpus", str(tmp_path / "t"), kind=kind.partition(",")[0], vocab_size=600, **KINDS[kind]
        )
    )
    same_as_whole_texts(load_tokenizer(tmp_path / "t"))


def test_a_tokenizer_that_joins_question_and_dna_encodes_whole_texts():
    rng = random.Random(0)
    dna = ["".join(rng.choices("ACGT", k=60)) for _ in range(100)]
    tokenizer = unisolated([f"### Input:\n{d}\n\n### Response:\n" for d in dna], size=700)
    tokenizer.add_special_tokens({"eos_token": "<|end|>", "pad_token": "<|pad|>"})
    tokenizer.chat_template = chat_template()
    encoder = PromptEncoder(tokenizer)
    questions, inputs, _ = zip(*rows(), strict=True)
    prompts = render_prompts(tokenizer, questions, inputs)
    assert encoder.prompts(questions, inputs) == [tokenizer(p, add_special_tokens=False)["input_ids"] for p in prompts]
    assert encoder.frame(QUESTIONS[0]) is None


def test_a_reserved_token_in_a_question_is_refused(tiny_tokenizer):
    with pytest.raises(InputError, match="reads as the start, end or pad token"):
        PromptEncoder(tiny_tokenizer).prompts(["Is it <|endoftext|>?"], ["ACGT" * 8])
