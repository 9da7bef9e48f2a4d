"""A published model's tokenizer + corpus/train -> tokenizer/: DNA tokens added, all ids and all English kept.

DNA tokens are learnt as `tokenizer train` learns them (`train_bpe`, on the DNA of the corpus) and grafted onto the base
(`graft`). The chat template becomes the package's, and the pad token one of its own where the base has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.bpe import LARGEST_VOCABULARY, LETTERS, SMALLEST_VOCABULARY, check_sizes, train_bpe
from dnahlm.tokenizer.graft import first_new_id, graft, is_dna
from dnahlm.tokenizer.load import fingerprint, read_tokenizer, token_ids
from dnahlm.tokenizer.report import ratio, write_report
from dnahlm.tokenizer.wrap import PAD_TOKEN, chat_template

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast


@dataclass
class ExtendConfig:
    """Settings of `dnahlm tokenizer extend`."""

    base: str = field(metadata={"help": "tokenizer or checkpoint folder, or hub name, of the model to be continued"})
    corpus: str = field(metadata={"help": "folder written by `dnahlm corpus build`"})
    output: str = field(metadata={"help": "folder to write the tokenizer to"})
    dna_tokens: int = field(default=4096, metadata={"help": "DNA tokens to add, the letters A, C, G, T, N included"})
    min_dna_run: int = field(default=8, metadata={"help": "bases; shorter runs of ACGTN are left to the base"})
    max_dna_token: int = field(default=8, metadata={"help": "bases; the longest DNA token allowed"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: ExtendConfig) -> dict[str, Any]:
    """Write tokenizer.json, chat_template.jinja, report.json and manifest.json of an extended base.

    Raises:
        InputError: no finished corpus, no DNA in it, a base that cannot be extended, or an output in the way.
    """
    clock = StageClock()
    check_sizes(SMALLEST_VOCABULARY, config.min_dna_run, config.max_dna_token)
    if config.dna_tokens < len(LETTERS):
        raise InputError(f"dna_tokens: {config.dna_tokens}; the letters {LETTERS} alone need {len(LETTERS)}.")
    if config.dna_tokens > LARGEST_VOCABULARY:
        raise InputError(f"dna_tokens: {config.dna_tokens:,}; must be at most {LARGEST_VOCABULARY:,}.")
    read_manifest(config.corpus, "corpus build")
    base = read_tokenizer(config.base)
    with staged_folder(config.output, config.overwrite, [config.corpus, config.base]) as part:
        learnt = learn(config)
        tokenizer = extend(base, learnt, config.dna_tokens, config.min_dna_run, config.base)
        measured = compare(base, tokenizer, config)
        tokenizer.save_pretrained(part)
        report = write_report(tokenizer, config.corpus, part / "report.json", config.min_dna_run)
        first = first_new_id(tokenizer.get_vocab())
        n_dna = sum(is_dna(token) for token in tokenizer.get_vocab())
        counts = {"base_entries": first, "dna_tokens": n_dna, "vocab_size": len(tokenizer), **measured}
        manifest = write_manifest(
            part, "tokenizer extend", config, clock, {"base": config.base, "corpus": config.corpus}, counts,
            base_sha256=fingerprint(base), tokenizer_sha256=fingerprint(tokenizer), report=report,
        )  # fmt: skip
    if n_dna < config.dna_tokens:
        print(f"the corpus gave only {n_dna:,} of the {config.dna_tokens:,} DNA tokens asked for")
    print(
        f"added {n_dna:,} DNA tokens to the {first:,} ids of {config.base}{gain(measured, report)} -> {config.output}"
    )
    return manifest


def gain(measured: dict[str, int], report: dict[str, Any]) -> str:
    """What was held against the base on held-out documents, as far as there are any, in words."""
    words = ""
    before = ratio(measured["held_out_bases"], measured["base_dna_tokens"])
    if before is not None:
        words += f"; bases per DNA token: {before:.2f} before, {report['bases_per_dna_token']:.2f} now"
    if measured["english_compared"]:
        return words + (
            f"; the same ids as before on all {measured['english_compared']:,} held-out English documents without a "
            "DNA run"
        )
    return words + "; no held-out English to compare ids on"


def learn(config: ExtendConfig) -> list[str]:
    """DNA tokens of two letters and more, in the order in which BPE finds them in the DNA of the corpus.

    Raises:
        InputError: there is no DNA in the corpus.
    """
    size = SMALLEST_VOCABULARY + config.dna_tokens
    found = train_bpe(dna_of(config.corpus, "train"), size, config.min_dna_run, config.max_dna_token).get_vocab()
    learnt = sorted((t for t in found if re.fullmatch(f"[{LETTERS}]{{2,}}", t)), key=found.__getitem__)
    if not learnt and config.max_dna_token > 1:
        raise InputError(
            f"{config.corpus}: holds no DNA run of {config.min_dna_run} bases to learn tokens from. "
            "Build a corpus with --dna."
        )
    return learnt


def dna_of(corpus: str, split: str) -> Iterator[str]:
    """Yield the DNA documents of a split."""
    for kinds, texts in read_corpus(corpus, split):
        yield from (text for kind, text in zip(kinds, texts, strict=True) if kind == "dna")


def extend(
    base: PreTrainedTokenizerFast, learnt: list[str], dna_tokens: int, min_dna_run: int, where: str
) -> PreTrainedTokenizerFast:
    """`base` with DNA tokens behind its own, the package's chat template, and a pad token of its own.

    Args:
        base: fast BPE tokenizer of a published model.
        learnt: DNA strings, the most wanted first.
        dna_tokens: how many to add at most; see `graft`.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        where: what an error message starts with.

    Raises:
        InputError: a base that cannot be extended.
    """
    from transformers import PreTrainedTokenizerFast

    if not base.is_fast:
        raise InputError(f"{where}: is not a `tokenizers` (fast) tokenizer; tokenizer.json is needed.")
    if base.eos_token is None:
        raise InputError(f"{where}: has no eos_token, so a model could not stop. Set it in tokenizer_config.json.")
    backend = graft(base.backend_tokenizer, learnt, dna_tokens, min_dna_run, where)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=base.bos_token, eos_token=base.eos_token, unk_token=base.unk_token,
        pad_token=own_pad(base, backend, where), extra_special_tokens=base.extra_special_tokens,
        model_max_length=base.model_max_length, clean_up_tokenization_spaces=False,
    )  # fmt: skip
    tokenizer.chat_template = chat_template()
    return tokenizer


def own_pad(base: PreTrainedTokenizerFast, backend: Tokenizer, where: str) -> str:
    """The base's pad token, or a new one where it has none or one that also means something else.

    Raises:
        InputError: the new one's name is an ordinary word of the base.
    """
    if base.pad_token_id not in (None, base.eos_token_id, base.bos_token_id, base.unk_token_id):
        return base.pad_token
    taken = backend.token_to_id(PAD_TOKEN)
    if taken is not None and taken not in backend.get_added_tokens_decoder():
        raise InputError(
            f"{where}: has no pad token of its own, and {PAD_TOKEN} (id {taken}) is an ordinary token of it. "
            "Name a pad_token in its tokenizer_config.json."
        )
    return PAD_TOKEN


def compare(base: PreTrainedTokenizerFast, tokenizer: PreTrainedTokenizerFast, config: ExtendConfig) -> dict[str, int]:
    """Count the base's tokens on the held-out DNA, and hold the ids of all other held-out text against the base's.

    Raises:
        InputError: a document without a DNA run got other ids than before.
    """
    run = re.compile(f"[{LETTERS}]{{{config.min_dna_run}}}")
    names = ("held_out_bases", "base_dna_tokens", "english_compared", "english_with_dna_runs")
    counts = dict.fromkeys(names, 0)
    for kinds, texts in read_corpus(config.corpus, "validation"):
        both = zip(kinds, texts, token_ids(base, texts), token_ids(tokenizer, texts), strict=True)
        for kind, text, before, now in both:
            if kind == "dna":
                counts["held_out_bases"] += len(text)
                counts["base_dna_tokens"] += len(before)
            elif run.search(text):
                counts["english_with_dna_runs"] += 1
            elif before != now:
                raise InputError(f"{config.base}: cannot be extended; other ids than before for {text[:60]!r}...")
            else:
                counts["english_compared"] += 1
    return counts
