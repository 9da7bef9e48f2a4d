"""Questions put to a model: the probability of every answer, or what it writes by itself, read strictly.

A prediction is the answer with the highest probability (scored), or the text the model writes by itself (generated),
which counts only if it is exactly an answer and then stops. Nothing is searched for inside a text, except by
`substring_accuracy`, which is there to show what such a search hides.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dnahlm.evaluation.bootstrap import Answered
from dnahlm.evaluation.candidate import Candidate, head_scores
from dnahlm.evaluation.ways import Way
from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.generator import Generated, generate
from dnahlm.inference.load import Loaded
from dnahlm.inference.scorer import PromptError, score
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.tasks.spec import TaskSpec

EXTRA_TOKENS = 4  # room beyond the longest answer, so that a model that does not stop is seen not to stop


def chances(loaded: Loaded, spec: TaskSpec, scores: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Calibrated probabilities (N, K) of the words whose log-probabilities are given."""
    return calibrated(loaded, loaded.tasks.get(spec.id, spec), scores, words)


def calibration_facts(loaded: Loaded, spec: TaskSpec) -> dict[str, Any]:
    """What `chances` does to a task's scores; empty when it does nothing."""
    fitted = loaded.calibration.get(spec.id)
    if fitted is None:
        return {}
    return asdict(fitted)


def ask(candidate: Candidate, spec: TaskSpec, way: Way, options: Sequence[str]) -> Answered:
    """The likeliest answer of each of a way's N rows, as one of the task's K options, and all probabilities.

    Raises:
        InputError: a row that does not fit the model, or a model that gives NaN.
    """
    scores = scores_of(candidate, way.records, way.words, f"{spec.id}, {way.name}")
    return decide(chances(candidate.loaded, spec, scores, way.words), options)


def scores_of(candidate: Candidate, records: Sequence[dict], words: list[str], title: str) -> np.ndarray:
    """Log-probability of each of K words after each of N records, (N, K).

    Raises:
        InputError: a row that does not fit the model, or a model that gives NaN.
    """
    loaded, head = candidate.loaded, bool(candidate.head)
    try:
        asked = [r["input"] for r in records] if head else prompts(loaded, records)

        def compute() -> list[list[float]]:
            if head:
                return head_scores(candidate, asked, words).tolist()
            return score(loaded.model, loaded.tokenizer, asked, words, progress=title).tolist()

        return np.array(answered(candidate, ["score", words, asked], compute)).reshape(len(asked), len(words))
    except InputError as error:
        row = f"row {records[error.row]['id']!r}, " if isinstance(error, PromptError) else ""
        raise InputError(f"task {title}: {row}{error}") from error


def answered(candidate: Candidate, question: Any, compute: Callable[[], Any]) -> Any:
    """What the model answers, as JSON; taken from the disk where a run that was stopped has asked it already."""
    return candidate.kept.get(question, compute) if candidate.kept else compute()


def decide(found: np.ndarray, options: Sequence[str]) -> Answered:
    """The likeliest option of each row, the first one of equals, and all probabilities.

    They are rounded to single precision, so that figures computed again from a predictions file are the same.
    """
    found = found.astype(np.float32).astype(np.float64)
    return Answered([options[k] for k in found.argmax(axis=1)], found)


def tokens_over(candidate: Candidate, way: Way, longest_answers: Sequence[str]) -> int:
    """By how many tokens the longest question of a way, with its longest answer, exceeds the context; 0 = it fits."""
    asked = prompts(candidate.loaded, way.records)
    tokenizer = candidate.loaded.tokenizer
    ids, _ = encode(tokenizer, asked, [longest_answers[0]] * len(asked))
    _, with_eos = encode(tokenizer, asked[:1] * len(longest_answers), list(longest_answers))
    return max(0, max(map(len, ids)) + max(map(len, with_eos)) - context_of(candidate.loaded.model))


def write_freely(candidate: Candidate, spec: TaskSpec, way: Way, known: Sequence[str]) -> list[Generated]:
    """What the model writes by itself for N rows, with room for the longest of the known answers and a little more.

    Raises:
        InputError: a prompt that fills the model's context.
    """
    loaded = candidate.loaded
    asked = prompts(loaded, way.records)
    _, with_eos = encode(loaded.tokenizer, asked[:1] * len(known), list(known))
    room, title = max(map(len, with_eos)) + EXTRA_TOKENS, f"{spec.id}, {way.name} written"

    def compute() -> list[list[Any]]:
        return [[t.text, t.stopped] for t in generate(loaded.model, loaded.tokenizer, asked, room, progress=title)]

    try:
        return [Generated(*found) for found in answered(candidate, ["write", room, asked], compute)]
    except InputError as error:
        raise InputError(f"task {spec.id}, {way.name}: {error}") from error


def read_strictly(texts: Sequence[Generated], options: Sequence[str]) -> list[str | None]:
    """Texts that are exactly an answer and stop; None for all others."""
    return [t.text if t.stopped and t.text in options else None for t in texts]


def substring_accuracy(texts: Sequence[Generated], references: Sequence[str]) -> float:
    """Share of texts in which the right answer occurs somewhere, whatever else they say, stopped or not.

    `non-promoter` counts as right for `promoter` too. This is how an earlier system measured itself; never quote it.
    """
    return sum(r in t.text for t, r in zip(texts, references, strict=True)) / len(references)


def prompts(loaded: Loaded, records: Sequence[dict]) -> list[str]:
    """The records as the model reads them."""
    return render_prompts(loaded.tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
