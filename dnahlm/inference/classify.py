"""A task's question put to the model for any sequence: the one place where chat and predict get their probabilities."""

from collections.abc import Callable, Sequence

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.inference.ensemble import default_ensemble, member_probabilities
from dnahlm.inference.label_sets import scorable
from dnahlm.inference.load import Loaded
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.kinds import options
from dnahlm.tasks.prompt import fill_phrasing, render_prompt
from dnahlm.tasks.spec import TaskSpec, load_task

WRITTEN_TOKENS = 48  # room for an answer that is no label of a list: a number, a code, several labels


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


def task_record(spec: TaskSpec, input: str, instruction: str | None = None) -> dict[str, str]:
    """The question of a task about one input: `instruction`, or its first training phrasing."""
    return {"instruction": instruction or fill_phrasing(spec.phrasings[0], options(spec)), "input": input}


def task_prompt(loaded: Loaded, spec: TaskSpec, input: str, instruction: str | None = None) -> str:
    """The prompt of `task_record`; of a task about one sequence the input is the sequence."""
    record = task_record(spec, input, instruction)
    return render_prompt(loaded.tokenizer, record["instruction"], record["input"])


def classify(
    loaded: Loaded,
    spec: TaskSpec,
    sequences: list[str],
    batch_tokens: int | None = None,
    ensemble: Sequence[str] | None = None,
    instruction: str | None = None,
) -> np.ndarray:
    """Calibrated probability of each answer of a task, for N sequences.

    Args:
        loaded: model, tokenizer and calibration; a task without calibration is not rescaled.
        spec: gives the question and the K answers.
        sequences: normalized DNA; of a pair task its inputs, as `tasks.kinds.input_text` writes them. Each fits the
            context (see `require_fits`).
        batch_tokens: tokens computed at once.
        ensemble: the ways of asking that are averaged, see `inference.ensemble`; None = both strands when the task is
            `strand_symmetric`, else one.
        instruction: the question; None = the task's first training phrasing.

    Returns:
        (N, K) float64, answers in the order of the YAML, rows sum to 1.

    Raises:
        InputError: a sequence is too long for the model, or the model gives NaN.
    """
    ensemble = default_ensemble(spec) if ensemble is None else ensemble
    records = [task_record(spec, sequence, instruction) for sequence in sequences]
    return member_probabilities(loaded, spec, records, ensemble, batch_tokens).mean(axis=0)


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


def room_for_prompt(loaded: Loaded, spec: TaskSpec) -> int:
    """Tokens a prompt of a task may have, so that its longest answer and EOS fit behind it."""
    if not (known := scorable(spec)):
        return context_of(loaded.model) - WRITTEN_TOKENS
    longest = max(len(loaded.tokenizer(answer, add_special_tokens=False)["input_ids"]) for answer in known)
    return context_of(loaded.model) - longest - 1


def task_bases_that_fit(loaded: Loaded, spec: TaskSpec, sequence: str, instruction: str | None = None) -> int | None:
    """`bases_that_fit` for a task's question and longest answer, on the strand that needs more tokens."""
    room = room_for_prompt(loaded, spec)
    strands = [sequence, reverse_complement(sequence)] if spec.strand_symmetric else [sequence]

    def prompt_of(dna: str) -> str:
        return task_prompt(loaded, spec, dna, instruction)

    fits = [bases_that_fit(loaded, prompt_of, strand, room) for strand in strands]
    return min((fit for fit in fits if fit is not None), default=None)


def require_fits(
    loaded: Loaded, spec: TaskSpec, sequence: str, where: str, advice: str, instruction: str | None = None
) -> None:
    """Refuse a sequence whose prompt exceeds the context, in bases.

    Raises:
        InputError: the record `where` is too long; says how many bases about fit, then `advice`.
    """
    fit = task_bases_that_fit(loaded, spec, sequence, instruction)
    if fit is not None:
        raise InputError(
            f"{where}: {len(sequence):,} bases are too long for this model with task {spec.id}: "
            f"about {fit:,} bases fit into its {context_of(loaded.model):,} tokens. {advice}"
        )
