"""Stage `pairs dna`: FASTA -> the task whether two DNA windows are a sequence and its mutated copy, or unrelated."""

import dataclasses
import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, require_free, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.pairs.genes import SIMULATED
from dnahlm.tasks.pairs.mutate import Band
from dnahlm.tasks.pairs.regions import SHARED_BASES, Region, Windows, cut_regions, read_records, remember
from dnahlm.tasks.pairs.similar import PairRow, Rules, as_dicts, build_split
from dnahlm.tasks.pairs.similar_baselines import judge
from dnahlm.tasks.pairs.splits import check_rows
from dnahlm.tasks.pairs.write import say_next, write_table, write_task

TASK = "dna_pair"
LENGTHS = (SHARED_BASES, 1000)  # bases; above, aligning takes long
LOWEST_IDENTITY = 0.6  # unrelated DNA aligns at about 0.5


@dataclass
class DnaPairsConfig:
    """What `dnahlm pairs dna` needs."""

    fasta: list[str] = field(metadata={"help": "FASTA files, plain or .gz; all of their DNA is held in memory"})
    output: str = field(metadata={"help": "new folder for the tables, the task file and the manifest"})
    train_rows: int = field(default=8000, metadata={"help": "rows of train, half of each label"})
    validation_rows: int = field(default=1000, metadata={"help": "rows of validation"})
    test_rows: int = field(default=1000, metadata={"help": "rows of test"})
    lengths: list[int] = field(default_factory=lambda: [40, 150], metadata={"help": "window lengths in bases"})
    bands: list[float] = field(
        default_factory=lambda: [0.7, 0.8, 0.9, 1.0],
        metadata={"help": "edges of the identity bands of positives; the upper edge is not in a band"},
    )
    gc_tolerance: float = field(
        default=0.05, metadata={"help": "largest difference in GC share between the two sequences of any pair"}
    )
    most_alike: float = field(
        default=0.3,
        metadata={
            "help": "best local alignment score per base (match 1, mismatch -1, gap -2, -1 more for each further base) "
            "a negative pair may reach on either strand"
        },
    )
    both_strands: bool = field(default=False, metadata={"help": "put half of the copies on the other strand"})
    gap: int = field(
        default=1000,
        metadata={"help": "bases between the parts of a record, where records are fewer than splits"},
    )
    seed: int = field(default=0, metadata={"help": "same seed and input, same bytes"})
    overwrite: bool = field(default=False, metadata={"help": "replace an output that is already there"})

    @property
    def rows(self) -> dict[str, int]:
        """Split -> rows."""
        return {"train": self.train_rows, "validation": self.validation_rows, "test": self.test_rows}


def run(config: DnaPairsConfig) -> dict[str, Any]:
    """Write three tables of DNA pairs, the task file and the manifest; return the manifest.

    Raises:
        InputError: a setting out of range, unusable FASTA, too little DNA, or an output that is taken.
    """
    clock = StageClock()
    check(config)
    require_free(Path(config.output), config.overwrite)
    rng = random.Random(config.seed)
    records = read_records(config.fasta)
    regions = cut_regions(records, config.rows, config.gap, max(config.lengths), rng)
    tables, counts = build(config, regions, rng)
    baselines = judge(tables["train"], tables["test"], config.both_strands)
    simulated = all(SIMULATED in record.description for record in records)
    with staged_folder(config.output, config.overwrite, config.fasta) as folder:
        for split, rows in tables.items():
            write_table(folder / f"{split}.csv", as_dicts(rows))
        write_task(folder, TASK, Path(config.output), made(config, regions), simulated)
        manifest = write_manifest(
            folder, "pairs dna", config, clock, {f"fasta_{n}": path for n, path in enumerate(config.fasta)}, counts,
            simulated=simulated, baselines=baselines, shared_bases=SHARED_BASES,
            regions=[region_facts(region) for region in regions],
        )  # fmt: skip
    report(counts, baselines)
    say_next(config.output, TASK)
    return manifest


def made(config: DnaPairsConfig, regions: list[Region]) -> str:
    """The settings that a reader of a score must know."""
    apart = "no record is in two splits"
    if len({region.record.id for region in regions}) < len(regions):
        apart = f"each record is cut into a part for every split, {config.gap:,} bases apart"
    return (
        f"These tables: identity from {config.bands[0]:g} to below {config.bands[-1]:g}, windows of "
        f"{', '.join(map(str, config.lengths))} bases, {'half of the' if config.both_strands else 'no'} copies on the "
        f"other strand; {apart}."
    )


def check(config: DnaPairsConfig) -> None:
    """Refuse settings from which no table can be made.

    Raises:
        InputError: what was found, and what is allowed.
    """
    check_rows(config.rows, config.seed)
    low, high = LENGTHS
    if not config.lengths or len(set(config.lengths)) < len(config.lengths):
        raise InputError(f"lengths: found {config.lengths}; give one or more different numbers of bases.")
    for length in config.lengths:
        if not low <= length <= high:
            raise InputError(f"lengths: found {length}; must be {low} to {high} bases.")
    edges = config.bands
    inside = all(LOWEST_IDENTITY <= edge <= 1 for edge in edges)
    if len(edges) < 2 or not inside or any(low >= high for low, high in itertools.pairwise(edges)):
        raise InputError(
            f"bands: found {edges}; must be two or more rising identities, {LOWEST_IDENTITY} to 1.0, such as 0.7 0.8 "
            "0.9 1.0. Unrelated DNA aligns at about 0.5, so lower bands would not differ from it."
        )
    for name, least, most in (("gc_tolerance", 0, 1), ("most_alike", 0, edges[0])):
        if not least <= (value := getattr(config, name)) <= most:
            raise InputError(f"{name}: found {value}; must be {least} to {most}.")
    if config.gap < 0:
        raise InputError(f"gap: found {config.gap}; must be 0 or more bases.")


def build(
    config: DnaPairsConfig, regions: list[Region], rng: random.Random
) -> tuple[dict[str, list[PairRow]], dict[str, Any]]:
    """Rows and counts per split. Test comes first, so that what train may not share is known when train is drawn."""
    bands = [Band(low, high) for low, high in itertools.pairwise(config.bands)]
    rules = Rules(config.lengths, bands, config.gc_tolerance, config.most_alike, config.both_strands)
    shared: set[str] = set()
    tables, counts = {}, {}
    for split in ("test", "validation", "train"):
        windows = Windows([r for r in regions if r.split == split], max(config.lengths), rng, shared)
        try:
            rows, found = build_split(windows, config.rows[split], rules, rng)
        except InputError as error:
            raise InputError(f"{split}_rows: {error}") from error
        tables[split] = rows
        counts[split] = {"rows": len(rows)} | found
        if split != "train":
            remember(shared, windows.drawn)
    return {split: tables[split] for split in config.rows}, {split: counts[split] for split in config.rows}


def region_facts(region: Region) -> dict[str, Any]:
    """One line of the manifest's list of regions."""
    return dataclasses.asdict(region) | {"record": region.record.id}


def report(counts: dict[str, Any], baselines: dict[str, Any]) -> None:
    """One printed line per fact."""
    for split, found in counts.items():
        print(f"{split}: " + ", ".join(f"{name} {n:,}" for name, n in found.items()))
    for name, result in baselines.items():
        print(f"baseline {name}: accuracy on test {result['accuracy']:.3f}")
        for length, facts in result["by_length"].items():
            shares = ", ".join(f"{band} {share:.3f}" for band, share in facts["accuracy_by_band"].items())
            print(f"  {length} bases, accuracy by identity band: {shares}")
