"""Keep tests fair across all tasks of a build: what gives a test row away leaves training, and is counted by name."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.tasks.leaks.corpus import find_in_corpus
from dnahlm.tasks.leaks.find import NEAR, Leak, each_leak
from dnahlm.tasks.pool import Pool
from dnahlm.tasks.rows import LabelledRow
from dnahlm.tasks.table import TaskTable

AT_ONCE = 100_000  # rows searched together: the search needs several times their own memory
TESTED_AT_ONCE = 50_000  # rows they are searched against: their words are indexed, some kB a row
EXAMPLES = 5  # shown per kind of leak and pair of tasks


@dataclass
class Group:
    """The leaks of one kind from one split of a task into another."""

    rows: int = 0  # that give others away
    against: set[int] = field(default_factory=set)  # those given away, as numbers in their pool
    examples: list[dict[str, Any]] = field(default_factory=list)  # the first `EXAMPLES`


def remove_leaks(tables: Sequence[TaskTable], near: bool = True, corpus: str | Path | None = None) -> dict[str, Any]:
    """Take out of train what leaks into validation or test of any task, and out of validation what leaks into test.

    The rows of the tables change; test rows stay. A test row that a train row of any task gives away (before the
    removal), or that occurs in the pretraining corpus, has `clean` set to False; the corpus is only counted.

    Args:
        tables: all tasks of the build.
        near: near-duplicates are leaks too (`dnahlm.tasks.leaks.near` says how near).
        corpus: folder that `dnahlm corpus build` wrote and the model was pretrained on; its train split is looked at.

    Returns:
        `removed_rows`: split -> task -> rows taken out;
        `leaks`: one entry per (split, task, counterpart, kind) with the number of rows and up to `EXAMPLES` of them (a
        row that leaks into several tasks is in several entries);
        `corpus`: what occurs in the pretraining corpus, by task and kind, empty without one;
        `test_rows`: task -> rows, how many of them are given away and how many are clean;
        `search`: searched split or `corpus` -> what the search for near-duplicates could not look at in full.

    Raises:
        InputError: the corpus has no train split, or a damaged file.
    """
    search: dict[str, Counter[str]] = defaultdict(Counter)
    report: dict[str, Any] = {"removed_rows": {}, "leaks": [], "corpus": []}
    tests = Pool(tables, ["test"])
    given_away = {name: np.zeros(len(tests), bool) for name in ("by_train", "in_corpus")}
    if corpus is not None:
        report["corpus"] = corpus_report(tests, corpus, near, search["corpus"], given_away["in_corpus"])
    # Validation first: what leaves it need not be kept out of train.
    for split, against in (("validation", ["test"]), ("train", ["validation", "test"])):
        rows, tested = Pool(tables, [split]), Pool(tables, against)
        groups, leaking = leaking_groups(rows, tested, near, search[split])
        report["leaks"] += [entry(key, groups[key]) for key in sorted(groups)]
        report["removed_rows"][split] = take_out(tables, split, leaking)
        if split == "train":
            found = np.zeros(len(tested), bool)
            found[[row for group in groups.values() for row in group.against]] = True
            given_away["by_train"] = found[len(tested) - len(tests) :]  # the tests come last
    report["test_rows"] = mark_clean(tables, tests, given_away)
    report["search"] = {name: dict(counts) for name, counts in search.items() if counts}
    return report


def leaking_groups(
    rows: Pool, tested: Pool, near: bool, counts: Counter[str]
) -> tuple[dict[tuple[str, ...], Group], np.ndarray]:
    """(task, split, counterpart, its split, kind) -> its leaks; and which rows (N,) give others away."""
    groups: dict[tuple[int, int, str], Group] = defaultdict(Group)
    leaking = np.zeros(len(rows), bool)
    title = f"leaks of {rows.parts[0][1]} rows" if len(rows) else None
    for batch in rows.batches(AT_ONCE):
        searched: Counter[str] = Counter()
        found: dict[tuple[int, int, str], set[int]] = defaultdict(set)
        for tests in tested.batches(TESTED_AT_ONCE):
            for leak in each_leak(batch.sequences, tests.sequences, title, near, searched):
                by, of = batch.rows[leak.train_index], tests.rows[leak.test_index]
                key = rows.part(by), tested.part(of), leak.kind
                groups[key].against.add(of)
                if by not in found[key] and len(groups[key].examples) < EXAMPLES:
                    groups[key].examples.append(example(rows.row(by), tested.row(of), leak))
                found[key].add(by)
        for key, givers in found.items():
            groups[key].rows += len(givers)
            leaking[list(givers)] = True
        for name, n in searched.items():  # every batch is searched against the same rows
            counts[name] = max(counts[name], n)
    return {(*rows.parts[one], *tested.parts[other], kind): g for (one, other, kind), g in groups.items()}, leaking


def take_out(tables: Iterable[TaskTable], split: str, leaking: np.ndarray) -> dict[str, int]:
    """Remove the rows of one split, of all tables end to end, where the mask (N,) is true; task -> rows removed."""
    removed, start = {}, 0
    for table in tables:
        rows = table.rows[split]
        leaves = leaking[start : start + len(rows)]
        start += len(rows)
        table.rows[split] = rows.only(~leaves)
        removed[table.spec.id] = table.counts[f"leaking_rows_{split}"] = int(leaves.sum())
    return removed


def mark_clean(tables: Iterable[TaskTable], tests: Pool, given_away: dict[str, np.ndarray]) -> dict[str, Any]:
    """Set `clean` on the test rows; task -> how many there are, were given away in each way, and are clean."""
    facts = {}
    for table, (start, end) in zip(tables, itertools.pairwise(tests.starts), strict=True):
        ways = {how: mask[start:end] for how, mask in given_away.items()}
        lost = np.logical_or.reduce(list(ways.values()))
        table.rows["test"].mark(lost)
        table.counts["test_rows_given_away"] = int(lost.sum())
        n, clean = end - start, int((~lost).sum())
        counts = {how: int(mask.sum()) for how, mask in ways.items()}
        share = round(clean / n, 4) if n else 1.0
        facts[table.spec.id] = {"rows": n, **counts, "clean": clean, "share_clean": share}
    return facts


def corpus_report(
    tests: Pool, corpus: str | Path, near: bool, counts: Counter[str], given_away: np.ndarray
) -> list[dict[str, Any]]:
    """One entry per (task, kind) for the test rows that the pretraining corpus holds; `given_away` (N,) gets them."""
    groups: dict[tuple[str, str], Group] = defaultdict(Group)
    for batch in tests.batches(TESTED_AT_ONCE):
        searched: Counter[str] = Counter()
        for index, hit in find_in_corpus(batch.sequences, corpus, near, searched).items():
            number = batch.rows[index]
            given_away[number] = True
            group = groups[tests.parts[tests.part(number)][0], hit.kind]
            if number not in group.against and len(group.examples) < EXAMPLES:
                row = tests.row(number)
                found = {"id": row.id, "source": row.source, "document": hit.document}
                group.examples.append(found | how_near(hit.kind, hit.similarity))
            group.against.add(number)
        counts.update(searched)
    return [
        {"task": task, "split": "test", "kind": kind, "rows": len(group.against), "examples": group.examples}
        for (task, kind), group in sorted(groups.items(), key=itemgetter(0))
    ]


def how_near(kind: str, similarity: float) -> dict[str, float]:
    """What an example of this kind says besides its rows."""
    return {"similarity": round(similarity, 3)} if kind == NEAR else {}


def entry(key: tuple[str, ...], group: Group) -> dict[str, Any]:
    """A group of leaks as it is in the report."""
    task, split, against_task, against_split, kind = key
    return {
        "task": task, "split": split, "against_task": against_task, "against_split": against_split, "kind": kind,
        "rows": group.rows, "against_rows": len(group.against), "examples": group.examples,
    }  # fmt: skip


def example(by: LabelledRow, against: LabelledRow, leak: Leak) -> dict[str, Any]:
    """One leak, with the file and line of both rows."""
    rows = {"id": by.id, "source": by.source, "against_id": against.id, "against_source": against.source}
    return rows | how_near(leak.kind, leak.similarity)


def leak_counts(report: dict[str, Any]) -> dict[str, int]:
    """Distinct entries of a report in one flat table, for the manifest: `task/split -> task/split: kind` -> rows."""
    counts: Counter[str] = Counter()
    for leak in report["leaks"]:
        counts[f"{leak['task']}/{leak['split']} -> {leak['against_task']}/{leak['against_split']}: {leak['kind']}"] = (
            leak["rows"]
        )
    for leak in report.get("corpus", []):
        counts[f"pretraining corpus -> {leak['task']}/{leak['split']}: {leak['kind']}"] = leak["rows"]
    return dict(counts)
