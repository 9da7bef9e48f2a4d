"""Rows of a split that ask one question: contradictions (with another label) and repetitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.dna import canonical, reverse_complement
from dnahlm.tasks.rows import Reading
from dnahlm.tasks.spec import PAIR_KINDS, TaskSpec

if TYPE_CHECKING:
    from dnahlm.tasks.table import TaskTable

SHOWN = 5  # contradictions told by a build; `dnahlm tasks validate` tells all
DIGEST = 16  # bytes; that two of 10^12 questions share one has a chance of 10^-15


def question_of(spec: TaskSpec) -> Callable[[Reading], bytes]:
    """What makes two rows one question: the sequence, or both of a pair; strands count as one where the label does.

    The call gives a digest of `DIGEST` bytes.
    """

    def text(row: Reading) -> str:
        if spec.kind not in PAIR_KINDS:
            return canonical(row.sequence) if spec.strand_symmetric else row.sequence
        forward = f"{row.sequence} {row.second}{row.protein}"
        if not spec.strand_symmetric:
            return forward
        return min(forward, f"{reverse_complement(row.sequence)} {reverse_complement(row.second)}{row.protein}")

    return lambda row: blake2b(text(row).encode(), digest_size=DIGEST).digest()


def first_of_question(questions: np.ndarray) -> np.ndarray:
    """Index of the first row with the same question, for each row.

    Args:
        questions: (N, 2) uint64, the digests.

    >>> first_of_question(np.array([[7, 1], [7, 2], [7, 1]], np.uint64)).tolist()
    [0, 1, 0]
    """
    order = np.lexsort(questions.T)  # stable: rows of one question stay in order
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(questions[order].view(np.int64), axis=0) != 0).any(axis=1)
    first = np.empty(len(order), np.int64)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return first


def clean(table: TaskTable, questions: dict[str, np.ndarray]) -> None:
    """Drop contradicting rows of train and validation and repeated rows of train; count all of them, in test too.

    Args:
        table: its rows change.
        questions: split -> (N, 2) uint64, the digest of each row.
    """
    for split, rows in table.rows.items():
        first = first_of_question(questions[split])
        labels = rows.labels
        differs = labels != labels[first]
        contradicting = np.zeros(len(rows), bool)
        contradicting[first[differs]] = True
        contradicting = contradicting[first]
        repeats = (first != np.arange(len(rows))) & ~contradicting
        table.contradictions[split] = (rows.only(first[differs]), rows.only(differs))
        table.counts[f"contradicting_rows_{split}"] += int(contradicting.sum())
        table.counts[f"repeated_rows_{split}"] += int(repeats.sum())
        if split == "train":
            contradicting |= repeats
        if split != "test":
            table.rows[split], table.dropped[split] = rows.only(~contradicting), rows.only(contradicting)


def told(table: TaskTable, most: int | None = None) -> Iterator[str]:
    """Each contradiction in words: both rows by file and line, and what becomes of them.

    Args:
        table: after `clean`.
        most: how many are told, before one line says how many more there are; None tells all.
    """
    pairs = ((split, *pair) for split, rows in table.contradictions.items() for pair in zip(*rows, strict=True))
    for split, one, other in islice(pairs, most):
        done = "test rows stay as published" if split == "test" else f"both leave {split}"
        labels = f"labels {one.label!r} and {other.label!r}"
        yield f"{one.source} and {other.source}: task {table.spec.id}: the same question with {labels}; {done}"
    left = sum(len(ones) for ones, _ in table.contradictions.values()) - (most or 0)
    if most is not None and left > 0:
        yield f"and {left:,} more; `dnahlm tasks validate` lists them all"
