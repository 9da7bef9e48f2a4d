"""The task files that go from an instructions folder beside the weights, and what was seen of each task."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from dnahlm.io import InputError
from dnahlm.tasks.kinds import bases_in
from dnahlm.tasks.spec import TaskSpec, load_task


def tasks_of(instructions: Path) -> dict[str, TaskSpec]:
    """The tasks of an instructions folder by id, with the words it was built with.

    Raises:
        InputError: no task files in it.
    """
    files = sorted((instructions / "tasks").glob("*.yaml"))
    if not files:
        raise InputError(f"{instructions}: has no tasks/ folder. Run `dnahlm instructions build` again.")
    return {spec.id: spec for spec in map(load_task, files)}


def write_tasks(instructions: Path, train: list[dict[str, Any]], part: Path) -> None:
    """Copy the files of the tasks trained on beside the weights, with what the model saw of each: rows, bases."""
    (part / "tasks").mkdir(exist_ok=True)
    rows = Counter(record["task"] for record in train)
    facts = {}
    for task in sorted(rows):
        shutil.copyfile(instructions / "tasks" / f"{task}.yaml", part / "tasks" / f"{task}.yaml")
        lengths = [bases_in(record["input"]) for record in train if record["task"] == task]
        facts[task] = {"n_train": rows[task], "min_bases": min(lengths), "max_bases": max(lengths)}
    (part / "tasks.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
