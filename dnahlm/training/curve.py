"""The loss curve of a run as a picture beside its weights: drawn at every checkpoint and at the end."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

FILE_NAME = "loss.png"
PANELS = {
    "loss": "training loss, nats per target token",
    "eval_loss": "validation loss, nats per answer token",
    "eval_mean_mcc": "mean MCC of validation rows",
    "eval_bits_per_base": "held-out DNA, bits per base",
    "eval_bits_per_byte": "held-out English, bits per byte",
    "eval_bits_per_residue": "held-out proteins, bits per residue",
}


class LossCurve(TrainerCallback):
    """Draw `loss.png` whenever a checkpoint is saved.

    Args:
        per_step: tokens or examples of one optimizer step, all processes together.
        unit: which of the two.
    """

    def __init__(self, per_step: int, unit: str) -> None:
        self.per_step, self.unit = per_step, unit

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Draw what has been logged so far (main process only)."""
        if state.is_world_process_zero:
            self.draw(Path(args.output_dir), state.log_history)

    def draw(self, folder: Path, history: list[dict[str, Any]]) -> None:
        """Write `folder/loss.png`: one panel per figure that was logged, against tokens or examples seen.

        Args:
            folder: of the run.
            history: the trainer's log, `step` and figures in each row.
        """
        panels = {key: [(r["step"] * self.per_step, r[key]) for r in history if key in r] for key in PANELS}
        panels = {key: points for key, points in panels.items() if points}
        if not panels:
            return
        figure = Figure(figsize=(4.2 * len(panels), 3.2), dpi=110, layout="constrained")
        for axes, (key, points) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
            places, values = zip(*points, strict=True)
            axes.plot(places, values, marker="o" if len(points) < 30 else None, markersize=3, linewidth=1.2)
            axes.set(title=f"{PANELS[key]} (last: {values[-1]:.3f})", xlabel=f"{self.unit} seen")
            axes.xaxis.set_major_formatter(EngFormatter())
            axes.title.set_fontsize(9)
            axes.grid(alpha=0.3)
        figure.savefig(folder / FILE_NAME)
