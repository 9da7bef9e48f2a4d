"""Two evaluations on the same rows: which side is which, and each task's rows joined by id."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.config import did_you_mean
from dnahlm.evaluation.report.facts import read_report
from dnahlm.evaluation.report.predictions import Rows, check_figures, has_classes, read_predictions
from dnahlm.io import InputError

SAME_ROWS = "Evaluate both with the same suite, seed and instructions."


@dataclass
class Side:
    """One of the two that are compared."""

    folder: Path
    report: dict[str, Any]
    model: dict[str, Any]  # its entry in report.json
    way: str
    tasks: dict[str, dict[str, Any]]  # task id -> its entry in report.json

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{self.model['path']}, {self.way} ({self.folder}, {self.model['name']})"


def read_sides(evaluations: list[str], models: list[str], ways: list[str]) -> tuple[Side, Side]:
    """The two sides of a comparison.

    Args:
        evaluations: two folders, or one that holds both models or both ways.
        models: their names, such as m1 m2; may be empty where each folder has one model only.
        ways: what is compared, one for both or one each, such as scored, or scored and kmer_lr.

    Raises:
        InputError: another number of folders, models or ways than that; no such model or way; both sides the same.
    """
    if len(evaluations) not in (1, 2):
        raise InputError(
            f"evaluations: found {len(evaluations)}; give two folders of `dnahlm evaluate`, or one with two models."
        )
    if len(models) not in (0, 1, 2) or len(ways) not in (1, 2):
        raise InputError(
            f"found {len(models)} --models and {len(ways)} --ways; give one for both sides or one for each."
        )
    folders = [Path(name) for name in (evaluations * 2)[:2]]
    if not models and len(evaluations) == 1 and len(ways) == 1:
        names = [model["name"] for model in read_report(folders[0])["models"]]
        models = names if len(names) == 2 else []
        if len(names) != 2:
            raise InputError(
                f"{folders[0]}: holds {len(names)} models ({', '.join(names)}). Say which two with --models, "
                "give a second folder, or compare two ways with --ways."
            )
    a, b = (
        side(folder, (models * 2)[place] if models else None, (ways * 2)[place]) for place, folder in enumerate(folders)
    )
    if (a.folder.resolve(), a.model["name"], a.way) == (b.folder.resolve(), b.model["name"], b.way):
        raise InputError(f"both sides are {a.title}. Name another folder, model (--models) or way (--ways).")
    return a, b


def side(folder: Path, name: str | None, way: str) -> Side:
    """One model of an evaluation folder; `name` may be None where there is only one."""
    report = read_report(folder)
    names = [model["name"] for model in report["models"]]
    if name is None and len(names) != 1:
        raise InputError(f"{folder}: holds {len(names)} models ({', '.join(names)}). Say which with --models.")
    name = name or names[0]
    if name not in names:
        raise InputError(f"{folder}: --models: no model {name!r}. {did_you_mean(name, names)}")
    tasks = {task["task"]: task for task in report["tasks"] if task["model"] == name}
    known = {way for task in tasks.values() for way in task["metrics"]}
    if way not in known:
        raise InputError(f"{folder}: --ways: {way!r} was not measured there. {did_you_mean(way, sorted(known))}")
    return Side(folder, report, report["models"][names.index(name)], way, tasks)


def left_out(a: Side, b: Side) -> dict[str, str]:
    """Task -> why it is not compared."""
    found = {}
    for task in dict.fromkeys([*a.tasks, *b.tasks]):
        lacking = [side for side in (a, b) if task not in side.tasks]
        if lacking:
            found[task] = f"not in {lacking[0].folder} ({lacking[0].model['name']})"
        elif not all(has_classes(side.tasks[task]) for side in (a, b)):
            found[task] = f"kind {a.tasks[task].get('kind')}: no list of answers, so no row is simply right or wrong"
        elif any(side.way not in side.tasks[task]["metrics"] for side in (a, b)):
            found[task] = "not measured in both ways"
    return found


def joined(a: Side, b: Side, task: str) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Rows of a task and the answers of both sides to them.

    Returns:
        the rows of a; (N,) numbers of a's answers; (N,) those of b, in the order of a.

    Raises:
        InputError: rows that only one of them has, or that are not the same row under one id.
    """
    one, two = (read_predictions(side.folder, side.tasks[task]) for side in (a, b))
    assert one is not None and two is not None  # `left_out` keeps kinds without classes away
    for rows, side in ((one, a), (two, b)):
        check_figures(rows, side.tasks[task], side.way)
    if one.answers != two.answers:
        raise InputError(f"{one.path} and {two.path}: the answers are {one.answers} and {two.answers}. {SAME_ROWS}")
    places = {row: i for i, row in enumerate(two.ids)}
    only_a, only_b = [i for i in one.ids if i not in places], sorted(set(two.ids) - set(one.ids))
    if only_a or only_b:
        raise InputError(
            f"{one.path} and {two.path}: not the same rows: {len(only_a):,} of {len(one.ids):,} are only in the first "
            f"{only_a[:3]}, {len(only_b):,} of {len(two.ids):,} only in the second {only_b[:3]}. {SAME_ROWS}"
        )
    order = np.array([places[row] for row in one.ids])
    differs = [i for i, k in enumerate(order) if one.right[i] != two.right[k] or one.inputs[i] != two.inputs[k]]
    if differs:
        what = "right answer" if one.right[differs[0]] != two.right[order[differs[0]]] else "sequence"
        raise InputError(
            f"{one.path} and {two.path}: {len(differs):,} rows have the same id and another {what}, the first is "
            f"{one.ids[differs[0]]!r}: the tables behind them differ. {SAME_ROWS}"
        )
    return one, one.predicted[a.way], two.predicted[b.way][order]
