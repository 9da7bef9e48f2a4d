"""Which step of a tuning run is kept: the last, or the best on validation rows. Test rows have no part in it."""

import os
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from transformers import (
    EarlyStoppingCallback,
    IntervalStrategy,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    TrainerCallback,
    TrainerState,
)
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

from dnahlm.io import InputError
from dnahlm.tasks.spec import TaskSpec, has_fixed_answers
from dnahlm.training.sft_arguments import SftArguments

Records: TypeAlias = list[dict[str, Any]]
# (model, tokenizer, tasks by id, rows of each task) -> MCC of each task
Score: TypeAlias = Callable[
    [PreTrainedModel, PreTrainedTokenizerFast, dict[str, TaskSpec], dict[str, Records]], dict[str, float]
]
MEAN, EACH = "mean_mcc", "mcc_"


def check_levers(args: SftArguments) -> None:
    """Refuse settings that cannot be meant together, or at all.

    Raises:
        InputError: negative rows or patience, no evaluation to look at, or weights that are parted over processes.
    """
    for name, unit in (("dev_rows", "rows"), ("early_stopping_patience", "evaluations")):
        if getattr(args, name) < 0:
            raise InputError(f"{name}: {getattr(args, name)} {unit}; must be 0 (off) or more.")
    if args.input_loss_weight < 0:
        raise InputError(f"input_loss_weight: {args.input_loss_weight:g}; must be 0 (off) or more, for example 0.1.")
    looks = args.eval_strategy != IntervalStrategy.NO
    if args.early_stopping_patience and not (looks and args.load_best_model_at_end):
        raise InputError(
            "early_stopping_patience: needs evaluations and a best one among them. Set eval_strategy: steps, "
            "eval_steps and load_best_model_at_end: true (with dev_rows, the best mean MCC), or leave it out."
        )
    if args.dev_rows and not looks:
        raise InputError("dev_rows: are scored at evaluations. Set eval_strategy: steps and eval_steps, or 0 rows.")
    if args.metric_for_best_model in (MEAN, f"eval_{MEAN}") and not args.dev_rows:
        raise InputError(f"metric_for_best_model: {MEAN} is told from dev_rows, of which there are none. Set dev_rows.")
    if args.dev_rows and (is_deepspeed_zero3_enabled() or os.environ.get("ACCELERATE_USE_FSDP") == "true"):
        raise InputError(
            "dev_rows: ZeRO-3 and FSDP part the weights, and rows are scored by each process for itself. Train with "
            "ZeRO-2, or set dev_rows: 0 (eval_loss can then tell the best step)."
        )


def dev_sample(records: Records, specs: dict[str, TaskSpec], n: int, seed: int) -> dict[str, Records]:
    """Up to `n` validation rows of each task with fixed answers, drawn by the seed; tasks in order of name.

    Raises:
        InputError: no validation row has a fixed answer.
    """
    rows: dict[str, Records] = {}
    for record in records:
        if has_fixed_answers(specs[record["task"]]):
            rows.setdefault(record["task"], []).append(record)
    if not rows:
        raise InputError(
            "dev_rows: no validation row of these instructions has a fixed answer, so none can be scored. Set "
            "dev_rows: 0 (eval_loss can then tell the best step), or build instructions with validation rows."
        )
    return {task: random.Random(seed).sample(found, min(n, len(found))) for task, found in sorted(rows.items())}


def with_mean(each: dict[str, float]) -> dict[str, float]:
    """Figures of an evaluation from the MCC of each task, their mean first.

    >>> with_mean({"a": 0.25, "b": 0.75})
    {'mean_mcc': 0.5, 'mcc_a': 0.25, 'mcc_b': 0.75}
    """
    return {MEAN: sum(each.values()) / len(each), **{f"{EACH}{task}": value for task, value in each.items()}}


def mcc_of(figures: dict[str, float]) -> dict[str, float]:
    """What `with_mean` added to the figures of an evaluation."""
    names = {name.removeprefix("eval_"): value for name, value in figures.items()}
    return {name: value for name, value in names.items() if name == MEAN or name.startswith(EACH)}


def stoppers(args: SftArguments) -> list[TrainerCallback]:
    """Upstream's early stop, when it is wanted."""
    return [EarlyStoppingCallback(args.early_stopping_patience)] if args.early_stopping_patience else []


def kept_facts(args: SftArguments, state: TrainerState, dev: dict[str, Records]) -> dict[str, Any]:
    """Which step's weights are saved and why, for manifest and card.

    Returns:
        step and steps (optimizer steps), why, the metric and its value where one decided, dev_rows of each task.
    """
    facts: dict[str, Any] = {"step": state.global_step, "steps": state.global_step, "why": "the last step"}
    if args.load_best_model_at_end and state.best_global_step:
        name = args.metric_for_best_model.removeprefix("eval_")
        facts |= {"step": state.best_global_step, "why": "the best on validation rows", "metric": name}
        facts["value"] = state.best_metric
    stopped = state.max_steps and state.global_step < state.max_steps
    facts["stopped_early_of"] = state.max_steps if stopped else None
    return facts | {"dev_rows": {task: len(found) for task, found in dev.items()}}


def kept_words(kept: dict[str, Any]) -> str:
    """The same as a sentence.

    >>> kept_words({"step": 40, "steps": 60, "why": "the best on validation rows", "metric": "mean_mcc", "value": 0.5,
    ...             "stopped_early_of": 90, "dev_rows": {"a": 200, "b": 180}})
    'weights of step 40 of 60, the best on validation rows (mean_mcc 0.5000, 380 rows); stopped early of 90'
    """
    said = f"weights of step {kept['step']:,} of {kept['steps']:,}, {kept['why']}"
    if "metric" in kept:
        rows = f", {sum(kept['dev_rows'].values()):,} rows" if kept["metric"] == MEAN else ""
        said += f" ({kept['metric']} {kept['value']:.4f}{rows})"
    return said + (f"; stopped early of {kept['stopped_early_of']:,}" if kept["stopped_early_of"] else "")
