"""A task's labelled table, read: checked rows per split, kept on disk, and counts of what was changed or dropped."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.config import line_of
from dnahlm.dna import canonical
from dnahlm.io import InputError
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.kinds import has_classes
from dnahlm.tasks.repeats import clean, question_of
from dnahlm.tasks.rows import Reading, read_row, task_named, windows
from dnahlm.tasks.sampling import by_label
from dnahlm.tasks.sources import Origin, find_origins
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.spool import Rows, Spool


@dataclass
class TaskTable:
    """Rows of one task per split; `counts` says what the letters were and what was dropped."""

    spec: TaskSpec
    rows: dict[str, Rows]
    files: dict[str, Path]
    counts: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, Rows] = field(default_factory=dict)  # split -> rows that repeat or contradict
    contradictions: dict[str, tuple[Rows, Rows]] = field(default_factory=dict)  # split -> rows, and their counterparts
    stamps: dict[Path, tuple[int, int] | None] = field(default_factory=dict)  # of the files, before they were read
    splitting: dict[str, Any] = field(default_factory=dict)  # how groups of rows were parted, see `tasks.leaks.split`


class Draft:
    """The rows of a task while it is read: in the spool, with the split and the question of each in memory."""

    def __init__(self, spec: TaskSpec, spool: Spool) -> None:
        self.spec, self.spool, self.first = spec, spool, len(spool)
        self.splits = bytearray()  # of each row, its place in SPLITS
        self.questions = bytearray()  # digests end to end
        self.question = question_of(spec)
        self.counts: Counter[str] = Counter()
        self.splitting: dict[str, Any] = {}

    def add(self, split: str, number: int, reading: Reading, source: str) -> int:
        """Put row `number` of a file, or each of its sliding windows, into a split; returns how many that gives."""
        window = self.spec.window
        pieces = [(str(number), reading)]
        if window.policy == "slide":
            cut = enumerate(windows(reading.sequence, window.bases, window.overlap), 1)
            pieces = [(f"{number}-w{n}", Reading(reading.label, piece)) for n, piece in cut]
            self.counts["windows_made"] += len(pieces)
        for name, piece in pieces:
            self.spool.add(name, piece, source)
            self.questions += self.question(piece)
            self.splits.append(SPLITS.index(split))
        return len(pieces)

    def table(self, files: dict[str, Path]) -> TaskTable:
        """The table, its rows of train and validation cleaned."""
        splits = np.frombuffer(self.splits, np.uint8)
        questions = np.frombuffer(self.questions, np.uint64).reshape(-1, 2)
        places = {split: np.flatnonzero(splits == n) for n, split in enumerate(SPLITS)}
        rows = {s: Rows(self.spool, self.first + at, f"{self.spec.id}-{s}-") for s, at in places.items()}
        table = TaskTable(self.spec, rows, files, self.counts, splitting=self.splitting)
        clean(table, {split: questions[at] for split, at in places.items()})
        return table


def read_task_table(spec: TaskSpec, data_root: str | Path, spool: Spool | None = None) -> TaskTable:
    """Read every split of a task; rows of train and validation that contradict or repeat each other are left out.

    A row's split is that of its file or, by `hold_out`, a share of the train rows. Contradictions (one sequence, two
    labels) go from train and validation, repetitions from train; test rows stay, and are counted.

    Args:
        spec: the task.
        data_root: what its files are relative to.
        spool: takes the rows; None is one of the table's own.

    Raises:
        InputError: a file that cannot be read, a letter that is no nucleotide, a label the task does not declare, a row
            longer than the window where the task says `error`, a split left without rows or without one of the classes.
    """
    origins = find_origins(spec, data_root)
    files = {name: path for origin in origins for name, path in origin.files.items()}
    stamps = {path: stamp(path) for path in files.values()}
    draft = Draft(spec, Spool() if spool is None else spool)
    with task_named(spec):
        for origin in origins:
            if origin.split == "train" and spec.source.hold_out_by != "sequence":
                read_grouped(draft, origin)
            else:
                read_origin(draft, origin)
    table = draft.table(files)
    table.stamps = stamps
    check_rows(table)
    return table


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file, None where there is none."""
    return (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else None


def require_unchanged(table: TaskTable) -> None:
    """Raise `InputError` when a file is no longer what the rows were read from: its hash would be of other rows."""
    for path, before in table.stamps.items():
        if stamp(path) != before:
            raise InputError(
                f"{path}: was changed while task {table.spec.id} ({table.spec.path}) was built from it. Run it again "
                "once nothing writes to the file."
            )


def read_origin(draft: Draft, origin: Origin) -> None:
    """Read the rows of one origin; those of train go to their split one by one."""
    hold_out = draft.spec.source.hold_out if origin.split == "train" else {}
    for number, row in enumerate(origin.rows(), 1):
        reading = read_row(draft.spec, row, draft.counts)
        split = held_out_split(reading.sequence, hold_out) if hold_out else origin.split
        draft.add(split, number, reading, origin.source(row.where))


def read_grouped(draft: Draft, origin: Origin) -> None:
    """Read the train rows, then part them so that no group (of a column, or of similar sequences) crosses splits.

    By a column, 8 bytes a row stay in memory, and the column's different values; by similarity, all sequences.
    """
    from dnahlm.tasks.leaks.split import assign_splits

    source, start = draft.spec.source, len(draft.splits)
    by_column = source.hold_out_by != "similarity"
    keys: list[str] = []  # values of the column, or sequences
    sizes = array("q")  # how many windows a row gave
    for number, row in enumerate(origin.rows(), 1):
        reading = read_row(draft.spec, row, draft.counts)
        keys.append(sys.intern(row.values[source.hold_out_by]) if by_column else reading.sequence)
        sizes.append(draft.add("train", number, reading, origin.source(row.where)))
    splits = assign_splits(
        keys if by_column else None, keys, source.hold_out, source.hold_out_by, seed=0, facts=draft.splitting
    )
    if draft.splitting["note"]:
        print(f"{draft.spec.id}: {draft.splitting['note']}")
    codes = np.fromiter(map(SPLITS.index, splits), np.uint8, len(splits))
    draft.splits[start:] = np.repeat(codes, sizes).tobytes()


def held_out_split(sequence: str, hold_out: dict[str, float]) -> str:
    """Split of a row of the train file: the same for both strands, on every machine and whatever other rows there are.

    >>> held_out_split("ACGG", {}), held_out_split("ACGG", {"test": 0.5}) == held_out_split("CCGT", {"test": 0.5})
    ('train', True)
    """
    digest = hashlib.sha256(canonical(sequence).encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64  # even over 0..1
    for split, share in sorted(hold_out.items()):
        if place < share:
            return split
        place -= share
    return "train"


def absent_labels(spec: TaskSpec, rows: Rows) -> list[str]:
    """The declared labels that no row has; none for kinds that answer with a number or a code."""
    if spec.kind == "multilabel":
        _, first = by_label(rows)
        present = {label for place in first for label in rows[place].label.split(spec.separator)}
        return [label for label in spec.labels if label not in present]
    if not has_classes(spec):
        return []
    hashes = set(np.unique(rows.labels).tolist())
    return sorted(label for label in spec.labels if hash(label) not in hashes)


def check_rows(table: TaskTable, after: str = "") -> None:
    """Raise `InputError` when a split has no rows, or lacks a declared class; `after` says after which step."""
    spec = table.spec
    for split in SPLITS:
        origin = table.files.get(split) or table.files.get("train") or spec.source.hub or spec.path
        share = ", another share under `hold_out:`" if split in spec.source.hold_out else ""
        if not table.rows[split]:
            raise InputError(
                f"{origin}: task {spec.id} has no {split} rows{after}. Give more rows, another file{share} "
                f"({spec.path}:{line_of(spec.path, 'source')})."
            )
        if absent := absent_labels(spec, table.rows[split]):
            why = "that answer cannot be learnt" if split == "train" else "scores would leave that class out"
            raise InputError(
                f"{origin}: task {spec.id} has no {split} rows with label {absent}{after}, so {why}. Add rows{share}, "
                f"or remove the label from `labels:` ({spec.path}:{line_of(spec.path, 'labels')})."
            )
