"""What a killed first launch leaves: DeepSpeed compiles an op under a lock file, and later launches wait for it."""

import os
import time
from pathlib import Path

OLD = 120  # seconds; compiling takes about 40


def tell_of_build_locks() -> None:
    """Print a note for every old lock, which this launch would wait for without a word and without an end."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") != "true":
        return
    from torch.utils.cpp_extension import get_default_build_root

    root = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root())
    for lock in root.glob("**/lock"):
        age = time.time() - lock.stat().st_mtime
        if age > OLD:
            print(
                f"note: {lock} is {age / 60:.0f} minutes old: another launch compiles an op of DeepSpeed there, or was "
                "killed while it did. This one waits until the file is gone; if no other is running, delete it.",
                flush=True,
            )
