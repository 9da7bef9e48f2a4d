"""What a person types, as a question and a sequence: typed inline, pasted over lines, or `@file.fa`.

Rules, also printed by /help:

- a word is DNA when it has 8 or more letters, all A C G T U N (either case); 6 are enough in upper case; longer words
  that are mostly such letters, and long all-capital words, count as sequences too, so that a foreign letter in them is
  an error and not a silent skip;
- a line that ends in DNA keeps the message open, so that a sequence may go on over lines: an empty line, or a line that
  is not DNA, ends it; every other line is a whole message, unless DNA follows in the same paste or pipe;
- a pasted FASTA header (`>name`) is left out; `@file.fa` is the file's first record, `@file.fa:name` a named one.
"""

import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dnahlm.dna import IUPAC, normalize
from dnahlm.io import InputError
from dnahlm.readers.sequences import read_dna

_PUNCTUATION = ".,;:?!\"'()[]`"
# One more line of an open sequence. IUPAC letters count in upper case only: "thanks" is made of them.
_MORE_DNA = re.compile(f"[ACGTUNacgtun]+|[ACGTUN{IUPAC}]+")
_FILE = re.compile(r"(?<!\S)@(\S+)")
STAND_IN = "this sequence"  # what a sequence in the middle of a sentence is replaced by


@dataclass(frozen=True)
class Turn:
    """One message: what is asked (may be empty) and about which normalized sequence (None when none was given)."""

    question: str
    sequence: str | None
    notes: tuple[str, ...] = ()


class Lines:
    """Lines of a terminal or a pipe, with one line of look-ahead."""

    def __init__(self, stdin: IO[str] | None = None) -> None:
        self.stdin = stdin or sys.stdin
        self.interactive = self.stdin is sys.stdin and sys.stdin.isatty()
        self.waiting: list[str] = []
        if self.interactive:
            # Without it the terminal itself cuts a pasted line at 4,095 characters, silently.
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401

    def next(self, prompt: str) -> str | None:
        """The next line without its end, None when there is none left."""
        if not self.waiting:
            try:
                text = input(prompt) if self.interactive else self.stdin.readline()
            except EOFError:
                return None
            if not text and not self.interactive:
                return None
            self.waiting = text.splitlines() or [""]  # a paste may arrive as one text of many lines
        return self.waiting.pop(0)

    def dna_follows(self) -> bool:
        """Whether the next line, if it is there without waiting for a person, begins a sequence."""
        if not self.waiting and not self.interactive and (line := self.next("")) is not None:
            self.put_back(line)
        return bool(self.waiting) and keeps_open(self.waiting[0])

    def put_back(self, line: str) -> None:
        """Hand `line` out again at the next call."""
        self.waiting.insert(0, line)


def read_messages(lines: Lines) -> Iterator[str]:
    """Yield messages, one or several lines each, by the rules at the top of this file; empty ones are skipped."""
    while (line := lines.next("\nyou> ")) is not None:
        message = [line]
        asked = not is_command(line) and bool(line.strip()) and not keeps_open(line) and not names_dna(line)
        while keeps_open(line) or len(message) > 1 or (asked and lines.dna_follows()):
            following = lines.next("...  ")  # an empty line sends
            if following is None or not following.strip():
                break
            if not continues(following):
                lines.put_back(following)
                break
            message.append(following)
        if any(part.strip() for part in message):
            yield "\n".join(message)


def is_command(line: str) -> bool:
    """Whether a line is a command of the chat and not a message."""
    return line.startswith("/")


def names_dna(line: str) -> bool:
    """Whether a line already has its sequence: a word of DNA, or a file."""
    return bool(_FILE.search(line)) or any(is_sequence(word.strip(_PUNCTUATION)) for word in line.split())


def keeps_open(line: str) -> bool:
    """Whether a line ends in bare DNA or is a FASTA header, so that more of the sequence may follow.

    >>> keeps_open("Is this a promoter? ACGTACGTAC"), keeps_open("Is ACGTACGTAC a promoter?")
    (True, False)
    """
    words = line.split()
    return bool(words) and (line.startswith(">") or is_sequence(words[-1]))


def continues(line: str) -> bool:
    """Whether a line can be one more line of a sequence: a FASTA header, or nothing but nucleotide letters.

    >>> continues("ACGT"), continues("acg"), continues("thanks")
    (True, True, False)
    """
    return line.startswith(">") or all(_MORE_DNA.fullmatch(word) or is_sequence(word) for word in line.split())


def is_sequence(word: str) -> bool:
    """Whether a word is meant as a sequence.

    >>> [is_sequence(word) for word in ("acgtacgt", "TATAAA", "ACGTACGTXACGT", "MKVLAAGICWQESNRPTYVF")]
    [True, True, True, True]
    >>> [is_sequence(word) for word in ("standard", "promoter", "CpG", "ACG", "p53")]
    [False, False, False, False, False]
    """
    if not word.isalpha() or not word.isascii():
        return False
    n_bases = sum(letter in "ACGTUN" for letter in word.upper())
    if n_bases == len(word):
        return len(word) >= 8 or (len(word) >= 6 and word.isupper())
    return (len(word) >= 12 and n_bases >= 0.8 * len(word)) or (len(word) >= 20 and word.isupper())


def parse_message(message: str) -> Turn:
    """Split a message into question and sequence.

    Raises:
        InputError: letters that are no nucleotides, two sequences, or a file that cannot be used.

    >>> parse_message("Is ACGTACGTAC a promoter?")
    Turn(question='Is this sequence a promoter?', sequence='ACGTACGTAC', notes=())
    """
    files = _FILE.findall(message)
    text = _FILE.sub("", message)
    headers = [line for line in text.splitlines() if line.startswith(">")]
    question, sequences = split_words("\n".join(line for line in text.splitlines() if not line.startswith(">")))
    if len(files) + len(sequences) > 1 or len(headers) > 1:
        raise InputError(
            f"found {len(sequences)} typed sequences, {len(headers)} FASTA headers and {len(files)} files in one "
            "message; ask about one sequence at a time (a file of many: `dnahlm predict`)."
        )
    if files:
        return read_file_turn(question, files[0].rstrip(_PUNCTUATION))
    if not sequences:
        return Turn(question, None)
    dna = normalize(sequences[0], "your sequence")
    return Turn(question, dna.sequence, ambiguity_note(dna.n_ambiguous))


def split_words(text: str) -> tuple[str, list[str]]:
    """The words that are no DNA as one line, and each run of neighbouring DNA words as one sequence."""
    words: list[str] = []
    sequences: list[list[str]] = []
    in_run = False
    for line in text.splitlines():
        remaining = line.split()
        while remaining:
            bare = remaining[0].strip(_PUNCTUATION)
            if not (is_sequence(bare) or (in_run and goes_on(bare, remaining))):
                words.append(remaining[0])
                in_run = False
            elif in_run:
                sequences[-1].append(bare)
            else:
                words.append(STAND_IN)
                sequences.append([bare])
                in_run = True
            if in_run and remaining[0].endswith("?"):
                words[-1] = STAND_IN + "?"
            remaining.pop(0)
    # Beside the sentence, as in "Is it a promoter? ACGT...", the sequence is no part of it.
    if words[-1:] == [STAND_IN]:
        words.pop()
    if words[:1] == [STAND_IN]:
        words.pop(0)
    return " ".join(words).rstrip(" :"), ["".join(run) for run in sequences]


def goes_on(word: str, rest_of_line: list[str]) -> bool:
    """Whether a short word after DNA is still DNA: bases in capitals, or nothing but DNA follows on the line."""
    in_capitals = len(word) > 1 and not word.strip("ACGTUN")
    return in_capitals or continues(" ".join(rest_of_line).rstrip(_PUNCTUATION))


def read_file_turn(question: str, name: str) -> Turn:
    """The turn of `@file.fa` or `@file.fa:record`.

    Raises:
        InputError: no such file or record, or a file that is no DNA.
    """
    path, wanted = name, None
    if not Path(name).exists() and ":" in name:
        path, wanted = name.rsplit(":", 1)
    ids: list[str] = []
    for record in read_dna(path):
        if wanted in (None, record.id):
            note = f"record {record.id!r} of {path}, {len(record.sequence):,} bases"
            return Turn(question, record.sequence, (note, *ambiguity_note(record.n_ambiguous)))
        ids.append(record.id)
    raise InputError(f"{path}: no record {wanted!r}; it holds {', '.join(ids[:8])}{' ...' if len(ids) > 8 else ''}.")


def ambiguity_note(n_ambiguous: int) -> tuple[str, ...]:
    """A note when IUPAC letters were replaced."""
    letters = "letter" if n_ambiguous == 1 else "letters"
    return (f"{n_ambiguous} IUPAC {letters} became N",) if n_ambiguous else ()
