"""The report's data as words: what each table, list and remark of report.md, report.html and the terminal says."""

import math
from typing import Any

COLUMNS = {  # key in a task's metrics -> its name, in the order shown
    "scored": "ours, scored",
    "generated": "ours, generated",
    "held_out": "ours, unseen phrasing",
    "kmer_lr": "k-mer logistic regression",
    "majority": "majority class",
}
METRIC_NAMES = {"mcc": "MCC", "accuracy": "accuracy", "f1_macro": "macro F1", "auroc": "AUROC"}
HEADER = [
    "task", "n", "majority acc", "k-mer MCC", "MCC scored", "MCC generated", "accuracy", "AUROC", "invalid",
    "MCC unseen phrasing",
]  # fmt: skip


def number(value: float | None, digits: int = 3) -> str:
    """A figure as text; `-` where there is none.

    >>> number(0.5), number(None)
    ('0.500', '-')
    """
    return "-" if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share as text.

    >>> percent(0.034), percent(None)
    ('3.4%', '-')
    """
    return "-" if value is None else f"{value:.1%}"


def metric(task: dict[str, Any], column: str, name: str) -> float | None:
    """One figure of a task, None where the column was not measured."""
    return task["metrics"].get(column, {}).get(name)


def simulated_tasks(report: dict[str, Any]) -> list[str]:
    """Ids of the tasks whose rows a program made up."""
    return [task["task"] for task in report["tasks"] if task["simulated"]]


def summary_rows(report: dict[str, Any]) -> list[list[str]]:
    """One row of text per task, columns as in `HEADER`."""
    return [
        [
            task["task"],
            f"{task['n']:,}",
            number(metric(task, "majority", "accuracy")),
            number(metric(task, "kmer_lr", "mcc")),
            number(metric(task, "scored", "mcc")),
            number(metric(task, "generated", "mcc")),
            number(metric(task, "scored", "accuracy")),
            number(metric(task, "scored", "auroc")),
            percent(task.get("invalid_share")),
            number(metric(task, "held_out", "mcc")),
        ]
        for task in report["tasks"]
    ]


def metric_table(task: dict[str, Any]) -> list[list[str]]:
    """Header and one row per measured column: its name, then every metric, the task's own first."""
    names = [name for name in task["headline_metrics"] if name in METRIC_NAMES]
    names += [name for name in METRIC_NAMES if name not in names]
    rows = [["", *(METRIC_NAMES[name] for name in names)]]
    for key, title in COLUMNS.items():
        if key in task["metrics"]:
            rows.append([title, *(number(metric(task, key, name)) for name in names)])
    return rows


def task_facts(task: dict[str, Any]) -> dict[str, str]:
    """A task's rows in words; name -> text."""
    rows = f"{task['n']:,} of {task['n_available']:,}"
    low, high = f"{task['min_bases']:,}", f"{task['max_bases']:,}"
    found = {
        "status": task["status"],
        "rows": f"{rows}, {low if low == high else f'{low} to {high}'} bases",
        "classes": ", ".join(f"{answer} {count:,}" for answer, count in task["counts"].items()),
        "baseline train rows": f"{task['n_baseline_train']:,}",
        "calibration": ", ".join(f"{name} {value}" for name, value in task["calibration"].items()) or "none",
    }
    if task.get("n_scored_right") is not None:
        found["invalid generated answers"] = percent(task["invalid_share"])
        exact = f"{percent(task['exact_match_given_scored_right'])} (n = {task['n_scored_right']:,})"
        found["generated exactly, where scored right"] = exact
    if task.get("phrasing_agreement") is not None:
        found["same answer under an unseen phrasing"] = percent(task["phrasing_agreement"])
    return found


def facts(report: dict[str, Any]) -> dict[str, str]:
    """What was run, on what, from what; name -> text."""
    model, hardware = report["models"][0], report["hardware"]
    tuned = f", tuned {model['tuned']} with seed {model['tuned_seed']}" if model["tuned"] else ""
    return {
        "model": f"{model['path']} ({model['type']}, {model['parameters'] / 1e6:.2f} M parameters{tuned})",
        "suite": f"{report['suite']['name']} ({report['suite']['split']} split): {report['suite']['description']}",
        "instructions": report["instructions"],
        "date": report["created"],
        "command": report["command"],
        "seed": str(report["seed"]),
        "git commit": report["git_commit"] or "installed package",
        "hardware": f"{hardware['device']}, {hardware['cpus']} CPUs, {hardware['threads']} threads",
        "time": f"{report['seconds']:.0f} s",
        "versions": ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
    }


def remarks(task: dict[str, Any]) -> list[str]:
    """What should be seen at a glance: one answer for everything, no gain over a baseline, text that does not stop.

    Two MCCs closer than 2 / sqrt(n), about twice the standard error of one of them, are called level.
    """
    ours, noise = metric(task, "scored", "mcc"), 2 / math.sqrt(task["n"])
    found = []
    if ours is None:
        return found
    given = [sum(column) for column in zip(*task["confusion"]["scored"], strict=True)][:-1]
    if max(given) == task["n"]:
        found.append(f"Gives the same answer, {task['answers'][given.index(task['n'])]!r}, for every row.")
    elif ours <= noise:
        found.append("Not better than a constant answer.")
    kmer = metric(task, "kmer_lr", "mcc")
    if kmer is not None:
        relation = "level with" if abs(ours - kmer) < noise else "above" if ours > kmer else "below"
        found.append(
            f"MCC {ours:.3f}: {relation} the k-mer baseline ({kmer:.3f}); with n = {task['n']:,}, "
            f"differences under {noise:.2f} may be chance."
        )
    if (task.get("invalid_share") or 0) > 0.05:
        found.append(f"{percent(task['invalid_share'])} of the generated texts are not exactly an answer.")
    if min(task["counts"].values()) == 0:
        absent = [answer for answer, count in task["counts"].items() if not count]
        found.append(f"No row's answer is {', '.join(absent)}: there is no AUROC, and the other figures mean little.")
    return found
