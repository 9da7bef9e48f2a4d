"""Rows, which every format of labelled data gives, and the readers of CSV and TSV files, plain or gzip."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnahlm.config import did_you_mean
from dnahlm.io import InputError, open_text

SEPARATORS = {"csv": ",", "tsv": "\t"}
LONGEST_FIELD = 1 << 30  # characters; the csv module's own limit is shorter than many genes


@dataclass(frozen=True)
class Row:
    """The needed values of one row, and where it starts (`path:line`; `path:row N` where a format has no lines)."""

    values: dict[str, str]
    where: str


def read_table(path: str | Path, columns: Sequence[str], format: str | None = None) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file; blanks around values are dropped, lines without any text are skipped.

    Args:
        path: UTF-8, with or without byte order mark, LF or CRLF, plain or `.gz`.
        columns: needed columns; only these are returned, and none of their values may be empty.
        format: `csv` or `tsv`; None goes by the extension. Quotes have their CSV meaning; in a TSV file only when its
            header line has quotes (plain TSV text is full of lone ones).

    Raises:
        InputError: missing, empty, damaged or not UTF-8; unknown format; missing or doubled column; no rows; a row with
            the wrong number of fields, an empty needed value or one with a line break. All but the first name the line.
    """
    path = Path(path)
    separator = SEPARATORS[table_format(path, format)]
    csv.field_size_limit(LONGEST_FIELD)
    with open_text(path, "table") as handle:
        first = handle.readline()
        quoting = csv.QUOTE_MINIMAL if separator == "," or '"' in first else csv.QUOTE_NONE
        rows = numbered_rows(path, [first], handle, delimiter=separator, quoting=quoting, strict=True)
        header_line, header = next(rows, (1, []))
        header = [name.strip() for name in header]
        places = column_places(f"{path}:{header_line}", header, columns)
        n_rows = 0
        for line, fields in rows:
            where = f"{path}:{line}"
            if len(fields) != len(header):
                raise InputError(
                    f"{where}: found {len(fields)} fields where the header has {len(header)} ({shown(header)}). "
                    "Quote values that hold the separator, or fix the row."
                )
            values = {name: fields[place].strip() for name, place in places.items()}
            check_values(where, values)
            n_rows += 1
            yield Row(values, where)
        if not n_rows:
            raise InputError(f"{path}: has a header line and no rows. Was its export or copy cut short?")


def table_format(path: Path, format: str | None) -> str:
    """`csv` or `tsv`: as given, or by the extension.

    Raises:
        InputError: neither.

    >>> table_format(Path("train.csv.gz"), None)
    'csv'
    """
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    found = format or suffix.removeprefix(".")
    if found not in SEPARATORS:
        raise InputError(
            f"{path}: table format {found!r} is not one of {', '.join(SEPARATORS)} "
            "(.csv and .tsv, each also with .gz). Convert the file, or say its format."
        )
    return found


def numbered_rows(
    path: Path, first: list[str], rest: Iterator[str], **dialect: str | int | bool
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row starts, fields), without empty lines.

    Raises:
        InputError: broken quoting, with the line on which the row starts.
    """
    reader = csv.reader(chain_lines(first, rest), **dialect)  # type: ignore[arg-type]
    while True:
        start = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{path}:{start}: broken quoting in the row that starts here ({error}). "
                'Close the quote; a quote inside a value is written "".'
            ) from error
        if any(field.strip() for field in fields):
            yield start, fields


def chain_lines(first: list[str], rest: Iterator[str]) -> Iterator[str]:
    """The line already read, then the others."""
    yield from first
    yield from rest


def column_places(where: str, header: list[str], columns: Sequence[str]) -> dict[str, int]:
    """Index of each needed column.

    Raises:
        InputError: no header, a column that is missing or there twice.
    """
    if not header:
        raise InputError(f"{where}: no header line; the first line must name the columns ({shown(list(columns))}).")
    other = next((sign for sign in ";\t|," if len(header) == 1 and sign in header[0]), None)
    hint = f"The separator seems to be {other!r}. " if other else ""
    require_columns(where, header, columns, f"{hint}The first line must name the columns.")
    return {name: header.index(name) for name in columns}


def check_values(where: str, values: dict[str, str]) -> None:
    """Raise `InputError` for a needed value that is empty or holds a line break."""
    for name, value in values.items():
        if not value:
            raise InputError(f"{where}: column {name!r} is empty. Fill it in or remove the row.")
        if "\n" in value or "\r" in value:
            raise InputError(f"{where}: column {name!r} holds a quoted newline: {value[:40]!r}. Put it on one line.")


def require_columns(where: str, found: Sequence[str], columns: Sequence[str], advice: str) -> None:
    """Raise `InputError` when a needed column is not among those found, or is there twice."""
    for name in columns:
        if name not in found:
            raise InputError(
                f"{where}: no column {name!r}; found: {shown(found)}. {did_you_mean(name, found)[:300]} {advice}"
            )
        if found.count(name) > 1:
            raise InputError(f"{where}: column {name!r} is there {found.count(name)} times. Rename all but one.")


def matching(rows: Iterator[Row], filter: Mapping[str, str], columns: Sequence[str], what: str) -> Iterator[Row]:
    """Yield the rows that have every value of `filter` (column -> value), with the values of `columns` only.

    Args:
        rows: with the columns of `filter` beside `columns`.
        filter: what the yielded rows have, as text.
        columns: which values to keep.
        what: the file or data set, for the message.

    Raises:
        InputError: no row has these values.

    >>> rows = [Row({"task": "a", "label": "1"}, "x:2"), Row({"task": "b", "label": "0"}, "x:3")]
    >>> list(matching(iter(rows), {"task": "b"}, ["label"], "x"))
    [Row(values={'label': '0'}, where='x:3')]
    """
    wanted, found, n_kept = filter.items(), dict[tuple[str, str], None](), 0  # a dict keeps the order of the file
    for row in rows:
        if all(row.values[name] == value for name, value in wanted):
            n_kept += 1
            yield Row({name: row.values[name] for name in columns}, row.where)
        elif not n_kept and len(found) < 12:
            found.update(dict.fromkeys((name, row.values[name]) for name in filter))
    if not n_kept:
        asked = ", ".join(f"{name} = {value!r}" for name, value in wanted)
        seen = ", ".join(f"{name} = {value[:30]!r}" for name, value in list(found)[:12])
        raise InputError(f"{what}: no row has {asked}, as `filter:` asks. Rows have, among others: {seen}. Correct it.")


def shown(names: Sequence[str]) -> str:
    """Column names for a message; a file without header has data there, so each is cut short.

    >>> shown(["sequence", "A" * 300])
    "'sequence', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA...'"
    """
    return ", ".join(repr(name if len(name) <= 30 else name[:30] + "...") for name in names[:12])
