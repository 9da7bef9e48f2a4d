"""An output table that grows row by row and survives a kill: the next run goes on behind the last rows on the disk.

Beside `answers.csv.part` lies `answers.csv.part.json`: what the rows were made from, and how far the table got.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dnahlm.inference.parallel import is_main, wait
from dnahlm.io import InputError, file_place, part_of, remove, replace, require_free
from dnahlm.manifest import read_json


@dataclass
class PartialTable:
    """A table being written; on processes other than the main one nothing is written."""

    made_from: dict[str, Any]
    part: Path
    rows: int = 0  # on the disk
    n_bytes: int = 0
    state: dict[str, Any] = field(default_factory=dict)  # what the caller counts, as of `rows`
    handle: IO[bytes] | None = None

    def append(self, text: str, rows: int, state: dict[str, Any]) -> None:
        """Write lines that hold so many rows; from here on a killed run has them."""
        data = text.encode("utf-8")
        if self.handle:
            self.handle.write(data)
            self.handle.flush()
            os.fsync(self.handle.fileno())
            note = {
                "made_from": self.made_from,
                "rows": self.rows + rows,
                "bytes": self.n_bytes + len(data),
                "state": state,
            }
            fresh = fresh_sidecar_of(self.part)
            fresh.write_text(json.dumps(note), encoding="utf-8")
            fresh.replace(sidecar_of(self.part))
        self.rows, self.n_bytes, self.state = self.rows + rows, self.n_bytes + len(data), state


def sidecar_of(part: Path) -> Path:
    """Where the notes about a partial table lie."""
    return part.with_name(f"{part.name}.json")


def fresh_sidecar_of(part: Path) -> Path:
    """Where new notes are written before they take the place of the old ones."""
    return part.with_name(f"{part.name}.json.new")


def check_output(path: str | Path, overwrite: bool, resume: bool, inputs: list[str]) -> Path:
    """The path of the output, when it can be written; nothing is changed.

    Raises:
        InputError: a folder, a device, an input, or already there; a partial table without `resume` or `overwrite`.
    """
    path = file_place(path, inputs)
    if resume and overwrite:
        raise InputError("resume: goes on with what is there, and --overwrite discards it; give one of the two.")
    note = notes_of(part_of(path))
    if note and not overwrite and not path.exists():
        if not resume:
            raise InputError(
                f"{part_of(path)}: {note['rows']:,} answered rows of a run that was stopped, or of one still running. "
                "Pass --resume to go on behind them, or --overwrite to start again."
            )
        return path
    require_free(path, overwrite)
    return path


def notes_of(part: Path) -> dict[str, Any] | None:
    """What lies beside a partial table, None when there is no such table."""
    return read_json(sidecar_of(part)) if part.is_file() else None


@contextlib.contextmanager
def partial_table(path: Path, made_from: dict[str, Any], resume: bool) -> Iterator[PartialTable]:
    """A table that becomes `path` when the block ends well; when it does not, the rows on the disk are kept.

    Args:
        path: of `check_output`.
        made_from: everything the rows depend on, as JSON.
        resume: go on with a partial table of the same `made_from`.

    Raises:
        InputError: the partial table was made from something else.
    """
    table = PartialTable(made_from, part_of(path))
    if resume and (note := notes_of(table.part)):
        check_same(note["made_from"], made_from, table.part)
        table.rows, table.n_bytes, table.state = note["rows"], note["bytes"], note["state"]
    wait()  # every process has read the notes before one writes
    try:
        if is_main():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not table.rows:
                remove(sidecar_of(table.part))
                remove(table.part)
            table.handle = table.part.open("ab")
            table.handle.truncate(table.n_bytes)  # rows after the last note are written again
        yield table
    except BaseException:
        if table.handle:
            with contextlib.suppress(OSError):
                table.handle.close()
            remove(fresh_sidecar_of(table.part))
            if table.rows:
                print(f"{table.part}: {table.rows:,} rows are kept; the same command with --resume goes on behind them",
                      file=sys.stderr)  # fmt: skip
            else:
                remove(table.part)
                remove(sidecar_of(table.part))
        raise
    if table.handle:
        table.handle.close()
        replace(table.part, path)
        remove(sidecar_of(table.part))
    wait()


def check_same(then: dict[str, Any], now: dict[str, Any], part: Path) -> None:
    """Raise `InputError` when a partial table was made from something else than this run would."""
    other = [name for name in now if then.get(name) != now[name]]
    if other:
        raise InputError(
            f"{part}: was begun with another {' and another '.join(other)}, so its rows and the next would not belong "
            "together. Run the command it was begun with, or pass --overwrite to start again."
        )
