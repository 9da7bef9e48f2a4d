"""Everything about an evaluation that is not a figure: models, machine, versions, tasks; and what models share."""

import datetime
import os
import shlex
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.candidate import Candidate, weights_sha256
from dnahlm.evaluation.provenance import loss_curves
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.suite import Suite
from dnahlm.manifest import git_commit, library_versions
from dnahlm.tasks.kinds import bases_in


def describe_run(config: Any, suite: Suite, folder: Path) -> dict[str, Any]:
    """What was run, where and when; `config` is the command's, its `model` a list."""
    words = ["dnahlm", "evaluate", "--model", *config.model, "--suite", config.suite, "--output", config.output]
    words += ["--instructions", config.instructions] if config.instructions else []
    return {
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join([*words, "--seed", str(config.seed)]),
        "seed": config.seed,
        "suite": {"name": suite.name, "description": suite.description, "split": suite.split},
        "instructions": str(folder),
        "n_bootstrap": suite.n_bootstrap,
        "hardware": {
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        },
        "versions": library_versions(),
        "git_commit": git_commit(),
    }


def describe_model(candidate: Candidate) -> dict[str, Any]:
    """One model's entry."""
    loaded = candidate.loaded
    known = loaded.manifest or {}
    return {
        "name": candidate.name,
        "path": loaded.path,
        "type": loaded.model.config.model_type,
        "parameters": loaded.model.num_parameters(),
        "tuned": known.get("created"),
        "tuned_seed": known.get("seed"),
        "sha256": weights_sha256(loaded.path),
        "template": candidate.template,
        "notes": candidate.notes,
    }


def describe_losses(candidate: Candidate) -> list[dict[str, Any]]:
    """The loss curves behind a model, each with the model's name."""
    return [{"model": candidate.name, **curve} for curve in loss_curves(candidate.loaded)]


def describe_task(rows: TaskRows) -> dict[str, Any]:
    """What a reader needs to judge a task's figures: where it comes from, how many rows, of which class and length."""
    spec, lengths = rows.spec, [bases_in(record["input"]) for record in rows.asked]
    references = [record["output"] for record in rows.asked]
    return {
        "task": spec.id,
        "description": spec.description,
        "citation": spec.citation,
        "simulated": spec.simulated,
        "kind": spec.kind,
        "headline_metrics": list(spec.metrics),
        "answers": rows.options,
        "n": len(references),
        "n_available": rows.n_available,
        "counts": {option: references.count(option) for option in rows.options},
        "min_bases": min(lengths),
        "max_bases": max(lengths),
    }


def summarize(tasks: list[dict[str, Any]], models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and standard deviation (n - 1) of every figure over models of one architecture and size, such as seeds.

    Models of another kind are not mixed in: their mean would say nothing. Baselines are left out: they were fitted
    once, for all models.

    Args:
        tasks: the entries of report.json, one per model and task.
        models: the entries of `describe_model`.

    Returns:
        one dict per (task, way, metric, kind of model): task, way, metric, models (names), mean, sd.
    """
    kinds = {model["name"]: (model["type"], model["parameters"]) for model in models}
    values: dict[tuple[Any, ...], dict[str, float]] = {}
    for entry in tasks:
        for way, metrics in entry["metrics"].items():
            for name, value in metrics.items():
                if value is not None and way not in BASELINES:
                    key = (entry["task"], way, name, kinds[entry["model"]])
                    values.setdefault(key, {})[entry["model"]] = value
    return [
        {"task": task, "way": way, "metric": name, "models": list(found), "mean": mean(found.values()),
         "sd": stdev(found.values())}
        for (task, way, name, _), found in values.items()
        if len(found) > 1
    ]  # fmt: skip
