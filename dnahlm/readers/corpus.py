"""A built corpus (`corpus/{train,validation}/*.parquet`) as batches of rows; the tokenizer and the packer read it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dnahlm.io import InputError
from dnahlm.readers.columnar import open_parquet

BATCH_ROWS = 1024


def corpus_files(folder: str | Path, split: str) -> list[Path]:
    """The parquet files of one split, in order.

    Raises:
        InputError: the corpus has no such split.
    """
    files = sorted((Path(folder) / split).glob("*.parquet"))
    if not files:
        raise InputError(f"{Path(folder) / split}: holds no parquet file. Run `dnahlm corpus build` again.")
    return files


def count_rows(folder: str | Path, split: str) -> int:
    """Documents in one split, read from the files' footers.

    Raises:
        InputError: the corpus has no such split, or a file is damaged.
    """
    import pyarrow.parquet as pq

    rows = 0
    for path in corpus_files(folder, split):
        with whole_parquet(path):
            rows += pq.ParquetFile(path).metadata.num_rows
    return rows


def read_corpus(folder: str | Path, split: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield batches of (kinds, texts), at most `BATCH_ROWS` long each; a kind is `dna`, `text` or
    `protein`.

    Raises:
        InputError: the corpus has no such split, or a file is damaged.
    """
    for path in corpus_files(folder, split):
        with whole_parquet(path), open_parquet(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=["kind", "text"]):
                yield batch.column("kind").to_pylist(), batch.column("text").to_pylist()


@contextlib.contextmanager
def whole_parquet(path: Path) -> Iterator[None]:
    """Say in words that a file of the corpus is damaged."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a whole parquet file ({error}). Run `dnahlm corpus build` again.") from error
