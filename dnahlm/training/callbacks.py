"""What a training run leaves behind besides weights: one JSON line per logged step."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class LossLog(TrainerCallback):
    """Append every logged value to `loss.jsonl` in the run's folder; the report draws its curves from it."""

    FILE_NAME = "loss.jsonl"

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop what a stopped run logged after the checkpoint it goes on from: those steps are done again."""
        path = Path(args.output_dir) / self.FILE_NAME
        if not state.is_world_process_zero or not path.is_file():
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # a kill may have cut the last one
        kept = [line for line in whole if json.loads(line)["step"] <= state.global_step]
        path.write_text("".join(kept), encoding="utf-8")

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
