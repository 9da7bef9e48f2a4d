"""Stage `pairs coding`: coding sequences -> the task whether a DNA window codes for a protein segment."""

import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, require_free, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.pairs.coding_pairs import CodingRow, Rules, build_split
from dnahlm.tasks.pairs.coding_windows import SPARE, draw_windows
from dnahlm.tasks.pairs.genes import FAMILY_RESIDUES, Gene, check_code, families, read_genes
from dnahlm.tasks.pairs.splits import assign, check_rows
from dnahlm.tasks.pairs.translator import SEED, judge
from dnahlm.tasks.pairs.write import say_next, write_table, write_task

TASK = "dna_protein_pair"
LEAST_RESIDUES = 12  # a hard negative needs SEED residues on both sides of what is wrong
BASES = (3 * LEAST_RESIDUES + 2, 3000)


@dataclass
class CodingPairsConfig:
    """What `dnahlm pairs coding` needs."""

    input: list[str] = field(
        metadata={"help": "FASTA files of complete coding sequences, or tables (.csv, .tsv) of DNA and protein"}
    )
    output: str = field(metadata={"help": "new folder for the tables, the task file and the manifest"})
    cds_column: str = field(default="cds", metadata={"help": "a table's column of coding DNA"})
    protein_column: str = field(default="protein", metadata={"help": "a table's column of proteins"})
    genetic_code: int = field(default=1, metadata={"help": "NCBI translation table, such as 11 for bacteria"})
    skip_invalid: bool = field(
        default=False, metadata={"help": "count entries that do not translate and leave them out, instead of stopping"}
    )
    train_rows: int = field(default=8000, metadata={"help": "rows of train, half of each label"})
    validation_rows: int = field(default=1000, metadata={"help": "rows of validation"})
    test_rows: int = field(default=1000, metadata={"help": "rows of test"})
    bases: int = field(default=150, metadata={"help": "length of the DNA window"})
    residues: int = field(
        default=50, metadata={"help": "length of the protein segment, or what the window codes where that is less"}
    )
    hard_share: float = field(
        default=0.5, metadata={"help": "share of the negatives that share a part of the right protein"}
    )
    composition_tolerance: float = field(
        default=0.3,
        metadata={"help": "share of residues by which the composition of another gene's segment may differ"},
    )
    seed: int = field(default=0, metadata={"help": "same seed and input, same bytes"})
    overwrite: bool = field(default=False, metadata={"help": "replace an output that is already there"})

    @property
    def rows(self) -> dict[str, int]:
        """Split -> rows."""
        return {"train": self.train_rows, "validation": self.validation_rows, "test": self.test_rows}


def run(config: CodingPairsConfig) -> dict[str, Any]:
    """Write three tables of DNA-protein pairs, the task file and the manifest; return the manifest.

    Raises:
        InputError: a setting out of range, unusable input, an entry that does not translate, too few genes, or an
            output that is taken.
    """
    clock = StageClock()
    check(config)
    require_free(Path(config.output), config.overwrite)
    rng = random.Random(config.seed)
    genes, counts = read_genes(
        config.input, config.cds_column, config.protein_column, config.genetic_code, config.skip_invalid
    )
    parts, found = split_genes(genes, config, rng)
    tables, per_split = build(config, parts, rng)
    baselines = judge(tables["test"], config.genetic_code)
    simulated = all(gene.simulated for gene in genes)
    with staged_folder(config.output, config.overwrite, config.input) as folder:
        for split, rows in tables.items():
            write_table(folder / f"{split}.csv", [asdict(row) for row in rows])
        made = (
            f"These tables: NCBI translation table {config.genetic_code}, windows of {config.bases} bases, segments of "
            f"up to {config.residues} residues."
        )
        write_task(folder, TASK, Path(config.output), made, simulated)
        manifest = write_manifest(
            folder, "pairs coding", config, clock, {f"input_{n}": path for n, path in enumerate(config.input)},
            {"genes": counts | found, **per_split}, simulated=simulated, baselines=baselines,
            seed_residues=SEED, family_residues=FAMILY_RESIDUES,
        )  # fmt: skip
    report(manifest["counts"], baselines)
    say_next(config.output, TASK)
    return manifest


def check(config: CodingPairsConfig) -> None:
    """Refuse settings from which no table can be made.

    Raises:
        InputError: what was found, and what is allowed.
    """
    check_rows(config.rows, config.seed)
    check_code(config.genetic_code)
    if not config.input:
        raise InputError("input: found no file; give FASTA of coding sequences, or tables of DNA and protein.")
    low, high = BASES
    if not low <= config.bases <= high:
        raise InputError(f"bases: found {config.bases}; must be {low} to {high}.")
    if not LEAST_RESIDUES <= config.residues <= high // 3:
        raise InputError(f"residues: found {config.residues}; must be {LEAST_RESIDUES} to {high // 3}.")
    for name in ("hard_share", "composition_tolerance"):
        if not 0 <= (value := getattr(config, name)) <= 1:
            raise InputError(f"{name}: found {value}; must be 0 to 1.")


def split_genes(
    genes: list[Gene], config: CodingPairsConfig, rng: random.Random
) -> tuple[dict[str, list[list[Gene]]], dict[str, int]]:
    """Families of each split, sized by the windows they give; and counts.

    Raises:
        InputError: fewer families than splits.
    """
    slot = config.bases + SPARE
    long_enough = [gene for gene in genes if len(gene.cds) >= slot]
    found = families(long_enough)
    counts = {"too_short": len(genes) - len(long_enough), "families": len(found)}
    counts["largest_family"] = max(map(len, found), default=0)
    if len(found) < len(config.rows):
        raise InputError(
            f"{config.input[0]}: found {len(found)} families of genes of {slot} coding bases or more ({len(genes)} "
            f"genes read); at least {len(config.rows)} are needed, one for each split. Genes with {FAMILY_RESIDUES} "
            "residues in a row in common are one family. Give more coding sequences, or a smaller --bases."
        )
    sizes = [sum(len(gene.cds) // slot for gene in family) for family in found]
    parts: dict[str, list[list[Gene]]] = {split: [] for split in config.rows}
    for family, split in zip(found, assign(sizes, config.rows, rng), strict=True):
        parts[split].append(family)
    return parts, counts


def build(
    config: CodingPairsConfig, parts: dict[str, list[list[Gene]]], rng: random.Random
) -> tuple[dict[str, list[CodingRow]], dict[str, Any]]:
    """Rows and counts per split."""
    rules = Rules(config.hard_share, config.composition_tolerance, config.genetic_code)
    seen: set[str] = set()
    tables, counts = {}, {}
    for split, found in parts.items():
        family_of = {gene.name: number for number, family in enumerate(found) for gene in family}
        genes = [gene for family in found for gene in family]
        windows = draw_windows(genes, config.bases, config.residues, rng)
        try:
            tables[split], facts = build_split(windows, config.rows[split], rules, family_of, seen, rng)
        except InputError as error:
            raise InputError(f"{split}_rows: {error}") from error
        counts[split] = {"rows": len(tables[split]), "genes": len(genes), "families": len(found)} | facts
    return tables, counts


def report(counts: dict[str, Any], baselines: dict[str, dict[str, float]]) -> None:
    """One printed line per fact."""
    for part, facts in counts.items():
        print(f"{part}: " + ", ".join(f"{name} {n:,}" for name, n in facts.items()))
    for name, shares in baselines.items():
        print(
            f"baseline {name}, right on test: " + ", ".join(f"{group} {share:.3f}" for group, share in shares.items())
        )
