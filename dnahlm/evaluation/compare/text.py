"""A comparison in words: table, sentences, compare.md and compare.html."""

from typing import Any

import numpy as np

from dnahlm.evaluation.report.facts import DISCLAIMER
from dnahlm.evaluation.report.forest import Lane, place
from dnahlm.evaluation.report.html import render
from dnahlm.evaluation.report.tables import p_value, way_name
from dnahlm.pages import align, pipes

READING = (
    ("MCC", "Matthews correlation: 1 is perfect, 0 is what a constant or random answer gives"),
    ("B - A", "difference of the MCCs on the same rows; 95 % interval of a paired bootstrap over rows, not corrected"),
    ("only A, only B right", "rows that only one of them has right; the other rows do not tell which is better"),
    ("McNemar p", "exact two-sided test that both are right equally often"),
    ("Holm p", "the same, corrected for the number of tasks: below 0.05 in one false case of 20, however many tasks"),
    ("not in it", "another seed of tuning may change more than another choice of rows does"),
)  # fmt: skip


def table(result: dict[str, Any]) -> list[list[str]]:
    """Header and one row per task."""
    rows = [
        ["task", "n", "A: MCC", "B: MCC", "B - A", "only A right", "only B right", "McNemar p", "Holm p", "verdict"]
    ]
    for task in result["tasks"]:
        counts = f"{task['only_a_right']:,}", f"{task['only_b_right']:,}"
        tests = p_value(task["p"]), p_value(task["p_holm"]), task["verdict"]
        rows.append([task["task"], f"{task['n']:,}", task["a"], task["b"], signed(task), *counts, *tests])
    return rows


def signed(task: dict[str, Any]) -> str:
    """A difference with its sign and interval."""
    low, high = task["interval"]
    return f"{task['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"


def sentences(result: dict[str, Any]) -> list[str]:
    """What comes out of the tests, in words."""
    tasks, mean = result["tasks"], result["mean_difference"]
    low, high = mean["interval"]
    found = [
        f"{sum(t['verdict'].startswith(letter) for t in tasks)} of {len(tasks)} tasks: {letter} is right more often "
        f"(Holm p < 0.05)." for letter in "AB"
    ]  # fmt: skip
    if len(tasks) > 1:
        found.append(f"Mean difference of MCC over the tasks, B - A: {mean['value']:+.3f} [{low:+.3f}, {high:+.3f}].")
    a, b = result["a"], result["b"]
    if a.get("sha256") and a.get("sha256") == b.get("sha256") and a["way"] == b["way"]:
        found.append("Both sides are the same checkpoint (same sha256).")
    if simulated := [task["task"] for task in tasks if task["simulated"]]:
        found.append(f"SIMULATED data: {', '.join(simulated)}.")
    return found + [f"Not compared: {task} ({why})." for task, why in result["not_compared"].items()]


def facts(result: dict[str, Any]) -> dict[str, str]:
    """What was compared and how; name -> text."""
    found = {}
    for letter in "AB":
        side = result[letter.lower()]
        sha256 = (side.get("sha256") or "unknown")[:16]
        found[letter] = f"{side['title']}: {way_name(side['way'])}; sha256 {sha256}; {side['created']}"
        found[f"{letter} was made by"] = side["command"]
    return found | {
        "command": result["command"],
        "date": result["created"],
        "seed": str(result["seed"]),
        "bootstraps": f"{result['n_bootstrap']:,}",
        "git commit": result["git_commit"] or "installed package",
    }


def terminal(result: dict[str, Any]) -> str:
    """The comparison as aligned text."""
    lines = [f"{letter}: {result[letter.lower()]['title']}" for letter in "AB"]
    return "\n".join([*lines, *("  ".join(row).rstrip() for row in align(table(result))), *sentences(result)])


def markdown(result: dict[str, Any]) -> str:
    """The comparison as Markdown."""
    lines = ["# dnahlm comparison", "", *(f"- {letter}: {result[letter.lower()]['title']}" for letter in "AB"), ""]
    lines += [*pipes(table(result)), "", *(f"- {sentence}" for sentence in sentences(result)), ""]
    lines += ["## How to read this", "", *(f"- {name}: {text}" for name, text in READING), ""]
    lines += ["## How it was made", "", *(f"- {name}: {text}" for name, text in facts(result).items()), ""]
    return "\n".join([*lines, DISCLAIMER, ""])


def html(result: dict[str, Any]) -> str:
    """The comparison as one page that needs no other file and no network."""
    widest = max(abs(end) for task in result["tasks"] for end in (*task["interval"], task["difference"]))
    step = 0.1 if widest <= 0.3 else 0.2
    reach = max(1, int(np.ceil(widest / step)))
    axis = (-reach * step, reach * step)
    lanes = [
        Lane(task["task"], "disc", place(task["difference"], axis), *(place(end, axis) for end in task["interval"]),
             signed(task))
        for task in result["tasks"]
    ]  # fmt: skip
    ticks = [(round(i * step, 1), place(i * step, axis)) for i in range(-reach, reach + 1)]
    return render(
        "compare.html.jinja", result=result, table=table(result), sentences=sentences(result), lanes=lanes, ticks=ticks,
        facts=facts(result), reading=READING,
    )  # fmt: skip
