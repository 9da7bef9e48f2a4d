"""The kinds of tokenizer `dnahlm tokenizer train` can make: how each is trained, and which options it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import byte_level_bpe, split_dna
from dnahlm.tokenizer.char import train_char
from dnahlm.tokenizer.joined import train_joined
from dnahlm.tokenizer.kmer import train_kmer
from dnahlm.tokenizer.overlapping import train_overlapping
from dnahlm.tokenizer.prompts import Prompts, prompt_texts, repeated
from dnahlm.tokenizer.sentencepiece_kinds import convert, train_sentencepiece
from dnahlm.tokenizer.wrap import DNA_MARKERS, TEMPLATE_PARTS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from dnahlm.tokenizer.sample import Sample
    from dnahlm.tokenizer.train import TokenizerConfig


@dataclass
class Trained:
    """What the training of one kind gives."""

    tokenizer: Tokenizer
    counts: dict[str, int] = field(default_factory=dict)  # for the manifest
    files: dict[str, bytes] = field(default_factory=dict)  # to be written beside tokenizer.json


class Kind(NamedTuple):
    """One line of the table of kinds."""

    train: Callable[[TokenizerConfig, Sample, list[str]], Trained]  # the settings, the documents, the task files
    defaults: dict[str, Any]  # of the options that apply to it; no other may be given
    extra: int = 0  # entries it needs beside bytes, special tokens and markers


def bpe(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Trained:
    """Byte-level BPE: one training where DNA pieces are as short as tokens and no share is asked for, else two joined.

    Short pieces are few different ones, which the trainer counts; it then holds each once.
    """
    size = room(config)
    if config.max_dna_piece < config.max_dna_token:
        raise InputError(
            f"max_dna_piece: {config.max_dna_piece} bases, less than max_dna_token, {config.max_dna_token}: no token "
            "is longer than the piece it is found in. Choose a smaller max_dna_token or longer pieces."
        )
    if config.max_dna_piece == config.max_dna_token and config.dna_share is None:
        sample.even_rates()
        texts = chain(sample.read(("dna", "text")), repeated(prompts(config, sample, tasks)))
        return Trained(byte_level_bpe(texts, size, split_dna(config.min_dna_run, config.max_dna_token)))
    return Trained(
        *train_joined(
            sample, prompts(config, sample, tasks), size, config.min_dna_run, config.max_dna_token,
            config.max_dna_piece, config.dna_share,
        )
    )  # fmt: skip


def char(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Trained:
    """Characters."""
    return Trained(train_char(sample, room(config)))


def kmer(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Trained:
    """K-mers side by side."""
    words = prompts(config, sample, tasks)
    return Trained(train_kmer(sample, words, room(config), config.min_dna_run, config.k))


def kmer_overlapping(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Trained:
    """K-mers one base apart."""
    words = prompts(config, sample, tasks)
    return Trained(train_overlapping(sample, words, room(config), config.min_dna_run, config.k))


def sentencepiece(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Trained:
    """SentencePiece, BPE or unigram."""
    model_type = config.kind.removeprefix("sentencepiece_")
    words = prompts(config, sample, tasks)
    model = train_sentencepiece(model_type, sample, words, config.vocab_size, config.max_dna_token, config.dna_markers)
    return Trained(convert(model, model_type), files={"tokenizer.model": model})


def room(config: TokenizerConfig) -> int:
    """Entries without those that are added behind all others."""
    return config.vocab_size - n_added(config)


def n_added(config: TokenizerConfig) -> int:
    """Entries of the `<dna>` markers and of the prompt template."""
    return len(DNA_MARKERS) * config.dna_markers + TEMPLATE_PARTS * config.template_tokens


def prompts(config: TokenizerConfig, sample: Sample, tasks: list[str]) -> Prompts:
    """The prompt template and the task files, thinned as the English of the corpus is."""
    texts = prompt_texts(config.prompt_share, tasks, sum(sample.available.values()) * sample.rates["text"])
    sample.counts["prompt_characters"] = sum(len(text) * times for text, times in texts)
    return texts


ENGLISH = {"prompt_share": 0.1, "tasks": [], "sample_characters": 60_000_000}
KMERS = {**ENGLISH, "min_dna_run": 8, "k": 6}
SENTENCEPIECE = {**ENGLISH, "max_dna_token": 16, "sample_bases": 20_000_000, "sample_characters": 20_000_000}
UNIGRAM = {**SENTENCEPIECE, "sample_bases": 2_000_000, "sample_characters": 5_000_000}  # half a minute for each million
KINDS = {
    "bpe": Kind(
        bpe,
        {**ENGLISH, "min_dna_run": 8, "max_dna_token": 32, "max_dna_piece": 4096, "dna_share": None,
         "sample_bases": 32_000_000},
    ),
    "char": Kind(char, {"sample_characters": 60_000_000}),
    "kmer": Kind(kmer, KMERS),
    "kmer_overlapping": Kind(kmer_overlapping, KMERS),
    "sentencepiece_bpe": Kind(sentencepiece, SENTENCEPIECE, extra=1),
    "sentencepiece_unigram": Kind(sentencepiece, UNIGRAM, extra=1),
}  # fmt: skip
OPTIONS = sorted({name for kind in KINDS.values() for name in kind.defaults})
