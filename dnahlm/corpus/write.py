"""Write the corpus: every piece to a scratch file first, then the chosen ones, in the order chosen, to parquet."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dnahlm.corpus.pieces import Piece
from dnahlm.corpus.select import KINDS
from dnahlm.dna import canonical

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SPLITS = ("train", "validation")
ROWS_PER_GROUP = 4096


@dataclass
class Scratch:
    """Where each piece starts in a file of JSON lines, and what the choice among them needs; 34 bytes a piece."""

    path: Path
    offsets: array = field(default_factory=lambda: array("q", [0]))  # bytes, (N + 1,)
    kinds: array = field(default_factory=lambda: array("b"))  # (N,) index into KINDS
    splits: array = field(default_factory=lambda: array("b"))  # (N,) index into SPLITS
    sizes: array = field(default_factory=lambda: array("q"))  # (N,) characters
    words: array = field(default_factory=lambda: array("i"))  # (N,) parted by blanks; of DNA 1
    digests: array = field(default_factory=lambda: array("Q"))  # (N,) of the text; of DNA, of either strand alike
    sources: array = field(default_factory=lambda: array("i"))  # (N,) index into `names`
    names: dict[str, int] = field(default_factory=dict)

    def repeated(self) -> np.ndarray:
        """(N,) bool: whether a piece is an exact copy of an earlier one (DNA: on either strand).

        Told by 64 bits of a hash: the chance that 10 million different pieces lose one wrongly is 1 in 370,000.
        """
        import numpy as np

        mask = np.ones(len(self.digests), bool)
        mask[np.unique(np.frombuffer(self.digests, np.uint64), return_index=True)[1]] = False
        return mask

    def count_by_source(self, mask: np.ndarray) -> dict[str, int]:
        """Pieces that `mask` (N,) names, per source."""
        import numpy as np

        counts = np.bincount(np.frombuffer(self.sources, np.int32)[mask], minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))


def write_scratch(path: Path, pieces: Iterator[Piece]) -> Scratch:
    """Write every piece once."""
    scratch = Scratch(path)
    with path.open("wb") as handle:
        for piece in pieces:
            same = canonical(piece.text) if piece.kind == "dna" else piece.text
            digest = hashlib.blake2b(same.encode(), digest_size=8).digest()
            n_bytes = handle.write(json.dumps(piece._asdict()).encode())
            scratch.offsets.append(scratch.offsets[-1] + n_bytes)
            scratch.kinds.append(KINDS.index(piece.kind))
            scratch.splits.append(SPLITS.index(piece.split))
            scratch.sizes.append(len(piece.text))
            scratch.words.append(len(piece.text.split()))
            scratch.digests.append(int.from_bytes(digest, "little"))
            scratch.sources.append(scratch.names.setdefault(piece.source, len(scratch.names)))
    return scratch


def write_parquet(folder: Path, scratch: Scratch, rows: np.ndarray) -> None:
    """Write the pieces `rows` of a scratch file, in that order, to `folder/part-00000.parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    with pq.ParquetWriter(folder / "part-00000.parquet", schema(), compression="zstd") as writer:
        if not len(rows):
            return  # a parquet file without rows
        with scratch.path.open("rb") as file:  # not mapped: what is mapped counts as this process' memory
            for first in range(0, len(rows), ROWS_PER_GROUP):
                group = [load(file, scratch.offsets, row) for row in rows[first : first + ROWS_PER_GROUP]]
                writer.write_table(pa.Table.from_pylist(group, schema=schema()))


def load(file: BinaryIO, offsets: array, row: int) -> dict[str, Any]:
    """One piece of a scratch file as a dictionary."""
    file.seek(offsets[row])
    piece = json.loads(file.read(offsets[row + 1] - offsets[row]))
    piece.pop("split")
    return piece


def schema() -> pa.Schema:
    """Columns of a corpus file."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("id", "kind", "text", "source")]
    return pa.schema([*texts, ("start", pa.int64()), ("end", pa.int64()), ("strand", pa.string())])
