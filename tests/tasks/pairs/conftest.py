"""Small inputs and the tables built from them, read back without any code of the package."""

import csv
import itertools
import random
from types import SimpleNamespace

import pytest

from dnahlm.tasks.pairs.coding import CodingPairsConfig
from dnahlm.tasks.pairs.coding import run as run_coding
from dnahlm.tasks.pairs.dna import DnaPairsConfig
from dnahlm.tasks.pairs.dna import run as run_dna
from dnahlm.tasks.simulate.run import SimulateConfig
from dnahlm.tasks.simulate.run import run as run_simulate

SPLITS = ("train", "validation", "test")
ROWS = {"train_rows": 240, "validation_rows": 36, "test_rows": 60}
# The standard genetic code as NCBI prints it: codons in the order TTT, TTC, TTA, TTG, TCT, ...
AMINO = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODE = dict(zip(map("".join, itertools.product("TCAG", repeat=3)), AMINO, strict=True))


def dna(n, rng, letters="ACGT"):
    return "".join(rng.choices(letters, k=n))


def write_fasta(path, records):
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    return path


def read_rows(folder):
    return {split: list(csv.DictReader((folder / f"{split}.csv").open())) for split in SPLITS}


def reverse_complement(sequence):
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def translate(sequence):
    return "".join(CODE[sequence[i : i + 3]] for i in range(0, len(sequence) - 2, 3))


def six_frames(window):
    return [translate(strand[frame:]) for strand in (window, reverse_complement(window)) for frame in range(3)]


@pytest.fixture(scope="session")
def records():
    """Six records with lower case and N; the last one is a copy of the first with a change every 50 bases."""
    rng = random.Random(7)
    found = {f"r{n}": dna(9_000, rng) + dna(9_000, rng, "acgt") + "N" * 40 + dna(3_000, rng) for n in range(5)}
    copied = list(found["r0"].upper())
    for place in range(25, len(copied), 50):
        copied[place] = {"A": "C", "C": "A", "G": "T", "T": "G", "N": "N"}[copied[place]]
    return found | {"copy": "".join(copied)}


@pytest.fixture(scope="session")
def build_dna(tmp_path_factory):
    def build(records, **settings):
        root = tmp_path_factory.mktemp("dna")
        fasta = write_fasta(root / "genome.fa", records)
        config = DnaPairsConfig(fasta=[str(fasta)], output=str(root / "pairs"), **(ROWS | settings))
        manifest = run_dna(config)
        return SimpleNamespace(folder=root / "pairs", manifest=manifest, rows=read_rows(root / "pairs"))

    return build


@pytest.fixture(scope="session")
def dna_pairs(build_dna, records):
    return build_dna(records)


@pytest.fixture(scope="session")
def cds(tmp_path_factory):
    """The coding sequences of a small simulated organism: name -> bases, and their file."""
    root = tmp_path_factory.mktemp("organism")
    run_simulate(SimulateConfig(output=str(root / "organism"), scale=0.05, seed=3))
    path = root / "organism/coding/cds.fa"
    records = {}
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
            records[name] = ""
        else:
            records[name] += line
    return SimpleNamespace(path=path, records=records)


@pytest.fixture(scope="session")
def build_coding(tmp_path_factory):
    def build(*paths, **settings):
        folder = tmp_path_factory.mktemp("coding") / "pairs"
        config = CodingPairsConfig(input=[str(path) for path in paths], output=str(folder), **(ROWS | settings))
        manifest = run_coding(config)
        return SimpleNamespace(folder=folder, manifest=manifest, rows=read_rows(folder))

    return build


@pytest.fixture(scope="session")
def coding_pairs(build_coding, cds):
    return build_coding(cds.path)


@pytest.fixture(scope="session")
def biology():
    """Independent of the package: translation and strands."""
    return SimpleNamespace(
        translate=translate, six_frames=six_frames, reverse_complement=reverse_complement, code=CODE, dna=dna,
        write_fasta=write_fasta,
    )  # fmt: skip
