"""What a leak report says: which rows of a split give rows of another away, in which way, with examples by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnahlm.tasks.leaks.find import NEAR, Leak
from dnahlm.tasks.pool import Pool
from dnahlm.tasks.rows import LabelledRow

EXAMPLES = 5  # shown per kind of leak and pair of tasks


@dataclass
class Group:
    """The leaks of one kind from one split of a task into another."""

    givers: np.ndarray  # (N,) bool, which rows of the split give others away
    given: np.ndarray  # (M,) bool, which rows of the counterpart are given away
    examples: list[dict[str, Any]] = field(default_factory=list)  # the first `EXAMPLES`


def how_near(kind: str, similarity: float) -> dict[str, float]:
    """What an example of this kind says besides its rows."""
    return {"similarity": round(similarity, 3)} if kind == NEAR else {}


def entries(groups: dict[tuple[int, int, str], Group], rows: Pool, tested: Pool) -> list[dict[str, Any]]:
    """Groups of leaks as they are in the report, by the names of their tasks."""
    named = {(*rows.parts[one], *tested.parts[other], kind): group for (one, other, kind), group in groups.items()}
    return [entry(key, named[key]) for key in sorted(named)]


def entry(key: tuple[str, ...], group: Group) -> dict[str, Any]:
    """A group of leaks as it is in the report."""
    task, split, against_task, against_split, kind = key
    return {
        "task": task, "split": split, "against_task": against_task, "against_split": against_split, "kind": kind,
        "rows": int(group.givers.sum()), "against_rows": int(group.given.sum()), "examples": group.examples,
    }  # fmt: skip


def example(by: LabelledRow, against: LabelledRow, leak: Leak) -> dict[str, Any]:
    """One leak, with the file and line of both rows."""
    rows = {"id": by.id, "source": by.source, "against_id": against.id, "against_source": against.source}
    return rows | how_near(leak.kind, leak.similarity)


def leak_counts(report: dict[str, Any]) -> dict[str, int]:
    """Distinct entries of a report in one flat table, for the manifest: `task/split -> task/split: kind` -> rows."""
    counts: Counter[str] = Counter()
    for leak in report["leaks"] + report["proteins"]:
        counts[f"{leak['task']}/{leak['split']} -> {leak['against_task']}/{leak['against_split']}: {leak['kind']}"] = (
            leak["rows"]
        )
    for leak in report.get("corpus", []):
        counts[f"pretraining corpus -> {leak['task']}/{leak['split']}: {leak['kind']}"] = leak["rows"]
    return dict(counts)
