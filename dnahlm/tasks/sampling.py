"""Which rows of a task stay: caps, balance, few shots.

Each choice hangs on the seed and the row's id alone, so that a row stays when other tasks come or go.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from dnahlm.io import InputError
from dnahlm.tasks.kinds import has_classes
from dnahlm.tasks.rows import LabelledRow
from dnahlm.tasks.spec import TaskSpec


def by_label(rows: Sequence[LabelledRow]) -> dict[str, list[LabelledRow]]:
    """Rows of each label, labels in order of their first row."""
    groups: dict[str, list[LabelledRow]] = defaultdict(list)
    for row in rows:
        groups[row.label].append(row)
    return dict(groups)


def keep(rows: Sequence[LabelledRow], sizes: dict[str, int], seed: int) -> list[LabelledRow]:
    """`sizes[label]` rows of each label, by the rank of a hash of seed and id; the order is kept."""
    kept: set[str] = set()
    for label, group in by_label(rows).items():
        ranked = sorted(group, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())
        kept |= {row.id for row in ranked[: sizes[label]]}
    return [row for row in rows if row.id in kept]


def cap_rows(rows: Sequence[LabelledRow], most: int, seed: int) -> list[LabelledRow]:
    """At most `most` rows (0 = all), classes in the same shares as before and none lost; the order is kept.

    Which rows stay is a matter of the seed and of each row's id.
    """
    if not most or len(rows) <= most:
        return list(rows)
    sizes = {label: len(group) for label, group in by_label(rows).items()}
    if len(sizes) > most:  # numbers or codes as labels: shares of them mean nothing
        ranked = sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())
        kept = {row.id for row in ranked[:most]}
        return [row for row in rows if row.id in kept]
    return keep(rows, shares(sizes, most), seed)


def choose_train(
    spec: TaskSpec, rows: Sequence[LabelledRow], shots: int, balance: bool, most: int, seed: int
) -> list[LabelledRow]:
    """The train rows of a build: `shots` of each class, or as many of each as of the rarest, then at most `most`.

    Raises:
        InputError: shots or balance asked of a kind without classes, or more shots than a class has rows.
    """
    if (shots or balance) and not has_classes(spec):
        raise InputError(f"{spec.path}: task {spec.id} is of kind {spec.kind}; shots and balance need classes.")
    sizes = {label: len(group) for label, group in by_label(rows).items()}
    if shots and shots > min(sizes.values()):
        rarest = min(sizes, key=lambda label: sizes[label])
        raise InputError(
            f"{spec.path}: task {spec.id} has {sizes[rarest]:,} train rows with label {rarest!r}, fewer than "
            f"--shots {shots:,}. Ask for {sizes[rarest]:,} or fewer."
        )
    if shots or balance:
        n = shots or min(sizes.values())
        rows = keep(rows, dict.fromkeys(sizes, n), seed)
    return cap_rows(rows, most, seed)


def shares(sizes: dict[str, int], total: int) -> dict[str, int]:
    """Part `total` by the proportions of `sizes` (largest remainders first), at least 1 each where total allows.

    >>> shares({"a": 900, "b": 99, "c": 1}, 10)
    {'a': 8, 'b': 1, 'c': 1}
    """
    whole = sum(sizes.values())
    exact = {label: total * size / whole for label, size in sizes.items()}
    parts = {label: max(int(share), 1) for label, share in exact.items()}
    while (missing := total - sum(parts.values())) > 0:
        for label in sorted(exact, key=lambda label: parts[label] - exact[label])[:missing]:
            parts[label] += 1
    while sum(parts.values()) > total and max(parts.values()) > 1:
        parts[max(parts, key=lambda label: parts[label] - exact[label] if parts[label] > 1 else -total)] -= 1
    return parts
