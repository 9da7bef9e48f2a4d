"""What lm-evaluation-harness asks for when it runs a task of `dnahlm tasks lm_eval`: the rows, prompts and answers."""

from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import AutoConfig, PreTrainedTokenizerFast

from dnahlm.config import did_you_mean
from dnahlm.inference.calibrate import FILE_NAME as CALIBRATION_FILE
from dnahlm.inference.calibrate import Calibration, read_calibrations
from dnahlm.io import InputError
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import encode, render_prompts, render_text, user_content
from dnahlm.tokenizer.load import load_tokenizer

FILES = ("test", "test_held_out", "validation")
PROMPTS = ("chat", "alpaca")


def load(
    dnahlm_task: str,
    answers: list[str],
    instructions: str | None = None,
    rows: str = "test",
    prompt: str = "chat",
    pretrained: str | None = None,
    tokenizer: str | None = None,
    peft: str | None = None,
    **_: Any,
) -> dict[str, Dataset]:
    """The rows of one task; every argument but the first two comes from `--metadata` and `--model_args`.

    Args:
        dnahlm_task: task id.
        answers: its K answers.
        instructions: folder written by `dnahlm instructions build`.
        rows: which of its files.
        prompt: chat = the user message, which the harness puts into the chat template; alpaca = the whole text.
        pretrained: the model; its tokenizer tells what ends a text.
        tokenizer: another folder or name of the tokenizer.
        peft: the folder of an adapter, which then holds the calibration.

    Returns:
        `test`: rows of id, question, choices (K texts that end with the end of text), target (number of the right one),
        calibration (temperature, then a bias per answer or none).

    Raises:
        InputError: no instructions or rows; an answer the task does not have; a prompt that exceeds the context.
    """
    check_words(rows, FILES, "rows")
    check_words(prompt, PROMPTS, "prompt")
    if not instructions or not pretrained:
        raise InputError(
            f"task {dnahlm_task}: needs the rows and the model: --model_args pretrained=MODEL --metadata "
            '\'{"instructions": "FOLDER"}\' with a folder written by `dnahlm instructions build`.'
        )
    path = Path(instructions) / f"{rows}.jsonl"
    records = [record for record in read_instructions(path) if record["task"] == dnahlm_task]
    if not records:
        raise InputError(f"{path}: has no rows of task {dnahlm_task!r}. Name other --tasks, or build them into it.")
    if foreign := sorted({record["output"] for record in records} - set(answers)):
        raise InputError(
            f"{path}: the answers {foreign[:5]} are none of task {dnahlm_task!r} ({answers}). Write the tasks again "
            f"with `dnahlm tasks lm_eval --tasks {Path(instructions) / 'tasks' / dnahlm_task}.yaml`."
        )
    reader = load_tokenizer(tokenizer or pretrained)
    check_prompts(reader, records, answers, prompt, pretrained, path)
    questions = [(render_text if prompt == "alpaca" else user_content)(r["instruction"], r["input"]) for r in records]
    choices = [answer + reader.eos_token for answer in answers]
    fit = read_calibrations(Path(peft or pretrained) / CALIBRATION_FILE, {}).get(dnahlm_task, Calibration())
    same = {"choices": choices, "calibration": [fit.temperature, *fit.bias]}
    docs = [
        {"id": record["id"], "question": question, "target": answers.index(record["output"]), **same}
        for record, question in zip(records, questions, strict=True)
    ]
    return {"test": Dataset.from_list(docs)}


def process_results(doc: dict[str, Any], results: list[tuple[float, bool]]) -> dict[str, float]:
    """Whether a row of `load` is answered right, from the log-probability of each of its K choices.

    The calibration of the checkpoint counts, as its bias decides between answers that are nearly as likely.

    >>> doc = {"target": 1, "calibration": [1.0, -0.5, 0.5]}
    >>> process_results(doc, [(-1.0, False), (-1.5, False)])
    {'acc': 1.0}
    """
    temperature, *bias = doc["calibration"]
    shares = Calibration(temperature, tuple(bias)).probabilities(np.array([[log_p for log_p, _ in results]]))
    return {"acc": float(shares[0].astype(np.float32).argmax() == doc["target"])}


def check_words(value: str, known: tuple[str, ...], name: str) -> None:
    """Raise `InputError` for a value that is none of those known."""
    if value not in known:
        raise InputError(f"--metadata: {name}: found {value!r}. {did_you_mean(value, known)}")


def check_prompts(
    tokenizer: PreTrainedTokenizerFast,
    records: list[dict[str, Any]],
    answers: list[str],
    prompt: str,
    model: str,
    path: Path,
) -> None:
    """Raise `InputError` where prompt and answers exceed the context: the harness would cut the prompt unasked."""
    if prompt == "alpaca":
        prompts = [render_text(r["instruction"], r["input"]) for r in records]
    else:
        prompts = render_prompts(tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    limit = getattr(AutoConfig.from_pretrained(model), "max_position_embeddings", None)
    prompt_ids, _ = encode(tokenizer, prompts, [answers[0]] * len(prompts))
    _, answer_ids = encode(tokenizer, prompts[:1] * len(answers), answers)
    longest = max(map(len, answer_ids))
    for record, ids in zip(records, prompt_ids, strict=True):
        if limit and len(ids) + longest > limit:
            raise InputError(
                f"{path}: row {record['id']!r}: {len(ids)} tokens and {longest} of the answer exceed the {limit} "
                f"tokens {model} can see. Set a window in the task file; nothing was cut."
            )
