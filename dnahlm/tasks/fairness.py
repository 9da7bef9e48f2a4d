"""Keep tests fair across all tasks of a build: what gives a test row away leaves training, and is counted by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.tasks.leak_report import EXAMPLES, Group, entries, example, how_near
from dnahlm.tasks.leaks.corpus import find_in_corpus
from dnahlm.tasks.leaks.find import LeakSearch
from dnahlm.tasks.pool import Batch, Pool
from dnahlm.tasks.table import TaskTable

AT_ONCE = 100_000  # rows searched together: the search needs several times their own memory
TESTED_AT_ONCE = 35_000  # rows they are searched against: each takes some kB of the index of words


def remove_leaks(tables: Sequence[TaskTable], near: bool = True, corpus: str | Path | None = None) -> dict[str, Any]:
    """Take out of train what leaks into validation or test of any task, and out of validation what leaks into test.

    The rows of the tables change; test rows stay. A test row that a train row of any task gives away (before the
    removal), or that occurs in the pretraining corpus, has `clean` set to False; the corpus is only counted. So are
    proteins, which one task may rightly show beside the DNA of every split.

    Args:
        tables: all tasks of the build.
        near: near-duplicates are leaks too (`dnahlm.tasks.leaks.near` says how near).
        corpus: folder that `dnahlm corpus build` wrote and the model was pretrained on; its train split is looked at.

    Returns:
        `removed_rows`: split -> task -> rows taken out;
        `leaks`: one entry per (split, task, counterpart, kind) with the number of rows of the table as it was read, and
        up to `EXAMPLES` of them (a row that leaks into several tasks is in several entries);
        `proteins`: the same of proteins, in kinds of their own (`protein_exact` and so on), before any removal;
        `corpus`: what occurs in the pretraining corpus, by task and kind, empty without one;
        `test_rows`: task -> rows, how many of them are given away and how many are clean;
        `search`: searched split or `corpus` -> what the search for near-duplicates could not look at in full.

    Raises:
        InputError: the corpus has no train split, or a damaged file.
    """
    search: dict[str, Counter[str]] = defaultdict(Counter)
    report: dict[str, Any] = {"removed_rows": {}, "leaks": [], "proteins": [], "corpus": []}
    tests = Pool(tables, ["test"])
    given_away = {"by_train": tests.masks(), "in_corpus": tests.masks()}
    if corpus is not None:
        report["corpus"] = corpus_report(tests, corpus, near, search["corpus"], given_away["in_corpus"])
    # Validation first: what leaves it need not be kept out of train.
    for split, against in (("validation", ["test"]), ("train", ["validation", "test"])):
        # The table as it was read: a row that repeats or contradicts another one gives a test row away all the same.
        rows, tested = Pool(tables, [split], as_read=True), Pool(tables, against)
        proteins = leaking_groups(rows, tested, near, search[f"proteins of {split}"], proteins=True)
        report["proteins"] += entries(proteins, rows, tested)
        groups = leaking_groups(rows, tested, near, search[split])
        report["leaks"] += entries(groups, rows, tested)
        leaving, given = rows.masks(), tested.masks()
        for (one, other, _), group in groups.items():
            leaving[one] |= group.givers
            given[other] |= group.given
        report["removed_rows"][split] = take_out(tables, split, leaving)
        if split == "train":
            given_away["by_train"] = given[len(tables) :]  # behind those of validation
    report["test_rows"] = {
        table.spec.id: mark_clean(table, {how: masks[n] for how, masks in given_away.items()})
        for n, table in enumerate(tables)
    }
    report["search"] = {name: dict(counts) for name, counts in search.items() if counts}
    return report


def leaking_groups(
    rows: Pool, tested: Pool, near: bool, counts: Counter[str], proteins: bool = False
) -> dict[tuple[int, int, str], Group]:
    """(part of `rows`, part of `tested`, kind) -> its leaks, of DNA or of proteins."""
    groups: dict[tuple[int, int, str], Group] = {}
    for tests in tested.batches(TESTED_AT_ONCE, proteins):
        counts.update(add_leaks(groups, rows, tested, tests, LeakSearch(tests.sequences, near, proteins)))
    return groups


def add_leaks(
    groups: dict[tuple[int, int, str], Group], rows: Pool, tested: Pool, tests: Batch, search: LeakSearch
) -> Counter[str]:
    """Add the leaks of all `rows` into one batch of `tested`; returns what could not be looked at in full."""
    counts, title = Counter[str](), f"leaks of {rows.parts[0][1]} rows"
    for batch in rows.batches(AT_ONCE, proteins=not search.both_strands):
        searched: Counter[str] = Counter()
        for leak in search.leaks(batch.sequences, title, searched):
            one, by = rows.place(batch.rows[leak.train_index])
            other, of = tested.place(tests.rows[leak.test_index])
            kind = leak.kind if search.both_strands else f"protein_{leak.kind}"
            if (key := (one, other, kind)) not in groups:
                groups[key] = Group(rows.mask(one), tested.mask(other))
            group = groups[key]
            if not group.givers[by] and len(group.examples) < EXAMPLES:
                group.examples.append(example(rows.rows[one][by], tested.rows[other][of], leak))
            group.givers[by] = group.given[of] = True
        for name, n in searched.items():  # every batch meets the same tests, and may find more of them crowded
            counts[name] = max(counts[name], n)
    return counts


def take_out(tables: Iterable[TaskTable], split: str, leaving: Sequence[np.ndarray]) -> dict[str, int]:
    """Remove the rows of one split where the mask (N,) of their table is true; task -> rows removed."""
    for table, mask in zip(tables, leaving, strict=True):
        kept = mask[: len(table.rows[split])]
        table.rows[split] = table.rows[split].only(~kept)
        table.counts[f"leaking_rows_{split}"] = int(kept.sum())
    return {table.spec.id: table.counts[f"leaking_rows_{split}"] for table in tables}


def mark_clean(table: TaskTable, given_away: dict[str, np.ndarray]) -> dict[str, Any]:
    """Set `clean` on the test rows of a task; how many there are, were given away in each way, and are clean."""
    lost = np.logical_or.reduce(list(given_away.values()))
    table.rows["test"].mark(lost)
    table.counts["test_rows_given_away"] = int(lost.sum())
    clean = int((~lost).sum())
    counts = {how: int(mask.sum()) for how, mask in given_away.items()}
    return {
        "rows": len(lost),
        **counts,
        "clean": clean,
        "share_clean": round(clean / len(lost), 4) if len(lost) else 1.0,
    }


def corpus_report(
    tests: Pool, corpus: str | Path, near: bool, counts: Counter[str], given: Sequence[np.ndarray]
) -> list[dict[str, Any]]:
    """One entry per (task, kind) for the test rows that the pretraining corpus holds; the masks `given` get them."""
    groups: dict[tuple[int, str], Group] = {}
    for batch in tests.batches(TESTED_AT_ONCE):
        searched: Counter[str] = Counter()
        for index, hit in find_in_corpus(batch.sequences, corpus, near, searched).items():
            part, place = tests.place(batch.rows[index])
            if (key := (part, hit.kind)) not in groups:
                groups[key] = Group(np.empty(0, bool), tests.mask(part))
            group = groups[key]
            if not group.given[place] and len(group.examples) < EXAMPLES:
                row = tests.rows[part][place]
                found = {"id": row.id, "source": row.source, "document": hit.document}
                group.examples.append(found | how_near(hit.kind, hit.similarity))
            group.given[place] = given[part][place] = True
        counts.update(searched)
    named = {(tests.parts[part][0], kind): group for (part, kind), group in groups.items()}
    return [
        {"task": task, "split": "test", "kind": kind, "rows": int(g.given.sum()), "examples": g.examples}
        for (task, kind), g in sorted(named.items(), key=itemgetter(0))
    ]
