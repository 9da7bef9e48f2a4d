"""Keep tests fair across all tasks of a build: what gives a test row away leaves training, and is counted by name."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from dnahlm.tasks.leakage import find_leaks
from dnahlm.tasks.rows import LabelledRow
from dnahlm.tasks.table import TaskTable

EXAMPLES = 5  # shown per kind of leak and pair of tasks


def remove_leaks(tables: Sequence[TaskTable]) -> dict[str, Any]:
    """Take out of train what leaks into validation or test of any task, and out of validation what leaks into test.

    The rows of the tables change; test rows never do.

    Returns:
        `removed_rows`: split -> task -> rows taken out; `leaks`: one entry per (split, task, counterpart, kind) with
        the number of rows and up to `EXAMPLES` of them. A row that leaks into several tasks is in several entries.
    """
    report: dict[str, Any] = {"removed_rows": {}, "leaks": []}
    # Validation first: what leaves it need not be kept out of train.
    for split, against in (("validation", ("test",)), ("train", ("validation", "test"))):
        named = [(table.spec.id, split, row) for table in tables for row in table.rows[split]]
        tested = [(table.spec.id, other, row) for other in against for table in tables for row in table.rows[other]]
        leaks = find_leaks(
            [row.sequence for _, _, row in named], [row.sequence for _, _, row in tested], f"leaks of {split} rows"
        )
        report["leaks"] += summarise([(named[leak.train_index], tested[leak.test_index], leak.kind) for leak in leaks])
        leaking = {named[leak.train_index][2].id for leak in leaks}
        report["removed_rows"][split] = removed = {}
        for table in tables:
            before = len(table.rows[split])
            table.rows[split] = [row for row in table.rows[split] if row.id not in leaking]
            removed[table.spec.id] = table.counts[f"leaking_rows_{split}"] = before - len(table.rows[split])
    return report


def summarise(
    found: list[tuple[tuple[str, str, LabelledRow], tuple[str, str, LabelledRow], str]],
) -> list[dict[str, Any]]:
    """One entry per (task, split, counterpart, its split, kind): distinct rows on either side, and examples."""
    groups: dict[tuple[str, ...], list[tuple[LabelledRow, LabelledRow]]] = defaultdict(list)
    for (task, split, row), (test_task, test_split, test_row), kind in found:
        groups[task, split, test_task, test_split, kind].append((row, test_row))
    entries = []
    for (task, split, test_task, test_split, kind), pairs in sorted(groups.items()):
        first: dict[str, tuple[LabelledRow, LabelledRow]] = {}
        for row, test_row in pairs:
            first.setdefault(row.id, (row, test_row))
        entries.append(
            {
                "task": task, "split": split, "against_task": test_task, "against_split": test_split, "kind": kind,
                "rows": len(first),
                "against_rows": len({test_row.id for _, test_row in pairs}),
                "examples": [
                    {"id": row.id, "source": row.source, "against_id": test_row.id, "against_source": test_row.source}
                    for row, test_row in list(first.values())[:EXAMPLES]
                ],
            }
        )  # fmt: skip
    return entries


def leak_counts(report: dict[str, Any]) -> dict[str, int]:
    """Distinct entries of a report in one flat table, for the manifest: `task/split -> task/split: kind` -> rows."""
    counts: Counter[str] = Counter()
    for leak in report["leaks"]:
        counts[f"{leak['task']}/{leak['split']} -> {leak['against_task']}/{leak['against_split']}: {leak['kind']}"] = (
            leak["rows"]
        )
    return dict(counts)
