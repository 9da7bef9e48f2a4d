"""Sequence classifiers on a checkpoint: upstream's, and one for LFM2, which has none of its own."""

import torch
from transformers import AutoModelForSequenceClassification, Lfm2Config, PreTrainedModel, PreTrainedTokenizerFast
from transformers.modeling_layers import GenericForSequenceClassification
from transformers.models.lfm2.modeling_lfm2 import Lfm2PreTrainedModel

from dnahlm.io import InputError
from dnahlm.model.load import clear_load_errors, require_checkpoint_place


class Lfm2ForSequenceClassification(GenericForSequenceClassification, Lfm2PreTrainedModel):
    """LFM2 with one linear layer on the last token, as upstream's generic classifier has it."""


AutoModelForSequenceClassification.register(Lfm2Config, Lfm2ForSequenceClassification, exist_ok=True)


def load_head(path: str) -> PreTrainedModel:
    """A trained classifier, in float32 on the CPU.

    Raises:
        InputError: it cannot be opened, or its files do not hold every tensor.
    """
    with clear_load_errors(path):
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
        )
    if info["missing_keys"]:
        raise InputError(f"{path}: its weights lack {min(info['missing_keys'])}. Was it copied whole?")
    return model


def head_on(
    name: str, answers: list[str], tokenizer: PreTrainedTokenizerFast, attn_implementation: str | None = None
) -> PreTrainedModel:
    """A checkpoint with a fresh head in the place of its language-model head, in float32 on the CPU.

    Args:
        name: folder of a causal language model, or its name on the hub.
        answers: of the task, in its order; they become the names of the outputs.
        tokenizer: the model's own; its pad token tells where a row ends.
        attn_implementation: as in `load_checkpoint`.

    Raises:
        InputError: it cannot be opened, or its weights lack more than the head.
    """
    require_checkpoint_place(name)
    with clear_load_errors(name):
        model, info = AutoModelForSequenceClassification.from_pretrained(
            name,
            num_labels=len(answers),
            id2label=dict(enumerate(answers)),
            label2id={answer: k for k, answer in enumerate(answers)},
            pad_token_id=tokenizer.pad_token_id,
            attn_implementation=attn_implementation,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
        )
    lacking = [key for key in info["missing_keys"] if not key.startswith(("score.", "classifier."))]
    if lacking:
        raise InputError(f"{name}: its weights lack {min(lacking)}. Is it a causal language model, copied whole?")
    return model
