"""Keep tests fair across all tasks of a build: what gives a test row away leaves training, and is counted by name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dnahlm.tasks.leaks.corpus import find_in_corpus
from dnahlm.tasks.leaks.find import NEAR, Leak, LeakSearch
from dnahlm.tasks.rows import LabelledRow
from dnahlm.tasks.table import TaskTable

AT_ONCE = 100_000  # rows searched together: the search needs several times their own memory
EXAMPLES = 5  # shown per kind of leak and pair of tasks


class Place(NamedTuple):
    """A row and where it belongs."""

    task: str
    split: str
    row: LabelledRow


class Group(NamedTuple):
    """The leaks of one kind from one split of a task into another."""

    rows: dict[str, dict[str, Any]]  # id of each row that gives another away -> one leak of it, for the first EXAMPLES
    against_rows: set[str]  # ids of the rows given away


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
        `leaks`: one entry per (split, task, counterpart, kind) with the number of rows and up to `EXAMPLES` of them (a
        row that leaks into several tasks is in several entries);
        `proteins`: the same of proteins, in kinds of their own (`protein_exact` and so on), before any removal;
        `corpus`: what occurs in the pretraining corpus, by task and kind, empty without one;
        `test_rows`: task -> rows, how many of them are given away and how many are clean;
        `search`: searched split or `corpus` -> what the search for near-duplicates could not look at in full.

    Raises:
        InputError: the corpus has no train split, or a damaged file.
    """
    search: dict[str, Counter[str]] = defaultdict(Counter)
    report: dict[str, Any] = {"removed_rows": {}, "leaks": [], "proteins": [], "corpus": []}
    given_away: dict[str, set[str]] = {"by_train": set(), "in_corpus": set()}
    if corpus is not None:
        report["corpus"], given_away["in_corpus"] = corpus_report(
            places(tables, ["test"]), corpus, near, search["corpus"]
        )
    # Validation first: what leaves it need not be kept out of train.
    for split, against in (("validation", ["test"]), ("train", ["validation", "test"])):
        rows, tested = places(tables, [split]), places(tables, against)
        proteins = leaking_groups(rows, tested, near, search[f"proteins of {split}"], proteins_of)
        report["proteins"] += [entry(key, group) for key, group in sorted(proteins.items())]
        groups = leaking_groups(rows, tested, near, search[split])
        report["leaks"] += [entry(key, group) for key, group in sorted(groups.items())]
        leaking = set().union(*(group.rows for group in groups.values()))
        report["removed_rows"][split] = take_out(tables, split, leaking)
        if split == "train":
            tests = (group.against_rows for (_, _, _, into, _), group in groups.items() if into == "test")
            given_away["by_train"] = set().union(*tests)
    report["test_rows"] = {table.spec.id: mark_clean(table, given_away) for table in tables}
    report["search"] = {name: dict(counts) for name, counts in search.items() if counts}
    return report


def sequences_of(row: LabelledRow) -> tuple[str, ...]:
    """The DNA sequences of a row; any of them gives the row away."""
    return (row.sequence, row.second) if row.second else (row.sequence,)


def proteins_of(row: LabelledRow) -> tuple[str, ...]:
    """The protein of a row, where its task has one."""
    return (row.protein,) if row.protein else ()


def places(tables: Iterable[TaskTable], splits: Sequence[str]) -> list[Place]:
    """All rows of these splits, split by split."""
    return [Place(table.spec.id, split, row) for split in splits for table in tables for row in table.rows[split]]


def flat(
    rows: Sequence[Place], parts: Callable[[LabelledRow], tuple[str, ...]] = sequences_of
) -> tuple[list[str], list[int]]:
    """All sequences (or proteins) of the rows, and the index of the row each is from."""
    sequences, owners = [], []
    for index, place in enumerate(rows):
        for sequence in parts(place.row):
            sequences.append(sequence)
            owners.append(index)
    return sequences, owners


def leaking_groups(
    rows: Sequence[Place],
    against: Sequence[Place],
    near: bool,
    counts: Counter[str],
    parts: Callable[[LabelledRow], tuple[str, ...]] = sequences_of,
) -> dict[tuple[str, ...], Group]:
    """(task, split, counterpart, its split, kind) -> the rows that give others away, and the rows given away."""
    groups: dict[tuple[str, ...], Group] = defaultdict(lambda: Group({}, set()))
    tested, tested_owners = flat(against, parts)
    if not tested:
        return groups
    title = f"leaks of {rows[0].split} rows" if rows else None
    search = LeakSearch(tested, near, proteins=parts is proteins_of)
    for start in range(0, len(rows), AT_ONCE):
        sequences, owners = flat(rows[start : start + AT_ONCE], parts)
        searched: Counter[str] = Counter()
        for leak in search.leaks(sequences, title, searched):
            by, of = rows[start + owners[leak.train_index]], against[tested_owners[leak.test_index]]
            kind = f"protein_{leak.kind}" if parts is proteins_of else leak.kind
            group = groups[by.task, by.split, of.task, of.split, kind]
            group.against_rows.add(of.row.id)
            if by.row.id not in group.rows:
                group.rows[by.row.id] = example(by.row, of.row, leak) if len(group.rows) < EXAMPLES else {}
        for name, n in searched.items():  # every part meets the same tests
            counts[name] = max(counts[name], n)
    return groups


def take_out(tables: Iterable[TaskTable], split: str, leaking: set[str]) -> dict[str, int]:
    """Remove the rows with these ids from one split; task -> rows removed."""
    removed = {}
    for table in tables:
        before = len(table.rows[split])
        table.rows[split] = [row for row in table.rows[split] if row.id not in leaking]
        removed[table.spec.id] = table.counts[f"leaking_rows_{split}"] = before - len(table.rows[split])
    return removed


def mark_clean(table: TaskTable, given_away: dict[str, set[str]]) -> dict[str, Any]:
    """Set `clean` on the test rows of a task; how many there are, were given away in each way, and are clean."""
    rows = table.rows["test"]
    for row in rows:
        row.clean = not any(row.id in ids for ids in given_away.values())
    clean = sum(row.clean for row in rows)
    table.counts["test_rows_given_away"] = len(rows) - clean
    counts = {how: sum(row.id in ids for row in rows) for how, ids in given_away.items()}
    return {"rows": len(rows), **counts, "clean": clean, "share_clean": round(clean / len(rows), 4) if rows else 1.0}


def corpus_report(
    tested: Sequence[Place], corpus: str | Path, near: bool, counts: Counter[str]
) -> tuple[list[dict[str, Any]], set[str]]:
    """One entry per (task, kind) for the test rows that the pretraining corpus holds, and the ids of all of them."""
    sequences, owners = flat(tested)
    groups: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for index, hit in find_in_corpus(sequences, corpus, near, counts).items():
        place = tested[owners[index]]
        found = {"id": place.row.id, "source": place.row.source, "document": hit.document}
        groups[place.task, hit.kind][place.row.id] = found | how_near(hit.kind, hit.similarity)
    entries = [
        {"task": task, "split": "test", "kind": kind, "rows": len(rows), "examples": list(rows.values())[:EXAMPLES]}
        for (task, kind), rows in sorted(groups.items())
    ]
    return entries, {row_id for rows in groups.values() for row_id in rows}


def how_near(kind: str, similarity: float) -> dict[str, float]:
    """What an example of this kind says besides its rows."""
    return {"similarity": round(similarity, 3)} if kind == NEAR else {}


def entry(key: tuple[str, ...], group: Group) -> dict[str, Any]:
    """A group of leaks as it is in the report."""
    task, split, against_task, against_split, kind = key
    return {
        "task": task, "split": split, "against_task": against_task, "against_split": against_split, "kind": kind,
        "rows": len(group.rows),
        "against_rows": len(group.against_rows),
        "examples": list(group.rows.values())[:EXAMPLES],
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
