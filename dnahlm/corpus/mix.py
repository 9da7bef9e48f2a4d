"""Join stores of documents into a corpus: without copies and near-duplicates, mixed as asked, in the order of the keys.

The order of the keys is a random one, and no store has a say in it: shards give what one reading of all files gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.corpus.buckets import Buckets, first_of_key
from dnahlm.corpus.near import BANDS
from dnahlm.corpus.select import budgets
from dnahlm.corpus.settings import KINDS, CorpusConfig
from dnahlm.corpus.store import ROW, SPLITS, TRAIN, Store, chunks, source_of
from dnahlm.corpus.write import write_split
from dnahlm.io import InputError

_BAND_ROW = np.dtype([("key", "<u8"), ("rank", "<u8"), ("number", "<u4")])


@dataclass
class Found:
    """What there is to choose from, and what was left out of it."""

    n_sources: int
    available: np.ndarray = field(default_factory=lambda: np.zeros((len(SPLITS), len(KINDS)), np.int64))  # characters
    largest: np.ndarray = field(default_factory=lambda: np.zeros((len(SPLITS), len(KINDS)), np.int64))  # characters
    lost: dict[str, np.ndarray] = field(default_factory=dict)  # what is counted -> (n_sources,)

    def count(self, rows: np.ndarray) -> None:
        """Add rows to choose from."""
        places = split_of(rows) * len(KINDS) + rows["kind"]
        np.add.at(self.available.reshape(-1), places, rows["size"])
        np.maximum.at(self.largest.reshape(-1), places, rows["size"])

    def lose(self, name: str, rows: np.ndarray) -> None:
        """Count rows left out, per source: documents and characters."""
        sources = source_of(rows["rank"])
        for key, weights in ((f"{name}_documents", None), (f"{name}_characters", rows["size"])):
            added = np.bincount(sources, weights, self.n_sources).astype(np.int64)
            self.lost[key] = self.lost.get(key, 0) + added


def split_of(rows: np.ndarray) -> np.ndarray:
    """(N,) int64: the index into `SPLITS` of each row."""
    return (rows["rank"] >= TRAIN).astype(np.int64)


def mix(stores: Sequence[Store], part: Path, config: CorpusConfig, n_sources: int) -> tuple[dict[str, Any], Found]:
    """Write both splits of a corpus to `part`; documents and characters per split and kind come back.

    Raises:
        InputError: no document is left for train.
    """
    scratch = part / "scratch"
    scratch.mkdir()
    found = Found(n_sources)
    copies = near_copies(stores, scratch) if config.near_duplicates else None
    kept = without_copies(stores, scratch, copies, found)
    counts: dict[str, Any] = {}
    keep_train = budgets(per_kind(found.available[1]), config.dna_share, config.protein_share, config.max_characters)
    for split in ("train", "validation"):
        code = SPLITS.index(split)
        available = per_kind(found.available[code])
        keep = keep_train
        if split == "validation":  # thinned as train was: the same mix; of a kind that train has, a document at least
            largest, train = per_kind(found.largest[code]), per_kind(found.available[1])
            shares = {kind: keep_train[kind] / (train[kind] or 1) if train[kind] else 1.0 for kind in KINDS}
            keep = {k: max(round(available[k] * share), bool(share) * largest[k]) for k, share in shares.items()}
        counts[split] = write_split(part / split, stores, chosen(kept, code, keep), available)
        if split == "train" and not sum(count["documents"] for count in counts[split].values()):
            copied = sum(int(lost.sum()) for name, lost in found.lost.items() if name.endswith("_characters"))
            raise InputError(
                f"corpus build: no document is left for train (characters available: {available}, to keep: {keep}; "
                f"{copied:,} were of copies or near-duplicates, of which the one in validation stays). "
                "Give more input, a smaller min_piece or a larger max_characters."
            )
    kept.unlink()
    scratch.rmdir()
    return {split: counts[split] for split in ("train", "validation")}, found


def per_kind(numbers: np.ndarray) -> dict[str, int]:
    """(K,) numbers by the names of the kinds."""
    return dict(zip(KINDS, numbers.tolist(), strict=True))


def near_copies(stores: Sequence[Store], scratch: Path) -> np.ndarray:
    """(N,) bool: the documents that are near-duplicates of one with a smaller rank; exact copies are among them.

    Of documents that are linked, also over several steps, the one of the smallest rank stays. One byte a document is
    held in memory, all else is sorted on disk.
    """
    copies = np.zeros(sum(store.n_documents for store in stores), bool)
    for band in range(BANDS):
        with Buckets(scratch / f"band_{band}", _BAND_ROW, len(copies)) as buckets:
            for store in stores:
                for rows, bands in zip(store.rows(), store.bands(), strict=True):
                    told = bands[:, band] != 0
                    found = np.empty(int(told.sum()), _BAND_ROW)
                    found["key"], found["rank"] = bands[told, band], rows["rank"][told]
                    found["number"] = rows["number"][told]
                    buckets.add(found)
            for found in buckets.read():
                copies[found["number"][~first_of_key(found)]] = True
    return copies


def without_copies(stores: Sequence[Store], scratch: Path, copies: np.ndarray | None, found: Found) -> Path:
    """Write the rows to choose from to a file, in the order of their keys, and count them and the others."""
    path = scratch / "kept.bin"
    with Buckets(scratch / "keys", ROW, sum(store.n_documents for store in stores)) as buckets, path.open("wb") as file:
        for store in stores:
            for rows in store.rows():
                buckets.add(rows)
        for rows in buckets.read():
            first = first_of_key(rows)
            found.lose("duplicate", rows[~first])
            rows = rows[first]
            near = np.zeros(len(rows), bool) if copies is None else copies[rows["number"]]
            found.lose("near_duplicate", rows[near])
            rows = rows[~near]
            found.count(rows)
            file.write(rows.tobytes())
    return path


def chosen(kept: Path, split: int, keep: dict[str, int]) -> Iterator[np.void]:
    """Yield the rows of a split in order, of each kind the first ones that together stay within `keep` characters."""
    taken = np.zeros(len(KINDS), np.int64)
    for rows in chunks(kept, ROW):
        rows = rows[split_of(rows) == split]
        good = np.zeros(len(rows), bool)
        for code, kind in enumerate(KINDS):
            total = taken[code] + np.cumsum(np.where(rows["kind"] == code, rows["size"], 0), dtype=np.int64)
            good |= (rows["kind"] == code) & (total <= keep[kind])
            taken[code] = total[-1] if len(total) else taken[code]
        yield from rows[good]
