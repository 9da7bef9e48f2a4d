"""What a training run leaves behind besides weights: one JSON line per logged step."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class LossLog(TrainerCallback):
    """Append every logged value to `loss.jsonl` in the run's folder; the report draws its curves from it."""

    FILE_NAME = "loss.jsonl"

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the step and its numbers (main process only)."""
        if not state.is_world_process_zero or not logs:
            return
        row = {"step": state.global_step, **{k: v for k, v in logs.items() if isinstance(v, (int, float))}}
        with (Path(args.output_dir) / self.FILE_NAME).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")
