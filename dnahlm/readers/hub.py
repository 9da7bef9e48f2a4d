"""A data set of the Hugging Face hub, or a local folder laid out like one, as a stream of rows. `datasets` fetches."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dnahlm.errors import machine_message
from dnahlm.io import InputError
from dnahlm.readers.columnar import BATCH_ROWS, rows_of_batches
from dnahlm.readers.jsonl import require_whole_characters
from dnahlm.readers.tables import Row, matching, require_columns

WITHOUT_HUB = (
    " Without internet: on a machine that has it, run `hf download {name} --repo-type dataset --local-dir FOLDER`, "
    "copy FOLDER here, and {instead}. A data set that needs its own script must be made tables."
)

if TYPE_CHECKING:
    from datasets import Dataset


def read_hub(
    name: str, config: str | None, split: str, columns: Sequence[str], filter: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Yield the rows of one split; `where` is `name split:row N`. Class labels come as their numbers ("0", "1").

    What was fetched stays in the cache of `datasets` and is used again, also offline; a folder is read anew each time.
    No code of a data set is run.

    Args:
        name: `owner/name`, or a folder.
        config: one of its configurations, None where it has only one.
        split: as the data set calls it.
        columns: needed columns; none of their values may be null, NaN or empty.
        filter: column -> value that a row must have to be yielded.

    Raises:
        InputError: offline, unknown or closed data set, unknown configuration or split, missing column, no rows (that
            match), and what `dnahlm.readers.columnar.read_parquet` refuses in a value.
    """
    filter = filter or {}
    needed = list(dict.fromkeys([*columns, *filter]))
    where = f"{name}{f' ({config})' if config else ''} {split}"
    # Behind a card with configurations, the cache would not notice that a file of a folder has changed.
    with tempfile.TemporaryDirectory() as anew:
        data = load(name, config, split, anew if Path(name).is_dir() else None)
        require_columns(where, data.column_names, needed, "Correct `columns:` or `filter:`.")
        if not len(data):
            raise InputError(f"{where}: has no rows. Name another split under `hub_splits:`.")
        batches = data.select_columns(needed).with_format("arrow").iter(BATCH_ROWS)
        rows = rows_of_batches(batches, needed, f"{where}:row ")
        yield from matching(rows, filter, columns, where) if filter else rows


def load(name: str, config: str | None, split: str, cache: str | None) -> Dataset:
    """Fetch one split into a cache folder, or take it from there; None is the one of `datasets`.

    Raises:
        InputError: it cannot be had; the message says how to go on without the hub.
    """
    from datasets import load_dataset

    with loading(name, config, split, "Check `hub:`, `config:` and `hub_splits:`.", "name its tables under `files:`"):
        return load_dataset(name, config, split=split, cache_dir=cache)


@contextlib.contextmanager
def loading(name: str, config: str | None, split: str, check: str, instead: str) -> Iterator[None]:
    """Say in words that a data set cannot be had.

    Args:
        name: of the data set.
        config: its configuration.
        split: of it.
        check: what to look at.
        instead: what to do with a copy of its files, where there is no internet.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # network, hub and builder each raise their own; all of them mean that it cannot be had
        if machine_message(error):
            raise
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise InputError(
            f"{name}: split {split!r}{f' of configuration {config!r}' if config else ''} of this hub data set could "
            f"not be loaded: {reason.rstrip('.')}. {check}"
            f"{'' if Path(name).is_dir() else WITHOUT_HUB.format(name=name, instead=instead)}"
        ) from error


def stream_texts(name: str, config: str | None, split: str, column: str) -> Iterator[str]:
    """Yield the texts of one column of one split as they arrive; nothing of them is kept.

    Args:
        name: `owner/name`, or a folder laid out like a data set of the hub.
        config: one of its configurations, None where it has only one.
        split: as the data set calls it.
        column: holds text in every row.

    Raises:
        InputError: offline, unknown or closed data set, unknown configuration, split or column, a row without text, or
            one with half a character.
    """
    from datasets import load_dataset

    where = f"{name}{f' ({config})' if config else ''} {split}"
    check = "Check its name, config= and split= under `hub`."
    with loading(name, config, split, check, "give FOLDER in place of the name"):
        rows = load_dataset(name, config, split=split, streaming=True)
        names = rows.column_names or list(next(iter(rows), {}))
        require_columns(where, names, [column], "Name it by column= under `hub`.")
        for number, row in enumerate(rows.select_columns([column]), 1):
            if not isinstance(row[column], str):
                raise InputError(f"{where}:row {number}: column {column!r} holds {row[column]!r}; text is needed.")
            require_whole_characters(row[column], f"{where}:row {number}")
            yield row[column]
