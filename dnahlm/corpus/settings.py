"""The settings of `dnahlm corpus build`, and which of them cannot give a corpus."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from dnahlm.io import InputError

KINDS = ("dna", "text", "protein")
NAMES = {"dna": "DNA", "text": "English", "protein": "protein"}
UNITS = {"dna": "bases", "text": "characters", "protein": "residues"}
NOT_THE_CORPUS = ("output", "overwrite", "shard")  # settings that two shards of one corpus need not share


@dataclass
class CorpusConfig:
    """Settings of `dnahlm corpus build`."""

    output: str = field(metadata={"help": "folder to write the corpus to"})
    data_root: str = field(default="", metadata={"help": "folder that relative paths below start from"})
    dna: list[str] = field(
        default_factory=list, metadata={"help": "FASTA, FASTQ or GenBank files (genomes, cDNA, CDS), or glob patterns"}
    )
    regions: str | None = field(
        default=None, metadata={"help": "BED file: only these places of the DNA are used; no piece crosses their ends"}
    )
    text: list[str] = field(
        default_factory=list, metadata={"help": "English .txt, .jsonl (also .gz) or .parquet files, or glob patterns"}
    )
    hub: list[str] = field(
        default_factory=list,
        metadata={"help": "English data sets of the Hugging Face hub, or folders laid out like one, streamed: "
                  "'NAME config=C split=train column=text', of which all but NAME may be left out"},
    )  # fmt: skip
    protein: list[str] = field(default_factory=list, metadata={"help": "protein FASTA files, or glob patterns"})
    licences: dict | str | None = field(
        default=None,
        metadata={"help": "source, as the card names it: its licence; a mapping in YAML, JSON on the command line"},
    )
    min_piece: int = field(default=300, metadata={"help": "bases; shortest DNA document"})
    max_piece: int = field(
        default=1000,
        metadata={"help": "bases or residues; longest DNA or protein document. DNA is cut where its own letters say; "
                  "below twice min_piece it is cut into windows of max_piece, end to end"},
    )  # fmt: skip
    dna_share: float = field(
        default=0.5, metadata={"help": "share of DNA in the characters kept; 0 keeps all there is of every kind"}
    )
    protein_share: float = field(default=0.1, metadata={"help": "the same of protein, where `protein` names files"})
    max_characters: int = field(default=0, metadata={"help": "limit on the characters of train; 0 is none"})
    both_strands: bool = field(default=True, metadata={"help": "read each piece of DNA from a random strand"})
    near_duplicates: bool = field(
        default=True, metadata={"help": "remove documents much like another (about 0.7 of their words in common)"}
    )
    held_out_records: list[str] = field(
        default_factory=list, metadata={"help": "ids of records kept out of the corpus, such as test chromosomes"}
    )
    validation_share: float = field(default=0.02, metadata={"help": "share of each file's bases or characters"})
    shard: str | None = field(
        default=None,
        metadata={"help": "i/n: read only every n-th part of the files, into OUTPUT.shards; `corpus merge` joins them"},
    )
    seed: int = field(default=0, metadata={"help": "decides cuts, strands, validation records, choice and order"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def check_settings(config: CorpusConfig) -> None:
    """Raise `InputError` for settings that cannot give a corpus."""
    if not (config.dna or config.text or config.hub or config.protein):
        raise InputError(
            "corpus build: neither `dna` nor `text` names a file, nor do `hub` and `protein`. Give one of them."
        )
    if not 1 <= config.min_piece <= config.max_piece:
        raise InputError(
            f"min_piece: {config.min_piece}, max_piece: {config.max_piece} bases; needed: 1 <= min_piece <= max_piece."
        )
    if not 0 <= config.dna_share <= 1:
        raise InputError(f"dna_share: {config.dna_share}; must be from 0 to 1 (0 keeps all of every kind).")
    if config.protein and not 0 < config.protein_share <= 1 + 1e-9 - config.dna_share:
        raise InputError(
            f"protein_share: {config.protein_share}; must be above 0, and at most 1 together with "
            f"dna_share ({config.dna_share})."
        )
    if not 0 < config.validation_share <= 0.5:
        raise InputError(f"validation_share: {config.validation_share}; must be above 0 and at most 0.5.")
    if config.seed < 0:
        raise InputError(f"seed: {config.seed}; must be 0 or more.")
    if config.max_characters < 0:
        raise InputError(f"max_characters: {config.max_characters}; must be 0 (no limit) or more.")


def shard_of(text: str) -> tuple[int, int]:
    """Number, from 1, and how many there are.

    Raises:
        InputError: not such a pair.

    >>> shard_of("2/8")
    (2, 8)
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, total = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= total:
        raise InputError(f"shard: {text!r}; must be i/n with i from 1 to n, such as 1/8 for the first of eight.")
    return number, total


def settings_of(config: CorpusConfig | dict[str, Any]) -> dict[str, Any]:
    """The settings that decide what is in the corpus."""
    given = config if isinstance(config, dict) else asdict(config)
    return {name: value for name, value in given.items() if name not in NOT_THE_CORPUS}
