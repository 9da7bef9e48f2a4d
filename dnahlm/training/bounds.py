"""What numbers a training recipe may hold: upstream takes most of them unseen, and fails later or not at all."""

import math
from collections.abc import Callable

from transformers import TrainingArguments

from dnahlm.io import InputError

Bound = tuple[str, Callable[[float], bool]]  # what is allowed in words, and whether a number is

COUNT: Bound = ("a whole number of at least 1", lambda x: x >= 1 and x == int(x))
INTERVAL: Bound = (
    "a number of steps, or a share of all steps below 1",
    lambda x: 0 < x < 1 or (x >= 1 and x == int(x)),
)
NOT_NEGATIVE: Bound = ("a number of at least 0", lambda x: x >= 0)
SHARE: Bound = ("a number from 0 to below 1", lambda x: 0 <= x < 1)
BOUNDS: dict[str, Bound] = {
    "per_device_train_batch_size": COUNT,
    "per_device_eval_batch_size": COUNT,
    "gradient_accumulation_steps": COUNT,
    "save_total_limit": COUNT,
    "max_steps": ("a whole number of at least 1, or -1 for num_train_epochs", lambda x: x == -1 or COUNT[1](x)),
    "num_train_epochs": ("a number above 0", lambda x: x > 0),
    "logging_steps": INTERVAL,
    "eval_steps": INTERVAL,
    "save_steps": INTERVAL,
    "learning_rate": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "warmup_steps": NOT_NEGATIVE,
    "max_grad_norm": ("a number of at least 0 (0 = no clipping)", lambda x: x >= 0),
    "adam_beta1": SHARE,
    "adam_beta2": SHARE,
    "adam_epsilon": ("a number above 0", lambda x: x > 0),
    "seed": ("a whole number from 0 to 4294967295", lambda x: 0 <= x < 2**32),
}


def require_sound(args: TrainingArguments) -> None:
    """Raise `InputError` for a number of the recipe that no training can be done with."""
    for name, (allowed, is_allowed) in BOUNDS.items():
        value = getattr(args, name)
        if value is not None and not (math.isfinite(value) and is_allowed(value)):
            raise InputError(f"{name}: found {value:g}; allowed: {allowed}.")
