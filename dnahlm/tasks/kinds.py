"""What a task's kind makes of one row: the label that is kept, the answer the model writes, the input it reads."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from dnahlm.io import InputError
from dnahlm.tasks.spec import TaskSpec, has_fixed_answers

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?").fullmatch
_FOREIGN_RESIDUE = re.compile(rf"[^{RESIDUES}UX*]")  # U is selenocysteine, which human proteins hold


def read_label(spec: TaskSpec, cell: str, where: str) -> str:
    """The label of one row, checked; of several, in the order of the YAML file and each once.

    Args:
        spec: the row's task.
        cell: text of the label column, without blanks at its ends.
        where: what an error message starts with (`path:line`).

    Raises:
        InputError: a label the task does not declare; for a regression, no finite number; for a hierarchy, the wrong
            number of levels.
    """
    if spec.kind == "multilabel":
        return spec.separator.join(read_labels(spec, cell, where))
    if spec.kind == "regression":
        return require_number(spec, cell, where)
    if spec.kind == "hierarchical":
        require_levels(spec, cell, where)
    if spec.labels:
        require_declared(spec, cell, where)
    return cell


def read_labels(spec: TaskSpec, cell: str, where: str) -> list[str]:
    """The labels of a cell with several, none of them twice; the word for "none of them" alone gives no label."""
    found = {part.strip() for part in cell.split(spec.separator)} - {""}
    if not found or (spec.none_label in found and len(found) > 1):
        raise InputError(
            f"{where}: task {spec.id}, column {spec.label_column!r}: found {cell[:80]!r}; write the labels, or "
            f"{spec.none_label!r} alone where there is none."
        )
    for label in sorted(found - {spec.none_label}):
        require_declared(spec, label, where)
    return [label for label in spec.labels if label in found]


def require_declared(spec: TaskSpec, label: str, where: str) -> None:
    """Raise `InputError` for a label that is not in the YAML file."""
    if label not in spec.labels:
        same = next((known for known in spec.labels if written_otherwise(known, label)), None)
        hint = f"Is it {same!r}, written otherwise? " if same is not None else ""
        raise InputError(
            f"{where}: label {label[:80]!r} is not declared by task {spec.id} "
            f"(declared: {sorted(spec.labels)}). {hint}Add it under `labels:` in {spec.path} or fix the row."
        )


def written_otherwise(one: str, other: str) -> bool:
    """Whether two labels differ in case only, or are one number.

    >>> written_otherwise("Donor", "donor"), written_otherwise("1", "1.0"), written_otherwise("1", "2")
    (True, True, False)
    """
    numbers = _NUMBER(one) and _NUMBER(other)
    return float(one) == float(other) if numbers else one.casefold() == other.casefold()


def require_number(spec: TaskSpec, cell: str, where: str) -> str:
    """The number in a cell in its shortest form, so that 1.50 and 1.5 are one label; else `InputError`."""
    if not _NUMBER(cell) or math.isinf(float(cell)):
        comma = " Write the decimal mark as a point." if "," in cell else ""
        raise InputError(
            f"{where}: task {spec.id}, column {spec.label_column!r}: found {cell[:80]!r} where a finite number such as "
            f"-0.5 or 1e-3 is needed.{comma} Fix or remove the row."
        )
    return repr(float(cell) + 0.0).removesuffix(".0")


def require_levels(spec: TaskSpec, cell: str, where: str) -> None:
    """Raise `InputError` unless the cell has the task's number of levels, none empty, parted by points."""
    levels = cell.split(".")
    if len(levels) != spec.levels or not all(levels) or any(c.isspace() for c in cell):
        raise InputError(
            f"{where}: task {spec.id}, column {spec.label_column!r}: {cell[:80]!r} is no label of {spec.levels} levels "
            f"such as {'.'.join(str(n) for n in range(1, (spec.levels or 1) + 1))} (an unknown level is written -)."
        )


def answer_text(spec: TaskSpec, label: str) -> str:
    """What the model is to write for a label of `read_label`."""
    if spec.kind == "multilabel":
        words = [spec.labels[part] for part in label.split(spec.separator) if part]
        return ", ".join(words) or str(spec.none_label)
    if spec.kind == "regression":
        # + 0.0: what rounds to nothing has no sign
        return f"{round(float(label), spec.decimals) + 0.0:.{spec.decimals}f}"
    return spec.labels[label] if spec.labels else label


def options(spec: TaskSpec) -> list[str]:
    """The words listed where a phrasing has `{options}`; none for kinds that answer with a number or a code."""
    words = list(spec.labels.values())
    return [*words, spec.none_label] if spec.none_label else words


def has_classes(spec: TaskSpec) -> bool:
    """Whether rows fall into a few classes, so that shares of them can be kept, balanced or counted."""
    return has_fixed_answers(spec)


def title(name: str) -> str:
    """What stands before a sequence in the input of a task with several.

    >>> title("sequence1"), title("reference"), title("upstream_region")
    ('Sequence 1', 'Reference', 'Upstream region')
    """
    words = re.sub(r"(?<=[^\d ])(?=\d+$)", " ", name.replace("_", " "))
    return words[:1].upper() + words[1:]


def input_text(spec: TaskSpec, sequence: str, second: str, protein: str) -> str:
    """The input of the prompt: the DNA alone, or one line `Name: letters` for each sequence of a pair."""
    if spec.kind == "pair":
        one, two = map(title, spec.sequence_columns)
        return f"{one}: {sequence}\n{two}: {second}"
    if spec.kind == "dna_protein_pair":
        return f"DNA: {sequence}\nProtein: {protein}"
    return sequence


def sequences_in(input: str) -> list[str]:
    r"""The letters of a record's input, without the names of a pair's lines.

    >>> sequences_in("Reference: ACGT\nAlternative: ACGA"), sequences_in("ACGT")
    (['ACGT', 'ACGA'], ['ACGT'])
    """
    return [line.rpartition(": ")[2] for line in input.split("\n")]


def with_dna(input: str, change: Callable[[str], str]) -> str:
    r"""An input with `change` done to its DNA; the names of a pair's lines and proteins stay.

    >>> with_dna("DNA: AAC\nProtein: AAC", str.lower), with_dna("ACGT", str.lower)
    ('DNA: aac\nProtein: AAC', 'acgt')
    """
    lines = [line.rpartition(": ") for line in input.split("\n")]
    return "\n".join(
        name + colon + (letters if name == "Protein" else change(letters)) for name, colon, letters in lines
    )


def bases_in(input: str) -> int:
    r"""Bases of a record's input: of both sequences of a pair; a protein has none.

    >>> bases_in("Reference: ACGT\nAlternative: ACGA"), bases_in("DNA: ATG\nProtein: M"), bases_in("ACGT")
    (8, 3, 4)
    """
    return sum(
        len(letters) for name, _, letters in (line.rpartition(": ") for line in input.split("\n")) if name != "Protein"
    )


def read_protein(text: str, where: str) -> str:
    """A protein in the 20 one-letter codes, U for selenocysteine, X for unknown and * for the stop, in upper case.

    Raises:
        InputError: another letter, with its place.

    >>> read_protein("mkv*", "typed")
    'MKV*'
    """
    letters = "".join(text.split()).upper()
    if foreign := _FOREIGN_RESIDUE.search(letters):
        raise InputError(
            f"{where}: {foreign.group()!r} at residue {foreign.start() + 1} is no amino acid "
            f"(allowed: {RESIDUES}, U, X and *, either case). Fix or remove the row."
        )
    if len(letters) > 3 and set(letters) <= set("ACGTN"):
        raise InputError(f"{where}: {letters[:20]!r} is DNA where a protein is needed. Are the columns swapped?")
    return letters
