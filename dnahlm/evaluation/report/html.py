"""The report, and the comparison of two, as one HTML page that needs no other file and no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dnahlm.evaluation.report.facts import DISCLAIMER, READING, facts
from dnahlm.evaluation.report.forest import forest
from dnahlm.evaluation.report.loss_plot import loss_figure
from dnahlm.evaluation.report.overview import models, overview
from dnahlm.evaluation.report.predictions import Rows
from dnahlm.evaluation.report.tables import by_task, main_way, several_models, simulated_tasks, way_name
from dnahlm.evaluation.report.task_plots import task_figures
from dnahlm.evaluation.report.task_tables import (
    against_baseline,
    confusions,
    figures_table,
    remarks,
    task_facts,
)
from dnahlm.evaluation.report.worst_rows import row_tables


def html(report: dict[str, Any], rows: Mapping[tuple[str, str], Rows | None]) -> str:
    """The page of one evaluation.

    Args:
        report: as in report.json.
        rows: (model, task) -> its predictions.
    """
    from markupsafe import Markup

    report = by_task(report)
    losses = [
        (curve["name"], curve["path"], Markup(loss_figure(curve)))
        for curve in report.get("loss") or []
        if curve["series"]
    ]
    tasks: dict[str, list[dict[str, Any]]] = {}
    for task in report["tasks"]:
        tasks.setdefault(task["task"], []).append(described(task, rows[task["model"], task["task"]]))
    return render(
        "report.html.jinja", report=report, several=several_models(report), simulated=simulated_tasks(report),
        tables=overview(report), forest=forest(report), tasks=tasks, models=models(report), losses=losses,
        facts=facts(report), reading=READING,
    )  # fmt: skip


def described(task: dict[str, Any], rows: Rows | None) -> dict[str, Any]:
    """Everything the page says of one task and model."""
    from markupsafe import Markup

    way = main_way(task)
    return {
        "entry": task,
        "remarks": remarks(task, against_baseline(task, rows)),
        "facts": task_facts(task),
        "figures": figures_table(task),
        "confusions": [(way_name(key), task["confusion"][key]) for key in confusions(task)],
        "plots": [(t, note, Markup(svg)) for t, note, svg in task_figures(rows, way)] if rows else [],
        "rows": row_tables(rows, way) if rows else [],
    }


def render(template: str, **values: Any) -> str:
    """Fill one of the page templates; text is escaped."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(disclaimer=DISCLAIMER, **values)
