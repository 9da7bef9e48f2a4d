"""Packed blocks as a dataset: all in memory, or streamed from disk with a length that is known beforehand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import torch
from datasets import Dataset, load_dataset
from torch.utils.data import IterableDataset

from dnahlm.io import InputError

IGNORE_INDEX = -100
BUFFER = 4096  # blocks shuffled among each other while streaming; the corpus itself was shuffled when it was built


def read_blocks(folder: Path) -> Dataset:
    """Packed blocks: `input_ids` and `position_ids`, both (N, T).

    Raises:
        InputError: no such folder, or a damaged file in it.
    """
    try:
        table = pyarrow.parquet.read_table(folder)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise unreadable(folder, error) from error
    return Dataset(table).with_format("numpy")


class BlockStream(IterableDataset):
    """The same blocks, read from their files as they are needed: memory does not grow with the corpus.

    Its length is counted from the files' footers, so that epochs and `num_train_epochs` mean what they mean for a
    dataset in memory; upstream wants `max_steps` for a stream and counts no epochs.

    Args:
        folder: of parquet files, as `dnahlm corpus pack` writes them.
        seed: with the epoch, draws the order.

    Raises:
        InputError: no files, or a damaged one.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        files = sorted(folder.glob("*.parquet"))
        if not files:
            raise unreadable(folder, "no parquet file")
        try:
            self.n_blocks = sum(pyarrow.parquet.read_metadata(path).num_rows for path in files)
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise unreadable(folder, error) from error
        stream = load_dataset("parquet", data_files=[str(path) for path in files], split="train", streaming=True)
        self.stream = stream.with_format("numpy").shuffle(seed=seed, buffer_size=BUFFER)

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer at the start of each epoch, and when a run is resumed."""
        self.stream.set_epoch(epoch)

    def __len__(self) -> int:
        return self.n_blocks

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.stream)


def unreadable(folder: Path, reason: object) -> InputError:
    """The error for blocks that cannot be read."""
    return InputError(f"{folder}: blocks are missing or damaged ({reason}). Run `dnahlm corpus pack` again.")


def collate_blocks(examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Stack blocks to (B, T). The first token of a document is no target: what precedes it is another document.

    No attention mask is given: transformers then derives the document borders from `position_ids`.
    """
    batch = {
        name: torch.stack([torch.as_tensor(e[name], dtype=torch.long) for e in examples])
        for name in ("input_ids", "position_ids")
    }
    return {**batch, "labels": batch["input_ids"].masked_fill(batch["position_ids"] == 0, IGNORE_INDEX)}
