"""Train rows as an epoch shows them: asked anew, their DNA cut anew; validation rows always as they were built."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dnahlm.io import InputError
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.phase import DnaPhase
from dnahlm.tokenizer.word_dropout import WordDropout
from dnahlm.training.blocks import IGNORE_INDEX
from dnahlm.training.examples import ROW
from dnahlm.training.redraw import Questions
from dnahlm.training.soft_answers import as_tensors, soft_targets_of

SOFT = "soft"  # of a row: its soft targets


class EpochCollator:
    """Makes rows that have `ROW` anew for the epoch, then hands all rows to `collate`, the trainer's own collator.

    What a row becomes depends on seed, epoch and row only: not on the batch, the process or where a run was resumed.

    Args:
        encoder: of the model's tokenizer.
        records: the train records, by row.
        questions: asks them anew; None = as they were built.
        cutter: cuts their DNA anew; None = as the tokenizer does.
        seed: of the run.
        max_length: tokens; a stretch of DNA whose new tokens would make a row longer stays as it is.
    """

    def __init__(
        self,
        encoder: PromptEncoder,
        records: list[dict[str, Any]],
        questions: Questions | None,
        cutter: DnaDropout | WordDropout | DnaPhase | None,
        seed: int,
        max_length: int,
    ) -> None:
        self.collate: Callable[[list[dict[str, Any]]], Any] = list
        self.encoder, self.records, self.questions = encoder, records, questions
        self.cutter, self.seed, self.max_length, self.epoch = cutter, seed, max_length, 0

    def longest(self, rows: list[int], lengths: np.ndarray) -> np.ndarray:
        """Tokens that N rows may have, (N,), from those they were built with.

        Raises:
            InputError: more than the model sees.
        """
        if self.questions:
            lengths = lengths + self.questions.longer(self.encoder.tokenizer)[rows]
        if n := int((lengths > self.max_length).sum()):
            raise InputError(
                f"redraw: {n:,} train rows are longer than the {self.max_length} tokens the model sees in the longest "
                "phrasing of their task. Leave phrasings out of redraw, shorten the window of the task, or pretrain "
                "with longer blocks."
            )
        return lengths

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch: `input_ids`, `attention_mask` and `labels`, (B, T), and soft targets where rows have some."""
        if ROW not in rows[0]:
            return self.collate(rows)
        shown = self.anew(rows)
        soft = [row.pop(SOFT) for row in shown]
        batch = self.collate(shown)
        return batch | as_tensors(soft) if any(soft) else batch

    def anew(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """`input_ids`, `labels` and soft targets of rows as this epoch shows them."""
        records = [self.records[row[ROW]] for row in rows]
        asked = [(record["instruction"], record["input"]) for record in records]
        if self.questions:
            asked = [self.questions.ask(row[ROW], self.epoch) for row in rows]
        instructions, inputs = zip(*asked, strict=True)
        prompts, answers = self.encoder.encode(instructions, inputs, [record["output"] for record in records])
        for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            if self.questions and len(prompt) + len(answer) > self.max_length:  # other bases can take more tokens
                asked[i] = self.questions.ask(rows[i][ROW], self.epoch, mutate=False)
                (prompts[i],) = self.encoder.prompts(*([part] for part in asked[i]))
        # Before DNA is cut anew: how an answer meets its prompt is tried with the tokens the tokenizer itself gives.
        soft = [
            soft_targets_of(record, self.encoder, self.encoder.text(*pair), prompt, answer)
            for record, pair, prompt, answer in zip(records, asked, prompts, answers, strict=True)
        ]
        if self.cutter:
            units = self.cutter.units([self.encoder.text(*pair) for pair in asked])
            prompts = [
                self.cutter.apply(ids, found, self.rng(row), self.max_length - len(ids) - len(answer))
                for row, ids, found, answer in zip(rows, prompts, units, answers, strict=True)
            ]
        return [
            {
                "input_ids": [*prompt, *answer],
                "labels": [IGNORE_INDEX] * len(prompt) + list(answer),
                SOFT: [(len(prompt) + place, token, share) for place, token, share in targets],
            }
            for prompt, answer, targets in zip(prompts, answers, soft, strict=True)
        ]

    def rng(self, row: dict[str, Any]) -> random.Random:
        """Draws for one row in this epoch."""
        return random.Random(f"{self.seed}:{self.epoch}:{row[ROW]}")


class TellEpoch(TrainerCallback):
    """Tells the collator which epoch begins, or goes on after a run was resumed."""

    def __init__(self, collator: EpochCollator) -> None:
        self.collator = collator

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called before the epoch's first batch is made."""
        self.collator.epoch = int((state.epoch or 0) + 1e-6)
