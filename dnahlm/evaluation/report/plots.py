"""Figures of the report as inline SVG, in the page's own colours, so that they follow its light and dark dress."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# matplotlib writes these; the page puts its variables in their place. Series differ by dash or marker as well.
INK, SOFT, GRID = "#17242b", "#5b6b74", "#dfe6e9"
SERIES = ("#0b6e99", "#d1730f", "#5b8c2a", "#8a5fb0", "#b0413e", "#3f7f7a")
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (8, 3)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
VARIABLES = {INK: "--ink", SOFT: "--soft", GRID: "--grid", **{c: f"--series-{n}" for n, c in enumerate(SERIES, 1)}}


def draw(plot: Callable[["Axes"], None], name: str, title: str, size: tuple[float, float] = (3.6, 2.7)) -> str:
    """One figure as an `<svg>` element that scales with the page and loads nothing.

    Args:
        plot: draws on the axes, in `INK`, `SOFT`, `GRID` and `SERIES`.
        name: unlike that of any other figure of the page; the ids inside the figure are made from it.
        title: what a screen reader says.
        size: width and height in inches; the page keeps their ratio.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif", "font.size": 9,
        "text.color": INK, "axes.labelcolor": SOFT, "axes.edgecolor": SOFT, "xtick.color": SOFT, "ytick.color": SOFT,
        "legend.labelcolor": INK, "legend.frameon": False, "legend.fontsize": 8,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=size)
        # Fixed margins: a constrained layout takes three times as long to draw.
        figure.subplots_adjust(left=0.15, right=0.97, top=0.96, bottom=0.2)
        axes = figure.subplots()
        axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        plot(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return inline(text.getvalue(), title)


def inline(svg: str, title: str) -> str:
    """Only the `<svg>` element, its size and colours left to the page: no prolog, document type, metadata or names."""
    from markupsafe import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[\w.]+_\d+">', "<g>", svg)  # the same in every figure; an id may be there only once
    # The font of the page, not the one matplotlib found on this machine.
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg.replace('height="', 'data-height="', 1), count=1)
    return re.sub(r"<svg ([^>]*)>", rf'<svg \1 role="img" aria-label="{escape(title)}">', svg, count=1)


def loss_figure(curve: dict[str, Any]) -> str:
    """One stage's loss over its steps.

    Args:
        curve: name, path and series {logged key: [(step, loss), ...]}.
    """

    def plot(axes: "Axes") -> None:
        looks = zip(SERIES, DASHES, MARKERS, strict=True)
        for (colour, dash, marker), (key, points) in zip(looks, curve["series"].items(), strict=False):
            steps, values = zip(*points, strict=True)
            marked = key.startswith("eval_") or len(steps) < 3
            axes.plot(steps, values, color=colour, linewidth=1.6, linestyle=dash, marker=marker if marked else None,
                      markersize=3.5, label=series_name(key))  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("loss (nats per token)")
        axes.legend()

    return draw(plot, f"loss {curve['name']} {curve['path']}", f"loss of {curve['name']} over its steps", (4.6, 2.7))


def series_name(key: str) -> str:
    """Words for a logged key.

    >>> series_name("loss"), series_name("eval_loss"), series_name("eval_dna_loss")
    ('training', 'held out', 'held out, dna')
    """
    kind = key.removeprefix("eval_").removesuffix("loss").strip("_")
    return "training" if key == "loss" else ", ".join(filter(None, ["held out", kind]))
