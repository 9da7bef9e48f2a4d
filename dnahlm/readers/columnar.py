"""Parquet files, and any other Arrow batches, as a stream of rows whose values are text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dnahlm.io import InputError, require_file
from dnahlm.readers.tables import Row, check_values, require_columns

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 8192  # a batch of genes of 100,000 bases would still be under 1 GB


def read_parquet(path: str | Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a Parquet file; `where` is `path:row N`, counted from 1.

    Numbers and truth values become the text that a CSV file would hold: 0, 2.5, true; a float that is whole has no
    `.0` (pandas writes whole numbers with a gap among them as floats). Blanks around text are dropped.

    Args:
        path: one Parquet file, with any compression of its own.
        columns: needed columns; only these are read, and none of their values may be null, NaN or empty.

    Raises:
        InputError: missing, empty or damaged; missing column; no rows; a column of lists or other nested or dated
            values; a null, empty or several-line value, with its row.
    """
    import pyarrow as pa

    path = require_file(path, "Parquet file")
    if path.suffix == ".gz":
        raise InputError(f"{path}: Parquet is compressed inside; unzip it (`gunzip {path.name}`).")
    try:
        with open_parquet(path) as file:
            require_columns(str(path), file.schema_arrow.names, columns, "Correct `columns:` or rename it.")
            if not file.metadata.num_rows:
                raise InputError(f"{path}: has columns and no rows. Was its export cut short?")
            batches = file.iter_batches(BATCH_ROWS, columns=list(columns))
            yield from rows_of_batches(batches, columns, f"{path}:row ")
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path}: not a whole Parquet file ({str(error)[:200]}). Fetch or export it again, or say its true format."
        ) from error


def open_parquet(path: Path) -> pq.ParquetFile:
    """A Parquet file to be read in batches: its own default keeps every compressed byte it has read in memory.

    Raises:
        pyarrow.ArrowInvalid, OSError: damaged, or not Parquet.
    """
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, pre_buffer=False)


def rows_of_batches(batches: Iterable[pa.RecordBatch], columns: Sequence[str], where: str) -> Iterator[Row]:
    """Yield the rows of Arrow batches, each `where` followed by its number from 1.

    Raises:
        InputError: as `read_parquet`, for what is in a column.
    """
    number = 0
    for batch in batches:
        texts = [as_text(batch.column(name), f"{where.removesuffix('row ')} column {name!r}") for name in columns]
        for row in zip(*texts, strict=True):
            number += 1
            values = {name: (value or "").strip() for name, value in zip(columns, row, strict=True)}
            check_values(f"{where}{number}", values)
            yield Row(values, f"{where}{number}")


def as_text(column: pa.Array, where: str) -> list[str | None]:
    """The values of a column as text; None for null and NaN.

    Raises:
        InputError: a type that has no one obvious text.

    >>> import pyarrow as pa
    >>> as_text(pa.array([1.0, 2.5, float("nan")]), ""), as_text(pa.array([True, None]), "")
    (['1', '2.5', None], ['true', None])
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    plain = (types.is_string, types.is_large_string, types.is_string_view, types.is_integer, types.is_floating,
             types.is_boolean, types.is_decimal, types.is_null)  # fmt: skip
    if not any(test(kind) for test in plain):
        raise InputError(
            f"{where}: holds values of type {kind}; allowed: text, numbers, true or false. "
            "Write them as one text a row, or name another column."
        )
    if types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.cast(column, pa.large_string()).to_pylist()
