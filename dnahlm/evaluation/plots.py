"""Figures of the report: the loss curve as inline SVG, the dot plot as places on a line (drawn by the template)."""

import math
from typing import Any

from dnahlm.pages import COLOURS, svg


def loss_figure(curve: dict[str, Any]) -> str:
    """One stage's loss over its steps, as an `<svg>` element that scales with the page and loads nothing.

    Args:
        curve: as returned by `provenance.loss_curves`.
    """

    def draw(axes: Any) -> None:
        for colour, (key, points) in zip(COLOURS, curve["series"].items(), strict=False):
            steps, values = zip(*points, strict=True)
            held_out = key.startswith("eval_")
            axes.plot(steps, values, color=colour, linewidth=1.6, marker="o" if held_out or len(steps) < 3 else None,
                      markersize=3.5, label=series_name(key))  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("loss (nats per token)")
        axes.grid(axis="y", color="#e5e9ec", linewidth=0.8)
        axes.legend(frameon=False)

    return svg(draw, 4.6, 2.7)


def series_name(key: str) -> str:
    """Words for a logged key.

    >>> series_name("loss"), series_name("eval_loss"), series_name("eval_dna_loss")
    ('training', 'held out', 'held out, dna')
    """
    kind = key.removeprefix("eval_").removesuffix("loss").strip("_")
    return "training" if key == "loss" else ", ".join(filter(None, ["held out", kind]))


def scale(values: list[float]) -> tuple[float, float]:
    """The ends of an MCC axis that holds all values: 1 on the right, 0 or the next fifth below the lowest on the left.

    >>> scale([0.3, 0.9]), scale([-0.25])
    ((0.0, 1.0), (-0.4, 1.0))
    """
    low = min([0.0, *values])
    return math.floor(low * 5) / 5, 1.0


def place(value: float, ends: tuple[float, float]) -> float:
    """Where a value stands on an axis, in percent of its length.

    >>> place(0.5, (0.0, 1.0))
    50.0
    """
    low, high = ends
    return round(100 * (value - low) / (high - low), 2)
