"""The one table of file formats whose records are labelled rows, and the one call that reads any of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.readers.classes import read_class_files
from dnahlm.readers.columnar import read_parquet
from dnahlm.readers.intervals import read_intervals
from dnahlm.readers.jsonl import read_jsonl
from dnahlm.readers.kmers import read_kmer_table
from dnahlm.readers.tables import Row, matching, read_table, shown

READERS: dict[str, Callable[..., Iterator[Row]]] = {
    "csv": partial(read_table, format="csv"),
    "tsv": partial(read_table, format="tsv"),
    "parquet": read_parquet,
    "jsonl": read_jsonl,
    "kmer_tsv": read_kmer_table,  # dna_columns=: which hold k-mers
    "fasta": lambda class_files, columns: read_class_files(class_files, **class_columns(columns)),
    "bed": read_intervals,  # genome=: where the bases are
}


def read_rows(
    format: str,
    path: str | Path | Mapping[str, str | Path],
    columns: Sequence[str],
    filter: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[Row]:
    """Yield the rows of a file of any format, with the values of `columns` as text.

    Args:
        format: a key of `READERS`.
        path: the file; for `fasta` label -> file, and then `columns` are the names to give the sequence and the label,
            in this order.
        columns: needed columns.
        filter: column -> value that a row must have to be yielded.
        options: what the reader takes beside them: `dna_columns` (kmer_tsv), `genome` (bed).

    Raises:
        InputError: unknown format, what the reader refuses, or no row that matches.
    """
    filter = filter or {}
    needed = list(dict.fromkeys([*columns, *filter]))
    if format not in READERS:
        raise InputError(f"table format {format!r} is not known. {did_you_mean(format, list(READERS))}")
    rows = READERS[format](path, needed, **options)
    yield from matching(rows, filter, columns, str(path)) if filter else rows


def class_columns(columns: Sequence[str]) -> dict[str, str]:
    """The two columns that FASTA files per class have, as `read_class_files` calls them.

    Raises:
        InputError: more or fewer than two.

    >>> class_columns(["sequence", "label"])
    {'sequence_column': 'sequence', 'label_column': 'label'}
    """
    if len(columns) != 2:
        raise InputError(
            f"class_files: columns {shown(columns)} are asked for; FASTA files per class have two, the sequence and "
            "the label (no others to filter or to hold out by). Write a table for more."
        )
    return {"sequence_column": columns[0], "label_column": columns[1]}
