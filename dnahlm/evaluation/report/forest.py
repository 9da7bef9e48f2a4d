"""The forest plot as places on lines, drawn by the template: each estimate on a line of its own, with its interval."""

import math
from dataclasses import dataclass
from typing import Any

from dnahlm.evaluation.report.tables import (
    BASELINES,
    METRIC_NAMES,
    SHORT,
    headline,
    interval,
    main_way,
    metric,
    several_models,
    with_interval,
)

ON_SCALE = ("mcc", "f1_macro", "f1_micro", "exact_match", "accuracy", "auroc", "level_accuracy", "pearson", "spearman")


@dataclass
class Lane:
    """One estimate: places are percent of the axis; low and high are None without an interval."""

    name: str
    shape: str  # disc = a model, square = the majority class, diamond = another baseline
    left: float
    low: float | None
    high: float | None
    text: str


@dataclass
class Forest:
    """Tasks with their lanes, and the axis under them."""

    groups: list[tuple[str, str, list[Lane]]]  # task, its metric when it is not MCC, lanes
    ticks: list[tuple[float, float]]  # value, place
    zero: float
    left_out: list[str]  # tasks whose metric has no common scale


def forest(report: dict[str, Any]) -> Forest:
    """Every task's headline figure: one lane a model, then one a baseline, of the first model (rows are the same)."""
    by_task: dict[str, list[dict[str, Any]]] = {}
    for task in report["tasks"]:
        by_task.setdefault(task["task"], []).append(task)
    estimates, left_out = {}, []
    for name, entries in by_task.items():
        if headline(entries[0]) in ON_SCALE:
            estimates[name] = list(of_task(entries, several_models(report)))
        else:
            left_out.append(f"{name} ({METRIC_NAMES.get(headline(entries[0]), headline(entries[0]))})")
    values = [v for lines in estimates.values() for _, _, value, ends in lines for v in (value, *(ends or []))]
    axis = scale(values)
    groups = []
    for name, lines in estimates.items():
        kind = headline(by_task[name][0])
        lanes = [
            Lane(title, shape, place(value, axis), *((place(v, axis) for v in ends) if ends else (None, None)),
                 with_interval(value, ends))
            for title, shape, value, ends in lines
        ]  # fmt: skip
        groups.append((name, "" if kind == "mcc" else METRIC_NAMES.get(kind, kind), lanes))
    ticks = [round(axis[0] + 0.2 * i, 1) for i in range(round((axis[1] - axis[0]) / 0.2) + 1)]
    return Forest(groups, [(tick, place(tick, axis)) for tick in ticks], place(0.0, axis), left_out)


def of_task(entries: list[dict[str, Any]], several: bool) -> list[tuple[str, str, float, list[float] | None]]:
    """(lane name, shape, value, interval) of one task's models and baselines."""
    found = []
    for entry in entries:
        lanes = [(entry["model"] if several else "model", "disc", main_way(entry))]
        if entry is entries[0]:
            lanes += [(SHORT[b], "square" if b == "majority" else "diamond", b) for b in BASELINES]
        for title, shape, way in lanes:
            value = metric(entry, way, headline(entry))
            if value is not None:
                found.append((title, shape, value, interval(entry, way, headline(entry))))
    models = [lane for lane in found if lane[1] == "disc"]
    return [*models, *(lane for lane in found if lane[1] != "disc")]


def scale(values: list[float]) -> tuple[float, float]:
    """The ends of an axis that holds all values: 1 on the right, 0 or the next fifth below the lowest on the left.

    >>> scale([0.3, 0.9]), scale([-0.25])
    ((0.0, 1.0), (-0.4, 1.0))
    """
    low = min([0.0, *values])
    return math.floor(low * 5) / 5, 1.0


def place(value: float, ends: tuple[float, float]) -> float:
    """Where a value stands on an axis, in percent of its length.

    >>> place(0.5, (0.0, 1.0))
    50.0
    """
    low, high = ends
    return round(100 * (value - low) / (high - low), 2)
