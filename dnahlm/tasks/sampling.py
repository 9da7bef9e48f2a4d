"""Which rows of a task stay: caps, balance, few shots, shares of a mixture.

Each choice hangs on the seed and the row's id alone, so that a row stays when other tasks come or go.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.io import InputError
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.kinds import has_classes
from dnahlm.tasks.mixture import Mixture
from dnahlm.tasks.shares import rows_by_share
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.spool import Rows

if TYPE_CHECKING:
    from dnahlm.tasks.instructions import InstructionsConfig
    from dnahlm.tasks.table import TaskTable


def by_label(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Number of each row's label (N,), labels numbered in order of their first row, and the places of those rows."""
    _, first, inverse = np.unique(rows.labels, return_index=True, return_inverse=True)
    order = np.argsort(first)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.arange(len(order))
    return numbers[inverse], first[order]


def lots(rows: Rows, seed: int) -> np.ndarray:
    """The number that each row draws (N,) uint64, from a hash of seed and id."""
    drawn = (int.from_bytes(sha256(f"{seed}:{row.id}".encode()).digest()[:8], "big") for row in rows)
    return np.fromiter(drawn, np.uint64, len(rows))


def keep(rows: Rows, labels: np.ndarray, sizes: np.ndarray, seed: int) -> Rows:
    """Of the rows with label n, the `sizes[n]` with the lowest lots; the order is kept."""
    order = np.lexsort((lots(rows, seed), labels))
    counts = np.bincount(labels, minlength=len(sizes))
    within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows.only(np.sort(order[within < np.repeat(sizes, counts)]))


def cap_rows(rows: Rows, most: int, seed: int) -> Rows:
    """At most `most` rows (0 = all), classes in the same shares as before and none lost; the order is kept.

    Which rows stay is a matter of the seed and of each row's id.
    """
    if not most or len(rows) <= most:
        return rows
    labels, first = by_label(rows)
    if len(first) > most:  # numbers or codes as labels: shares of them mean nothing
        return keep(rows, np.zeros_like(labels), np.array([most]), seed)
    sizes = rows_by_share(dict(enumerate(np.bincount(labels).tolist())), most)
    return keep(rows, labels, np.array(list(sizes.values())), seed)


def choose_train(spec: TaskSpec, rows: Rows, shots: int, balance: bool, most: int, seed: int) -> Rows:
    """The train rows of a build: `shots` of each class, or as many of each as of the rarest, then at most `most`.

    Raises:
        InputError: shots or balance asked of a kind without classes, or more shots than a class has rows.
    """
    if not (shots or balance):
        return cap_rows(rows, most, seed)
    if not has_classes(spec):
        raise InputError(f"{spec.path}: task {spec.id} is of kind {spec.kind}; shots and balance need classes.")
    labels, first = by_label(rows)
    sizes = np.bincount(labels)
    rarest = int(sizes.argmin())
    if shots > sizes[rarest]:
        raise InputError(
            f"{spec.path}: task {spec.id} has {sizes[rarest]:,} train rows with label {rows[first[rarest]].label!r}, "
            f"fewer than --shots {shots:,}. Ask for {sizes[rarest]:,} or fewer."
        )
    return cap_rows(keep(rows, labels, np.full(len(sizes), shots or sizes[rarest]), seed), most, seed)


def choose_rows(tables: Sequence[TaskTable], mixture: Mixture | None, config: InstructionsConfig) -> None:
    """Leave in the tables the rows that are written; what balance, shots, caps and mixture leave out is counted."""
    before = [{split: len(rows) for split, rows in table.rows.items()} for table in tables]
    caps = [config.max_train_rows] * len(tables)
    if mixture:
        own = [part.max_train_rows for part in mixture.tasks.values()]
        caps = [min(filter(None, (cap, mine)), default=0) for cap, mine in zip(caps, own, strict=True)]
    for table, cap in zip(tables, caps, strict=True):
        train = choose_train(table.spec, table.rows["train"], config.shots, config.balance, cap, config.seed)
        table.rows["train"] = train
        for split in SPLITS[1:]:
            table.rows[split] = cap_rows(table.rows[split], getattr(config, f"max_{split}_rows"), config.seed)
    if mixture:
        available = {table.spec.id: len(table.rows["train"]) for table in tables}
        weights = dict(zip(available, (part.weight for part in mixture.tasks.values()), strict=True))
        sizes = rows_by_share(available, mixture.train_rows, weights, mixture.temperature)
        for table in tables:
            table.rows["train"] = cap_rows(table.rows["train"], sizes[table.spec.id], config.seed)
    for table, sizes_before in zip(tables, before, strict=True):
        for split, n in sizes_before.items():
            if left_out := n - len(table.rows[split]):
                table.counts[f"rows_left_out_{split}"] = left_out
