"""What the reports share: tables as aligned text and as Markdown, figures as inline SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

COLOURS = ("#0b6e99", "#d1730f", "#5b8c2a", "#8a5fb0", "#8b979e", "#b23a48", "#2a8c82", "#7a6a2f")


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


def svg(draw: Callable[[Any], None], width: float, height: float, columns: int = 1) -> str:
    """A figure in the reports' style as an `<svg>` element that scales with the page and loads nothing.

    Args:
        draw: called with the axes (with an array of them for several `columns`).
        width: inches at which its letters are as large as the page's, and
        height: inches.
        columns: panels side by side.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "svg.hashsalt": "dnahlm"}
    with rc_context(settings):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(1, columns)
        for panel in figure.axes:
            panel.spines[["top", "right"]].set_visible(False)
        draw(axes)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return inline(text.getvalue())


def inline(svg: str) -> str:
    """Only the `<svg>` element, with its size left to the page: no XML prolog, no document type, no metadata."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # The font of the page, not the one matplotlib found on this machine.
    svg = re.sub(r"font: (\d+)px [^;\"]*", r"font: \1px system-ui, sans-serif", svg)
    return re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg.replace('height="', 'data-height="', 1), count=1)
