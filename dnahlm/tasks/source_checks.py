"""What must hold in the `source` and the `columns` of a task file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnahlm.tasks.checks import SPLITS, check_known, fail

if TYPE_CHECKING:
    from dnahlm.tasks.spec import TaskSpec

FORMATS = ("csv", "tsv", "parquet", "jsonl", "kmer_tsv", "fasta", "bed")


def check_where(spec: TaskSpec) -> None:
    """Files, files per class, or a hub data set: what the format needs is there, and nothing that it ignores."""
    source = spec.source
    check_known(spec, "source.format", [source.format], FORMATS)
    if source.format == "fasta" and source.files:
        fail(spec, "source.files", "format fasta has one file per label: use class_files: {train: {label: file}}.")
    if source.format != "fasta" and source.class_files:
        fail(spec, "source.class_files", f"only format fasta has files per class; found format {source.format!r}.")
    if (source.format == "bed") != (source.genome is not None):
        fail(spec, "source", "format bed and `genome: file.fa` go together: intervals need the genome they lie in.")
    for split, files in source.class_files.items():
        if not set(files) <= set(spec.labels):
            fail(spec, "source.class_files", f"{split}: {sorted(files)} must be labels ({sorted(spec.labels)}).")
    if source.class_files and spec.kind not in ("classification", "hierarchical"):
        fail(spec, "source.class_files", f"a file per label suits classification, not kind {spec.kind}.")
    if source.class_files and source.hold_out_by not in ("sequence", "similarity"):
        fail(spec, "source.hold_out_by", f"FASTA files have no column {source.hold_out_by!r}.")
    if source.class_files and source.filter:
        fail(spec, "source.filter", f"FASTA files have no column {next(iter(source.filter))!r} to choose rows by.")
    if source.config and not source.hub:
        fail(spec, "source.config", "names a configuration of a hub data set, but there is no `hub:`.")
    if bool(source.hub) != bool(source.hub_splits):
        fail(spec, "source", "`hub: owner/name` and `hub_splits: {train: train}` go together.")


def check_splits(spec: TaskSpec) -> None:
    """Every split has exactly one origin: rows of its own, or a share of the train rows."""
    source = spec.source
    for key in ("files", "class_files", "hub_splits"):
        check_known(spec, f"source.{key}", list(getattr(source, key)), SPLITS)
    check_known(spec, "source.hold_out", list(source.hold_out), SPLITS[1:])
    local = {**source.files, **source.class_files}
    if local and source.hub and set(local) != set(source.hub_splits):
        fail(spec, "source.hub_splits", f"has {sorted(source.hub_splits)}, the files are for {sorted(local)}.")
    for split in SPLITS:
        origins = (split in source.splits) + (split in source.hold_out)
        if origins != 1:
            name = "files" if local or not source.hub else "hub_splits"
            found = f"both in {name} and in hold_out" if origins else f"neither in {name} nor in hold_out"
            fail(spec, "source", f"split {split!r} is {found}; name it once. hold_out takes a share of the train file.")
    of_classes = [name for files in source.class_files.values() for name in files.values()]
    for key, names in (("files", [*source.files.values(), *of_classes]), ("hub_splits", [*source.hub_splits.values()])):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            fail(
                spec, "source", f"{key}: {twice[0]!r} is there twice; a row of it would be of two splits or two labels."
            )
    shares = source.hold_out.values()
    if any(not 0 < share < 1 for share in shares) or sum(shares) >= 1:
        fail(spec, "source.hold_out", f"shares {dict(source.hold_out)} must each be above 0 and together below 1.")
    if source.hold_out_by == "similarity" and len(spec.sequence_columns) > 1:
        fail(spec, "source.hold_out_by", f"similarity looks at one sequence; kind {spec.kind} has two. Name a column.")
    if source.hold_out_by != "sequence" and not source.hold_out:
        fail(spec, "source.hold_out_by", "says how rows are held out, but `hold_out:` is not there.")


def check_columns(spec: TaskSpec) -> None:
    """The sequences that the kind asks about, and the label; each from its own column."""
    names = list(spec.sequence_columns)
    if spec.kind == "pair" and len(names) != 2:
        fail(spec, "columns", f"found {names}; kind pair has two sequences and a label.")
    if spec.kind == "dna_protein_pair" and set(names) != {"sequence", "protein"}:
        fail(spec, "columns", f"found {names}; kind dna_protein_pair has sequence, protein and label.")
    if spec.kind not in ("pair", "dna_protein_pair"):
        check_known(spec, "columns", list(spec.columns), ("sequence", "label"))
    for name in names:
        if not name.replace("_", "").isalnum():
            fail(spec, "columns", f"{name!r} may hold only letters, digits and _ (it is shown before the sequence).")
    used = list(spec.columns.values())
    for column in used:
        if used.count(column) > 1:
            fail(spec, "columns", f"column {column!r} is named {used.count(column)} times; each value has its own.")
