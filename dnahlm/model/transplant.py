"""Vocabulary surgery: give a pretrained checkpoint the embedding rows of another tokenizer."""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.model.create import set_special_ids


@torch.no_grad()
def transplant(
    model: PreTrainedModel,
    old: PreTrainedTokenizerFast,
    new: PreTrainedTokenizerFast,
    seed: int = 0,
) -> dict[str, int]:
    """Replace the embedding (and tied head) rows of `old` by rows for `new`, in place.

    A token both vocabularies have keeps its vector. Any other starts from the mean of the vectors its text has under
    `old`, plus noise of a tenth of the embedding's standard deviation, so that no two rows are equal. (Resizing with
    transformers would keep row i for id i, whatever token i now is, and give all new rows one vector.)

    Args:
        model: any causal model whose input embedding is (V_old, D).
        old: the tokenizer the checkpoint was trained with.
        new: the tokenizer it will be trained with, V_new entries.
        seed: draws the noise.

    Returns:
        counts: `shared` and `new` rows.
    """
    source = model.get_input_embeddings().weight.detach().clone()  # (V_old, D)
    head = None if model.config.tie_word_embeddings else model.get_output_embeddings().weight.detach().clone()
    old_ids = old.get_vocab()
    pieces: list[list[int]] = []
    n_shared = 0
    for token in new.convert_ids_to_tokens(range(len(new))):
        if token in old_ids:
            pieces.append([old_ids[token]])
            n_shared += 1
        else:
            text = new.convert_tokens_to_string([token])
            pieces.append(old(text, add_special_tokens=False)["input_ids"] or list(old_ids.values()))

    generator = torch.Generator().manual_seed(seed)
    model.resize_token_embeddings(len(new), mean_resizing=False)
    _fill(model.get_input_embeddings().weight, source, pieces, generator)
    if head is not None:
        _fill(model.get_output_embeddings().weight, head, pieces, generator)
    set_special_ids(model, new)
    return {"shared": n_shared, "new": len(pieces) - n_shared}


def _fill(rows: torch.Tensor, source: torch.Tensor, pieces: list[list[int]], generator: torch.Generator) -> None:
    """Write row i as the mean of `source[pieces[i]]`; rows made of several pieces get noise."""
    noise = 0.1 * source.std()
    for index, ids in enumerate(pieces):
        rows[index] = source[ids].mean(dim=0)
        if len(ids) > 1:
            rows[index] += noise * torch.randn(rows.shape[1], generator=generator)
