"""Evaluate a tuned checkpoint on a suite: score every answer, let it write freely, and put baselines beside it.

A prediction is the answer with the highest log-probability (scored), and, apart from that, the text the model writes by
itself (generated), which counts only if it is exactly an answer and then stops. Nothing is searched for inside a text.
"""

import datetime
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import torch

from dnahlm.evaluation.baselines import BASELINES, letters, train_rows
from dnahlm.evaluation.metrics import confusion, invalid_share, measure
from dnahlm.evaluation.provenance import INSTRUCTIONS_STAGE, instructions_folder, loss_curves, status_of
from dnahlm.evaluation.report import terminal_table, write_report
from dnahlm.evaluation.rows import TaskRows, read_rows
from dnahlm.evaluation.suite import Suite, load_suite
from dnahlm.inference.calibrate import calibration_of
from dnahlm.inference.generator import generate
from dnahlm.inference.load import Loaded, load
from dnahlm.inference.scorer import score
from dnahlm.io import InputError, require_free, staged_folder
from dnahlm.manifest import StageClock, git_commit, library_versions, read_manifest, write_manifest
from dnahlm.tasks.kinds import bases_in
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.tasks.spec import answers

EXTRA_TOKENS = 4  # room beyond the longest answer, so that a model that does not stop is seen not to stop


@dataclass
class EvaluateConfig:
    """Options of `dnahlm evaluate`."""

    model: str = field(metadata={"help": "tuned checkpoint folder (or hub name)"})
    output: str = field(metadata={"help": "folder for predictions, report.json, report.md and report.html"})
    suite: str = field(default="smoke", metadata={"help": "name of a shipped suite, or a YAML file"})
    instructions: str | None = field(
        default=None, metadata={"help": "folder of instruction rows; empty = the one the model was tuned on"}
    )
    seed: int = field(default=0, metadata={"help": "draws the rows where the suite limits their number"})
    overwrite: bool = field(default=False, metadata={"help": "replace the output once the new one is complete"})


def run(config: EvaluateConfig) -> dict[str, Any]:
    """sft/ + suite -> output/: predictions/<task>.parquet, report.json, report.md, report.html, manifest.json.

    Raises:
        InputError: output taken; unusable model or suite; a task of the suite without rows; rows too long.
    """
    clock = StageClock()
    require_free(Path(config.output), config.overwrite)
    suite = load_suite(config.suite)
    loaded = load(config.model)
    folder = instructions_folder(loaded, config.instructions)
    read_manifest(folder, INSTRUCTIONS_STAGE)
    rows = read_rows(suite, folder, config.seed)
    with staged_folder(config.output, config.overwrite, [config.model, folder]) as part:
        (part / "predictions").mkdir()
        results = []
        for task, task_rows in rows.items():
            result, columns = evaluate_task(loaded, suite, task_rows, config.seed)
            result["status"] = status_of(task, suite.split, loaded, folder)
            results.append(result)
            pyarrow.parquet.write_table(pyarrow.table(columns), part / "predictions" / f"{task}.parquet")
        report = {**describe(config, suite, loaded, folder), "seconds": clock.seconds, "tasks": results}
        write_report(part, report)
        counts = {r["task"]: {"rows": r["n"], "rows_not_asked": r["n_available"] - r["n"]} for r in results}
        inputs = {"model": config.model, "instructions": folder, "suite": suite.path}
        scored = {r["task"]: r["metrics"]["scored"] for r in results}
        manifest = write_manifest(part, "evaluate", config, clock, inputs, counts, scored=scored)
    print(terminal_table(report))
    total = sum(r["n"] for r in results)
    print(f"evaluated {len(results)} tasks ({total:,} rows) in {clock.seconds:.0f} s; {config.output}/report.html")
    return manifest


def evaluate_task(loaded: Loaded, suite: Suite, rows: TaskRows, seed: int) -> tuple[dict[str, Any], dict[str, list]]:
    """Ask one task's N rows in every way the suite wants.

    Returns:
        the task's entry of report.json, and the columns (length N) of its predictions file.
    """
    spec, options = rows.spec, answers(rows.spec)
    references = [record["output"] for record in rows.asked]
    calibration = calibration_of(loaded, spec)
    chances = calibration.probabilities(ask(loaded, rows.asked, options, spec.id))
    predicted = decide(chances, options)
    columns: dict[str, list] = {
        "id": [record["id"] for record in rows.asked],
        "label": [record["label"] for record in rows.asked],
        "answer": references,
        "predicted": predicted,
        **{f"p_{option}": chances[:, k].tolist() for k, option in enumerate(options)},
    }
    result: dict[str, Any] = {
        **describe_task(rows, options, references),
        "temperature": calibration.temperature,
        "metrics": {"scored": measure(predicted, references, options, chances)},
        "confusion": {"scored": confusion(predicted, references, options)},
    }
    if suite.generate:
        measure_free_text(loaded, rows, options, result, columns)
    if rows.held_out is not None:
        again = calibration.probabilities(ask(loaded, rows.held_out, options, f"{spec.id}, unseen phrasing"))
        columns["predicted_held_out"] = decide(again, options)
        result["metrics"]["held_out"] = measure(columns["predicted_held_out"], references, options, again)
        same = [a == b for a, b in zip(predicted, columns["predicted_held_out"], strict=True)]
        result["phrasing_agreement"] = sum(same) / len(same)
    measure_baselines(suite, rows, options, seed, result, columns)
    return result, columns


def measure_free_text(
    loaded: Loaded, rows: TaskRows, options: list[str], result: dict[str, Any], columns: dict[str, list]
) -> None:
    """Let the model write; the figures go to `result`, the texts to `columns`."""
    predicted, references = columns["predicted"], columns["answer"]
    texts, strict = write_freely(loaded, rows.asked, options, rows.spec.id)
    right = [i for i, (p, r) in enumerate(zip(predicted, references, strict=True)) if p == r]
    exact = sum(strict[i] == references[i] for i in right)
    result["metrics"]["generated"] = measure(strict, references, options)
    result["confusion"]["generated"] = confusion(strict, references, options)
    result["invalid_share"] = invalid_share(strict)
    result["n_scored_right"] = len(right)
    result["exact_match_given_scored_right"] = exact / len(right) if right else None
    columns |= {"generated": [t.text for t in texts], "stopped": [t.stopped for t in texts]}


def ask(loaded: Loaded, records: list[dict], options: list[str], progress: str) -> np.ndarray:
    """Log-probability of each of K options for N records, (N, K)."""
    try:
        return score(loaded.model, loaded.tokenizer, prompts(loaded, records), options, progress=progress)
    except InputError as error:
        raise InputError(f"task {records[0]['task']!r}: {error}") from error


def write_freely(loaded: Loaded, records: list[dict], options: list[str], task: str) -> tuple[list, list[str | None]]:
    """What the model writes by itself for N records, and its strict reading: exactly an answer, then EOS; else None."""
    asked = prompts(loaded, records)
    _, with_eos = encode(loaded.tokenizer, asked[:1] * len(options), options)
    room = max(map(len, with_eos)) + EXTRA_TOKENS
    texts = generate(loaded.model, loaded.tokenizer, asked, room, progress=f"{task}, free text")
    return texts, [t.text if t.stopped and t.text in options else None for t in texts]


def prompts(loaded: Loaded, records: list[dict]) -> list[str]:
    """The records as the model was tuned to read them."""
    return render_prompts(loaded.tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])


def decide(chances: np.ndarray, options: list[str]) -> list[str]:
    """The likeliest option of each row; the first one of equals."""
    return [options[k] for k in chances.argmax(axis=1)]


def measure_baselines(
    suite: Suite, rows: TaskRows, options: list[str], seed: int, result: dict[str, Any], columns: dict[str, list]
) -> None:
    """Fit the suite's baselines on the task's train rows; their figures go to `result`, predictions to `columns`."""
    sequences, labels = train_rows(rows.train, suite.baseline_train_rows, seed)
    result["n_baseline_train"] = len(sequences)
    if not sequences:  # an unseen task has none, and then neither has a baseline
        return
    test, references = [letters(record) for record in rows.asked], columns["answer"]
    for name in suite.baselines:
        chances = BASELINES[name](sequences, labels, test, options)
        columns[f"predicted_{name}"] = decide(chances, options)
        result["metrics"][name] = measure(columns[f"predicted_{name}"], references, options, chances)


def describe_task(rows: TaskRows, options: list[str], references: list[str]) -> dict[str, Any]:
    """What a reader needs to judge a task's figures: where it comes from, how many rows, of which class and length."""
    spec, lengths = rows.spec, [bases_in(record["input"]) for record in rows.asked]
    return {
        "task": spec.id,
        "description": spec.description,
        "citation": spec.citation,
        "simulated": spec.simulated,
        "headline_metrics": list(spec.metrics),
        "answers": options,
        "n": len(references),
        "n_available": rows.n_available,
        "counts": {option: references.count(option) for option in options},
        "min_bases": min(lengths),
        "max_bases": max(lengths),
    }


def describe(config: EvaluateConfig, suite: Suite, loaded: Loaded, folder: Path) -> dict[str, Any]:
    """Everything about the run that is not a figure."""
    words = ["dnahlm", "evaluate", "--model", config.model, "--suite", config.suite, "--output", config.output]
    words += ["--instructions", config.instructions] if config.instructions else []
    known = loaded.manifest or {}
    device = loaded.model.device
    return {
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join([*words, "--seed", str(config.seed)]),
        "seed": config.seed,
        "suite": {"name": suite.name, "description": suite.description, "split": suite.split},
        "instructions": str(folder),
        "model": {
            "path": config.model,
            "type": loaded.model.config.model_type,
            "parameters": loaded.model.num_parameters(),
            "tuned": known.get("created"),
            "tuned_seed": known.get("seed"),
        },
        "hardware": {
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        },
        "versions": library_versions(),
        "git_commit": git_commit(),
        "loss": loss_curves(loaded),
    }
