"""report.json -> a table on the terminal, report.md and a report.html that opens offline."""

import json
from pathlib import Path
from typing import Any

from dnahlm.evaluation.plots import loss_figure, place, scale
from dnahlm.evaluation.tables import (
    COLUMNS,
    HEADER,
    facts,
    metric,
    metric_table,
    percent,
    remarks,
    simulated_tasks,
    summary_rows,
    task_facts,
)
from dnahlm.pages import align, pipes

DOTS = {"majority": "square", "kmer_lr": "diamond", "held_out": "ring", "scored": "disc"}  # drawn in this order
SIMULATED = "SIMULATED data"
DISCLAIMER = "Not a clinical or diagnostic tool."
READING = (
    ("scored", "the answer with the highest log-probability, end of text included, among the answers the task allows"),
    ("strands", "rows are asked as they stand; `dnahlm predict` averages both strands where a task has no direction"),
    ("generated", "what the model writes by itself; counted only if it is exactly an answer and then stops"),
    ("invalid", "share of generated texts that are not exactly an answer followed by the end of text"),
    ("unseen phrasing", "the same rows, scored, asked in words that no training row had"),
    ("majority", "always the commonest answer of the train rows"),
    ("k-mer", "logistic regression on tf-idf of 3- to 6-mers, same train rows, one strand; blind to position"),
    ("MCC", "Matthews correlation: 1 is perfect, 0 is what a constant or random answer gives"),
    ("AUROC", "for two answers, of the second one; for more, the mean of each against the rest"),
    ("not checked here", "whether the pretraining corpus holds the sequences of test rows"),
)


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write report.json, report.md and report.html into `folder`."""
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    (folder / "report.html").write_text(html(report), encoding="utf-8")


def terminal_table(report: dict[str, Any]) -> str:
    """The summary as aligned text."""
    lines = ["  ".join(row) for row in align([HEADER, *summary_rows(report)])]
    if simulated_tasks(report):
        lines.append(f"{SIMULATED}: {', '.join(simulated_tasks(report))}")
    return "\n".join(lines)


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = ["# dnahlm evaluation", ""]
    if simulated_tasks(report):
        lines += [f"**{SIMULATED}**: {', '.join(simulated_tasks(report))}. Made by a program, not measured.", ""]
    lines += [*pipes([HEADER, *summary_rows(report)]), ""]
    for task in report["tasks"]:
        mark = f" ({SIMULATED})" if task["simulated"] else ""
        lines += [f"## {task['task']}{mark}", "", task["description"], ""]
        lines += [*(f"- {remark}" for remark in remarks(task)), ""]
        lines += [*(f"- {name}: {text}" for name, text in task_facts(task).items()), ""]
        lines += [*pipes(metric_table(task)), ""]
        for key, counts in task["confusion"].items():
            lines += [*pipes(confusion_table(task, key, counts)), ""]
    lines += ["## How to read this", "", *(f"- {name}: {text}" for name, text in READING), ""]
    lines += ["## How it was made", "", *(f"- {name}: {text}" for name, text in facts(report).items()), ""]
    return "\n".join([*lines, DISCLAIMER, ""])


def confusion_table(task: dict[str, Any], key: str, counts: list[list[int]]) -> list[list[str]]:
    """Header and one row per right answer; only generated answers can be invalid."""
    shown = [*task["answers"], *(["invalid"] if key == "generated" else [])]
    rows = zip(task["answers"], counts, strict=True)
    return [[f"right answer \\ {key}", *shown], *([answer, *map(str, row[: len(shown)])] for answer, row in rows)]


def html(report: dict[str, Any]) -> str:
    """The report as one HTML page that needs no other file and no network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    figures = [
        (curve["name"], curve["path"], Markup(loss_figure(curve))) for curve in report["loss"] if curve["series"]
    ]
    return environment.get_template("report.html.jinja").render(
        report=report, header=HEADER, rows=summary_rows(report), simulated=simulated_tasks(report),
        plot=dot_plot(report), figures=figures, facts=facts(report), reading=READING, disclaimer=DISCLAIMER,
        remarks=remarks, task_facts=task_facts, metric_table=metric_table, percent=percent,
        dots={DOTS[c]: COLUMNS[c] for c in reversed(DOTS)},
    )  # fmt: skip


def dot_plot(report: dict[str, Any]) -> dict[str, Any]:
    """Ticks and, per task, (shape, name, value, place in percent) of each MCC."""
    values = {
        t["task"]: {c: metric(t, c, "mcc") for c in DOTS if metric(t, c, "mcc") is not None} for t in report["tasks"]
    }
    ends = scale([value for row in values.values() for value in row.values()])
    ticks = [round(ends[0] + 0.2 * i, 1) for i in range(round((ends[1] - ends[0]) / 0.2) + 1)]
    lines = [
        (task, [(DOTS[column], COLUMNS[column], value, place(value, ends)) for column, value in row.items()])
        for task, row in values.items()
    ]
    return {"ticks": [(tick, place(tick, ends)) for tick in ticks], "zero": place(0.0, ends), "lines": lines}
