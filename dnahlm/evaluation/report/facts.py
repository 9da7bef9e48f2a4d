"""What every form of a report says beside its figures: how to read it, how it was made; and the check of its layout."""

import json
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, require_file

SIMULATED = "SIMULATED data"
DISCLAIMER = "Not a clinical or diagnostic tool."
READING = (
    ("scored", "the answer with the highest log-probability, end of text included, among the answers the task allows"),
    ("generated", "what the model writes by itself; counted only if it is exactly an answer and then stops"),
    ("invalid", "share of generated texts that are not exactly an answer followed by the end of text"),
    ("strands", "rows are asked as they stand; `dnahlm predict` averages both strands where a task has no direction"),
    ("baselines", "fitted on the train rows of the same instructions, one strand, and asked the same test rows"),
    ("k-mer", "logistic regression on tf-idf of 3- to 6-mers; blind to position"),
    ("MCC", "Matthews correlation: 1 is perfect, 0 is what a constant or random answer gives"),
    ("AUROC, AUPRC", "for two answers, of the second one; for more, the mean of each against the rest"),
    (
        "Brier, ECE",
        "of the calibrated probabilities; lower is better. ECE: mean distance of probability and share right in the 15 "
        "bins of the reliability plot",
    ),
    ("intervals", "95 %, over the choice of test rows only: not over seeds of tuning, not over data sets"),
    (
        "leak-free, clean",
        "without an exact, contained or near-duplicate sequence, on either strand, among the train rows, nor in the "
        "pretraining corpus where the instructions were built with it (`corpus`, as in the recipes)",
    ),
)
TOP = ("created", "command", "seed", "suite", "instructions", "models", "tasks")
OF_TASK = ("model", "task", "n", "n_available", "answers", "metrics", "headline_metrics", "status", "simulated")


def read_report(folder: Path) -> dict[str, Any]:
    """The report.json of an evaluation.

    Raises:
        InputError: no such folder or file, not JSON, or of another layout.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. It is written by `dnahlm evaluate`.")
    path = require_file(folder / "report.json", "report of `dnahlm evaluate`")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON ({error}). Run `dnahlm evaluate` again.") from error
    check_report(report, str(path))
    return report


def check_report(report: Any, where: str) -> None:
    """Raise `InputError` when a report has not the layout that is read here."""
    if not isinstance(report, dict):
        raise InputError(f"{where}: must hold a JSON object, found {type(report).__name__}.")
    if "models" not in report and "model" in report:
        raise InputError(
            f"{where}: written by an older dnahlm (it has `model`, not `models`). Run `dnahlm evaluate` again."
        )
    missing = [key for key in TOP if key not in report]
    if missing:
        raise InputError(
            f"{where}: lacks {missing}, so it is no report of `dnahlm evaluate`, or an older one. Run it again."
        )
    if not all(isinstance(model, dict) and {"name", "path"} <= model.keys() for model in report["models"]):
        raise InputError(f"{where}: an entry of `models` has no name or path. Run `dnahlm evaluate` again.")
    names = [model["name"] for model in report["models"]]
    for number, task in enumerate(report["tasks"], 1):
        missing = [key for key in OF_TASK if key not in task]
        if missing:
            raise InputError(f"{where}: entry {number} of `tasks` lacks {missing}. Run `dnahlm evaluate` again.")
        if task["model"] not in names:
            raise InputError(f"{where}: entry {number} of `tasks` is of model {task['model']!r}; there are {names}.")


def facts(report: dict[str, Any]) -> dict[str, str]:
    """What was run, on what, from what; name -> text."""
    hardware, suite = report.get("hardware") or {}, report["suite"]
    found = {
        "suite": f"{suite['name']} ({suite['split']} split): {suite['description']}",
        "instructions": report["instructions"],
        "date": report["created"],
        "command": report["command"],
        "seed": str(report["seed"]),
        "bootstraps": f"{report['n_bootstrap']:,}" if report.get("n_bootstrap") else "none",
        "git commit": report.get("git_commit") or "installed package",
        "hardware": ", ".join(
            str(hardware[key]) + unit
            for key, unit in (("device", ""), ("cpus", " CPUs"), ("threads", " threads"))
            if hardware.get(key) is not None
        ),
        "time": f"{report['seconds']:.0f} s" if report.get("seconds") is not None else "unknown",
        "versions": ", ".join(f"{name} {version}" for name, version in (report.get("versions") or {}).items()),
    }
    return {name: text for name, text in found.items() if text}
