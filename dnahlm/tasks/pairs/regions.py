"""DNA records cut into regions of one split each, and windows drawn from them that never overlap."""

import itertools
import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.readers.sequence_lines import first_line_of
from dnahlm.readers.sequences import SequenceRecord, read_dna
from dnahlm.tasks.pairs.splits import assign

SHARED_BASES = 20  # windows of two splits have no stretch of this many bases in common, on either strand


@dataclass(frozen=True)
class Region:
    """Bases `start` to `end` (0-based, half-open) of a record; all windows of a region go to its split."""

    record: SequenceRecord
    start: int
    end: int
    split: str


@dataclass(frozen=True)
class Window:
    """A piece of a record over A, C, G, T, and where it lies: `id:start-end`, 0-based half-open."""

    sequence: str
    source: str


def read_records(paths: Sequence[str]) -> list[SequenceRecord]:
    """All records of the files, held in memory.

    Raises:
        InputError: as `read_dna`; or an id used in two files.
    """
    records: dict[str, tuple[str, SequenceRecord]] = {}
    for path in paths:
        for record in read_dna(path):
            if record.id in records:
                line = first_line_of(Path(path), record.id)
                raise InputError(
                    f"{path}:{line}: record id {record.id!r} is also used in {records[record.id][0]}. The table "
                    "names its sources by id: rename one, or leave one of the files out."
                )
            records[record.id] = (path, record)
    return [record for _, record in records.values()]


def cut_regions(
    records: Sequence[SequenceRecord], rows: dict[str, int], gap: int, longest: int, rng: random.Random
) -> list[Region]:
    """Regions in proportion to the rows: whole records; with fewer records than splits, parts of each record.

    Args:
        records: the DNA.
        rows: split -> rows it is to have.
        gap: bases left out between two parts of a record.
        longest: the longest window, bases; shorter records are left out.
        rng: source of chance.

    Raises:
        InputError: no record is long enough.
    """
    records = [record for record in records if len(record.sequence) >= longest]
    if len(records) >= len(rows):
        splits = assign([len(record.sequence) for record in records], rows, rng)
        return [Region(r, 0, len(r.sequence), split) for r, split in zip(records, splits, strict=True)]
    regions = [part for record in records for part in cut_record(record, rows, gap, rng)]
    if not regions or any(region.end - region.start < longest for region in regions):
        found = ", ".join(f"{record.id} {len(record.sequence):,}" for record in records) or "none"
        raise InputError(
            f"fasta: too little DNA: records of {longest} bases or more (the longest window): {found}. With fewer than "
            f"{len(rows)} of them each is cut into {len(rows)} parts with {gap:,} bases between; one part would be "
            "shorter than a window. Give more records, or a smaller --gap."
        )
    return regions


def cut_record(record: SequenceRecord, rows: dict[str, int], gap: int, rng: random.Random) -> list[Region]:
    """One part of a record per split, in random order, `gap` bases between two parts."""
    usable = len(record.sequence) - gap * (len(rows) - 1)
    parts, start = [], 0
    for split in rng.sample(list(rows), len(rows)):
        size = int(usable * rows[split] / sum(rows.values()))
        parts.append(Region(record, start, start + size, split))
        start += size + gap
    return parts


class Windows:
    """Windows of one split, drawn without overlap and unlike those of the splits drawn before.

    The regions are tiled with slots of the longest length; each slot is used once. `shared` holds the stretches of
    earlier splits; `remember` adds those of `drawn`.
    """

    def __init__(self, regions: Sequence[Region], longest: int, rng: random.Random, shared: set[str]) -> None:
        import numpy as np

        self.regions, self.longest, self.rng, self.shared = regions, longest, rng, shared
        self.phases = [rng.randint(0, (r.end - r.start) % longest) for r in regions]
        n_slots = [(r.end - r.start - p) // longest for r, p in zip(regions, self.phases, strict=True)]
        self.ends = list(itertools.accumulate(n_slots))
        self.slots = iter(np.random.default_rng(rng.getrandbits(64)).permutation(self.ends[-1]).tolist())
        self.drawn: list[str] = []
        self.counts = {"windows_with_n": 0, "windows_like_another_split": 0}

    def draw(self, length: int) -> Iterator[Window]:
        """Yield windows of `length` bases until the DNA is used up."""
        for slot in self.slots:
            at = bisect_right(self.ends, slot)
            region = self.regions[at]
            in_region = slot - (self.ends[at - 1] if at else 0)
            start = region.start + self.phases[at] + in_region * self.longest
            start += self.rng.randint(0, self.longest - length)
            sequence = region.record.sequence[start : start + length]
            if "N" in sequence:
                self.counts["windows_with_n"] += 1
            elif any(part in self.shared for part in stretches(sequence)):
                self.counts["windows_like_another_split"] += 1
            else:
                self.drawn.append(sequence)
                yield Window(sequence, f"{region.record.id}:{start}-{start + length}")


def stretches(sequence: str) -> Iterator[str]:
    """All stretches of `SHARED_BASES` bases."""
    return (sequence[i : i + SHARED_BASES] for i in range(len(sequence) - SHARED_BASES + 1))


def remember(shared: set[str], sequences: Sequence[str]) -> None:
    """Add the stretches of both strands, which no later split may hold."""
    for sequence in sequences:
        shared.update(stretches(sequence))
        shared.update(stretches(reverse_complement(sequence)))
