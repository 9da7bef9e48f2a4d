"""Instruction records to JSONL, some thousands at a time: counted, and measured in tokens if a tokenizer is given."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from dnahlm.io import InputError
from dnahlm.tasks.kinds import bases_in
from dnahlm.tasks.records import Record
from dnahlm.tasks.spec import TaskSpec

CHUNK = 4096  # records in memory at once
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass
class Tally:
    """What one split of one task holds; `n_tokens` counts prompt, answer and end token."""

    rows: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    reverse_complements: int = 0
    bases: int = 0
    min_bases: int = 0
    max_bases: int = 0
    clean_rows: int = 0
    n_tokens: int = 0
    max_tokens: int = 0

    def add(self, record: Record, classes: bool) -> None:
        """Count one record; a pair's bases are those of both sequences."""
        size = bases_in(record["input"])
        self.min_bases = min(self.min_bases, size) if self.rows else size
        self.max_bases = max(self.max_bases, size)
        self.rows += 1
        self.bases += size
        self.reverse_complements += record["strand"] == "-"
        self.clean_rows += record.get("clean", False)
        if classes:
            self.answers[record["output"]] += 1

    def facts(self, test: bool, tokens: bool) -> dict[str, Any]:
        """The counts for the manifest."""
        found: dict[str, Any] = {
            "rows": self.rows, "answers": dict(sorted(self.answers.items())),
            "reverse_complements": self.reverse_complements,
            "bases": self.bases, "min_bases": self.min_bases, "max_bases": self.max_bases,
        }  # fmt: skip
        found |= {"clean_rows": self.clean_rows} if test else {}
        return found | ({"tokens": self.n_tokens, "max_tokens": self.max_tokens} if tokens else {})


class Writer:
    """Writes the splits of a build and keeps one tally per task and split."""

    def __init__(self, specs: dict[str, TaskSpec], tokenizer: str | None, max_length: int) -> None:
        self.specs = specs
        self.max_length = max_length
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.tokenizer = None
        if tokenizer:
            from dnahlm.tokenizer.load import load_tokenizer

            self.tokenizer = load_tokenizer(tokenizer)

    def write(self, path: Path, name: str, records: Iterable[Record]) -> int:
        """Write one file; returns the number of its records.

        Args:
            path: the JSONL file.
            name: split the tallies are kept under, such as `test_held_out`.
            records: in the order to write.

        Raises:
            InputError: a record that, with its answer, has more tokens than `max_length`.
        """
        total = 0
        with path.open("w", encoding="utf-8") as handle:
            for chunk in chunks(records):
                for record in chunk:
                    tally = self.tallies.setdefault((record["task"], name), Tally())
                    # Without declared labels, answers are too many to be counted by name.
                    tally.add(record, bool(self.specs[record["task"]].labels))
                if self.tokenizer is not None:
                    self.count_tokens(chunk, name)
                handle.write("".join([_encode(record) + "\n" for record in chunk]))
                total += len(chunk)
        return total

    def count_tokens(self, chunk: list[Record], name: str) -> None:
        """Add the tokens of a chunk to the tallies, and refuse what training would have to cut."""
        from dnahlm.tasks.prompt import encode, render_prompts

        try:
            prompts = render_prompts(self.tokenizer, [r["instruction"] for r in chunk], [r["input"] for r in chunk])
            asked, answered = encode(self.tokenizer, prompts, [r["output"] for r in chunk])
        except InputError as error:
            if len(chunk) > 1:  # one by one, the row at fault is met alone
                for record in chunk:
                    self.count_tokens([record], name)
                raise
            (record,) = chunk
            where = f"{record['source']}: task {record['task']} ({self.specs[record['task']].path})"
            raise InputError(f"{where}: {error}") from error
        for record, prompt, answer in zip(chunk, asked, answered, strict=True):
            size = len(prompt) + len(answer)
            if self.max_length and size > self.max_length:
                raise InputError(
                    f"{record['source']}: task {record['task']}: question and answer have {size:,} tokens, more than "
                    f"--max_length {self.max_length:,}, so the answer would be cut. Set `window:` in the task file "
                    f"({self.specs[record['task']].path}), show fewer --examples, or raise max_length."
                )
            tally = self.tallies[record["task"], name]
            tally.n_tokens += size
            tally.max_tokens = max(tally.max_tokens, size)

    def facts(self, task: str, name: str) -> dict[str, Any]:
        """What the manifest says of one split of one task."""
        return self.tallies[task, name].facts(name == "test", self.tokenizer is not None)


def chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The records in lists of `CHUNK`."""
    left = iter(records)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def read_instructions(path: str | Path) -> list[Record]:
    """The records of one JSONL file of an instructions folder.

    Raises:
        InputError: missing or empty file, a line that is not JSON, or lacks one of the columns.
    """
    from dnahlm.io import open_text

    records = []
    with open_text(path, "instructions, written by `dnahlm instructions build`") as handle:
        for line, text in enumerate(handle, 1):
            try:
                found = json.loads(text)
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{path}:{line}: not valid JSON ({error.msg}). Run `dnahlm instructions build` again."
                ) from error
            missing = [key for key in COLUMNS if not isinstance(found, dict) or not isinstance(found.get(key), str)]
            if missing:
                raise InputError(
                    f"{path}:{line}: text for {missing} is missing; an instruction has {', '.join(COLUMNS)}."
                )
            records.append(found)
    return records


# Every record has these as text, and `clean`, true or false.
COLUMNS = ("id", "task", "split", "instruction", "input", "output", "label", "phrasing", "strand", "source")
