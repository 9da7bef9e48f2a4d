"""corpus/train -> tokenizer/: one tokenizer for DNA and English, of one of six kinds, with the chat template inside.

Whatever the kind, `AutoTokenizer` loads the folder, and the definition that trains is the one that is saved.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from dnahlm.config import did_you_mean
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.tokenizer.bpe import SMALLEST_VOCABULARY, check_vocab_size
from dnahlm.tokenizer.kinds import KINDS, OPTIONS, n_added
from dnahlm.tokenizer.load import fingerprint
from dnahlm.tokenizer.prompts import prompt_files
from dnahlm.tokenizer.report import cost_of, write_report
from dnahlm.tokenizer.sample import KIND_NAMES, Sample
from dnahlm.tokenizer.wrap import wrap

MOST_BASES = 100_000  # the regular expressions that find DNA count no further


def of_kind(words: str) -> Any:
    """A setting that only some kinds have: left out, it gets the default of the kind (`kinds.KINDS`)."""
    return field(default=None, metadata={"help": words})


@dataclass
class TokenizerConfig:
    """Settings of `dnahlm tokenizer train`. One that does not apply to the kind is refused, not ignored."""

    corpus: str = field(metadata={"help": "folder written by `dnahlm corpus build`"})
    output: str = field(metadata={"help": "folder to write the tokenizer to"})
    kind: str = field(
        default="bpe",
        metadata={"help": "bpe (byte-level), char, kmer, kmer_overlapping, sentencepiece_bpe or sentencepiece_unigram"},
    )
    vocab_size: int = field(default=8192, metadata={"help": "tokens in the vocabulary, special tokens included"})
    min_dna_run: int | None = of_kind("bases; shorter runs of ACGTN are treated as English. bpe and k-mers; default 8")
    max_dna_token: int | None = of_kind(
        "bases; the longest DNA token allowed. bpe, default 32; sentencepiece, default 16"
    )
    max_dna_piece: int | None = of_kind(
        "bases; bpe cuts DNA runs into pieces of this length first. As long as max_dna_token, nearly "
        "every token is that long and counted from the start of the run; default 4096"
    )
    dna_share: float | None = of_kind(
        "share of DNA in the entries bpe learns (those beyond bytes and special tokens), such as "
        "0.55; default: what is most frequent in the corpus, of either kind"
    )
    k: int | None = of_kind("bases of a k-mer; kmer and kmer_overlapping; default 6")
    dna_markers: bool = field(default=False, metadata={"help": "give <dna> and </dna> a token each, in plain text too"})
    template_tokens: bool = field(
        default=False,
        metadata={"help": "give each fixed text of the prompt template a token: 4 a question. Not of the "
                  "sentencepiece kinds"},
    )  # fmt: skip
    prompt_share: float | None = of_kind(
        "the prompt template and the task files count as this share of the characters, so that the "
        "words of a question become whole tokens; 0 = only the corpus; all kinds but char; default 0.1"
    )
    tasks: list[str] = field(
        default_factory=list,
        metadata={"help": "the task files that prompt_share counts, ids or paths; empty = all shipped ones"},
    )
    sample_bases: int | None = of_kind(
        "train on about this much DNA, drawn evenly from the corpus; 0 = all. bpe, default 32 "
        "million; sentencepiece_bpe 20, sentencepiece_unigram 2 million"
    )
    sample_characters: int | None = of_kind(
        "train on about this much English, drawn evenly from the corpus; 0 = all; default 60 "
        "million, sentencepiece_bpe 20, sentencepiece_unigram 5 million"
    )
    seed: int = field(default=0, metadata={"help": "decides which documents are drawn; nothing else is random"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: TokenizerConfig) -> dict[str, Any]:
    """corpus/ -> tokenizer/ with tokenizer.json, chat_template.jinja, report.json and manifest.json.

    Raises:
        InputError: no finished corpus, an option out of range or not of this kind, a vocabulary too small for bytes, or
            an output in the way.
    """
    clock = StageClock()
    config = with_defaults(config)
    corpus = read_manifest(config.corpus, "corpus build")
    most = {"dna": config.sample_bases or 0, "text": config.sample_characters or 0}
    sample = Sample(config.corpus, corpus, most, config.seed)
    tasks = prompt_files(config.tasks)
    with staged_folder(config.output, config.overwrite, [config.corpus]) as part:
        trained = KINDS[config.kind].train(config, sample, tasks)
        sample.warn_of_missing_kind()
        tokenizer = wrap(trained.tokenizer, config.dna_markers, config.template_tokens)
        tokenizer.save_pretrained(part)
        for name, content in trained.files.items():
            (part / name).write_bytes(content)
        report = write_report(tokenizer, config.corpus, part / "report.json", config.min_dna_run or 1)
        counts = {**sample.counts, **trained.counts, "vocab_size": len(tokenizer)}
        manifest = write_manifest(
            part, "tokenizer train", config, clock, {"corpus": config.corpus}, counts,
            tokenizer_sha256=fingerprint(tokenizer), report=report, sample=sample.facts(),
        )  # fmt: skip
    print_facts(config, sample, counts, report)
    return manifest


def print_facts(config: TokenizerConfig, sample: Sample, counts: dict[str, int], report: dict[str, Any]) -> None:
    """What was trained, on what, and what it gives; with numbers and units."""
    if config.kind != "char" and counts["vocab_size"] < config.vocab_size:
        print(f"the corpus gave only {counts['vocab_size']:,} of the {config.vocab_size:,} tokens asked for")
    for kind, rate in sample.rates.items():
        if rate < 1:
            print(f"{KIND_NAMES[kind]}: trained on {rate:.1%} of the documents, drawn evenly (seed {config.seed})")
    if "dna_entries_learnt" in counts:
        learnt = counts["dna_entries_learnt"], counts["english_entries_learnt"]
        print(f"learnt {learnt[0]:,} DNA and {learnt[1]:,} English entries ({learnt[0] / max(1, sum(learnt)):.1%} DNA)")
    text = "English and protein" if sample.residues else "English"
    print(
        f"{config.kind}: trained {counts['vocab_size']:,} tokens on {counts['documents']:,} documents "
        f"({counts['dna_characters'] / 1e6:.1f} M bases, {counts['text_characters'] / 1e6:.1f} M {text} characters); "
        f"{cost_of('bases', report['bases_per_dna_token'], 'DNA')}, "
        f"{cost_of('bytes', report['bytes_per_english_token'], 'English')} -> {config.output}"
    )


def with_defaults(config: TokenizerConfig) -> TokenizerConfig:
    """The settings with the defaults of their kind.

    Raises:
        InputError: no such kind, an option that does not apply to it, or one out of range.
    """
    if config.kind not in KINDS:
        raise InputError(f"kind: found {config.kind!r}. {did_you_mean(config.kind, list(KINDS))}")
    defaults = KINDS[config.kind].defaults
    for name in OPTIONS:
        if getattr(config, name) not in (None, []) and name not in defaults:
            others = ", ".join(kind for kind in KINDS if name in KINDS[kind].defaults)
            raise InputError(f"{name}: does not apply to kind {config.kind} (only to {others}). Leave it out.")
    unset = {name: value for name, value in defaults.items() if getattr(config, name) is None}
    config = dataclasses.replace(config, **unset)
    if config.template_tokens and config.kind.startswith("sentencepiece"):
        raise InputError(f"template_tokens: does not apply to kind {config.kind}. Leave it out.")
    check_vocab_size(config.vocab_size, SMALLEST_VOCABULARY + KINDS[config.kind].extra + n_added(config))
    for name in ("min_dna_run", "max_dna_token", "max_dna_piece"):
        if getattr(config, name) is not None and not 1 <= getattr(config, name) <= MOST_BASES:
            raise InputError(f"{name}: {getattr(config, name)} bases; must be from 1 to {MOST_BASES:,}.")
    if not 0 <= (config.prompt_share or 0) < 1:
        raise InputError(f"prompt_share: {config.prompt_share}; must be at least 0 and below 1.")
    if config.dna_share is not None and not 0 <= config.dna_share <= 1:
        raise InputError(f"dna_share: {config.dna_share}; must be from 0 to 1, such as 0.55.")
    for name in ("sample_bases", "sample_characters"):
        if (getattr(config, name) or 0) < 0:
            raise InputError(f"{name}: {getattr(config, name)}; must be 0 (all) or more.")
    return config
