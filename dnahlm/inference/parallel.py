"""Answering on several processes (`accelerate launch`): each computes its share, and every one gets all results."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from tqdm import tqdm

_ALONE = ContextVar("alone", default=False)


def join() -> None:
    """Become a member of the process group when a launcher started several processes; else do nothing."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        PartialState(cpu=not torch.cuda.is_available())


def group() -> PartialState | None:
    """The process group this process answers in, None when it works by itself."""
    if _ALONE.get() or not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    return PartialState() if torch.distributed.get_world_size() > 1 else None


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, this process computes everything itself and waits for no other, such as when only one of them calls."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def is_main() -> bool:
    """Whether this process is the one that prints and writes."""
    state = group()
    return state is None or state.is_main_process


def wait() -> None:
    """Go on when every process of the group is here."""
    if state := group():
        state.wait_for_everyone()


def device() -> torch.device:
    """Where this process computes: its GPU, the only GPU, or the CPU."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return PartialState().device
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def share(items: Sequence[Any]) -> list[Any]:
    """The items of this process from a list that every process has: every n-th, so that large and small are spread."""
    state = group()
    return list(items) if state is None else list(items[state.process_index :: state.num_processes])


def merged(part: np.ndarray) -> np.ndarray:
    """The sum over all processes of arrays of one shape, each with zeros where another has its results."""
    if (state := group()) is None:
        return part
    total = torch.from_numpy(part).to(state.device)
    torch.distributed.all_reduce(total)
    return total.cpu().numpy()


def progress_bar(total: int, name: str | None) -> tqdm:
    """A bar on the terminal of the main process; none without a name."""
    return tqdm(total=total, desc=name, unit="row", disable=not (name and is_main()) or None)
