"""One question put in several ways, and the mean of the answers: both strands, all phrasings, other segmentations."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.load import Loaded
from dnahlm.inference.scorer import score_ids, tokenize
from dnahlm.inference.segmentations import cutter, drawn_ids
from dnahlm.io import InputError
from dnahlm.tasks.kinds import with_dna
from dnahlm.tasks.prompt import fill_phrasing, render_prompts
from dnahlm.tasks.spec import TaskSpec, answers

KINDS = ("strands", "phrasings", "segmentations")
SEGMENTATIONS = 4  # ways to cut the DNA: the usual one and three drawn ones


@dataclass(frozen=True)
class Member:
    """One way to ask."""

    reverse: bool = False
    phrasing: int | None = None  # of the task's training phrasings; None = the record's own
    segmentation: int = 0  # 0 = the tokenizer's usual one


def default_ensemble(spec: TaskSpec) -> tuple[str, ...]:
    """Both strands where the task has no direction, else the question as it is."""
    return ("strands",) if spec.strand_symmetric else ()


def check_ensemble(spec: TaskSpec, ensemble: Sequence[str]) -> None:
    """Raise `InputError` for an unknown kind, or strands of a task that has a direction."""
    if unknown := [kind for kind in ensemble if kind not in KINDS]:
        raise InputError(f"ensemble: found {', '.join(unknown)}; allowed: {', '.join(KINDS)}, or none alone.")
    if "strands" in ensemble and not spec.strand_symmetric:
        raise InputError(
            f"ensemble: task {spec.id} has a direction (strand_symmetric: false), so its other strand is another "
            "question. Leave strands out."
        )


def members(spec: TaskSpec, ensemble: Sequence[str]) -> list[Member]:
    """Every way to ask that an ensemble stands for.

    Raises:
        InputError: see `check_ensemble`.
    """
    check_ensemble(spec, ensemble)
    strands = (False, True) if "strands" in ensemble else (False,)
    phrasings = range(len(spec.phrasings)) if "phrasings" in ensemble else (None,)
    segmentations = range(SEGMENTATIONS) if "segmentations" in ensemble else (0,)
    return [Member(*choice) for choice in product(strands, phrasings, segmentations)]


def member_probabilities(
    loaded: Loaded,
    spec: TaskSpec,
    records: Sequence[dict[str, Any]],
    ensemble: Sequence[str],
    batch_tokens: int | None = None,
    progress: str | None = None,
) -> np.ndarray:
    """Calibrated probability of each answer, from each way to ask.

    Args:
        loaded: model, tokenizer and calibration.
        spec: the task of all records; gives the K answers.
        records: N instruction records; `instruction` and `input` are read.
        ensemble: any of strands, phrasings, segmentations; every combination of them is asked.
        batch_tokens: tokens computed at once.
        progress: name of the progress bar, None for no bar.

    Returns:
        (M, N, K) float64; member 0 is the question in the given strand and the usual segmentation.

    Raises:
        InputError: an ensemble the task or the tokenizer does not have; a prompt longer than the context; NaN.
    """
    ways, options = members(spec, ensemble), answers(spec)
    dropout = cutter(loaded.tokenizer) if "segmentations" in ensemble else None
    prompt_ids, option_ids = [], []
    for way in ways:
        texts = way_prompts(loaded, spec, records, way)
        ids, own = tokenize(loaded.tokenizer, texts, options)
        if way.segmentation:
            ids = [drawn_ids(dropout, *pair, way.segmentation) for pair in zip(texts, ids, strict=True)]
        prompt_ids += ids
        option_ids += own
    if not prompt_ids:
        return np.zeros((len(ways), 0, len(options)))
    scores = score_ids(loaded.model, prompt_ids, option_ids, loaded.tokenizer.eos_token_id, batch_tokens, progress)
    return calibrated(loaded, spec, scores).reshape(len(ways), len(records), len(options))


def way_prompts(loaded: Loaded, spec: TaskSpec, records: Sequence[dict[str, Any]], way: Member) -> list[str]:
    """The records' prompts, asked in one way."""
    instructions = [record["instruction"] for record in records]
    if way.phrasing is not None:
        instructions = [fill_phrasing(spec.phrasings[way.phrasing], answers(spec))] * len(records)
    inputs = [with_dna(r["input"], reverse_complement) if way.reverse else r["input"] for r in records]
    return render_prompts(loaded.tokenizer, instructions, inputs)
