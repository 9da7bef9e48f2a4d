"""The rows a baseline is fitted on, from the instruction files the model was tuned on."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.tasks.kinds import sequences_in

HELD_BACK = 0.1  # share of train rows that stand in for validation where there is none


@dataclass(frozen=True)
class Data:
    """One task as a baseline sees it: texts of letters (those of a pair parted by a blank) and answers."""

    train: list[str]
    labels: list[str]  # answers of the train rows
    validation: list[str]  # decides what a baseline may choose; never a row that is asked
    validation_labels: list[str]
    test: list[str]  # the rows that are asked
    answers: list[str]  # K, the order of the columns
    symmetric: bool = False  # the answer holds for the reverse complement too
    seed: int = 0

    def texts(self) -> dict[str, list[str]]:
        """The three lists of texts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def rows_of(records: Iterable[dict], limit: int = 0, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts and answers of a task's records, each sequence of a source row once and on its own strand.

    Args:
        records: instruction records of one task. Reverse-complement copies (strand "-") are turned back.
        limit: rows to keep, drawn by `seed`; 0 = all.
        seed: of the draw.

    >>> rows_of([{"source": "f:2", "strand": "-", "input": "CG", "output": "x"},
    ...          {"source": "f:1", "strand": "+", "input": "AA", "output": "y"},
    ...          {"source": "f:1", "strand": "-", "input": "TT", "output": "y"},
    ...          {"source": "f:1", "strand": "+", "input": "AC", "output": "y"}])
    (['CG', 'AA', 'AC'], ['x', 'y', 'y'])
    """
    # A source row with sliding windows gives several sequences; one that was asked several times gives one.
    kept = {(record["source"], letters(record)): record["output"] for record in records}
    rows = list(kept.items())
    if limit and limit < len(rows):
        rows = random.Random(seed).sample(rows, limit)
    return [text for (_, text), _ in rows], [output for _, output in rows]


def hold_back(texts: list[str], labels: list[str], seed: int) -> tuple[list[str], list[str], list[str], list[str]]:
    """Part a tenth of train off as validation, drawn by the seed: texts, labels, and those held back."""
    n = max(1, round(HELD_BACK * len(texts)))
    chosen = set(random.Random(seed).sample(range(len(texts)), n))
    parts = [[i for i in range(len(texts)) if (i in chosen) is held] for held in (False, True)]
    if not parts[0]:
        parts[0] = parts[1]
    (one, other) = parts
    return [texts[i] for i in one], [labels[i] for i in one], [texts[i] for i in other], [labels[i] for i in other]


def letters(record: dict) -> str:
    r"""What a record asks about, on its own strand: DNA in upper case, a protein in lower, those of a pair by a blank.

    >>> letters({"input": "Reference: AC\nAlternative: CC", "strand": "-"}), letters({"input": "AC", "strand": "+"})
    ('GT GG', 'AC')
    >>> letters({"input": "DNA: ATG\nProtein: M", "strand": "+"})
    'ATG m'
    """
    lines, found = record["input"].split("\n"), sequences_in(record["input"])
    parts = [s.lower() if line.startswith("Protein: ") else s for line, s in zip(lines, found, strict=True)]
    text = " ".join(parts)
    return other_strand(text) if record["strand"] == "-" else text


def other_strand(text: str) -> str:
    """The same rows of letters from the other strand; a protein (in lower case) has none and stays.

    >>> other_strand("AACC GT"), other_strand("AAC mk")
    ('GGTT AC', 'GTT mk')
    """
    return " ".join(part if part.islower() else reverse_complement(part) for part in text.split(" "))


def majority(data: Data) -> np.ndarray:
    """Always the commonest answer of the train rows: their class shares, (N, K), the same for every test row.

    >>> majority(Data(["A", "C", "G"], ["x", "y", "x"], [], [], ["T"], ["x", "y"])).round(2).tolist()
    [[0.67, 0.33]]
    """
    counts = Counter(data.labels)
    shares = np.array([counts[answer] for answer in data.answers], dtype=np.float64) / len(data.labels)
    return np.tile(shares, (len(data.test), 1))
