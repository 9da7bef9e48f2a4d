"""Upstream's trainer on packed blocks: it also logs bits per base and per byte, speed and memory, and stops in time."""

import math
import time
from typing import Any

import torch
from transformers import Trainer

from dnahlm.training.divergence import require_sane
from dnahlm.training.lean import lighten
from dnahlm.training.throughput import flops_per_token, matrix_ceiling, peak_memory_mb

BITS = {
    "dna": ("bits_per_base", "bases"),
    "text": ("bits_per_byte", "english_bytes"),
    "protein": ("bits_per_residue", "residues"),
}


class BlockTrainer(Trainer):
    """`Trainer` whose log lines say how well and how fast, in units that compare across tokenizers and machines.

    Args:
        held_out: counts of each kind of validation blocks, as `dnahlm corpus pack` records them.
        block_size: T, tokens per block.
        **settings: of upstream's trainer.
    """

    def __init__(self, held_out: dict[str, dict[str, int]], block_size: int, **settings: Any) -> None:
        super().__init__(**settings)
        lighten(self.model, self.args.device)
        self.held_out = held_out
        self.flops = flops_per_token(self.model, block_size)
        self.ceiling = matrix_ceiling(self.args.device, torch.bfloat16 if self.args.bf16 else torch.float32)
        self.tokens, self.since, self.paused = 0, None, 0.0

    def training_step(self, model: torch.nn.Module, inputs: dict[str, Any], *rest: Any) -> torch.Tensor:
        """One forward and backward pass.

        Raises:
            InputError: the loss is no number, or far worse than guessing.
        """
        self.since = self.since or time.perf_counter()
        self.tokens += inputs["input_ids"].numel()
        loss = super().training_step(model, inputs, *rest)
        require_sane(self, loss.item() * self.args.gradient_accumulation_steps)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add our figures before upstream hands the line to the console, `loss.jsonl` and `report_to`."""
        if "loss" in logs:
            logs |= self.speed()
        for kind, (name, unit) in BITS.items():
            if (loss := logs.get(f"eval_{kind}_loss")) is not None:
                logs[f"eval_{name}"] = bits_per(loss, self.held_out[kind], unit)
        super().log(logs, start_time)

    def speed(self) -> dict[str, float]:
        """Figures since the last line, evaluation and saving left out; tokens and ceiling are of all processes."""
        seconds = time.perf_counter() - self.since - self.paused
        rate = self.tokens * self.args.world_size / max(seconds, 1e-9)
        return {
            "tokens_per_second": round(rate, 1),
            "mfu": round(rate * self.flops / (self.ceiling * self.args.world_size), 4),
            "peak_memory_mb": round(peak_memory_mb(self.args.device), 1),
        }

    def _maybe_log_save_evaluate(self, *args: Any, **settings: Any) -> Any:
        """Upstream's, timed: it is no training."""
        will_log, before = self.control.should_log, time.perf_counter()
        result = super()._maybe_log_save_evaluate(*args, **settings)
        if will_log:
            self.tokens, self.since, self.paused = 0, time.perf_counter(), 0.0
        else:
            self.paused += time.perf_counter() - before
        return result


def bits_per(loss: float, counts: dict[str, int], unit: str) -> float:
    """Bits per base or byte from the mean loss (nats per token) and the tokens a base or byte takes.

    >>> round(bits_per(math.log(4), {"tokens": 100, "bases": 200}, "bases"), 3)
    1.0
    """
    return loss / math.log(2) * counts["tokens"] / counts[unit]
