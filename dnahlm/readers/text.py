"""English text, JSON Lines and Parquet files as a stream of documents of about a page."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dnahlm.io import InputError, open_text, require_file
from dnahlm.readers.jsonl import require_whole_characters

LONGEST_DOCUMENT = 2000  # characters
_BLANK = re.compile(r"\s*")


TEXT_KEY = "text"  # what JSON Lines and Parquet files call a record's text, as datasets on the hub do


@dataclass(frozen=True)
class TextDocument:
    """Text and where it stands: 0-based, half-open, in characters of the file's text."""

    text: str
    start: int
    end: int
    opens_record: bool = True  # False for the later parts of a record that was too long for one document


def read_documents(path: str | Path) -> Iterator[TextDocument]:
    r"""Yield documents of at most `LONGEST_DOCUMENT` characters, made of whole paragraphs where they are shorter.

    In a `.txt` file paragraphs (parted by blank lines) are joined up to that length. In JSON Lines and Parquet files
    each row is a record, which is cut when it is longer and never joined to another; its text stands under `text`.
    A longer paragraph is cut at a line end, a longer line at a blank; nothing but white space between documents is
    left out. Line ends become `\n` in the text; `start` and `end` count the file's own characters (those of the texts
    alone, row after row, in JSON Lines and Parquet).

    Raises:
        InputError: missing, empty, damaged or not UTF-8; of another format; a row without text; nothing but white
            space.
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".txt":
        found = file_documents(path)
    elif kind in (".jsonl", ".parquet"):
        found = record_documents(jsonl_texts(path) if kind == ".jsonl" else parquet_texts(path))
    else:
        raise InputError(f"{path}: English text must be a .txt, .jsonl (both also .gz) or .parquet file. Convert it.")
    n = 0
    for document in found:
        n += 1
        yield document
    if not n:
        raise InputError(f"{path}: holds nothing but white space; English text is needed.")


def file_documents(path: Path) -> Iterator[TextDocument]:
    """The documents of a plain text file."""
    with open_text(path) as handle:
        yield from join_paragraphs(handle, 0)


def record_documents(texts: Iterable[str]) -> Iterator[TextDocument]:
    """The documents of texts that are records of their own.

    >>> [(d.text, d.start, d.end) for d in record_documents(["One.", " ", "Two."])]
    [('One.', 0, 4), ('Two.', 5, 9)]
    """
    start = 0
    for text in texts:
        opens = True
        for document in join_paragraphs(text.splitlines(keepends=True), start):
            yield document if opens else TextDocument(document.text, document.start, document.end, opens_record=False)
            opens = False
        start += len(text)


def jsonl_texts(path: Path) -> Iterator[str]:
    """The value of `text` of each line.

    Raises:
        InputError: a line that is no JSON object, one without text, or text with half a character.
    """
    with open_text(path, "JSON Lines file") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: not JSON ({error}). One object a line is needed.") from error
            if not isinstance(row, dict) or not isinstance(row.get(TEXT_KEY), str):
                seen = f"keys {sorted(row)[:8]}" if isinstance(row, dict) else repr(row)[:40]
                raise InputError(f"{path}:{number}: found {seen}; an object with text under {TEXT_KEY!r} is needed.")
            require_whole_characters(row[TEXT_KEY], f"{path}:{number}")
            yield row[TEXT_KEY]


def parquet_texts(path: Path) -> Iterator[str]:
    """The values of the column `text`.

    Raises:
        InputError: damaged, or without a column of text; a null.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, number = require_file(path, "Parquet file"), 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if TEXT_KEY not in names:
                raise InputError(f"{path}: has the columns {', '.join(names)}; a column {TEXT_KEY!r} is needed.")
            for batch in file.iter_batches(1024, columns=[TEXT_KEY]):
                for text in batch.column(0).to_pylist():
                    number += 1
                    if not isinstance(text, str):
                        raise InputError(f"{path}:row {number}: column {TEXT_KEY!r} holds {text!r}; text is needed.")
                    yield text
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a whole Parquet file ({str(error)[:200]}). Fetch it again.") from error


def join_paragraphs(lines: Iterable[str], start: int) -> Iterator[TextDocument]:
    """Whole paragraphs joined up to `LONGEST_DOCUMENT`; `start` is the place of the first character."""
    kept: list[str] = []
    length = boundary = 0
    for piece in short_lines(lines):
        blank = not piece.strip()
        while length + len(piece) > LONGEST_DOCUMENT and not blank:
            # Close the document at its last paragraph end; what follows it opens the next one.
            n_closed = boundary or len(kept)
            if document := make_document(kept[:n_closed], start):
                yield document
            start += sum(map(len, kept[:n_closed]))
            kept, boundary = kept[n_closed:], 0
            length = sum(map(len, kept))
        kept.append(piece)
        length += len(piece)
        boundary = len(kept) if blank else boundary
    if document := make_document(kept, start):
        yield document


def short_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, line end included; one longer than `LONGEST_DOCUMENT` in pieces, cut after a blank if it has one."""
    for line in lines:
        while len(line) > LONGEST_DOCUMENT:
            at = line.rfind(" ", 0, LONGEST_DOCUMENT) + 1 or LONGEST_DOCUMENT
            yield line[:at]
            line = line[at:]
        yield line


def make_document(lines: list[str], start: int) -> TextDocument | None:
    r"""The document of consecutive raw lines that begin at character `start`, None when they are blank.

    >>> make_document(["\n", "One.\r\n", "Two.\n", "\n"], start=10)
    TextDocument(text='One.\nTwo.', start=11, end=21, opens_record=True)
    """
    raw = "".join(lines)
    text = raw.strip()
    if not text:
        return None
    start += _BLANK.match(raw).end()
    return TextDocument(text.replace("\r\n", "\n").replace("\r", "\n"), start, start + len(text))
