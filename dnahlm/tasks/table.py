"""A task's labelled table, read: checked rows per split, and counts of what was changed or dropped."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.dna import canonical
from dnahlm.io import InputError
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.kinds import has_classes
from dnahlm.tasks.rows import LabelledRow, Reading, read_row, task_named, windows
from dnahlm.tasks.sources import Origin, find_origins
from dnahlm.tasks.spec import TaskSpec

SHOWN = 5  # contradictions told in full


@dataclass
class TaskTable:
    """Rows of one task per split; `counts` says what the letters were and what was dropped."""

    spec: TaskSpec
    rows: dict[str, list[LabelledRow]]
    files: dict[str, Path]
    counts: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)  # the first few, in words
    splitting: dict[str, Any] = field(default_factory=dict)  # how groups of rows were parted, see `tasks.leaks.split`


def read_task_table(spec: TaskSpec, data_root: str | Path) -> TaskTable:
    """Read every split of a task; rows of train and validation that contradict or repeat each other are left out.

    A row's split is that of its file or, by `hold_out`, a share of the train rows. Contradictions (one sequence, two
    labels) go from train and validation, repetitions from train; test rows stay, and are counted.

    Raises:
        InputError: a file that cannot be read, a letter that is no nucleotide, a label the task does not declare, a row
            longer than the window where the task says `error`, a split left without rows or without one of the classes.
    """
    origins = find_origins(spec, data_root)
    files = {name: path for origin in origins for name, path in origin.files.items()}
    table = TaskTable(spec, {split: [] for split in SPLITS}, files)
    with task_named(spec):
        for origin in origins:
            if origin.split == "train" and spec.source.hold_out_by != "sequence":
                read_grouped(table, origin)
            else:
                read_origin(table, origin)
    clean(table)
    check_rows(table)
    return table


def read_origin(table: TaskTable, origin: Origin) -> None:
    """Read the rows of one origin; those of train go to their split one by one."""
    hold_out = table.spec.source.hold_out if origin.split == "train" else {}
    for number, row in enumerate(origin.rows(), 1):
        reading = read_row(table.spec, row, table.counts)
        split = held_out_split(reading.sequence, hold_out) if hold_out else origin.split
        add(table, split, number, reading, origin.source(row.where))


def read_grouped(table: TaskTable, origin: Origin) -> None:
    """Read the train rows, then part them so that no group (of a column, or of similar sequences) crosses splits."""
    from dnahlm.tasks.leaks.split import assign_splits

    source = table.spec.source
    by_column = source.hold_out_by != "similarity"
    readings, places, keys = [], [], []
    for row in origin.rows():
        readings.append(read_row(table.spec, row, table.counts))
        places.append(origin.source(row.where))
        if by_column:
            keys.append(row.values[source.hold_out_by])
    sequences = [reading.sequence for reading in readings]
    splits = assign_splits(
        keys if by_column else None, sequences, source.hold_out, source.hold_out_by, seed=0, facts=table.splitting
    )
    if table.splitting["note"]:
        print(f"{table.spec.id}: {table.splitting['note']}")
    for number, (split, reading, place) in enumerate(zip(splits, readings, places, strict=True), 1):
        add(table, split, number, reading, place)


def add(table: TaskTable, split: str, number: int, reading: Reading, source: str) -> None:
    """Put a row, or each of its sliding windows, into its split."""
    spec, name = table.spec, f"{table.spec.id}-{split}-{number}"
    label = sys.intern(reading.label)  # few different ones, many rows
    if spec.window.policy != "slide":
        table.rows[split].append(
            LabelledRow(name, reading.sequence, label, source, reading.second, reading.protein),
        )
        return
    for n, piece in enumerate(windows(reading.sequence, spec.window.bases, spec.window.overlap), 1):
        table.rows[split].append(LabelledRow(f"{name}-w{n}", piece, label, source))
        table.counts["windows_made"] += 1


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


def question_of(spec: TaskSpec) -> Callable[[LabelledRow], str]:
    """What makes two rows one question: the sequence, or both of a pair; strands count as one where the label does."""
    if spec.kind not in ("pair", "dna_protein_pair"):
        return (lambda row: canonical(row.sequence)) if spec.strand_symmetric else (lambda row: row.sequence)

    def pair(row: LabelledRow) -> str:
        forward = f"{row.sequence} {row.second}{row.protein}"
        if not spec.strand_symmetric:
            return forward
        back = row.reverse()
        return min(forward, f"{back.sequence} {back.second}{back.protein}")

    return pair


def clean(table: TaskTable) -> None:
    """Drop contradicting rows of train and validation and repeated rows of train; count all of them, in test too."""
    name = question_of(table.spec)
    for split, rows in table.rows.items():
        names = [name(row) for row in rows]
        first: dict[str, LabelledRow] = {}
        contradicting: set[str] = set()
        for question, row in zip(names, rows, strict=True):
            if (other := first.setdefault(question, row)).label != row.label:
                contradicting.add(question)
                if len(table.contradictions) < SHOWN:
                    table.contradictions.append(contradiction(table.spec, split, other, row))
        table.counts[f"contradicting_rows_{split}"] += sum(question in contradicting for question in names)
        table.counts[f"repeated_rows_{split}"] += len(rows) - len(first)
        if split != "test":
            table.rows[split] = list(kept(rows, names, contradicting, once=split == "train"))


def contradiction(spec: TaskSpec, split: str, one: LabelledRow, other: LabelledRow) -> str:
    """Two rows that are one question with two labels, and what becomes of them."""
    done = "test rows stay as published" if split == "test" else f"both leave {split}"
    labels = f"labels {one.label!r} and {other.label!r}"
    return f"{one.source} and {other.source}: task {spec.id}: the same question with {labels}; {done}"


def kept(
    rows: Iterable[LabelledRow], names: Iterable[str], contradicting: set[str], once: bool
) -> Iterable[LabelledRow]:
    """Rows whose question is not in `contradicting`; with `once`, only the first row of each question."""
    seen: set[str] = set()
    for row, question in zip(rows, names, strict=True):
        if question not in contradicting and not (once and question in seen):
            seen.add(question)
            yield row


def check_rows(table: TaskTable, after: str = "") -> None:
    """Raise `InputError` when a split has no rows, or lacks a declared class; `after` says after which step."""
    spec = table.spec
    for split in SPLITS:
        origin = table.files.get(split) or table.files.get("train") or spec.source.hub or spec.path
        if not table.rows[split]:
            raise InputError(
                f"{origin}: task {spec.id} has no {split} rows{after}. Give more rows, another file, or another share "
                f"under `hold_out:` in {spec.path}."
            )
        if not has_classes(spec):
            continue
        absent = sorted(set(spec.labels) - {row.label for row in table.rows[split]})
        if absent:
            why = "that answer cannot be learnt" if split == "train" else "scores would leave that class out"
            raise InputError(
                f"{origin}: task {spec.id} has no {split} rows with label {absent}{after}, so {why}. Add rows, or "
                f"remove the label from `labels:` in {spec.path}."
            )
