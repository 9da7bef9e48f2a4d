"""Other ways to cut the same DNA into tokens: BPE-dropout (Provilkov et al. 2020), drawn anew but always the same.

The tokenizers library has BPE-dropout too; its draws cannot be seeded, so that a run could be neither repeated nor
resumed.
"""

import json
import random
import re
from itertools import groupby, pairwise

from transformers import PreTrainedTokenizerFast

from dnahlm.io import InputError

DROPOUT = 0.1  # chance that a merge is left out, as in the paper
MIN_DNA = 8  # letters; fewer in a row are a word
_DNA = re.compile("[ACGTN]+").fullmatch

Merges = dict[tuple[str, str], int]  # pair of tokens -> rank


def merges_of(tokenizer: PreTrainedTokenizerFast) -> Merges:
    """The merges of a BPE tokenizer, in their order.

    Raises:
        InputError: another algorithm, which has one way to cut a sequence.
    """
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    if model["type"] != "BPE" or not model["merges"]:
        raise InputError(
            f"ensemble: segmentations need a BPE tokenizer; this one is {model['type']}, which cuts a sequence in one "
            "way only. Leave segmentations out."
        )
    return {tuple(pair): rank for rank, pair in enumerate(model["merges"])}


def drawn_ids(tokenizer: PreTrainedTokenizerFast, merges: Merges, text: str, number: int) -> list[int]:
    """Token ids of a prompt whose DNA is cut in the `number`-th other way; all else is cut as always.

    DNA is a run of 8 letters or more; the pieces the tokenizer parts it into before merging stay.
    """
    encoding = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    words = [list(places) for _, places in groupby(range(len(encoding.ids)), key=encoding.word_ids.__getitem__)]
    letters = ["".join(encoding.tokens[i] for i in places) for places in words]
    rng = random.Random(f"{number} {text}")
    ids: list[int] = []
    for is_dna, run in groupby(range(len(words)), key=lambda w: bool(_DNA(letters[w]))):
        members = list(run)
        if is_dna and sum(len(letters[w]) for w in members) >= MIN_DNA:
            for w in members:
                ids += tokenizer.convert_tokens_to_ids(cut(letters[w], merges, rng))
        else:
            ids += [encoding.ids[i] for w in members for i in words[w]]
    return ids


def cut(letters: str, merges: Merges, rng: random.Random, dropout: float = DROPOUT) -> list[str]:
    """Merge a word's letters as BPE does, but at each step pass over each possible merge with a chance of `dropout`.

    >>> cut("ACGACG", {("A", "C"): 0, ("AC", "G"): 1}, random.Random(0), dropout=0.0)
    ['ACG', 'ACG']
    """
    parts = list(letters)
    while True:
        ranks = [(merges.get(pair), i) for i, pair in enumerate(pairwise(parts))]
        possible = [(rank, i) for rank, i in ranks if rank is not None and rng.random() >= dropout]
        if not possible:
            return parts
        _, i = min(possible)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
