"""Documents on disk before they are chosen: their text, and 45 bytes each of what the choice needs, in files.

Nothing of it stays in memory, so that a corpus may be larger than that.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dnahlm.corpus.near import BANDS, bands_of
from dnahlm.corpus.pieces import Piece
from dnahlm.corpus.settings import KINDS
from dnahlm.corpus.validation import held_out_records, order_of, record_to_part

SPLITS = ("validation", "train")  # a rank begins with it: of copies, the one that is held out stays
BATCH = 512  # documents whose words are looked at together
CHUNK = 1 << 14  # rows read at a time
FILES = ("texts.jsonl", "rows.bin", "bands.bin")
ROW = np.dtype([
    ("key", "<u8"),  # see `Piece`
    ("rank", "<u8"),  # split (1 bit), number of the source (23 bits), number of the document in it (40 bits)
    ("offset", "<u8"),  # in the file of texts
    ("bytes", "<u4"), ("size", "<u4"), ("words", "<u4"),  # size: characters; words: of English
    ("kind", "u1"),  # index into KINDS
    ("number", "<u4"),  # among all documents that are joined
])  # fmt: skip
TRAIN = np.uint64(1) << np.uint64(63)


def source_of(ranks: np.ndarray) -> np.ndarray:
    """(N,) int64: the number of the source of each rank."""
    return (ranks >> np.uint64(40) & np.uint64((1 << 23) - 1)).astype(np.int64)


class StoreWriter:
    """Writes the documents of one source after another to a folder."""

    def __init__(self, folder: Path, near: bool) -> None:
        self.folder, self.near = folder, near
        self.files = ExitStack()  # on a full disk one may refuse to close; the others are closed all the same
        self.texts, self.rows, self.bands = (self.files.enter_context((folder / n).open("w+b")) for n in FILES)
        self.offset = 0  # bytes of text written
        self.n_documents = 0

    def close(self) -> None:
        """Finish the files."""
        self.files.close()

    def add(self, pieces: Iterator[Piece], source: int, seed: int, share: float, smallest: int) -> int:
        """Write the documents of a source, hold about `share` of it out, and return how many records are so whole.

        Args:
            pieces: record after record.
            source: its number.
            seed: draws the records.
            share: of the characters.
            smallest: bases; the least to hold out of the end of a record.
        """
        n_pieces, sizes, orders = array("I"), array("q"), array("Q")  # of records; no list, for there may be millions
        start, kind, record, total = self.rows.tell(), "text", None, 0
        while batch := list(islice(pieces, BATCH)):
            kind = batch[0].kind
            for piece in batch:
                if piece.record != record:
                    record = piece.record
                    n_pieces.append(0)
                    sizes.append(0)
                    orders.append(order_of(record, seed))
                n_pieces[-1] += 1
                sizes[-1] += len(piece.text)
            self.rows.write(self.write_texts(batch, (source << 40) + total).tobytes())
            if self.near:
                kinds, texts = zip(*((piece.kind, piece.text) for piece in batch), strict=True)
                self.bands.write(bands_of(kinds, texts).tobytes())
            total += len(batch)
        counts, sizes, orders = (np.array(column) for column in (n_pieces, sizes, orders))
        chosen = held_out_records(kind, sizes, orders, share)
        n_train = np.where(chosen, 0, counts)  # the first documents of each record
        taken, target = int(sizes[chosen].sum()), share * int(sizes.sum())
        if kind == "dna" and taken < target / 2:
            part = max(round(target - taken), smallest)
            if (parted := record_to_part(sizes, orders, chosen | (counts < 2), part)) is not None:
                first = start + int(counts[:parted].sum()) * ROW.itemsize
                bases = self.read(first, int(counts[parted]))["size"].astype(np.int64)
                from_the_end = np.cumsum(bases[::-1])
                n_train[parted] = max(len(bases) - 1 - int(np.searchsorted(from_the_end, part)), 1)
        self.mark_train(start, total, counts, n_train)
        self.n_documents += total
        return int(chosen.sum())

    def write_texts(self, batch: list[Piece], rank: int) -> np.ndarray:
        """Write the texts of a batch; its rows come back, the first with this rank."""
        rows = []
        for number, piece in enumerate(batch, rank):
            fields = dict(zip(Piece._fields[:7], piece[:7], strict=True))
            n_bytes = self.texts.write(json.dumps(fields).encode())
            n_words = len(piece.text.split()) if piece.kind == "text" else 0
            kind = KINDS.index(piece.kind)
            rows.append((piece.key, number, self.offset, n_bytes, len(piece.text), n_words, kind, 0))
            self.offset += n_bytes
        return np.array(rows, ROW)

    def read(self, offset: int, count: int) -> np.ndarray:
        """`count` rows from a place of their file on."""
        self.rows.seek(offset)
        rows = np.frombuffer(self.rows.read(count * ROW.itemsize), ROW)
        self.rows.seek(0, 2)
        return rows

    def mark_train(self, start: int, total: int, counts: np.ndarray, n_train: np.ndarray) -> None:
        """Mark the first `n_train` (R,) of the `counts` (R,) documents of each record as train."""
        first = np.cumsum(counts, dtype=np.int64) - counts  # document of the source that begins each record
        for done in range(0, total, CHUNK):
            size = min(CHUNK, total - done)
            rows = self.read(start + done * ROW.itemsize, size).copy()
            numbers = np.arange(done, done + size)
            record = np.searchsorted(first, numbers, side="right") - 1
            rows["rank"][numbers - first[record] < n_train[record]] |= TRAIN
            self.rows.seek(start + done * ROW.itemsize)
            self.rows.write(rows.tobytes())
        self.rows.seek(0, 2)


class Store:
    """The documents that a `StoreWriter` left in a folder; the first has the number `first`."""

    def __init__(self, folder: Path, first: int) -> None:
        self.folder, self.first = folder, first
        self.n_documents = (folder / "rows.bin").stat().st_size // ROW.itemsize

    def rows(self) -> Iterator[np.ndarray]:
        """Yield all rows, numbered, in chunks."""
        number = self.first
        for rows in chunks(self.folder / "rows.bin", ROW):
            rows["number"] = np.arange(number, number + len(rows))
            number += len(rows)
            yield rows

    def bands(self) -> Iterator[np.ndarray]:
        """Yield (N, BANDS) uint64 for each chunk of rows."""
        yield from chunks(self.folder / "bands.bin", np.dtype(("<u8", BANDS)))


def chunks(path: Path, dtype: np.dtype) -> Iterator[np.ndarray]:
    """Yield what a file holds, `CHUNK` rows at a time."""
    with path.open("rb") as file:
        while data := file.read(CHUNK * dtype.itemsize):
            yield np.frombuffer(bytearray(data), dtype)


def load(texts: list[BinaryIO], firsts: np.ndarray, rows: Iterable[np.void]) -> list[dict[str, str | int]]:
    """The documents of rows.

    Args:
        texts: the open file of texts of each store.
        firsts: (S,) number of the first document of each store.
        rows: of any of them.
    """
    found = []
    for row in rows:
        file = texts[int(np.searchsorted(firsts, row["number"], side="right")) - 1]
        file.seek(int(row["offset"]))
        found.append(json.loads(file.read(int(row["bytes"]))))
    return found
