"""Evaluate models on a suite: score every answer, let them write freely, and put baselines and controls beside them.

`accelerate launch -m dnahlm evaluate ...` shares the questions among processes; one of them writes.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.evaluation.baselines.fit import fit_baselines
from dnahlm.evaluation.bootstrap import Answered
from dnahlm.evaluation.candidate import Candidate, open_candidate, require_candidates
from dnahlm.evaluation.describe import describe_losses, describe_model, describe_run, describe_task, summarize
from dnahlm.evaluation.kept import KeptAnswers, check_output, kept_answers
from dnahlm.evaluation.predictions import write_predictions
from dnahlm.evaluation.provenance import INSTRUCTIONS_STAGE, instructions_folder, seen_by
from dnahlm.evaluation.report.write import terminal_table, write_report
from dnahlm.evaluation.rows import TaskRows, read_rows
from dnahlm.evaluation.suite import Suite, load_suite
from dnahlm.evaluation.task import evaluate_task
from dnahlm.evaluation.zero_shot import degrees, marked, overlap, status_of
from dnahlm.inference.parallel import is_main, join, wait
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest

# Of every entry of report.json; None where it was not asked for.
SHARES = (
    "invalid_share", "exact_match_given_scored_right", "n_scored_right", "substring_accuracy", "strand_agreement",
    "phrasing_agreement", "option_order_agreement",
)  # fmt: skip


@dataclass
class EvaluateConfig:
    """Options of `dnahlm evaluate`."""

    model: list[str] | str = field(
        metadata={"help": "one or more checkpoints: folders (tuned by us or by others) or hub names; several seeds of "
                  "one recipe give means and standard deviations"}
    )  # fmt: skip
    output: str = field(metadata={"help": "folder for predictions, report.json, report.md and report.html"})
    suite: str = field(
        default="smoke", metadata={"help": "smoke, full, gue, genemask or zero_shot (shipped), or a YAML file of yours"}
    )
    instructions: str | None = field(
        default=None,
        metadata={
            "help": "folder of `dnahlm instructions build` whose test rows are asked; default: the one the "
            "first model was tuned on; needed for models that were not tuned here"
        },
    )
    seed: int = field(
        default=0, metadata={"help": "draws the rows where the suite limits their number, examples and resamples"}
    )
    resume: bool = field(default=False, metadata={"help": "go on behind the answers of a run that was stopped"})
    overwrite: bool = field(default=False, metadata={"help": "replace the output once the new one is complete"})

    def __post_init__(self) -> None:
        self.model = [self.model] if isinstance(self.model, str) else list(self.model)


def run(config: EvaluateConfig) -> dict[str, Any]:
    """Checkpoints + suite -> output/: predictions/<model>/<task>.parquet, report.{json,md,html}, manifest.json.

    Raises:
        InputError: output taken; unusable model or suite; a task of the suite without rows; rows too long.
    """
    clock = StageClock()
    join()
    check_output(config.output, config.overwrite, config.resume)
    wait()  # every process has looked before one writes
    suite = load_suite(config.suite)
    require_candidates(config.model)
    candidate = open_candidate(config.model[0], "m1")
    folder = instructions_folder(candidate.loaded, config.instructions)
    read_manifest(folder, INSTRUCTIONS_STAGE)
    rows = read_rows(suite, folder, config.seed)
    baselines: dict[str, tuple] = {}
    models, losses, results = [], [], []
    with (
        kept_answers(config.output, config.resume) as answers,
        own_folder(config.output, config.overwrite, [*config.model, folder]) as part,
    ):
        for number, path in enumerate(config.model, 1):
            if number > 1:  # one model in memory at a time
                candidate = open_candidate(path, f"m{number}")
                require_same_instructions(candidate, folder, config)
            candidate.kept = KeptAnswers.of(answers, candidate.loaded)
            for note in candidate.notes if is_main() else ():
                print(f"{candidate.name} ({path}): {note}", flush=True)
            models.append(describe_model(candidate))
            losses += describe_losses(candidate)
            for task, task_rows in fitting(rows, suite, candidate).items():
                if task not in baselines:
                    baselines[task] = fit_baselines(suite, task_rows, config.seed)
                results.append(evaluate_one(candidate, suite, task_rows, baselines[task], folder, config.seed, part))
        report = {**describe_run(config, suite, folder), "models": models, "loss": losses, "seconds": clock.seconds}
        report |= {"tasks": results, "summary": summarize(results, models)}
        write_report(part, report)
        counts = {r["task"]: {"rows": r["n"], "rows_not_asked": r["n_available"] - r["n"]} for r in results}
        inputs = {f"m{n}": path for n, path in enumerate(config.model, 1)}
        inputs |= {"instructions": folder, "suite": suite.path}
        scored = {
            model["name"]: {r["task"]: plain_metrics(r) for r in results if r["model"] == model["name"]}
            for model in models
        }
        manifest = write_manifest(part, "evaluate", config, clock, inputs, counts, scored=scored)
    if is_main():
        print(terminal_table(report))
        total = sum(r["n"] for r in results)
        print(f"evaluated {len(counts)} tasks ({total:,} rows) in {clock.seconds:.0f} s; {config.output}/report.html")
    return manifest


@contextlib.contextmanager
def own_folder(path: str, overwrite: bool, inputs: list[str | Path]) -> Iterator[Path]:
    """The output's `staged_folder` on the main process, on all others a folder that is thrown away."""
    if is_main():
        with staged_folder(path, overwrite, inputs) as part:
            yield part
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def evaluate_one(
    candidate: Candidate, suite: Suite, rows: TaskRows, baselines: tuple[dict[str, Answered], int], folder: Path,
    seed: int, part: Path,
) -> dict[str, Any]:  # fmt: skip
    """One model on one task: its predictions file, and its entry of report.json."""
    seen = seen_by(candidate.loaded)
    found = overlap(seen, folder, rows)
    rows = marked(rows, found)
    entry, ways, texts = evaluate_task(candidate, suite, rows, baselines[0], seen, seed)
    write_predictions(part / "predictions" / candidate.name / f"{rows.spec.id}.parquet", rows, ways, texts)
    return {
        **dict.fromkeys(SHARES),
        "model": candidate.name,
        **describe_task(rows),
        "status": status_of(seen, rows, suite.split, found),
        **entry,
        "zero_shot": degrees(seen, rows, ways, suite.split, found),
        "n_baseline_train": baselines[1],
    }


def plain_metrics(entry: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a task's plain way: scored, or written where nothing can be scored."""
    return entry["metrics"].get("scored") or entry["metrics"].get("generated", {})


def fitting(rows: dict[str, TaskRows], suite: Suite, candidate: Candidate) -> dict[str, TaskRows]:
    """The tasks a model can be asked: all of them, or those whose answers are a classification head's outputs.

    Raises:
        InputError: the suite names a task that the head does not fit, or it fits none.
    """
    if not candidate.head:
        return rows
    fit = {task: found for task, found in rows.items() if set(found.options) == set(candidate.head)}
    tuned = {task for task, facts in candidate.loaded.task_facts.items() if facts["n_train"]}
    fit = {task: found for task, found in fit.items() if not tuned or task in tuned}
    wrong = [task for task in suite.tasks if task not in fit]
    if wrong or not fit:
        raise InputError(
            f"{candidate.loaded.path}: its classification head gives {candidate.head}"
            + (f" and was trained on {', '.join(sorted(tuned))}" if tuned else "")
            + f"; that is not the task {', '.join(wrong or rows)}. Evaluate it with a suite that names its own task."
        )
    return fit


def require_same_instructions(candidate: Candidate, folder: Path, config: EvaluateConfig) -> None:
    """Raise `InputError` when models are compared on rows that only the first one chose."""
    if config.instructions:
        return
    own = instructions_folder(candidate.loaded, None)
    if own.resolve() != folder.resolve():
        raise InputError(
            f"{config.model[0]} was tuned on {folder}, {candidate.loaded.path} on {own}. Say with --instructions whose "
            "rows all of them are asked."
        )
