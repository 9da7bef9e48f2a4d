"""Kinds of DNA by name: soft-masked repeats of genomes, BED intervals, FASTA, tables, answers of tasks, a corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dnahlm.config import did_you_mean
from dnahlm.dna import normalize
from dnahlm.io import InputError
from dnahlm.readers.formats import read_rows
from dnahlm.readers.sequence_lines import FORMATS
from dnahlm.readers.sequences import read_dna, read_sequences
from dnahlm.tasks.kinds import answer_text, has_classes
from dnahlm.tasks.rows import read_row, task_named
from dnahlm.tasks.sources import find_origins, has_local_files
from dnahlm.tasks.spec import TaskSpec, load_task
from dnahlm.tasks.tokenizer_report.sampling import SHORTEST, Sample, windows

KNOWN_RUN = re.compile(f"[ACGT]{{{SHORTEST},}}")
MASKED_RUN = re.compile(f"[acgt]{{{SHORTEST},}}")
REPEAT, UNMASKED, GENOME, CORPUS = "repeat (soft-masked)", "not masked", "genome", "corpus, held-out DNA"
# Shipped tasks whose answers are kinds of region: read where their files are, unless tasks are named.
REGION_TASKS = ("simulated_coding", "simulated_promoter", "gb_coding_vs_intergenic", "promoter_300", "enhancer")
GIVEN = re.compile(r"(?P<name>[^=]+)=(?P<path>.+?)(?::(?P<column>[^:=/]+)=(?P<value>[^:=/]*))?")
TABLES = ("bed", "csv", "tsv", "parquet", "jsonl")
Named = Iterator[tuple[str, str, str]]  # region, where it is from, sequence of A, C, G, T, N


@dataclass
class Region:
    """A kind of DNA and the windows drawn from it."""

    name: str
    source: str
    windows: list[str]  # A, C, G, T; at most `LONGEST` bases each
    n_bases: int  # known bases there were, of which the windows are a sample


def draw_regions(sequences: Iterable[tuple[str, str, str]], max_bases: int, seed: int) -> list[Region]:
    """Windows of every region that occurs in `sequences`, in order of first appearance.

    Raises:
        InputError: a region without a run of `SHORTEST` known bases.
    """
    samples: dict[str, Sample] = {}
    sources: dict[str, dict[str, None]] = {}
    for name, source, sequence in sequences:
        sample = samples.setdefault(name, Sample(max_bases, f"{seed}:{name}"))
        sources.setdefault(name, {})[source] = None
        for run in KNOWN_RUN.finditer(sequence):
            sample.add(windows(run.group()))
    for name, sample in samples.items():
        if not sample.n_seen:
            raise InputError(
                f"{', '.join(sources[name])}: region {name!r} has no run of {SHORTEST} known bases (A, C, G, T), so "
                "nothing can be measured."
            )
    return [Region(n, ", ".join(sources[n]), sample.texts(), sample.size_seen) for n, sample in samples.items()]


def of_genomes(paths: list[str]) -> Named:
    """Lower case of a genome is a repeat, upper case is not; a file in one case only says nothing of repeats."""
    for path in paths:
        if not has_both_cases(path):
            yield from ((GENOME, path, record.sequence) for record in read_dna(path))
            continue
        for record in read_sequences(path):
            normalize(record.sequence, record.where)  # refuses what is no nucleotide
            letters = record.sequence.translate({ord("U"): "T", ord("u"): "t"})
            for run in MASKED_RUN.finditer(letters):
                yield REPEAT, f"lower case of {path}", run.group().upper()
            yield UNMASKED, f"upper case of {path}", letters


def has_both_cases(path: str) -> bool:
    """Whether bases in lower and in upper case stand in a file; reads on until both are met."""
    lower = upper = False
    for record in read_sequences(path):
        lower = lower or MASKED_RUN.search(record.sequence) is not None
        upper = upper or KNOWN_RUN.search(record.sequence) is not None
        if lower and upper:
            return True
    return False


def of_files(given: list[str], genome: str | None, sequence_column: str) -> Named:
    """Regions as typed: `name=file`, or `name=table:column=value` for the rows with this value.

    Raises:
        InputError: not of this form, a format that is not known, BED without a genome, what the reader refuses.
    """
    for text in given:
        found = GIVEN.fullmatch(text)
        if not found:
            raise InputError(
                f"regions: found {text!r}; needed is name=file, as in coding=cds.fa, promoter=promoters.bed (with "
                "--genome) or promoter=table.csv:label=1."
            )
        name, path, column, value = found.group("name", "path", "column", "value")
        stem = Path(path.removesuffix(".gz"))
        kind = stem.suffix.lower().removeprefix(".")
        if stem.suffix.lower() in FORMATS and not column:
            yield from ((name, path, record.sequence) for record in read_dna(path))
            continue
        if kind not in TABLES:
            problem = f"a sequence file has no column {column!r}" if column else "its format is not known"
            raise InputError(
                f"regions: {path}: {problem}. Allowed: {' '.join(FORMATS)}, and with columns {', '.join(TABLES)}; each "
                "but parquet also with .gz."
            )
        if kind == "bed" and not genome:
            raise InputError(f"regions: {path}: BED names places only. Give the FASTA file of its bases by --genome.")
        wanted = "sequence" if kind == "bed" else sequence_column
        options = {"genome": genome} if kind == "bed" else {}
        for row in read_rows(kind, path, [wanted], {column: value} if column else None, **options):
            yield name, text.partition("=")[2], normalize(row.values[wanted], row.where).sequence


def of_tasks(names: list[str], data_root: str) -> Named:
    """The train rows of tasks, one region per answer.

    Raises:
        InputError: a task without classes or without files here, or what its reader refuses.
    """
    chosen = names or [name for name in REGION_TASKS if has_local_files(load_task(name), data_root)]
    for spec in map(load_task, chosen):
        if not has_classes(spec):
            raise InputError(
                f"{spec.path}: task {spec.id} is of kind {spec.kind}, so its rows fall into no few regions. "
                f"{did_you_mean(spec.id, REGION_TASKS)}"
            )
        with task_named(spec):
            yield from of_task(spec, data_root)


def of_task(spec: TaskSpec, data_root: str) -> Named:
    """The train rows of one task; the whole file where the task holds its test rows out of it."""
    for origin in find_origins(spec, data_root):
        if origin.split != "train":
            continue
        counts: Counter[str] = Counter()
        for row in origin.rows():
            read = read_row(spec, row, counts)
            yield f"{answer_text(spec, read.label)} ({spec.id})", f"task {spec.id}, train file", read.sequence
