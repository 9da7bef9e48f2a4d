"""DNABERT's table format: TSV whose sequence column holds overlapping k-mers joined by blanks; read back as bases.

`ACG CGT GTA` (k = 3) is `ACGTA`: each k-mer starts one base after the one before.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dnahlm.io import InputError
from dnahlm.readers.tables import Row, read_table, require_columns


def read_kmer_table(
    path: str | Path, columns: Sequence[str], dna_columns: Sequence[str] = ("sequence",)
) -> Iterator[Row]:
    """Yield the rows of a k-mer TSV file, with the k-mers of `dna_columns` joined to the sequence they came from.

    Args:
        path: as for `dnahlm.readers.tables.read_table`, tab-separated whatever its extension.
        columns: needed columns.
        dna_columns: those of `columns` that hold k-mers. k, in bases, is the length of the file's first k-mer.

    Raises:
        InputError: as `read_table`; a k-mer of another length, or one that does not overlap its neighbour, with line.
    """
    require_columns(f"{path}: dna_columns", columns, dna_columns, "Say which of the columns asked for hold k-mers.")
    k = 0
    for row in read_table(path, columns, format="tsv"):
        joined = {}
        for name in dna_columns:
            kmers = row.values[name].split()
            k = k or len(kmers[0])
            joined[name] = join_kmers(kmers, k, f"{row.where}: column {name!r}")
        yield Row({**row.values, **joined}, row.where)


def join_kmers(kmers: Sequence[str], k: int, where: str) -> str:
    """The sequence whose overlapping k-mers these are.

    Raises:
        InputError: a k-mer that is not `k` letters long, or does not start with the last k - 1 of the one before.

    >>> join_kmers(["ACG", "CGT", "GTA"], 3, "x.tsv:2")
    'ACGTA'
    """
    sequence = kmers[0] + "".join(kmer[-1] for kmer in kmers[1:])
    for i, kmer in enumerate(kmers):
        if kmer != sequence[i : i + k] or len(kmer) != k:
            raise InputError(f"{where}: {misfit(kmers, k)} A row holds every k-mer of its sequence, one base apart.")
    return sequence


def misfit(kmers: Sequence[str], k: int) -> str:
    """What is wrong with the first k-mer that does not fit."""
    for i, kmer in enumerate(kmers):
        if len(kmer) != k:
            return f"k-mer {i + 1} is {kmer[:40]!r}, {len(kmer)} letters, where the file's first has {k}."
        if i and kmer[:-1] != kmers[i - 1][1:]:
            return f"k-mer {i + 1}, {kmer[:40]!r}, does not overlap the one before, {kmers[i - 1][:40]!r}, by {k - 1}."
    return "the k-mers do not overlap."
