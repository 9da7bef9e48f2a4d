"""A start for the rows of DNA tokens: tokens that differ in one base have rows that differ in one part.

Drawn at random, the rows of GATTAC and GATTAG have nothing in common, and all a model learns of one it must learn of
the other again. Here each base has a vector for each place it may have in a token, and a token starts as the sum of
its bases' (as one would embed a one-hot window), plus noise. A first layer can then find a motif in all tokens at once.
"""

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.model.partition import whole
from dnahlm.model.transplant import contents_of
from dnahlm.tokenizer.bpe import LETTERS

DNA_TOKEN_INITS = ("random", "bases")
NOISE = 0.3  # of a row's standard deviation


@torch.no_grad()
def start_from_bases(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, std: float) -> int:
    """Draw all rows of the input embedding anew: those of DNA tokens as sums over their bases, the others as usual.

    Args:
        model: its embedding is (V, D); a tied head changes with it.
        tokenizer: the model's own, V ids.
        std: standard deviation of every row, about; the pad token's is zero where the model has it so.

    Returns:
        Rows of DNA tokens, those of more than one base.
    """
    embedding = model.get_input_embeddings()
    weight = embedding.weight
    found = contents_of(tokenizer)
    tokens = {id: found[token].decode() for token, id in tokenizer.get_vocab().items() if is_dna(found[token])}
    longest = max(map(len, tokens.values()), default=0)
    with whole([weight]):
        nn.init.normal_(weight, std=std)
        places = torch.randn(longest, len(LETTERS), weight.shape[1]).to(weight)
        for id, bases in tokens.items():
            chosen = places[range(len(bases)), [LETTERS.index(base) for base in bases]]
            weight[id] = NOISE * weight[id] + std * chosen.sum(dim=0) / len(bases) ** 0.5
        if embedding.padding_idx is not None:  # no gradient ever reaches it
            weight[embedding.padding_idx] = 0
    return sum(len(bases) > 1 for bases in tokens.values())


def is_dna(content: bytes) -> bool:
    """Whether a token stands for bases only.

    >>> is_dna(b"ACGTN"), is_dna(b" A"), is_dna(b"")
    (True, False, False)
    """
    return bool(content) and all(byte in LETTERS.encode() for byte in content)
