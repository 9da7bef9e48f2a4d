"""Other ways to cut the same DNA into tokens: dropout as in training, drawn but always the same."""

import random

from transformers import PreTrainedTokenizerFast

from dnahlm.io import InputError
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.word_dropout import WordDropout, dropout_for

DROPOUT = 0.1  # chance that a merge, or a join of a word, is left out, as in the paper


def cutter(tokenizer: PreTrainedTokenizerFast) -> DnaDropout | WordDropout:
    """What cuts the DNA of this tokenizer anew.

    Raises:
        InputError: a tokenizer that cuts a sequence in one way only.
    """
    try:
        return dropout_for(tokenizer, DROPOUT)
    except InputError as error:
        raise InputError(
            "ensemble: segmentations need a tokenizer that builds its DNA tokens by merges, or of overlapping k-mers; "
            f"this one ({type(tokenizer.backend_tokenizer.model).__name__}) cuts a sequence in one way only. "
            "Leave segmentations out."
        ) from error


def drawn_ids(dropout: DnaDropout | WordDropout, text: str, ids: list[int], number: int) -> list[int]:
    """The ids of a prompt with its DNA cut in the `number`-th other way; all else stays as it was."""
    (units,) = dropout.units([text])
    return dropout.apply(ids, units, random.Random(f"{number} {text}"), room=len(text))
