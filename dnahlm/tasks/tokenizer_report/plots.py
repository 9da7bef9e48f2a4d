"""Figures of the report, each an inline SVG."""

from __future__ import annotations

from typing import Any

from dnahlm.pages import COLOURS, svg

GRID = {"color": "#e5e9ec", "linewidth": 0.8}


def figures(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(title, caption, `<svg>`) of every figure there is data for."""
    found = []
    if report["regions"]:
        names = [region["name"] for region in report["regions"]]
        values = [[t["regions"][name]["bytes_per_token"] or 0 for name in names] for t in report["tokenizers"]]
        found.append(("Bases per token by region", "longer = cheaper DNA", bars(report, names, values)))
    if any(t["english"]["tokens"] for t in report["tokenizers"]):
        found.append(("Bytes per English token", "longer = cheaper English", english(report)))
    if report["regions"]:
        found.append(("Length of the tokens that DNA becomes", "share of the bases that stand in tokens of this length",
                      token_lengths(report)))  # fmt: skip
    ended = "share of windows in which it has ended by this distance; a line that stays below 1: never back in step"
    found.append(("How far a disturbance reaches", ended, reach(report)))
    names = list(report["tokenizers"][0]["letters"])
    values = [[t["letters"][name]["bases_per_token"] or 0 for name in names] for t in report["tokenizers"]]
    found.append(("Bases per token when the letters change", "a short bar = letters the tokenizer does not know as DNA",
                  bars(report, names, values)))  # fmt: skip
    return found


def bars(report: dict[str, Any], names: list[str], values: list[list[float]]) -> str:
    """Lying bars: one group per name, one bar per tokenizer; `values` is (tokenizers, names)."""
    thick = 0.8 / len(values)

    def draw(axes: Any) -> None:
        for i, (row, one) in enumerate(zip(values, report["tokenizers"], strict=True)):
            places = [place + (i - (len(values) - 1) / 2) * thick for place in range(len(names))]
            drawn = axes.barh(places, row, thick * 0.92, color=COLOURS[i % len(COLOURS)], label=one["name"])
            axes.bar_label(drawn, [f"{value:.2f}" if value else "refused" for value in row], padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.12 * max(max(map(max, values)), 1e-9))
        axes.grid(axis="x", **GRID)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)

    return svg(draw, 7.2, 0.7 + len(names) * (0.16 + 0.19 * len(values)))


def english(report: dict[str, Any]) -> str:
    """One bar per tokenizer and GPT-2's own."""
    names = [t["name"] for t in report["tokenizers"]]
    values = [t["english"]["bytes_per_token"] or 0 for t in report["tokenizers"]]
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(names))]
    if report["gpt2"]:
        names, values, colours = [*names, "GPT-2"], [*values, report["gpt2"]["bytes_per_token"]], [*colours, "#8b979e"]

    def draw(axes: Any) -> None:
        drawn = axes.barh(range(len(names)), values, 0.7, color=colours)
        axes.bar_label(drawn, [f"{value:.2f}" if value else "refused" for value in values], padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.12 * max(values))
        axes.grid(axis="x", **GRID)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)

    return svg(draw, 7.2, 0.6 + 0.26 * len(names))


def token_lengths(report: dict[str, Any]) -> str:
    """Share of bases by the length of their token, one line per tokenizer."""

    def draw(axes: Any) -> None:
        for i, one in enumerate(report["tokenizers"]):
            lengths = {int(length): n for length, n in one["dna"]["token_lengths"].items()}
            total = sum(length * n for length, n in lengths.items())
            if total:
                places = range(1, max(lengths) + 1)
                shares = [place * lengths.get(place, 0) / total for place in places]
                axes.plot(places, shares, color=COLOURS[i % len(COLOURS)], marker="o", markersize=3.5, linewidth=1.6)
        axes.set_xlabel("bases in a token")
        axes.set_ylabel("share of bases")
        axes.set_ylim(bottom=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y", **GRID)

    return svg(draw, 7.2, 2.5)


def reach(report: dict[str, Any]) -> str:
    """Cumulative share of windows by reach: one panel for a changed base, one for a later start."""

    def draw(panels: Any) -> None:
        for axes, key, title in zip(panels, ("variant", "shift"), ("one base changed", "one base later"), strict=True):
            end = max([20, *(r for t in report["tokenizers"] for r in t[key]["reach"])])
            for i, one in enumerate(report["tokenizers"]):
                distances = one[key]["reach"]
                if not one[key]["n"]:
                    continue
                places = [0, *distances, end]
                shares = [k / one[key]["n"] for k in (*range(len(distances) + 1), len(distances))]
                axes.plot(places, shares, color=COLOURS[i % len(COLOURS)], linewidth=1.8, drawstyle="steps-post")
            axes.set_title(title, fontsize=9, loc="left")
            axes.set_xlabel("bases")
            axes.set_ylim(0, 1.03)
            axes.grid(axis="y", **GRID)
        panels[0].set_ylabel("share of windows")

    return svg(draw, 7.2, 2.6, columns=2)
