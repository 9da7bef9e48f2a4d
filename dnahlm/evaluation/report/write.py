"""report.json + predictions/ -> a table on the terminal, report.md and a report.html that opens offline."""

import json
from pathlib import Path
from typing import Any

from dnahlm.evaluation.report.facts import DISCLAIMER, READING, SIMULATED, check_report, facts
from dnahlm.evaluation.report.html import html
from dnahlm.evaluation.report.overview import models, overview, seeds, summary
from dnahlm.evaluation.report.predictions import Rows, read_predictions
from dnahlm.evaluation.report.tables import by_task, main_way, several_models, simulated_tasks
from dnahlm.evaluation.report.task_tables import (
    against_baseline,
    confusion_table,
    confusions,
    figures_table,
    remarks,
    task_facts,
)
from dnahlm.evaluation.report.worst_rows import row_tables
from dnahlm.pages import align, pipes

Predictions = dict[tuple[str, str], Rows | None]  # (model, task) -> rows


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write report.json, report.md and report.html into `folder`, which already holds `predictions/`.

    Raises:
        InputError: a report of another layout; predictions that are missing or are not those of the report.
    """
    check_report(report, str(folder / "report.json"))
    rows: Predictions = {(task["model"], task["task"]): read_predictions(folder, task) for task in report["tasks"]}
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(report, rows), encoding="utf-8")
    (folder / "report.html").write_text(html(report, rows), encoding="utf-8")


def terminal_table(report: dict[str, Any]) -> str:
    """The summary as aligned text, and the means over several models."""
    report = by_task(report)
    lines = ["  ".join(row) for row in align(summary(report).rows)]
    if means := seeds(report):
        lines += ["", *("  ".join(row) for row in align(means.rows))]
    if simulated_tasks(report):
        lines.append(f"{SIMULATED}: {', '.join(simulated_tasks(report))}")
    return "\n".join(lines)


def markdown(report: dict[str, Any], rows: Predictions) -> str:
    """The report as Markdown."""
    report = by_task(report)
    lines = ["# dnahlm evaluation", ""]
    if simulated_tasks(report):
        lines += [f"**{SIMULATED}**: {', '.join(simulated_tasks(report))}. Made by a program, not measured.", ""]
    for table in overview(report):
        lines += [f"## {table.title}", "", *pipes(table.rows), "", *([table.note, ""] if table.note else [])]
    for task in report["tasks"]:
        lines += task_lines(task, rows[task["model"], task["task"]], several_models(report))
    lines += ["## Models", "", *pipes(models(report).rows), ""]
    lines += ["## How to read this", "", *(f"- {name}: {text}" for name, text in READING), ""]
    lines += ["## How it was made", "", *(f"- {name}: {text}" for name, text in facts(report).items()), ""]
    return "\n".join([*lines, DISCLAIMER, ""])


def task_lines(task: dict[str, Any], rows: Rows | None, several: bool) -> list[str]:
    """One task of one model, as Markdown."""
    mark = f" ({SIMULATED})" if task["simulated"] else ""
    name = f"{task['task']}, {task['model']}" if several else task["task"]
    lines = [f"## {name}{mark}", "", task["description"], ""]
    lines += [*(f"- {remark}" for remark in remarks(task, against_baseline(task, rows))), ""]
    lines += [*(f"- {name}: {text}" for name, text in task_facts(task).items()), ""]
    lines += [*pipes(figures_table(task)), ""]
    for way in confusions(task):
        lines += [*pipes(confusion_table(task, way)), ""]
    for table in row_tables(rows, main_way(task)) if rows else []:
        lines += [f"{table.title}: {table.note}", "", *pipes(table.rows), ""]
    return lines
