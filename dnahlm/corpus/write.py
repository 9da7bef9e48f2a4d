"""Write a split of a corpus: the documents of the chosen rows, in their order, to parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.corpus.settings import KINDS
from dnahlm.corpus.store import Store, load

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 4096


def write_split(
    folder: Path, stores: Sequence[Store], rows: Iterator[np.void], available: dict[str, int]
) -> dict[str, dict[str, int]]:
    """Write the documents of rows, in their order, to `folder/part-00000.parquet` and count them per kind."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts = {kind: dict.fromkeys(("documents", "characters"), 0) for kind in KINDS}
    counts["text"]["words"] = 0
    firsts = np.array([store.first for store in stores])
    folder.mkdir()
    with ExitStack() as files, pq.ParquetWriter(folder / "part-00000.parquet", schema(), compression="zstd") as writer:
        # Not mapped: what is mapped counts as this process' memory.
        texts = [files.enter_context((store.folder / "texts.jsonl").open("rb")) for store in stores]
        while group := list(islice(rows, ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(load(texts, firsts, group), schema=schema()))
            for row in group:
                count = counts[KINDS[row["kind"]]]
                count["documents"] += 1
                count["characters"] += int(row["size"])
                if row["words"]:
                    count["words"] += int(row["words"])
    for kind, count in counts.items():
        count["characters_left_out_by_the_mix"] = available[kind] - count["characters"]
    return counts


def schema() -> pa.Schema:
    """Columns of a corpus file."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("id", "kind", "text", "source")]
    return pa.schema([*texts, ("start", pa.int64()), ("end", pa.int64()), ("strand", pa.string())])
