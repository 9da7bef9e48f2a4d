"""JSON Lines: one object a line, plain or gzip, as a stream of rows."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from dnahlm.io import InputError, open_text
from dnahlm.readers.tables import Row, check_values, require_columns


def read_jsonl(path: str | Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the objects of a JSON Lines file; blank lines are skipped, blanks around values dropped.

    Numbers keep the digits they have in the file (`1.0` stays `1.0`); truth values become `true` and `false`.

    Args:
        path: UTF-8, with or without byte order mark, LF or CRLF, plain or `.gz`.
        columns: needed keys, which every object must have; the others may hold anything.

    Raises:
        InputError: missing, empty, damaged or not UTF-8; no objects; a line that is not one JSON object; a needed key
            that is missing or given twice; a needed value that is null, nested, empty or has a line break.
    """
    n_rows = 0
    with open_text(path, "JSON Lines file") as handle:
        for number, line in enumerate(handle, 1):
            if line.strip():
                n_rows += 1
                where = f"{path}:{number}"
                yield Row(row_values(parse_object(line, where), columns, where), where)
    if not n_rows:
        raise InputError(f"{path}: holds nothing but blank lines; one JSON object a line is needed.")


def parse_object(line: str, where: str) -> list[tuple[str, Any]]:
    """The keys and values of one line; numbers as they are written.

    Raises:
        InputError: not JSON, or JSON but not an object; half a character in a value.

    >>> parse_object('{"label": 1.50, "ok": true}', "x.jsonl:1")
    [('label', '1.50'), ('ok', True)]
    """
    try:
        found = json.loads(
            line, object_pairs_hook=Pairs, parse_int=str, parse_float=str, parse_constant=refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not JSON ({error}): {line.strip()[:40]!r}. A JSON Lines file holds one whole object a line."
        ) from error
    if not isinstance(found, Pairs):
        array = " It may be one JSON array over the whole file: write its items one a line." if line[0] == "[" else ""
        raise InputError(
            f'{where}: found {line.strip()[:40]!r}; a line must be one object, {{"key": value, ...}}.{array}'
        )
    for _, value in found:
        if isinstance(value, str):
            require_whole_characters(value, where)
    return list(found)


def require_whole_characters(text: str, where: str) -> None:
    r"""Raise `InputError` for half a character: JSON can write `\ud83d` alone, and no tokenizer or file takes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: {text[error.start]!a} is half a character (a surrogate without the other one), at character "
            f"{error.start + 1:,} of {text[:40]!a}. Write both halves, or leave the character out."
        ) from error


class Pairs(list):
    """The (key, value) pairs of a JSON object: a dict would hide a key given twice."""


def refuse_constant(word: str) -> NoReturn:
    """Raise for NaN and Infinity, which Python's parser takes and JSON does not have."""
    raise ValueError(f"{word} is no JSON value")


def row_values(pairs: list[tuple[str, Any]], columns: Sequence[str], where: str) -> dict[str, str]:
    """The needed values of one object as text.

    Raises:
        InputError: a key missing or doubled; a value that is null, nested, empty or has a line break.
    """
    found = dict(pairs)
    if len(found) < len(pairs) or any(name not in found for name in columns):
        require_columns(where, [name for name, _ in pairs], columns, "Every line needs it.")
    values = {}
    for name in columns:
        value = found[name]
        if isinstance(value, list):  # `Pairs` too
            raise InputError(
                f"{where}: column {name!r} holds nested values; text, a number, true or false is needed. Flatten it."
            )
        values[name] = str(value).lower() if isinstance(value, bool) else (value or "").strip()
    check_values(where, values)
    return values
