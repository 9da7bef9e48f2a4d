"""Rows become instruction records: wording, order of the options and examples drawn by seed and row id alone."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

from dnahlm.config import did_you_mean, line_of
from dnahlm.io import InputError
from dnahlm.tasks.kinds import answer_text, has_classes, input_text, options
from dnahlm.tasks.prompt import fill_phrasing
from dnahlm.tasks.rows import LabelledRow
from dnahlm.tasks.sampling import by_label
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.spool import Rows

Record = dict[str, Any]
T = TypeVar("T")
ALTERNATIVE = re.compile(r"alternative(-[1-9][0-9]*)?").fullmatch


@dataclass
class Asker:
    """How the rows of one task are asked in one build."""

    spec: TaskSpec  # its labels are the words that are written
    seed: int
    wording: str = ""  # name of a wording taken over literally; empty = the phrasings
    examples: int = 0  # shown in the instruction, from train
    repeats: int = 1  # times each train row is asked
    shown: list[Rows] = field(default_factory=list)  # the rows that may be examples, label by label


def make_asker(spec: TaskSpec, seed: int, wording: str = "", label_words: str = "standard") -> Asker:
    """The asker of a task, with the words of its answers settled.

    Raises:
        InputError: no wording of that name; no such alternative words in the task file.
    """
    if wording and wording not in spec.wordings:
        hint = did_you_mean(wording, list(spec.wordings)) if spec.wordings else "It names none."
        raise InputError(f"{spec.path}: task {spec.id} has no wording {wording!r} under `wordings:`. {hint}")
    spoken = copy.copy(spec)
    if wording:
        spoken.labels = {label: spec.wordings[wording].labels[label] for label in spec.labels}
    elif label_words != "standard":
        spoken.labels = alternative_labels(spec, label_words)
    return Asker(spoken, seed, wording)


def alternative_labels(spec: TaskSpec, label_words: str) -> dict[str, str]:
    """Label -> answer in one set of a task's alternative words: `alternative`, or `alternative-2` for the second.

    One build has one set, so that its answers are a fixed list that can be scored.

    Raises:
        InputError: the task file has no such set.
    """
    number = int(label_words.partition("-")[2] or 1)
    sets = list(zip(*spec.alternative_labels.values(), strict=True))
    if number > len(sets):
        line = line_of(spec.path, "alternative_labels" if sets else "labels")
        raise InputError(
            f"{spec.path}:{line}: task {spec.id} has {len(sets)} sets of words under `alternative_labels:`; "
            f"--label_words {label_words} needs {number}. Add them, or leave --label_words out."
        )
    return {label: spec.alternative_labels[label][number - 1] for label in spec.labels}


def record(
    asker: Asker, row: LabelledRow, split: str, held_out: bool = False, reverse: bool = False, time: int = 1
) -> Record:
    """One row as an instruction; the prompt around it is the chat template's matter.

    Args:
        asker: of the row's task.
        row: an original row (strand +).
        split: train, validation or test.
        held_out: draw from the phrasings that training never shows.
        reverse: read it from the other strand, with a wording of its own; right only for strand-symmetric labels.
        time: the first time a row is asked, the second, ..., each with a wording of its own.
    """
    spec, origin = asker.spec, row
    if reverse:
        row = row.reverse()
    name = row.id if time == 1 else f"{row.id}-{time}"
    draw = Draw(f"{asker.seed}:{name}:{'held_out' if held_out else 'train'}")
    instruction, phrasing = asked(asker, draw, held_out)
    if asker.examples:
        instruction += "\n" + example_lines(asker, draw, origin)
    return {
        "id": name,
        "task": spec.id,
        "split": split,
        "instruction": instruction,
        "input": input_text(spec, row.sequence, row.second, row.protein),
        "output": answer_text(spec, row.label),
        "label": row.label,
        "phrasing": phrasing,
        "strand": "-" if reverse else "+",
        "source": row.source,
        "clean": row.clean,  # in every split, so that programs that want one set of columns read them all
    }


def asked(asker: Asker, draw: Draw, held_out: bool) -> tuple[str, str]:
    """The question and the name of its phrasing."""
    spec = asker.spec
    if asker.wording and not held_out:
        return spec.wordings[asker.wording].phrasing, f"wording-{asker.wording}"
    phrasings = spec.held_out_phrasings if held_out else spec.phrasings
    choice = draw.below(len(phrasings))
    name = f"{'held_out' if held_out else 'train'}-{choice}"
    return fill_phrasing(phrasings[choice], draw.ordered(options(spec))), name


def example_lines(asker: Asker, draw: Draw, row: LabelledRow) -> str:
    """In-context examples, one line each: `input -> answer`, classes in turn in an order drawn for the row.

    An example never is the row itself, another piece of it, or has its sequence.
    """
    order = draw.ordered(asker.shown)
    lines = ["Examples:"]
    used: set[str] = set()
    for n in range(asker.examples):
        group = order[n % len(order)]
        start = draw.below(len(group))
        for step in range(len(group)):
            other = group[(start + step) % len(group)]
            if other.id not in used and other.source != row.source and other.sequence != row.sequence:
                break
        else:
            raise InputError(
                f"{asker.spec.path}: task {asker.spec.id} has too few train rows for --examples {asker.examples}."
            )
        used.add(other.id)
        shown = input_text(asker.spec, other.sequence, other.second, other.protein).replace("\n", "; ")
        lines.append(f"{shown} -> {answer_text(asker.spec, other.label)}")
    return "\n".join(lines)


def example_pool(spec: TaskSpec, rows: Rows) -> list[Rows]:
    """The rows that may be examples: class by class, or all together where the kind has none."""
    if not has_classes(spec):
        return [rows]
    labels, first = by_label(rows)
    return [rows.only(labels == n) for n in range(len(first))]


class Draw:
    """Choices that hang on one text alone: the same on every machine, and ten times faster to start than `Random`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.left = int.from_bytes(blake2b(text.encode()).digest(), "big")  # 512 bits

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        if self.left < n << 64:  # so that every number stays as likely as the next
            self.text += "+"
            self.left = int.from_bytes(blake2b(self.text.encode()).digest(), "big")
        self.left, choice = divmod(self.left, n)
        return choice

    def ordered(self, items: Sequence[T]) -> list[T]:
        """The items in any order, each order as likely as the next."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in items]
