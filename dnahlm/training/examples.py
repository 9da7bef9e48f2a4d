"""Instruction records as training examples: token ids, and the answer as the only target."""

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from dnahlm.io import InputError
from dnahlm.tasks.kinds import bases_in
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.training.blocks import IGNORE_INDEX

ROW = "row"  # column: which record an example is
CHUNK = 8192  # records encoded at once


def encode_records(
    tokenizer: PreTrainedTokenizerFast,
    records: list[dict[str, Any]],
    max_length: int,
    path: Path,
    max_too_long: float = 0.0,
) -> Dataset:
    """Token ids and labels of instruction records; only the answer and its EOS are targets.

    Args:
        tokenizer: the model's own.
        records: N records, in the order of the file.
        max_length: tokens the model sees.
        path: the file, for the error.
        max_too_long: share of the records that may be left out because they are longer; what is kept is whole.

    Returns:
        Rows of `row` (number of the record, from 0), `input_ids` and `labels`, the latter two of length
        T_i <= max_length tokens, with -100 on the prompt.

    Raises:
        InputError: more records than `max_too_long` are too long, or the share is out of range.
    """
    if not 0 <= max_too_long < 1:
        raise InputError(f"max_too_long: {max_too_long}; a share, at least 0 and below 1, such as 0.01.")
    encoder = PromptEncoder(tokenizer)
    lengths, prompt_lengths, parts = [], [], []
    for start in range(0, len(records), CHUNK):
        some = records[start : start + CHUNK]
        prompts, answers = encoder.encode(*([r[key] for r in some] for key in ("instruction", "input", "output")))
        prompt_lengths += map(len, prompts)
        lengths += [len(p) + len(a) for p, a in zip(prompts, answers, strict=True)]
        both = chain.from_iterable(zip(prompts, answers, strict=True))
        parts.append(np.fromiter(chain.from_iterable(both), np.int32))
    long = [n for n, length in enumerate(lengths) if length > max_length]
    if len(long) > max_too_long * len(records):
        refuse_long(records[long[0]], lengths[long[0]], f"{path}:{long[0] + 1}", len(long), len(records), max_length)
    return as_dataset(np.concatenate(parts), np.array(lengths), np.array(prompt_lengths), max_length)


def as_dataset(ids: np.ndarray, lengths: np.ndarray, prompt_lengths: np.ndarray, max_length: int) -> Dataset:
    """The examples that fit, made of arrays: Python lists of all tokens would take minutes.

    Args:
        ids: of all examples, one behind the other.
        lengths: (N,) tokens of each, answer included.
        prompt_lengths: (N,) tokens before each answer.
        max_length: longer examples are left out.
    """
    fits = lengths <= max_length
    ids, lengths, prompt_lengths = ids[np.repeat(fits, lengths)], lengths[fits], prompt_lengths[fits]
    borders = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(borders[-1]) - np.repeat(borders[:-1], lengths)
    labels = np.where(place < np.repeat(prompt_lengths, lengths), IGNORE_INDEX, ids)
    columns = [
        pyarrow.ListArray.from_arrays(pyarrow.array(borders, pyarrow.int32()), pyarrow.array(values, pyarrow.int32()))
        for values in (ids, labels)
    ]
    return Dataset(pyarrow.table([np.flatnonzero(fits), *columns], names=[ROW, "input_ids", "labels"]))


def lengths_of(dataset: Dataset) -> np.ndarray:
    """Tokens of each example, (N,)."""
    return np.asarray(pyarrow.compute.list_value_length(dataset.data.column("input_ids")))


def check_padding(multiple: int | None, longest: int, max_length: int) -> None:
    """Refuse a `pad_to_multiple_of` that pads rows beyond what the model sees.

    Args:
        multiple: tokens; None = batches are padded to their longest row.
        longest: tokens of the longest row.
        max_length: tokens the model sees.

    Raises:
        InputError: the longest row would be padded to more than `max_length`.
    """
    padded = -(-longest // multiple) * multiple if multiple else longest
    if padded > max_length:
        raise InputError(
            f"pad_to_multiple_of: {multiple}: rows of {longest} tokens would be padded to {padded}; the model sees "
            f"{max_length}. Give a number that divides {max_length}."
        )


def refuse_long(record: dict[str, Any], length: int, where: str, n: int, total: int, max_length: int) -> None:
    """Raise `InputError` for records whose answer the model would not see."""
    raise InputError(
        f"{where}: record {record['id']!r} has {bases_in(record['input'])} bases = {length} tokens with its question "
        f"and answer; the model sees {max_length}. {n:,} of {total:,} records are too long; nothing is cut. Set a "
        "window in the task file (policy: center), pretrain with longer blocks, or let a share of the train rows be "
        "left out (max_too_long)."
    )
