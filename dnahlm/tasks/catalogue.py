"""`dnahlm tasks list`: every shipped task on one line."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnahlm.tasks.sources import has_local_files
from dnahlm.tasks.spec import TaskSpec, load_task, shipped_tasks


@dataclass
class ListConfig:
    """Which tasks the package carries."""

    data_root: str | None = field(default=None, metadata={"help": "also say which tasks have their files here"})


def run(config: ListConfig) -> list[list[str]]:
    """Print a table of the shipped tasks, and return its rows."""
    head = ["task", "kind", "rows from", "held out", "answers", "origin", "data"]
    rows = [line_of_task(load_task(name), config.data_root) for name in shipped_tasks()]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"{len(rows)} tasks. `dnahlm tasks inspect TASK --data_root FOLDER` counts one and shows its questions.")
    return rows


def line_of_task(spec: TaskSpec, data_root: str | None) -> list[str]:
    """Id, kind, splits with rows of their own, splits held out of train, number of answers, origin, data."""
    source = spec.source
    origin = " + ".join(
        word for word, there in (("files", source.files or source.class_files), ("hub", source.hub)) if there
    )
    if data_root and not has_local_files(spec, data_root):
        origin += " (no files here)"
    held_out = ",".join(f"{split} {100 * share:g} %" for split, share in source.hold_out.items()) or "-"
    answers = str(len(spec.labels) or "-")
    return [
        spec.id,
        spec.kind,
        ",".join(source.splits),
        held_out,
        answers,
        origin,
        "simulated" if spec.simulated else "measured",
    ]
