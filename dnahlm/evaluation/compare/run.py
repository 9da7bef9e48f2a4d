"""Compare two models, or two ways of asking, on the same test rows: paired tests per task, corrected for their number.

dnahlm report compare eval_a eval_b --output comparison
dnahlm report compare eval --models m1 m2
dnahlm report compare eval --ways kmer_lr scored
"""

import datetime
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dnahlm.evaluation.compare.pairs import Side, joined, left_out, read_sides
from dnahlm.evaluation.compare.text import html, markdown, terminal
from dnahlm.evaluation.report.stats import holm, mcc_difference, mcnemar
from dnahlm.evaluation.report.tables import cell
from dnahlm.io import InputError, require_free, staged_folder
from dnahlm.manifest import StageClock, git_commit, write_manifest

LEVEL = 0.05  # of Holm's p-values


@dataclass
class CompareConfig:
    """Options of `dnahlm report compare`."""

    evaluations: list[str] = field(
        default_factory=list, metadata={"help": "two folders of `dnahlm evaluate`, or one that holds two models"}
    )
    models: list[str] = field(
        default_factory=list, metadata={"help": "names in report.json, such as m1 m2; empty = the only one of each"}
    )
    ways: list[str] = field(
        default_factory=lambda: ["scored"],
        metadata={"help": "what is compared, one for both or one each: scored, generated, held_out, kmer_lr, ..."},
    )
    output: str | None = field(
        default=None, metadata={"help": "folder for compare.json, compare.md and compare.html; empty = terminal only"}
    )
    n_bootstrap: int = field(default=2000, metadata={"help": "resamples of the rows behind each interval"})
    seed: int = field(default=0, metadata={"help": "of the resampling"})
    overwrite: bool = field(default=False, metadata={"help": "replace the output once the new one is complete"})


def run(config: CompareConfig) -> dict[str, Any]:
    """Two evaluations -> a table on the terminal and, with `output`, compare.{json,md,html} and manifest.json.

    Raises:
        InputError: folders, models or rows that cannot be compared; output taken.
    """
    clock = StageClock()
    if config.n_bootstrap < 100:
        raise InputError(f"n_bootstrap: found {config.n_bootstrap}; an interval needs at least 100, better 2,000.")
    if config.output:
        require_free(Path(config.output), config.overwrite)
    a, b = read_sides(config.evaluations, config.models, config.ways)
    result = compare(a, b, config)
    print(terminal(result))
    if config.output:
        with staged_folder(config.output, config.overwrite, [a.folder, b.folder]) as part:
            text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False)
            (part / "compare.json").write_text(text + "\n", encoding="utf-8")
            (part / "compare.md").write_text(markdown(result), encoding="utf-8")
            (part / "compare.html").write_text(html(result), encoding="utf-8")
            counts = {task["task"]: {"rows": task["n"]} for task in result["tasks"]}
            write_manifest(part, "report compare", config, clock, {"a": a.folder, "b": b.folder}, counts)
        print(f"{config.output}/compare.html")
    return result


def compare(a: Side, b: Side, config: CompareConfig) -> dict[str, Any]:
    """Every task both sides have, tested on the same rows."""
    skipped = left_out(a, b)
    names = [task for task in a.tasks if task not in skipped]
    if not names:
        reasons = "; ".join(f"{task}: {why}" for task, why in skipped.items())
        raise InputError(f"{a.folder} and {b.folder}: no task can be compared ({reasons}).")
    tasks, draws = [], []
    for place, name in enumerate(names):
        rows, of_a, of_b = joined(a, b, name)
        gap = mcc_difference(rows.right, of_a, of_b, config.n_bootstrap, (config.seed, place))
        only_a, only_b, p = mcnemar(of_a == rows.right, of_b == rows.right)
        draws.append(gap.draws)
        tasks.append(
            {
                "task": name,
                "simulated": a.tasks[name]["simulated"],
                "n": len(rows.ids),
                "a": cell(a.tasks[name], a.way, "mcc"),
                "b": cell(b.tasks[name], b.way, "mcc"),
                "difference": gap.value,
                "interval": [gap.low, gap.high],
                "only_a_right": only_a,
                "only_b_right": only_b,
                "p": p,
            }
        )
    for task, p in zip(tasks, holm([task["p"] for task in tasks]), strict=True):
        task["p_holm"] = p
        better = "B" if task["only_b_right"] > task["only_a_right"] else "A"
        task["verdict"] = f"{better} is right more often" if p < LEVEL else "no difference shown"
    mean = np.mean(draws, axis=0)
    ends = np.quantile(mean, [0.025, 0.975])
    words = ["dnahlm", "report", "compare", *config.evaluations]
    for option in ("models", "ways"):
        words += [f"--{option}", *getattr(config, option)] if getattr(config, option) else []
    words += ["--output", config.output] if config.output else []
    words += ["--n_bootstrap", str(config.n_bootstrap), "--seed", str(config.seed)]
    return {
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(words),
        "seed": config.seed,
        "n_bootstrap": config.n_bootstrap,
        "git_commit": git_commit(),
        "a": described(a),
        "b": described(b),
        "tasks": tasks,
        "not_compared": skipped,
        "mean_difference": {
            "value": float(np.mean([task["difference"] for task in tasks])),
            "interval": ends.tolist(),
        },
    }


def described(side: Side) -> dict[str, Any]:
    """One side, for the record."""
    return {
        "title": side.title,
        "folder": str(side.folder),
        "way": side.way,
        **side.model,
        "created": side.report["created"],
        "command": side.report["command"],
    }
