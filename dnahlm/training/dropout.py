"""BPE-dropout while tuning: the DNA of a training row is cut anew each time a batch is made, never at evaluation."""

import random
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from dnahlm.tokenizer.dropout import DnaDropout

IGNORE_INDEX = -100
ROW, UNITS = "row", "dna_units"  # columns that only training rows have; UNITS is first token, n, first token, n, ...


class DropoutCollator:
    """Cuts the DNA of rows that have `UNITS` anew, then hands all rows to the trainer's own collator.

    The segmentation depends on seed, epoch and row only: not on the batch, the process or where a run was resumed.

    Args:
        collate: the trainer's own collator.
        dropout: with the tokenizer's merges.
        seed: of the run.
        max_length: tokens; a stretch of DNA whose new tokens would make a row longer stays as it is.
    """

    def __init__(
        self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]], dropout: DnaDropout, seed: int, max_length: int
    ) -> None:
        self.collate, self.dropout, self.seed, self.max_length, self.epoch = collate, dropout, seed, max_length, 0

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch: `input_ids`, `attention_mask` and `labels`, (B, T)."""
        return self.collate([self.cut(row) if UNITS in row else row for row in rows])

    def cut(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row's `input_ids` and `labels` in the segmentation of this epoch."""
        ids, labels = row["input_ids"], row["labels"]
        units = list(zip(row[UNITS][::2], row[UNITS][1::2], strict=True))
        rng = random.Random(f"{self.seed}:{self.epoch}:{row[ROW]}")
        found = self.dropout.apply(ids, units, rng, self.max_length - len(ids))
        # DNA is cut anew in the prompt only, where no token is a target.
        return {"input_ids": found, "labels": [IGNORE_INDEX] * (len(found) - len(ids)) + labels}


class TellEpoch(TrainerCallback):
    """Tells the collator which epoch begins, or goes on after a run was resumed."""

    def __init__(self, collator: DropoutCollator) -> None:
        self.collator = collator

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Called before the epoch's first batch is made."""
        self.collator.epoch = int((state.epoch or 0) + 1e-6)
