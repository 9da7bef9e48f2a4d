"""Which checkpoint of a stopped training run can be gone on from."""

import json
from pathlib import Path

PREFIX = "checkpoint-"
STATE_FILE = "trainer_state.json"  # the trainer writes it last, so a checkpoint without it was cut short by a kill


def last_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint of the highest step, None when there is none (or no such folder).

    Upstream's `get_last_checkpoint` takes the highest step whatever its folder holds, and resuming then fails.
    """
    steps = {path: path.name.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*")}
    complete = [path for path, step in steps.items() if step.isdecimal() and is_complete(path)]
    return max(complete, key=lambda path: int(steps[path]), default=None)


def is_complete(checkpoint: Path) -> bool:
    """Whether the trainer's state, the last file of a checkpoint, was written to its end."""
    try:
        json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
