"""A task's question put to the model for any sequence: the one place where chat and predict get their probabilities."""

from collections.abc import Callable

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.load import Loaded
from dnahlm.inference.scorer import score
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import fill_phrasing, render_prompt
from dnahlm.tasks.spec import TaskSpec, answers, load_task


def find_task(loaded: Loaded, name: str) -> TaskSpec:
    """The task as the model was tuned on it, or else a shipped task or a YAML file (then it is zero-shot).

    Raises:
        InputError: no task of that name; says which tasks the model was tuned on.
    """
    if name in loaded.tasks:
        return loaded.tasks[name]
    try:
        return load_task(name)
    except InputError as error:
        tuned = ", ".join(loaded.tasks) or "none that are recorded in its folder"
        raise InputError(f"{error} The model {loaded.path} was tuned on: {tuned}.") from error


def task_prompt(loaded: Loaded, spec: TaskSpec, sequence: str) -> str:
    """The prompt that asks a task's question, in its first training phrasing, about one sequence."""
    instruction = fill_phrasing(spec.phrasings[0], answers(spec))
    return render_prompt(loaded.tokenizer, instruction, sequence)


def classify(loaded: Loaded, spec: TaskSpec, sequences: list[str], batch_tokens: int = 2048) -> np.ndarray:
    """Calibrated probability of each answer of a task, for N sequences.

    Args:
        loaded: model, tokenizer and calibration; a task without calibration is not rescaled.
        spec: gives the question and the K answers; when it is `strand_symmetric`, both strands are asked and averaged.
        sequences: normalized DNA, each of which fits the context (see `require_fits`).
        batch_tokens: tokens computed at once.

    Returns:
        (N, K) float64, answers in the order of the YAML, rows sum to 1.

    Raises:
        InputError: a sequence is too long for the model, or the model gives NaN.
    """
    strands = strands_asked(spec, sequences)
    prompts = [task_prompt(loaded, spec, sequence) for sequence in strands]
    scores = score(loaded.model, loaded.tokenizer, prompts, answers(spec), batch_tokens=batch_tokens)
    # (strands, N, K) -> (N, K)
    return calibrated(loaded, spec, scores).reshape(-1, len(sequences), len(answers(spec))).mean(axis=0)


def strands_asked(spec: TaskSpec, sequences: list[str]) -> list[str]:
    """The sequences, followed by their reverse complements when the task has no direction."""
    return sequences + [reverse_complement(s) for s in sequences] if spec.strand_symmetric else sequences


def bases_that_fit(loaded: Loaded, prompt_of: Callable[[str], str], sequence: str, room: int) -> int | None:
    """About how many bases of `sequence` fit, measured with the tokenizer; None when all of it does.

    Args:
        loaded: its tokenizer counts.
        prompt_of: renders the prompt around a sequence.
        sequence: the DNA in question.
        room: tokens the prompt may have.
    """

    def tokens(dna: str) -> int:
        return len(loaded.tokenizer(prompt_of(dna), add_special_tokens=False)["input_ids"])

    needed = tokens(sequence)
    if needed <= room:
        return None
    frame = tokens("")
    return max(0, int(len(sequence) * (room - frame) / max(1, needed - frame)))


def task_bases_that_fit(loaded: Loaded, spec: TaskSpec, sequence: str) -> int | None:
    """`bases_that_fit` for a task's own question and longest answer, on the strand that needs more tokens."""
    longest = max(len(loaded.tokenizer(answer, add_special_tokens=False)["input_ids"]) for answer in answers(spec))
    room = context_of(loaded.model) - longest - 1  # one for EOS
    fits = [
        bases_that_fit(loaded, lambda dna: task_prompt(loaded, spec, dna), strand, room)
        for strand in strands_asked(spec, [sequence])
    ]
    return min((fit for fit in fits if fit is not None), default=None)


def require_fits(loaded: Loaded, spec: TaskSpec, sequence: str, where: str, advice: str) -> None:
    """Refuse a sequence whose prompt exceeds the context, in bases.

    Raises:
        InputError: the record `where` is too long; says how many bases about fit, then `advice`.
    """
    fit = task_bases_that_fit(loaded, spec, sequence)
    if fit is not None:
        raise InputError(
            f"{where}: {len(sequence):,} bases are too long for this model with task {spec.id}: "
            f"about {fit:,} bases fit into its {context_of(loaded.model):,} tokens. {advice}"
        )
