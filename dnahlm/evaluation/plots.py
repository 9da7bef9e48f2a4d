"""Figures of the report: the loss curve as inline SVG, the dot plot as places on a line (drawn by the template)."""

import io
import math
import re
from typing import Any

COLOURS = ("#0b6e99", "#d1730f", "#5b8c2a", "#8a5fb0")


def loss_figure(curve: dict[str, Any]) -> str:
    """One stage's loss over its steps, as an `<svg>` element that scales with the page and loads nothing.

    Args:
        curve: as returned by `provenance.loss_curves`.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "svg.hashsalt": "dnahlm"}
    with rc_context(settings):
        figure = Figure(figsize=(4.6, 2.7), layout="constrained")
        axes = figure.subplots()
        for colour, (key, points) in zip(COLOURS, curve["series"].items(), strict=False):
            steps, values = zip(*points, strict=True)
            held_out = key.startswith("eval_")
            axes.plot(steps, values, color=colour, linewidth=1.6, marker="o" if held_out or len(steps) < 3 else None,
                      markersize=3.5, label=series_name(key))  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("loss (nats per token)")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e9ec", linewidth=0.8)
        axes.legend(frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return inline(text.getvalue())


def series_name(key: str) -> str:
    """Words for a logged key.

    >>> series_name("loss"), series_name("eval_loss"), series_name("eval_dna_loss")
    ('training', 'held out', 'held out, dna')
    """
    kind = key.removeprefix("eval_").removesuffix("loss").strip("_")
    return "training" if key == "loss" else ", ".join(filter(None, ["held out", kind]))


def inline(svg: str) -> str:
    """Only the `<svg>` element, with its size left to the page: no XML prolog, no document type, no metadata."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # The font of the page, not the one matplotlib found on this machine.
    svg = re.sub(r"font: (\d+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    return re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg.replace('height="', 'data-height="', 1), count=1)


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
