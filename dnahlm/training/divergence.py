"""A run whose loss has become nonsense is stopped, and its last good checkpoint kept."""

import math
from pathlib import Path

from transformers import Trainer

from dnahlm.io import InputError, remove
from dnahlm.training.checkpoints import PREFIX, last_checkpoint

SETTLED = 20  # steps; a loss this long into a run is no start any more


def require_sane(trainer: Trainer, loss: float) -> None:
    """Stop when training has diverged; what the broken step saved is removed, the rest is kept.

    Args:
        trainer: in the midst of a step.
        loss: mean of the step's targets, nats.

    Raises:
        InputError: the loss is no number, or after the first steps twice what guessing costs.
    """
    args, step = trainer.args, trainer.state.global_step
    guessing = math.log(trainer.model.config.vocab_size)
    if math.isfinite(loss) and (step < max(SETTLED, args.warmup_steps) or loss < 2 * guessing):
        return
    folder = Path(args.output_dir)
    if trainer.is_world_process_zero():
        remove(folder / f"{PREFIX}{step}")  # its weights gave this loss
    good = last_checkpoint(folder)
    hint = f"{good} is the last good checkpoint; resume from it" if good else "No checkpoint was saved; start again"
    raise InputError(
        f"step {step + 1}: the training loss is {loss:.4g} nats per token (guessing costs {guessing:.1f}): the run "
        f"has diverged. {hint} with a lower learning_rate (now {args.learning_rate:g}), more warmup_steps or "
        "max_grad_norm 1.0."
    )
