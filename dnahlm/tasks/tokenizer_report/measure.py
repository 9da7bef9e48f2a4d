"""What every tokenizer is measured on, and all its measures as one mapping."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dnahlm.dna import BASES
from dnahlm.io import InputError
from dnahlm.readers.corpus import read_corpus
from dnahlm.readers.text import read_documents
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.tokenizer_report.boundary import check_boundaries
from dnahlm.tasks.tokenizer_report.regions import CORPUS, Region, of_files, of_genomes, of_tasks
from dnahlm.tasks.tokenizer_report.sampling import Sample
from dnahlm.tokenizer.measures.cost import cost
from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.letters import odd_letters
from dnahlm.tokenizer.measures.reachable import unreachable
from dnahlm.tokenizer.measures.roundtrip import round_trip
from dnahlm.tokenizer.measures.stability import one_base_later, one_variant
from dnahlm.tokenizer.measures.vocabulary import describe, entries, kind_of

if TYPE_CHECKING:
    from dnahlm.tasks.tokenizer_report.run import TokenizerReportConfig

PROBES, PROBE_BASES, SHORTEST_PROBE = 500, 300, 60  # windows, and bases of each, for variants, shifts and odd letters
SHOWN_BASES = 60  # of the piece of DNA that the page shows cut


def measure(
    encoder: Encoder,
    regions: list[Region],
    english: list[str],
    probes: list[str],
    specs: list[TaskSpec],
    config: TokenizerReportConfig,
) -> dict[str, Any]:
    """All measures of one tokenizer; the samples and the seed are the same for all."""
    found = entries(encoder)
    vocabulary = describe(found)
    return {
        "name": encoder.name,
        "kind": kind_of(type(encoder.backend.model).__name__, vocabulary["dna_entry_lengths"]),
        "dropout": encoder.dropout,
        "vocabulary": vocabulary,
        "unreachable": unreachable(encoder, found),
        "regions": {region.name: cost(encoder, region.windows) for region in regions},
        "dna": cost(encoder, [window for region in regions for window in region.windows]),
        "english": cost(encoder, english),
        "variant": one_variant(encoder, probes, config.seed),
        "shift": one_base_later(encoder, probes),
        "letters": odd_letters(encoder, probes, config.seed),
        "round_trip": round_trip(encoder, config.n_fuzz, config.seed),
        "prompts": check_boundaries(encoder, specs, config.seed),
        "strips": strips(encoder, probes[0][:SHOWN_BASES]),
    }


def dna_of(config: TokenizerReportConfig) -> Iterator[tuple[str, str, str]]:
    """(region, where it is from, sequence) of everything the user gave."""
    yield from of_genomes(config.input)
    yield from of_files(config.regions, config.genome, config.sequence_column)
    if config.data_root:
        yield from of_tasks(config.tasks, config.data_root)
    if config.corpus:
        for kinds, texts in read_corpus(config.corpus, "validation"):
            for kind, text in zip(kinds, texts, strict=True):
                if kind == "dna":
                    yield CORPUS, f"validation split of {config.corpus}", text


def draw_english(config: TokenizerReportConfig) -> list[str]:
    """Documents of the given texts and of the corpus; none when there are none."""
    sample = Sample(config.max_bases, f"{config.seed}:english")
    for path in config.text:
        sample.add(document.text for document in read_documents(path))
    if config.corpus:
        for kinds, texts in read_corpus(config.corpus, "validation"):
            sample.add(text for kind, text in zip(kinds, texts, strict=True) if kind == "text")
    return sample.texts()


def draw_probes(regions: list[Region], seed: int) -> tuple[list[str], str]:
    """Windows for the comparisons, drawn over all regions, and where they are from; random DNA where there are none.

    Raises:
        InputError: windows were given, but all are shorter than `SHORTEST_PROBE` bases.
    """
    rng = random.Random(f"{seed}:probes")
    if not regions:
        drawn = ["".join(rng.choices(BASES, k=PROBE_BASES)) for _ in range(PROBES)]
        return drawn, "random DNA, all bases alike: no sequences were given"
    # The same number from every region, so that the largest does not speak for all.
    share = -(-PROBES // len(regions))
    drawn = []
    for region in regions:
        long = [window[:PROBE_BASES] for window in region.windows if len(window) >= SHORTEST_PROBE]
        drawn += rng.sample(long, min(share, len(long)))
    if not drawn:
        raise InputError(
            f"no stretch of {SHORTEST_PROBE} known bases in what was given; variants and shifts need some. Give longer "
            "sequences beside them, such as a genome by --input."
        )
    drawn.sort(key=lambda window: -len(window))  # the first one is shown
    return drawn[:PROBES], "up to the same number of windows from every region"


def strips(encoder: Encoder, sequence: str) -> dict[str, list[str]]:
    """The pieces of one sequence as it is, with one base changed in the middle, and started one base later."""
    middle = len(sequence) // 2
    other = "A" if sequence[middle] != "A" else "C"
    variants = {
        "as it is": sequence,
        "one base changed": sequence[:middle] + other + sequence[middle + 1 :],
        "one base later": sequence[1:],
    }
    cuts = encoder.cuts(list(variants.values()))
    return {
        name: [] if cut is None else [text[start:end] for start, end in zip(cut.starts, cut.ends, strict=True)]
        for (name, text), cut in zip(variants.items(), cuts, strict=True)
    }
