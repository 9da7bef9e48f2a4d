"""trl's SFT trainer, projecting to the vocabulary only where an answer is predicted, its batches shuffled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import PreTrainedModel
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer

from dnahlm.tokenizer.dropout import DNA_TOKEN
from dnahlm.training.blocks import IGNORE_INDEX
from dnahlm.training.divergence import require_sane
from dnahlm.training.epochs import EpochCollator, TellEpoch
from dnahlm.training.examples import ROW
from dnahlm.training.lean import few_pass_norms, last_mlp_where_asked, one_pass_gelu
from dnahlm.training.sampler import BUCKET, BucketSampler
from dnahlm.training.soft_answers import SHARES, TOKENS, answer_loss


class AnswerTrainer(SFTTrainer):
    """`SFTTrainer` for examples that end in a short answer.

    Without Triton (on a CPU) trl projects every position to the vocabulary and back, though all but the answer's are
    ignored: more than half of a step at our sizes. Here only the places that predict a target are projected; compiled,
    whole columns of a batch, which have few shapes. The loss is the same: mean cross-entropy over all targets of an
    optimizer step.

    Args:
        lengths: (N,) tokens that each train row may have, for batches of one length.
        score: gives more figures of the model for each evaluation, such as its MCC on validation rows.
        **settings: of trl's trainer.
    """

    def __init__(
        self, lengths: np.ndarray, score: Callable[[PreTrainedModel], dict[str, float]] | None = None, **settings: Any
    ) -> None:
        self.lengths, self.score = lengths, score
        super().__init__(**settings)
        one_pass_gelu(self.model)
        few_pass_norms(self.model)
        self.head = None
        if not self.args.torch_compile:  # the positions would be compiled in
            last_mlp_where_asked(self.model)
            self.head = HeadAtSomePlaces(self.model)
        self.is_dna = torch.zeros(self.model.config.vocab_size, dtype=torch.bool)
        self.is_dna[[i for token, i in self.processing_class.get_vocab().items() if DNA_TOKEN.fullmatch(token)]] = True

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Loss of one batch: `input_ids`, `attention_mask` and `labels` are (B, T), right-padded."""
        labels, dna = inputs["labels"], self.model.training and self.args.input_loss_weight
        columns, targets = answer_columns(labels, labels.shape[1] if dna else self.args.pad_to_multiple_of)
        rest = {name: value for name, value in inputs.items() if name not in ("labels", TOKENS, SHARES)}
        predicted = targets != IGNORE_INDEX if self.head and not dna else torch.ones_like(targets, dtype=torch.bool)
        if self.head:
            self.head.places = None if dna else predicted
        outputs = model(**rest, logits_to_keep=columns, use_cache=False)
        if self.head:
            self.head.places = None
        logits = outputs.logits.float().flatten(0, 1)  # (predicted places, V)
        total = answer_loss(logits, targets, predicted, columns, inputs.get(TOKENS), inputs.get(SHARES))
        n_targets = (labels != IGNORE_INDEX).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / torch.as_tensor(n_targets).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes  # the launcher averages over processes, the count is of all
        if dna:
            loss = loss + self.input_loss(outputs.logits, inputs["input_ids"], num_items_in_batch is not None)
        return (loss, outputs) if return_outputs else loss

    def input_loss(self, logits: torch.Tensor, ids: torch.Tensor, accumulated: bool) -> torch.Tensor:
        """The weighted language-model loss on the DNA of a batch, mean over its tokens.

        Args:
            logits: (B, T - 1, V), of all tokens but the last.
            ids: (B, T).
            accumulated: the losses of several batches are summed to a step's.
        """
        targets = dna_targets(ids, self.is_dna.to(ids.device))
        n = (targets != IGNORE_INDEX).sum().clamp(min=1)
        loss = cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="sum"
        )
        self._metrics["train"]["input_loss"].append((loss / n).item())
        steps = self.current_gradient_accumulation_steps if accumulated else 1
        return self.args.input_loss_weight * loss / n / steps

    def training_step(self, *inputs: Any, **more: Any) -> torch.Tensor:
        """One forward and backward pass.

        Raises:
            InputError: the loss is no number, or far worse than guessing.
        """
        loss = super().training_step(*inputs, **more)
        processes = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
        counted = processes * (1 + self.args.input_loss_weight)  # see `compute_loss`
        require_sane(self, loss.item() * self.args.gradient_accumulation_steps / counted)
        return loss

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **settings: Any) -> EvalLoopOutput:
        """Upstream's, and the figures of `score` beside the loss."""
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **settings)
        if self.score is not None:
            self.model.eval()
            found = self.score(self.model)
            output.metrics.update({f"{metric_key_prefix}_{name}": value for name, value in found.items()})
        return output

    def show_anew(self, collator: EpochCollator) -> None:
        """Show train rows, which must have the column `ROW`, as a collator makes them in each epoch."""
        collator.collate, self.data_collator = self.data_collator, collator
        self.add_callback(TellEpoch(collator))

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the column that an epoch's rows are made by, too."""
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, ROW]))

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        """Upstream's sampler, but for `group_by_length` one that shuffles the batches."""
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        return BucketSampler(self.lengths, self.args.train_batch_size, seed, self.args.pad_to_multiple_of or BUCKET)


class HeadAtSomePlaces:
    """Lets a model project only chosen hidden states to its vocabulary, whatever wraps the model.

    Args:
        model: of transformers, or peft's wrapper of one.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self.places: torch.Tensor | None = None  # (B, C) bool; None = all
        model.get_output_embeddings().register_forward_pre_hook(self.choose)

    def choose(self, head: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor] | None:
        """(B, C, D) -> (1, places, D)."""
        return None if self.places is None else (inputs[0][self.places].unsqueeze(0),)


def dna_targets(ids: torch.Tensor, is_dna: torch.Tensor) -> torch.Tensor:
    """The tokens of DNA that stand behind another one, (B, T - 1), -100 elsewhere.

    Args:
        ids: (B, T).
        is_dna: (V,) bool, the tokens of bases only. A letter A of the English has English before it.

    >>> dna_targets(torch.tensor([[1, 0, 1, 2, 1, 0]]), torch.tensor([False, True, True])).tolist()
    [[-100, -100, 2, 1, -100]]
    """
    found = is_dna[ids]
    return ids[:, 1:].masked_fill(~(found[:, 1:] & found[:, :-1]), IGNORE_INDEX)


def answer_columns(labels: torch.Tensor, multiple: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The positions some row of a batch predicts a target from, and those targets.

    Args:
        labels: (B, T), -100 where there is no target; not shifted.
        multiple: give all columns from the last multiple of it before the first target on, so that few shapes occur.

    Returns:
        columns (C,) and targets (B, C): column c predicts the token at position columns[c] + 1.

    >>> columns, targets = answer_columns(torch.tensor([[-100, -100, 5, 6], [-100, -100, -100, 7]]))
    >>> columns.tolist(), targets.tolist()
    ([1, 2], [[5, 6], [-100, 7]])
    """
    targets = labels[:, 1:]
    columns = (targets != IGNORE_INDEX).any(dim=0).nonzero().flatten()
    if multiple and len(columns):
        columns = torch.arange(int(columns[0]) // multiple * multiple, targets.shape[1], device=labels.device)
    return columns, targets[:, columns]
