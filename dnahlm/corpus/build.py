"""FASTA and text files -> corpus/{train,validation}/: DNA and English documents, cleaned, split, mixed and shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnahlm.config import did_you_mean
from dnahlm.corpus.card import write_card
from dnahlm.corpus.pieces import Piece, dna_pieces, text_pieces
from dnahlm.corpus.select import KINDS, budgets, choose
from dnahlm.corpus.sources import (
    Source,
    check_regions,
    find_sources,
    plan_dna_validation,
    restrict,
    survey_dna,
    survey_text,
)
from dnahlm.corpus.write import SPLITS, write_parquet, write_scratch
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, write_manifest

if TYPE_CHECKING:
    import numpy as np


@dataclass
class CorpusConfig:
    """Settings of `dnahlm corpus build`."""

    output: str = field(metadata={"help": "folder to write the corpus to"})
    data_root: str = field(default="", metadata={"help": "folder that relative paths below start from"})
    dna: list[str] = field(default_factory=list, metadata={"help": "FASTA, FASTQ or GenBank files, or glob patterns"})
    regions: str | None = field(
        default=None, metadata={"help": "BED file: only these places of the DNA are used; no piece crosses their ends"}
    )
    text: list[str] = field(
        default_factory=list, metadata={"help": "English .txt, .jsonl (also .gz) or .parquet files, or glob patterns"}
    )
    min_piece: int = field(default=300, metadata={"help": "bases; shortest DNA document"})
    max_piece: int = field(default=1000, metadata={"help": "bases; longest DNA document"})
    dna_share: float = field(
        default=0.5, metadata={"help": "share of DNA in the characters kept; 0 keeps all there is"}
    )
    max_characters: int = field(default=0, metadata={"help": "limit on the characters of train; 0 is none"})
    both_strands: bool = field(default=True, metadata={"help": "read each piece of DNA from a random strand"})
    held_out_records: list[str] = field(
        default_factory=list, metadata={"help": "ids of records kept out of the corpus, such as test chromosomes"}
    )
    validation_share: float = field(default=0.02, metadata={"help": "share of each file's bases or characters"})
    seed: int = field(default=0, metadata={"help": "decides cuts, strands, validation records, choice and order"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: CorpusConfig) -> dict[str, Any]:
    """Build the corpus; every file is read twice, once to check and plan, once to cut.

    Raises:
        InputError: bad settings, a pattern that matches nothing, a file that cannot be used, nothing left to write.
    """
    clock = StageClock()
    check_settings(config)
    sources = find_sources(config.dna, config.data_root, "dna") + find_sources(config.text, config.data_root, "text")
    if config.regions:
        restrict(sources, config.regions, config.data_root)
    with staged_folder(config.output, config.overwrite, [source.path for source in sources]) as part:
        survey(sources, config)
        counts = write_splits(part, sources, config)
        counts["sources"] = {source.name: {"kind": source.kind, **source.counts} for source in sources}
        files = {source.name: source.path for source in sources}
        files |= {config.regions: Path(config.data_root) / config.regions} if config.regions else {}
        manifest = write_manifest(part, "corpus build", config, clock, files, counts)
        write_card(part, manifest)
    print_facts(config.output, counts)
    return manifest


def check_settings(config: CorpusConfig) -> None:
    """Raise `InputError` for settings that cannot give a corpus."""
    if not config.dna and not config.text:
        raise InputError("corpus build: neither `dna` nor `text` names a file. Give at least one of them.")
    if not 1 <= config.min_piece <= config.max_piece:
        raise InputError(
            f"min_piece: {config.min_piece}, max_piece: {config.max_piece} bases; needed: 1 <= min_piece <= max_piece."
        )
    if not 0 <= config.dna_share <= 1:
        raise InputError(f"dna_share: {config.dna_share}; must be from 0 to 1 (0 keeps all of both kinds).")
    if not 0 < config.validation_share <= 0.5:
        raise InputError(f"validation_share: {config.validation_share}; must be above 0 and at most 0.5.")
    if config.seed < 0:
        raise InputError(f"seed: {config.seed}; must be 0 or more.")
    if config.max_characters < 0:
        raise InputError(f"max_characters: {config.max_characters}; must be 0 (no limit) or more.")


def survey(sources: list[Source], config: CorpusConfig) -> None:
    """Read every source once: check it, count it, and decide what goes to validation.

    Raises:
        InputError: an unusable file, or a held-out record that is in none of them.
    """
    from tqdm import tqdm

    seen: set[bytes] = set()
    lengths: dict[str, int] = {}
    held_out, found = set(config.held_out_records), set()
    for source in tqdm(sources, desc="check", unit="file", disable=None):
        if source.kind == "text":
            survey_text(source, config.validation_share)
        else:
            found |= survey_dna(source, held_out, seen, lengths)
            plan_dna_validation(source, config.validation_share, config.min_piece, config.seed)
            source.counts["validation_records"] = sum(base == 0 for base in source.validation_from.values())
    if config.regions:
        regions = next((source.regions for source in sources if source.kind == "dna"), None) or {}
        check_regions(config.regions, regions, lengths)
    for name in sorted(held_out - found):
        known = list(lengths)
        raise InputError(f"held_out_records: no DNA file has a record {name!r}. {did_you_mean(name, known)[:300]}")


def all_pieces(sources: list[Source], config: CorpusConfig) -> Iterator[Piece]:
    """Every piece of every source, in order, behind a progress bar."""
    from tqdm import tqdm

    for source in tqdm(sources, desc="cut", unit="file", disable=None):
        if source.kind == "text":
            yield from text_pieces(source)
        else:
            yield from dna_pieces(source, config.min_piece, config.max_piece, config.both_strands, config.seed)


def write_splits(part: Path, sources: list[Source], config: CorpusConfig) -> dict[str, dict[str, Any]]:
    """Cut, choose, shuffle and write both splits; documents and characters per split and kind come back.

    Raises:
        InputError: no document is left for train.
    """
    import numpy as np

    scratch = write_scratch(part / "pieces.jsonl", all_pieces(sources, config))
    repeated = scratch.repeated()
    copies = scratch.count_by_source(repeated)
    for source in sources:
        source.counts["duplicate_documents"] = copies.get(source.name, 0)
    kinds, splits, sizes = (np.array(column) for column in (scratch.kinds, scratch.splits, scratch.sizes))
    words = np.array(scratch.words)
    rng = np.random.default_rng(config.seed)
    counts: dict[str, dict[str, Any]] = {}
    kept_share = dict.fromkeys(KINDS, 1.0)
    for code, split in enumerate(SPLITS):
        rows = np.flatnonzero((splits == code) & ~repeated)
        available = characters(kinds[rows], sizes[rows])
        if split == "train":
            keep = budgets(available, config.dna_share, config.max_characters)
            kept_share = {kind: keep[kind] / (available[kind] or 1) for kind in KINDS}
        else:  # thinned as train was, so that both hold the same mix; of a kind that train has, one document at least
            largest = {kind: int(sizes[rows][kinds[rows] == k].max(initial=0)) for k, kind in enumerate(KINDS)}
            keep = {k: max(round(available[k] * share), bool(share) * largest[k]) for k, share in kept_share.items()}
        rows = rows[choose(kinds[rows], sizes[rows], keep, rng)]
        if split == "train" and not len(rows):
            raise InputError(
                f"corpus build: no document is left for train (characters available: {available}, to keep: {keep}). "
                "Give more input, a smaller min_piece or a larger max_characters."
            )
        write_parquet(part / split, scratch, rows)
        counts[split] = count_split(kinds[rows], sizes[rows], available)
        counts[split]["text"]["words"] = int(words[rows][kinds[rows] == KINDS.index("text")].sum())
    scratch.path.unlink()
    return counts


def count_split(kinds: np.ndarray, sizes: np.ndarray, available: dict[str, int]) -> dict[str, Any]:
    """Documents and characters written per kind, and the characters of it that the mix left out."""
    written = characters(kinds, sizes)
    return {
        kind: {
            "documents": int((kinds == code).sum()),
            "characters": written[kind],
            "characters_left_out_by_the_mix": available[kind] - written[kind],
        }
        for code, kind in enumerate(KINDS)
    }


def characters(kinds: np.ndarray, sizes: np.ndarray) -> dict[str, int]:
    """Characters per kind; `kinds` (N,) are indices into `KINDS`, `sizes` (N,) characters."""
    return {kind: int(sizes[kinds == code].sum()) for code, kind in enumerate(KINDS)}


def print_facts(output: str, counts: dict[str, Any]) -> None:
    """One line per source and per split, with numbers and units; a warning when a kind is absent."""
    for name, source in counts["sources"].items():
        found = {key.replace("_", " "): value for key, value in source.items() if key != "kind" and value}
        facts = ", ".join(f"{value:,} {key}" for key, value in found.items())
        print(f"read {name} ({source['kind']}): {facts}")
    for split in SPLITS:
        dna, text = counts[split]["dna"], counts[split]["text"]
        total = dna["characters"] + text["characters"]
        print(
            f"{split}: {dna['documents']:,} DNA documents ({dna['characters'] / 1e6:.2f} M bases) and "
            f"{text['documents']:,} English documents ({text['characters'] / 1e6:.2f} M characters), "
            f"{dna['characters'] / total if total else 0:.1%} DNA; left out by the mix: "
            f"{dna['characters_left_out_by_the_mix'] / 1e6:.2f} M bases, "
            f"{text['characters_left_out_by_the_mix'] / 1e6:.2f} M characters -> {output}/{split}"
        )
        for kind, name in (("dna", "DNA"), ("text", "English")):
            if not counts[split][kind]["documents"]:
                print(f"warning: {split} holds no {name}")
