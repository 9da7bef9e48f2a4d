"""trl's SFT trainer, projecting to the vocabulary only where an answer is predicted, its batches shuffled."""

from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from trl import SFTTrainer

from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.training.dropout import IGNORE_INDEX, ROW, UNITS, DropoutCollator, TellEpoch
from dnahlm.training.sampler import BucketSampler


class AnswerTrainer(SFTTrainer):
    """`SFTTrainer` for examples that end in a short answer.

    Without Triton (on a CPU) trl projects every position to the vocabulary and back, though all but the answer's are
    ignored: more than half of a step at our sizes. Here only the columns of a batch that hold a target are projected.
    The loss is the same: mean cross-entropy over all targets of an optimizer step.
    """

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Loss of one batch: `input_ids`, `attention_mask` and `labels` are (B, T), right-padded."""
        labels = inputs["labels"]
        columns, targets = answer_columns(labels)
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        outputs = model(**rest, logits_to_keep=columns, use_cache=False)  # logits: (B, columns, V)
        total = cross_entropy(
            outputs.logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
        )
        n_targets = (labels != IGNORE_INDEX).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / torch.as_tensor(n_targets).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # the launcher averages over processes, the count is of all
        return (loss, outputs) if return_outputs else loss

    def cut_dna_anew(self, dropout: DnaDropout) -> None:
        """Cut the DNA of training rows, which must have the columns `ROW` and `UNITS`, anew in every epoch."""
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        self.data_collator = DropoutCollator(self.data_collator, dropout, seed, self.args.max_length)
        self.add_callback(TellEpoch(self.data_collator))

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns that BPE-dropout needs, too."""
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, ROW, UNITS]))

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        """Upstream's sampler, but for `group_by_length` one that shuffles the batches."""
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        lengths = [len(ids) for ids in (train_dataset or self.train_dataset)["input_ids"]]
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        return BucketSampler(lengths, self.args.train_batch_size, seed)


def answer_columns(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The positions some row of a batch predicts a target from, and those targets.

    Args:
        labels: (B, T), -100 where there is no target; not shifted.

    Returns:
        columns (C,) and targets (B, C): column c predicts the token at position columns[c] + 1.

    >>> columns, targets = answer_columns(torch.tensor([[-100, -100, 5, 6], [-100, -100, -100, 7]]))
    >>> columns.tolist(), targets.tolist()
    ([1, 2], [[5, 6], [-100, 7]])
    """
    targets = labels[:, 1:]
    columns = (targets != IGNORE_INDEX).any(dim=0).nonzero().flatten()
    return columns, targets[:, columns]
