"""What the reports share: tables as aligned text and as Markdown, figures as inline SVG in the page's own colours."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

# matplotlib writes these; a page that has the variables puts its own in their place, for its light and dark dress.
INK, SOFT, GRID = "#17242b", "#5b6b74", "#dfe6e9"
COLOURS = ("#0b6e99", "#d1730f", "#5b8c2a", "#8a5fb0", "#b0413e", "#3f7f7a", "#8b979e", "#7a6a2f")
VARIABLES = {INK: "--ink", SOFT: "--soft", GRID: "--grid", **{c: f"--series-{n}" for n, c in enumerate(COLOURS, 1)}}


def align(rows: list[list[str]]) -> list[list[str]]:
    """Pad every cell to its column's width: the first column to the left, numbers to the right.

    >>> align([["task", "n"], ["a", "1000"]])
    [['task', '   n'], ['a   ', '1000']]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)] for row in rows]


def pipes(rows: list[list[str]]) -> list[str]:
    """Rows, header first, as the lines of a Markdown table."""
    header, *body = align([[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows])
    rule = ["-" * len(header[0]), *("-" * (len(cell) - 1) + ":" for cell in header[1:])]
    return ["| " + " | ".join(row) + " |" for row in (header, rule, *body)]


def svg(
    draw: Callable[[Any], None],
    width: float,
    height: float,
    columns: int = 1,
    title: str = "",
    margins: tuple[float, float, float, float] | None = None,
) -> str:
    """A figure in the reports' style as an `<svg>` element that scales with the page and loads nothing.

    Args:
        draw: called with the axes (with an array of them for several `columns`); draws in `INK`, `SOFT`, `GRID` and
            `COLOURS`, which become the variables of `VARIABLES` where the page has them.
        width: inches at which its letters are as large as the page's, and
        height: inches.
        columns: panels side by side.
        title: what a screen reader says, unlike that of any other figure of the page.
        margins: left, right, top and bottom of the axes as shares of the figure, which takes a third of the time;
            None = as wide as the labels need.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none", "svg.hashsalt": f"dnahlm {title}", "font.family": "sans-serif", "font.size": 9,
        "text.color": INK, "axes.labelcolor": SOFT, "axes.edgecolor": SOFT, "xtick.color": SOFT, "ytick.color": SOFT,
        "grid.color": GRID, "grid.linewidth": 0.7, "axes.axisbelow": True,
        "legend.labelcolor": INK, "legend.frameon": False, "legend.fontsize": 8,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(width, height), layout=None if margins else "constrained")
        if margins:
            figure.subplots_adjust(**dict(zip(("left", "right", "top", "bottom"), margins, strict=True)))
        axes = figure.subplots(1, columns)
        figure.patch.set_visible(False)
        for panel in figure.axes:
            panel.patch.set_visible(False)
            panel.spines[["top", "right"]].set_visible(False)
        draw(axes)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return inline(text.getvalue(), title)


def inline(svg: str, title: str) -> str:
    """Only the `<svg>` element, its size and colours left to the page: no prolog, document type, metadata or names."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[\w.]+_\d+">', "<g>", svg)  # the same in every figure; an id may be there only once
    # The font of the page, not the one matplotlib found on this machine.
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable}, {colour})")
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg.replace('height="', 'data-height="', 1), count=1)
    said = f' role="img" aria-label="{escape(title)}"' if title else ""
    return re.sub(r"<svg ([^>]*)>", rf"<svg \1{said}>", svg, count=1)
