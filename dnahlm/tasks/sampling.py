"""Every choice left to chance when rows become questions.

Each hangs on the seed and the row's id alone, so that a row keeps its wording when other rows or tasks come or go.
"""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from dnahlm.dna import reverse_complement
from dnahlm.tasks.prompt import fill_phrasing
from dnahlm.tasks.spec import TaskSpec, answers
from dnahlm.tasks.rows import LabelledRow

Record = dict[str, str]


def cap_rows(rows: Sequence[LabelledRow], most: int, seed: int) -> list[LabelledRow]:
    """At most `most` rows (0 = all), classes in the same shares as before and none lost; the order is kept.

    Which rows stay is a matter of the seed and of each row's id.
    """
    if not most or len(rows) <= most:
        return list(rows)
    by_label: dict[str, list[LabelledRow]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    kept: set[str] = set()
    for label, n in shares({label: len(group) for label, group in by_label.items()}, most).items():
        ranked = sorted(by_label[label], key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())
        kept |= {row.id for row in ranked[:n]}
    return [row for row in rows if row.id in kept]


def shares(sizes: dict[str, int], total: int) -> dict[str, int]:
    """Part `total` by the proportions of `sizes` (largest remainders first), at least 1 each where total allows.

    >>> shares({"a": 900, "b": 99, "c": 1}, 10)
    {'a': 8, 'b': 1, 'c': 1}
    """
    whole = sum(sizes.values())
    exact = {label: total * size / whole for label, size in sizes.items()}
    parts = {label: max(int(share), 1) for label, share in exact.items()}
    while (missing := total - sum(parts.values())) > 0:
        for label in sorted(exact, key=lambda label: parts[label] - exact[label])[:missing]:
            parts[label] += 1
    while sum(parts.values()) > total and max(parts.values()) > 1:
        parts[max(parts, key=lambda label: parts[label] - exact[label] if parts[label] > 1 else -total)] -= 1
    return parts


def record(spec: TaskSpec, row: LabelledRow, split: str, seed: int, held_out: bool = False) -> Record:
    """One row as an instruction: wording and order of the options drawn by seed and row id.

    Args:
        spec: the row's task.
        row: an original row (strand +).
        split: train, validation or test.
        seed: of the build.
        held_out: draw from the wordings that training never shows.
    """
    return rendered(spec, row, split, seed, held_out, row.id, row.sequence, "+")


def reverse_record(spec: TaskSpec, row: LabelledRow, split: str, seed: int) -> Record:
    """The same row read from the other strand, with a wording of its own; right only for strand-symmetric labels."""
    return rendered(spec, row, split, seed, False, f"{row.id}-rc", reverse_complement(row.sequence), "-")


def rendered(
    spec: TaskSpec, row: LabelledRow, split: str, seed: int, held_out: bool, row_id: str, sequence: str, strand: str
) -> Record:
    """The instruction record itself; the prompt around it is the chat template's matter."""
    rng = random.Random(f"{seed}:{row_id}:{'held_out' if held_out else 'train'}")
    wordings = spec.held_out_phrasings if held_out else spec.phrasings
    choice = rng.randrange(len(wordings))
    options = answers(spec)
    return {
        "id": row_id,
        "task": spec.id,
        "split": split,
        "instruction": fill_phrasing(wordings[choice], rng.sample(options, len(options))),
        "input": sequence,
        "output": spec.labels[row.label],
        "label": row.label,
        "phrasing": f"{'held_out' if held_out else 'train'}-{choice}",
        "strand": strand,
        "source": row.source,
    }


def describe(records: Sequence[Record]) -> dict[str, int | dict[str, int]]:
    """Counts of one split of one task, for the manifest: rows, answers, strands, bases."""
    sizes = [len(record["input"]) for record in records]
    return {
        "rows": len(records),
        "answers": dict(sorted(Counter(record["output"] for record in records).items())),
        "reverse_complements": sum(record["strand"] == "-" for record in records),
        "bases": sum(sizes),
        "min_bases": min(sizes, default=0),
        "max_bases": max(sizes, default=0),
    }
