"""Stage `simulate`: a simulated organism and English, laid out as a user's data folder is."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.io import InputError, require_free, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.simulate.english import python_documentation
from dnahlm.tasks.simulate.genes import Biology
from dnahlm.tasks.simulate.genome import Chromosome, build_chromosome, repeat_families
from dnahlm.tasks.simulate.models import make_chains, make_codons, make_motifs
from dnahlm.tasks.simulate.oracle import judge
from dnahlm.tasks.simulate.readme import readme
from dnahlm.tasks.simulate.windows import ROWS, Places, Row
from dnahlm.tasks.simulate.write import (
    FILE_NAMES,
    MARK,
    Gene,
    chromosome_records,
    coding_sequence,
    genes_of,
    translate,
    write_fasta,
    write_gff3,
    write_rows,
)

# Genes per chromosome at scale 1; whole chromosomes are held out, so no row of one split touches another's.
CHROMOSOMES = {"chr1": ("train", 1400), "chr2": ("train", 1300), "chr3": ("train", 1300)}
CHROMOSOMES |= {"chr4": ("validation", 320), "chr5": ("test", 520)}
N_ROWS = {  # per split at scale 1
    "promoter": {"train": 8000, "validation": 600, "test": 1000},
    "splice_site": {"train": 12000, "validation": 800, "test": 1000},
    "coding": {"train": 10000, "validation": 600, "test": 1000},
    "tf_binding": {"train": 10000, "validation": 600, "test": 1000},
}
SCALES = (0.02, 20.0)  # below, a split has too few rows to mean anything; above, memory


@dataclass
class SimulateConfig:
    """What `dnahlm simulate` needs."""

    output: str = field(metadata={"help": "new folder for the simulated organism"})
    scale: float = field(default=1.0, metadata={"help": "size of genome and tables; 1 is about 6 million bases"})
    seed: int = field(
        default=0, metadata={"help": "same seed, same bytes (with the same versions of Python and NumPy)"}
    )
    overwrite: bool = field(default=False, metadata={"help": "replace an output that is already there"})


def run(config: SimulateConfig) -> dict[str, Any]:
    """Write genome, annotation, coding sequences, English, four labelled tables and a README; return the manifest.

    Raises:
        InputError: scale or seed out of range, output taken, or this Python has no documentation topics.
    """
    clock = StageClock()
    check(config)
    require_free(Path(config.output), config.overwrite)
    english = python_documentation()
    rng = np.random.default_rng(config.seed)
    biology = Biology(make_motifs(), make_chains(), make_codons())
    chromosomes = make_chromosomes(config.scale, rng, biology)
    tables = make_tables(config.scale, chromosomes, rng)
    oracle = {task: judge(task, splits["test"], biology) for task, splits in tables.items()}
    with staged_folder(config.output, config.overwrite) as folder:
        counts = write_organism(folder, chromosomes, english, tables)
        (folder / "oracle.json").write_text(json.dumps(oracle, indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(readme(config.seed, config.scale, counts, oracle), encoding="utf-8")
        manifest = write_manifest(folder, "simulate", config, clock, {}, counts, simulated=True, oracle=oracle)
    report(config.output, counts, oracle)
    return manifest


def check(config: SimulateConfig) -> None:
    """Refuse sizes that cannot be made.

    Raises:
        InputError: scale or seed out of range.
    """
    low, high = SCALES
    if not math.isfinite(config.scale) or not low <= config.scale <= high:
        raise InputError(
            f"scale: found {config.scale}; allowed is {low} to {high:g}. Below {low} the chromosomes are too small to "
            "place features for every split; 1 is the default organism."
        )
    if config.seed < 0:
        raise InputError(f"seed: found {config.seed}; must be 0 or more.")


def make_chromosomes(scale: float, rng: np.random.Generator, biology: Biology) -> list[Chromosome]:
    """All chromosomes, with the same repeat families throughout as one genome has."""
    families = repeat_families(rng, biology)
    return [
        build_chromosome(name, split, math.ceil(n_genes * scale), families, rng, biology)
        for name, (split, n_genes) in CHROMOSOMES.items()
    ]


def make_tables(
    scale: float, chromosomes: list[Chromosome], rng: np.random.Generator
) -> dict[str, dict[str, list[Row]]]:
    """Rows per task and split, shuffled; one split's rows come from its own chromosomes only."""
    tables: dict[str, dict[str, list[Row]]] = {}
    for task, sizes in N_ROWS.items():
        seen: set[str] = set()
        for split, n_rows in sizes.items():
            places = Places([c for c in chromosomes if c.split == split], rng, seen)
            rows = ROWS[task](places, round(n_rows * scale))
            tables.setdefault(task, {})[split] = [rows[i] for i in rng.permutation(len(rows))]
    return tables


def write_organism(
    folder: Path, chromosomes: list[Chromosome], english: list[str], tables: dict[str, dict[str, list[Row]]]
) -> dict[str, Any]:
    """Write everything but the README and return what was written, counted."""
    for name in ("genome", "coding", "english"):
        (folder / name).mkdir()
    write_fasta(folder / "genome/organism.fa", chromosome_records(chromosomes))
    genes = [gene for chromosome in chromosomes for gene in genes_of(chromosome)]
    write_gff3(folder / "genome/genes.gff3", genes, chromosomes)
    # Held-out genes have files of their own, so that a corpus made of cds.fa and proteins.fa never holds a test gene.
    write_coding(folder / "coding", "", [gene for gene in genes if gene.chromosome.split == "train"])
    write_coding(folder / "coding", "_held_out", [gene for gene in genes if gene.chromosome.split != "train"])
    (folder / "english/python_docs.txt").write_text("\n\n".join(english) + "\n", encoding="utf-8", newline="\n")
    for task, splits in tables.items():
        for split, rows in splits.items():
            write_rows(folder / "simulated" / task / f"{FILE_NAMES[split]}.csv", rows)
    return count(chromosomes, genes, english, tables)


def write_coding(folder: Path, suffix: str, genes: list[Gene]) -> None:
    """Coding sequences and their proteins under equal headers."""
    headers = [f"{gene.id} {MARK} chromosome={gene.chromosome.name} strand={gene.strand}" for gene in genes]
    sequences = [coding_sequence(gene) for gene in genes]
    write_fasta(folder / f"cds{suffix}.fa", zip(headers, sequences, strict=True))
    write_fasta(folder / f"proteins{suffix}.fa", zip(headers, map(translate, sequences), strict=True))


def count(
    chromosomes: list[Chromosome], genes: list[Gene], english: list[str], tables: dict[str, dict[str, list[Row]]]
) -> dict[str, Any]:
    """Numbers for the README and the manifest; bases, characters and rows per label."""
    return {
        "chromosomes": {
            c.name: {
                "split": c.split,
                "bases": len(c.codes),
                "genes": c.n_genes,
                "soft_masked": int(c.masked.sum()),
                "n": int((c.codes == 4).sum()),
            }
            for c in chromosomes
        },
        "bases": sum(len(c.codes) for c in chromosomes),
        "genes": len(genes),
        "introns": sum(len(gene.exons) - 1 for gene in genes),
        "english_paragraphs": len(english),
        "english_characters": sum(map(len, english)),
        "rows": {
            task: {split: np.bincount([row.label for row in rows]).tolist() for split, rows in splits.items()}
            for task, splits in tables.items()
        },
    }


def report(output: str, counts: dict[str, Any], oracle: dict[str, dict[str, float]]) -> None:
    """One printed line per fact."""
    print(f"simulated {counts['bases'] / 1e6:.2f} M bases, {counts['genes']:,} genes, {counts['introns']:,} introns")
    print(f"English: {counts['english_characters'] / 1e3:.0f} k characters of Python documentation")
    for task, splits in counts["rows"].items():
        sizes = ", ".join(f"{split} {sum(labels):,}" for split, labels in splits.items())
        print(f"simulated_{task}: rows {sizes}; oracle MCC {oracle[task]['mcc']:.3f}")
    print(f"wrote {output}")
