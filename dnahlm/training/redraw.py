"""Train rows asked anew in every epoch: another phrasing and order of options, the strand drawn, bases mutated.

A strand drawn for each row and epoch shows a model both as often as a data set that holds every row twice does, without
the second half to encode and keep, and an epoch is still each row once. So a build with `reverse_complement: false` is
enough; one with both strands may be drawn from too.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from dnahlm.dna import BASES, reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.kinds import options, with_dna
from dnahlm.tasks.prompt import fill_phrasing, render_prompts, token_ids_of
from dnahlm.tasks.records import Draw
from dnahlm.tasks.spec import TaskSpec

WHAT = ("phrasings", "strands")
MOST = 4  # options whose orders are all tried


class Questions:
    """What each train row is asked in an epoch; hangs on seed, epoch and the row's id alone.

    Args:
        records: N train records, as they were built.
        specs: their tasks, with the words of the build.
        what: some of `WHAT`.
        seed: of the run.
        built: configuration of the build.
        mutation_rate: share of the bases that another one replaces, in inputs of one sequence; what a pair is asked
            about may be a single base. (After EvoAug: Lee, Tang, Majdandzic and Koo, Genome Biology 2023.)

    Raises:
        InputError: an unknown word, a rate out of range, or phrasings of a build that asks in one wording or shows
            examples.
    """

    def __init__(
        self,
        records: list[dict[str, Any]],
        specs: dict[str, TaskSpec],
        what: Sequence[str],
        seed: int,
        built: dict[str, Any],
        mutation_rate: float = 0.0,
    ) -> None:
        if not 0 <= mutation_rate <= 0.5:
            raise InputError(f"mutation_rate: {mutation_rate:g}; must be from 0 (off) to 0.5, for example 0.05.")
        if wrong := [word for word in what if word not in WHAT]:
            raise InputError(f"redraw: found {wrong[0]!r}; allowed: {', '.join(WHAT)}.")
        if fixed := [name for name in ("wording", "examples") if "phrasings" in what and built.get(name)]:
            raise InputError(
                f"redraw: these instructions were built with {fixed[0]}, which a question drawn anew would not have. "
                f"Build them without {fixed[0]}, or leave phrasings out of redraw."
            )
        self.records, self.specs, self.what, self.seed = records, specs, what, seed
        self.mutation_rate = mutation_rate

    def ask(self, row: int, epoch: int, mutate: bool = True) -> tuple[str, str]:
        """Instruction and input of a row in an epoch; phrasings are those for training, never held-out ones.

        Without `mutate` its bases stay as they are, and all else is drawn as with it.
        """
        record = self.records[row]
        spec, draw = self.specs[record["task"]], Draw(f"{self.seed}:{epoch}:{record['id']}")
        instruction, input = record["instruction"], record["input"]
        if "phrasings" in self.what:
            phrasing = spec.phrasings[draw.below(len(spec.phrasings))]
            instruction = fill_phrasing(phrasing, draw.ordered(options(spec)))
        if "strands" in self.what and spec.strand_symmetric and draw.below(2):
            input = with_dna(input, reverse_complement)
        if self.mutation_rate and mutate and "\n" not in input:
            rng = np.random.default_rng(draw.below(2**63))
            input = with_dna(input, lambda dna: mutated(dna, self.mutation_rate, rng))
        return instruction, input

    def longer(self, tokenizer: PreTrainedTokenizerFast) -> np.ndarray:
        """Tokens that the longest question a row may be asked has more than the one it was built with, (N,)."""
        if "phrasings" not in self.what:
            return np.zeros(len(self.records), np.int64)
        longest = {task: longest_question(tokenizer, spec) for task, spec in self.specs.items()}
        asked = list({record["instruction"] for record in self.records})
        own = dict(zip(asked, tokens_of(tokenizer, asked), strict=True))
        return np.array([max(0, longest[r["task"]] - own[r["instruction"]]) for r in self.records])


def mutated(dna: str, rate: float, rng: np.random.Generator) -> str:
    """The same number of bases, each replaced with probability `rate` by one of the three others; N stays.

    >>> mutated("ACGTN", 0.0, np.random.default_rng(0)), mutated("NNN", 0.5, np.random.default_rng(0))
    ('ACGTN', 'NNN')
    """
    letters = np.frombuffer(dna.encode("ascii"), np.uint8).copy()
    bases = np.frombuffer(BASES.encode("ascii"), np.uint8)
    hit = np.flatnonzero((rng.random(len(letters)) < rate) & np.isin(letters, bases))
    letters[hit] = bases[(np.searchsorted(bases, letters[hit]) + rng.integers(1, len(bases), len(hit))) % len(bases)]
    return letters.tobytes().decode("ascii")


def longest_question(tokenizer: PreTrainedTokenizerFast, spec: TaskSpec) -> int:
    """Tokens of the longest prompt of a task with a short input, over its train phrasings and orders of the options."""
    words = options(spec)
    # Of many options not all orders are tried; each could cost a token at its border.
    orders, spare = (permutations(words), 0) if len(words) <= MOST else ([words], len(words))
    questions = [fill_phrasing(phrasing, order) for order in orders for phrasing in spec.phrasings]
    return max(tokens_of(tokenizer, questions)) + spare


def tokens_of(tokenizer: PreTrainedTokenizerFast, instructions: list[str]) -> list[int]:
    """Tokens of prompts with these questions and a short input."""
    prompts = render_prompts(tokenizer, instructions, ["A"] * len(instructions))
    return [len(ids) for ids in token_ids_of(tokenizer, prompts)]
