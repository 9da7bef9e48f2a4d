"""English text files, plain or gzip, as a stream of documents of about a page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dnahlm.io import InputError, open_text

LONGEST_DOCUMENT = 2000  # characters
_BLANK = re.compile(r"\s*")


@dataclass(frozen=True)
class TextDocument:
    """Text and where it stands: 0-based, half-open, in characters of the decoded file."""

    text: str
    start: int
    end: int


def read_documents(path: str | Path) -> Iterator[TextDocument]:
    r"""Yield documents: whole paragraphs (parted by blank lines), joined up to `LONGEST_DOCUMENT` characters.

    A longer paragraph is cut at a line end, a longer line at a blank; nothing but white space between documents is
    left out. Line ends become `\n` in the text; `start` and `end` count the file's own characters.

    Raises:
        InputError: missing, empty, damaged or not UTF-8; not a `.txt` or `.txt.gz` file; nothing but white space.
    """
    path = Path(path)
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes[-1:] != [".txt"] and suffixes != [".txt", ".gz"]:
        raise InputError(f"{path}: English text must be a .txt or .txt.gz file. Rename or convert it.")
    kept, start, length, boundary, found = [], 0, 0, 0, False
    with open_text(path) as handle:
        for piece in short_lines(handle):
            blank = not piece.strip()
            while length + len(piece) > LONGEST_DOCUMENT and not blank:
                # Close the document at its last paragraph end; what follows it opens the next one.
                n_closed = boundary or len(kept)
                if document := make_document(kept[:n_closed], start):
                    found = True
                    yield document
                start += sum(map(len, kept[:n_closed]))
                kept, boundary = kept[n_closed:], 0
                length = sum(map(len, kept))
            kept.append(piece)
            length += len(piece)
            boundary = len(kept) if blank else boundary
        if document := make_document(kept, start):
            found = True
            yield document
    if not found:
        raise InputError(f"{path}: holds nothing but white space; English text is needed.")


def short_lines(lines: Iterator[str]) -> Iterator[str]:
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
    TextDocument(text='One.\nTwo.', start=11, end=21)
    """
    raw = "".join(lines)
    text = raw.strip()
    if not text:
        return None
    start += _BLANK.match(raw).end()
    return TextDocument(text.replace("\r\n", "\n").replace("\r", "\n"), start, start + len(text))
