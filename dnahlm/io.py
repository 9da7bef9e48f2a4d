"""Files: clear errors, whole outputs or none, and where the shipped files lie."""

import contextlib
import gzip
import os
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from dnahlm.errors import machine_message


class InputError(ValueError):
    """What the user gave cannot be used. The message says where, what was found, what is allowed and what to do."""


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Turn an `InputError`, a full disk or Ctrl-C into one message on stderr and an exit status; bugs keep a trace."""
    try:
        yield
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("stopped: earlier outputs are unchanged", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:  # who read our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end
        raise SystemExit(141) from None
    except Exception as error:
        if not (message := machine_message(error)):
            raise
        print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2) from None


def shipped(name: str) -> Path:
    """The folder `recipes`, `data_templates` or `eval/suites`, inside the installed package or the checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


def part_of(path: Path) -> Path:
    """Where `path` is written until it is complete: `name.part`, beside it.

    >>> part_of(Path("runs/corpus")).name
    'corpus.part'
    """
    path = real(path)
    return path.with_name(path.name + ".part")


def old_of(path: Path) -> Path:
    """Where the earlier `path` lies for the moment in which a new one takes its place."""
    path = real(path)
    return path.with_name(path.name + ".old")


def real(path: Path) -> Path:
    """`path` itself, but what a link or `.` stands for, so that the rename happens on the disk that holds it."""
    return path.resolve() if path.is_symlink() or path.name in ("", "..") else path


def require_free(path: Path, overwrite: bool) -> None:
    """Refuse an output that exists and is not an empty folder, unless `overwrite`.

    Raises:
        InputError: the output, or the unfinished `.part` of an earlier run, is in the way.
    """
    old = old_of(path)
    if old.exists() and not path.exists():  # killed between the two renames of `replace`
        old.rename(path)
    taken = path.is_file() or (path.is_dir() and any(path.iterdir()))
    if taken and not overwrite:
        raise InputError(
            f"{path}: already there and not empty. Choose another output, or pass --overwrite to replace it "
            "(the old one stays until the new one is complete)."
        )
    if part_of(path).exists() and not overwrite:
        raise InputError(
            f"{part_of(path)}: the unfinished output of a run that was stopped, or of one still running. "
            "Nothing else was touched. Pass --overwrite to discard it and start this stage again."
        )


def require_replaceable(path: Path, overwrite: bool) -> None:
    """Refuse to overwrite a folder that no stage wrote, such as a home folder: all in it would be lost.

    Raises:
        InputError: a file in the place of the folder, or a folder with something in it but no manifest.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: is no folder; this stage writes a folder. Choose another output.")
    if overwrite and path.is_dir() and any(path.iterdir()) and not (path / "manifest.json").is_file():
        raise InputError(
            f"{path}: holds {sorted(p.name for p in path.iterdir())[:8]} and no manifest.json, so no stage wrote it; "
            "--overwrite would delete all of it. Choose another output, or empty it yourself."
        )


def require_apart(path: Path, inputs: Iterable[str | Path]) -> None:
    """Refuse an output that is one of the stage's own inputs or holds it.

    Raises:
        InputError: naming that input.
    """
    for source in inputs:
        if Path(source).resolve().is_relative_to(path.resolve()):
            raise InputError(f"{path}: is also the input {source}, which would be lost. Choose another output.")


def replace(part: Path, path: Path) -> None:
    """Rename a complete `part` to `path`; an older `path` disappears only after the new one is in place."""
    old = old_of(path)
    remove(old)
    if path.exists():
        path.rename(old)
    part.rename(path)
    remove(old)


def remove(path: Path) -> None:
    """Delete a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def staged_folder(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> Iterator[Path]:
    """Yield an empty folder beside `path`; rename it to `path` if the block ends well, delete it if it raises.

    Raises:
        InputError: `path` is taken, holds what no stage wrote, or is one of the `inputs`.
    """
    path = real(Path(path))
    require_apart(path, inputs)
    require_replaceable(path, overwrite)
    require_free(path, overwrite)
    part = part_of(path)
    remove(part)
    part.mkdir(parents=True)
    try:
        yield part
    except BaseException:
        remove(part)
        raise
    replace(part, path)


def file_place(path: str | Path, inputs: Iterable[str | Path] = ()) -> Path:
    """Where an output file really lies; `InputError` for a folder, a device, or one of the `inputs`."""
    path = real(Path(path))
    if path.is_dir():
        raise InputError(f"{path}: is a folder; the output is one file. Give a file name in it.")
    if path.exists() and not path.is_file():  # replacing /dev/null would break the machine
        raise InputError(f"{path}: is a device or a pipe; the output must be a file on a disk. Choose another output.")
    require_apart(path, inputs)
    return path


@contextlib.contextmanager
def staged_file(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> Iterator[Path]:
    """Yield a file name beside `path`; rename it to `path` if the block ends well, delete it if it raises.

    Raises:
        InputError: `path` is taken, is a folder, or is one of the `inputs`.
    """
    path = file_place(path, inputs)
    require_free(path, overwrite)
    part = part_of(path)
    remove(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
    except BaseException:
        remove(part)
        raise
    replace(part, path)


def require_file(path: str | Path, what: str) -> Path:
    """Return `path` if it is a file with something in it; `what` says which input it is.

    Raises:
        InputError: missing, a folder, or empty.
    """
    path = Path(path)
    if not path.exists():
        near = sorted(p.name for p in path.parent.glob("*"))[:8] if path.parent.is_dir() else []
        seen = f"{path.parent} holds {near}" if near else f"there is no folder {path.parent}"
        raise InputError(f"{path}: no such file ({what}); {seen}. Check the name and the working folder.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; {what} must be a file.")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty ({what}). Was its download or copy cut short?")
    return path


@contextlib.contextmanager
def open_text(path: str | Path, what: str = "text file") -> Iterator[IO[str]]:
    """Open UTF-8 text, plain or gzip, without its byte order mark; newlines are kept as they are.

    Raises:
        InputError: missing, empty, gzip cut short or damaged, not UTF-8 (also while it is being read).
    """
    path = require_file(path, what)
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with damaged_input(path), opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
        yield handle


@contextlib.contextmanager
def damaged_input(path: Path) -> Iterator[None]:
    """Say in words that `path` is a damaged gzip or not text, whatever library found it out."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: the gzip file is cut short or damaged ({error}). Fetch it again; `gzip -t` tests it."
        ) from error
    except UnicodeDecodeError as error:
        if path.suffix.lower() != ".gz" and error.object.startswith(b"\x1f\x8b"):
            raise InputError(f"{path}: is gzip data under a name without .gz. Rename it to {path.name}.gz.") from error
        if error.object.startswith(b"PK\x03\x04"):
            raise InputError(f"{path}: is a ZIP file or a spreadsheet. Unzip it, or export it as CSV UTF-8.") from error
        raise InputError(
            f"{path}:{_line_not_utf8(path)}: byte {error.object[error.start]:#04x} is not UTF-8. "
            "Save the file as UTF-8 text (spreadsheets: 'CSV UTF-8')."
        ) from error


def _line_not_utf8(path: Path) -> int:
    """Number of the first line that is not UTF-8; the decoder only knows its place within one block of the file."""
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1
