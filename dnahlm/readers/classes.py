"""One FASTA file per class, as the rows of one table: the label of a row is that of its file."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dnahlm.io import InputError, open_text
from dnahlm.readers.sequence_lines import sequence_format
from dnahlm.readers.sequences import read_sequences
from dnahlm.readers.tables import Row


def read_class_files(
    class_files: Mapping[str, str | Path], label_column: str = "label", sequence_column: str = "sequence"
) -> Iterator[Row]:
    """Yield the records of each file, file by file, as rows with `sequence_column` and `label_column`.

    Args:
        class_files: label -> FASTA file, plain or `.gz`; letters and case come as in the file.
        label_column: name to give the label.
        sequence_column: name to give the bases.

    Raises:
        InputError: no files, one file under two labels, a file that is no FASTA, and all that
            `dnahlm.readers.sequences.read_sequences` refuses. `where` is the line of the record's header.
    """
    require_one_file_per_class(class_files)
    for label, path in class_files.items():
        with open_text(path, "FASTA file") as handle:
            # Records carry no line numbers; their headers are read once more beside them.
            headers = (number for number, line in enumerate(handle, 1) if line.startswith(">"))
            for record in read_sequences(path):
                line = next(headers, None)
                if line is None:
                    raise InputError(f"{path}: has other records than before. Was it changed while it was read?")
                yield Row({sequence_column: record.sequence, label_column: label}, f"{path}:{line}")


def require_one_file_per_class(class_files: Mapping[str, str | Path]) -> None:
    """Raise `InputError` when there is no file, one that is no FASTA, or one that two labels share."""
    if not class_files:
        raise InputError("class_files: names no file; give one FASTA file per label.")
    label_of: dict[Path, str] = {}
    for label, path in class_files.items():
        if sequence_format(Path(path)) != "fasta":
            raise InputError(f"{path}: the file of label {label!r} must be FASTA (.fa, .fasta, .fna, also .gz).")
        other = label_of.setdefault(Path(path).resolve(), label)
        if other != label:
            raise InputError(f"{path}: is the file of label {other!r} and of label {label!r}. Each needs its own.")
