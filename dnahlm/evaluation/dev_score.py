"""How well a model answers validation rows while it is tuned: what `training.best` is handed."""

from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.evaluation.metrics import mcc
from dnahlm.inference.calibrate_checkpoint import words_of
from dnahlm.inference.scorer import score
from dnahlm.tasks.prompt import render_prompts
from dnahlm.tasks.spec import TaskSpec


def dev_mcc(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    specs: dict[str, TaskSpec],
    rows: dict[str, list[dict[str, Any]]],
) -> dict[str, float]:
    """MCC of each task on its rows, by the label scorer, without calibration.

    In a process group every process must call this: each scores its share.

    Args:
        model: in evaluation mode.
        tokenizer: the model's own.
        specs: the tasks, by id.
        rows: records of each task.
    """
    found = {}
    for task, records in rows.items():
        options = words_of(specs[task], records)
        prompts = render_prompts(tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
        best = score(model, tokenizer, prompts, options).argmax(axis=1)
        found[task] = mcc([options[k] for k in best], [r["output"] for r in records])
    return found
