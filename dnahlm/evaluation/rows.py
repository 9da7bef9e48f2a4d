"""Which rows of the instruction files a suite asks: the same ones for every column of the report."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from dnahlm.config import did_you_mean, line_of
from dnahlm.evaluation.suite import Suite
from dnahlm.io import InputError
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.spec import TaskSpec, answers, has_fixed_answers, load_task
from dnahlm.tasks.written import read_answer


@dataclass
class TaskRows:
    """One task's rows, as instruction records."""

    spec: TaskSpec
    asked: list[dict]  # N rows of the suite's split
    n_available: int  # rows of the split before `max_rows`
    held_out: list[dict] | None  # the same N rows in unseen phrasings; None = not asked
    train: list[dict]  # for baselines and examples, both strands
    validation: list[dict]  # for what a baseline may choose; empty where it is what is asked

    @property
    def options(self) -> list[str]:
        """The K answers the task allows; none for a kind that answers with a number, a set or a code."""
        return answers(self.spec) if has_fixed_answers(self.spec) else []

    @property
    def clean(self) -> list[bool | None]:
        """Whether each row is free of leaks, None where the instructions do not say."""
        return [record.get("clean") for record in self.asked]


def read_rows(suite: Suite, folder: Path, seed: int) -> dict[str, TaskRows]:
    """Rows per task id, in the suite's order (the instructions' order if it names none).

    Args:
        suite: tasks, split and number of rows.
        folder: output of `dnahlm instructions build`.
        seed: of the draw of `max_rows` rows; each task draws on its own, so adding a task changes no other.

    Raises:
        InputError: a task without rows in the split; an id that two rows have; a row whose answer its task does not
            allow; a row that the file of unseen phrasings lacks.
    """
    path = folder / f"{suite.split}.jsonl"
    by_task = group(read_instructions(path))
    for task in suite.tasks:
        if task not in by_task:
            raise InputError(
                f"{suite.path}:{line_of(suite.path, 'tasks')}: task {task!r} has no rows in {path}. "
                f"{did_you_mean(task, list(by_task))} Take it out of the suite or build instructions that hold it."
            )
    held_out = group(read_instructions(folder / "test_held_out.jsonl")) if suite.held_out_phrasing else {}
    train = group(read_instructions(folder / "train.jsonl")) if suite.baselines or suite.few_shot else {}
    wanted = suite.baselines and suite.split != "validation"
    validation = group(read_instructions(folder / "validation.jsonl")) if wanted else {}
    rows = {}
    for task in suite.tasks or by_task:
        spec = load_task(str(folder / "tasks" / f"{task}.yaml"))
        check_ids(by_task[task], path)
        check_answers(by_task[task], spec, path)
        check_answers(train.get(task, []), spec, folder / "train.jsonl")
        asked = draw(by_task[task], suite.max_rows, f"{seed} {task}")
        again = match(asked, held_out.get(task, []), folder) if suite.held_out_phrasing else None
        rows[task] = TaskRows(spec, asked, len(by_task[task]), again, train.get(task, []), validation.get(task, []))
    return rows


def group(records: list[dict]) -> dict[str, list[dict]]:
    """Records by task, in the order of their first appearance."""
    by_task: dict[str, list[dict]] = defaultdict(list)
    for record in records:
        by_task[record["task"]].append(record)
    return dict(by_task)


def draw(records: list[dict], limit: int, seed: str) -> list[dict]:
    """At most `limit` records (0 = all), drawn without replacement and kept in the order of the file.

    >>> [r["id"] for r in draw([{"id": i} for i in range(5)], 5, "0 x")]
    [0, 1, 2, 3, 4]
    """
    if not limit or limit >= len(records):
        return records
    return [records[i] for i in sorted(random.Random(seed).sample(range(len(records)), limit))]


def match(asked: list[dict], held_out: list[dict], folder: Path) -> list[dict]:
    """The same rows from the file of unseen phrasings, by id."""
    by_id = {record["id"]: record for record in held_out}
    for record in asked:
        if record["id"] not in by_id or by_id[record["id"]]["input"] != record["input"]:
            raise InputError(
                f"{folder / 'test_held_out.jsonl'}: lacks row {record['id']!r} of test.jsonl, or has another sequence "
                "under this id. Run `dnahlm instructions build` again, or set held_out_phrasing: false in the suite."
            )
    return [by_id[record["id"]] for record in asked]


def check_ids(records: list[dict], path: Path) -> None:
    """Raise `InputError` when two rows of a task have one id, by which its other wordings and predictions are found."""
    repeated = [name for name, n in Counter(record["id"] for record in records).items() if n > 1]
    if repeated:
        raise InputError(
            f"{path}: {len(repeated):,} ids are there more than once, the first is {repeated[0]!r}. Run "
            "`dnahlm instructions build` again."
        )


def check_answers(records: list[dict], spec: TaskSpec, path: Path) -> None:
    """Raise `InputError` when a row's answer is not one its task allows."""
    if not has_fixed_answers(spec):
        for record in records:
            if read_answer(spec, record["output"]) is None:
                refuse_answer(record, spec, path, f"an answer of kind {spec.kind}")
        return
    allowed = answers(spec)
    for record in records:
        if record["output"] not in allowed:
            refuse_answer(record, spec, path, f"one of {allowed}")


def refuse_answer(record: dict, spec: TaskSpec, path: Path, allowed: str) -> None:
    """Raise `InputError` for one row."""
    raise InputError(
        f"{path}: row {record['id']!r}: the answer {record['output']!r} is not one of task {spec.id!r} "
        f"({allowed}). Rows and task file are of different versions: run `dnahlm instructions build` again."
    )
