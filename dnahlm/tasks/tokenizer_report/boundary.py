"""Where the prompts of tasks meet DNA and answer: no token may hold a part of both."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from dnahlm.dna import BASES
from dnahlm.io import InputError
from dnahlm.tasks.kinds import RESIDUES, input_text, options, sequences_in
from dnahlm.tasks.prompt import fill_phrasing, render_prompts
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tokenizer.load import require_template
from dnahlm.tokenizer.measures.encoder import Cut, Encoder
from dnahlm.tokenizer.wrap import chat_template

LENGTHS = (40, 80)  # bases, drawn between
NUMBERS = ("0.5", "-12.25", "100")  # answers of tasks that ask for a number
COUNTS = ("prompts", "sequences", "first_base", "last_base", "answers", "answer", "altered", "refused")
CODES = ("1.2.3.4", "6.1.1.-")  # and of those that ask for a code


@dataclass
class Boundary:
    """One task's prompts under one tokenizer."""

    task: str
    prompts: int = 0
    sequences: int = 0  # DNA sequences in them
    first_base: int = 0  # sequences of which a token holds the first base(s) and what stands before
    last_base: int = 0  # sequences of which a token holds the last base(s) and what follows
    answers: int = 0  # prompts with an answer behind them
    answer: int = 0  # those whose joined ids do not begin with the ids of the prompt
    altered: int = 0  # the rendered prompt does not hold the DNA as given
    refused: int = 0
    question_tokens: float | None = None  # median over the prompts, tokens with DNA left out
    example: str = ""  # the first token found that crosses


def check_boundaries(encoder: Encoder, specs: Sequence[TaskSpec], seed: int) -> dict[str, Any]:
    """Render every wording of every task with random DNA, four times, first bases A, C, G and T, and look.

    The template is the tokenizer's own where it has one that renders a question, else the shipped one.

    Returns:
        `template` (whose), `tasks` (one mapping per task, fields of `Boundary`) and, summed over them, the counts.
    """
    template = settle_template(encoder)
    tasks = [check_task_prompts(encoder, spec, random.Random(f"{seed}:{spec.id}")) for spec in specs]
    totals = {name: sum(getattr(task, name) for task in tasks) for name in COUNTS}
    known = [task.question_tokens for task in tasks if task.question_tokens is not None]
    return {
        "template": template,
        **totals,
        "question_tokens": median(known) if known else None,
        "tasks": [asdict(task) for task in tasks],
    }


def settle_template(encoder: Encoder) -> str:
    """Set the shipped chat template on a tokenizer that has none that works; returns whose is used."""
    if encoder.tokenizer.chat_template:
        try:
            require_template(encoder.tokenizer, encoder.name)
            return "its own chat template"
        except InputError:
            pass
    encoder.tokenizer.chat_template = chat_template()
    return "the shipped Alpaca template (it has none that renders a question)"


def check_task_prompts(encoder: Encoder, spec: TaskSpec, rng: random.Random) -> Boundary:
    """The boundaries of one task; answers are tried behind the first prompt of each wording."""
    found = Boundary(spec.id)
    questions = list(wordings(spec))
    asked = [(question, random_input(spec, first, rng)) for question, _ in questions for first in BASES]
    prompts = render_prompts(encoder.tokenizer, [q for q, _ in asked], [given for _, given in asked])
    cuts = encoder.cuts(prompts, prompts=True)
    sizes: list[int] = []
    for prompt, cut, (_, given) in zip(prompts, cuts, asked, strict=True):
        found.prompts += 1
        if cut is None:
            found.refused += 1
        elif given not in prompt:
            found.altered += 1
        else:
            look_at_dna(found, prompt, cut, given)
            sizes.append(len(cut.ids) - tokens_inside(cut, prompt, given))
    found.question_tokens = median(sizes) if sizes else None
    pairs = [
        (prompts[i * len(BASES)], cuts[i * len(BASES)], a) for i, (_, words) in enumerate(questions) for a in words
    ]
    joined = encoder.cuts([prompt + answer for prompt, _, answer in pairs], prompts=True)
    for (prompt, cut, _), whole in zip(pairs, joined, strict=True):
        if cut is None or whole is None:
            continue
        found.answers += 1
        if whole.ids[: len(cut.ids)] != cut.ids:
            found.answer += 1
            found.example = found.example or crossing(prompt, whole, len(prompt))
    return found


def wordings(spec: TaskSpec) -> Iterator[tuple[str, list[str]]]:
    """Every question of a task, held-out ones included, with the answers that may follow it."""
    words = options(spec)
    answers = words or list({"regression": NUMBERS, "hierarchical": CODES}.get(spec.kind, ()))
    for phrasing in (*spec.phrasings, *spec.held_out_phrasings):
        yield fill_phrasing(phrasing, words), answers
    for wording in spec.wordings.values():
        spoken = list(wording.labels.values())
        yield fill_phrasing(wording.phrasing, spoken), spoken


def random_input(spec: TaskSpec, first: str, rng: random.Random) -> str:
    """An input of random DNA (and protein) whose sequences begin with the base `first`."""
    one, two = (first + "".join(rng.choices(BASES, k=rng.randint(*LENGTHS) - 1)) for _ in range(2))
    return input_text(spec, one, two, "M" + "".join(rng.choices(RESIDUES, k=20)))


def dna_places(prompt: str, given: str) -> list[tuple[int, int]]:
    """Start and end of each DNA sequence of an input, in characters of the prompt."""
    offset = prompt.rindex(given)
    sequences = [s for s in sequences_in(given) if set(s) <= set(BASES)]
    return [(start, start + len(s)) for s in sequences for start in [prompt.index(s, offset)]]


def look_at_dna(found: Boundary, prompt: str, cut: Cut, given: str) -> None:
    """Count the DNA sequences of a prompt, and those whose start or end a token crosses."""
    for start, end in dna_places(prompt, given):
        found.sequences += 1
        for place, name in ((start, "first_base"), (end, "last_base")):
            if token := crossing(prompt, cut, place):
                setattr(found, name, getattr(found, name) + 1)
                found.example = found.example or token


def crossing(text: str, cut: Cut, place: int) -> str:
    """The letters of the token that covers both sides of `place`; empty when there is none.

    >>> crossing("Input: ACGT", Cut([1, 2, 3], [0, 5, 6], [5, 6, 11]), 7)
    ' ACGT'
    """
    for start, end in zip(cut.starts, cut.ends, strict=True):
        if start < place < end:
            return text[start:end]
    return ""


def tokens_inside(cut: Cut, prompt: str, given: str) -> int:
    """Tokens that hold DNA of the input."""
    places = dna_places(prompt, given)
    return sum(
        any(start < last and end > first for first, last in places)
        for start, end in zip(cut.starts, cut.ends, strict=True)
    )
