"""The losses of the training behind a checkpoint, one figure a stage."""

from typing import TYPE_CHECKING, Any

from dnahlm.pages import COLOURS, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Lines differ by dash or marker as well as by colour.
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (8, 3)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
MARGINS = (0.15, 0.97, 0.96, 0.2)


def loss_figure(curve: dict[str, Any]) -> str:
    """One stage's loss over its steps.

    Args:
        curve: name, path and series {logged key: [(step, loss), ...]}.
    """

    def plot(axes: "Axes") -> None:
        looks = zip(COLOURS, DASHES, MARKERS, strict=False)
        for (colour, dash, marker), (key, points) in zip(looks, curve["series"].items(), strict=False):
            steps, values = zip(*points, strict=True)
            marked = key.startswith("eval_") or len(steps) < 3
            axes.plot(steps, values, color=colour, linewidth=1.6, linestyle=dash, marker=marker if marked else None,
                      markersize=3.5, label=series_name(key))  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("loss (nats per token)")
        axes.grid()
        axes.legend()

    return svg(plot, 4.6, 2.7, title=f"loss of {curve['name']} over its steps, {curve['path']}", margins=MARGINS)


def series_name(key: str) -> str:
    """Words for a logged key.

    >>> series_name("loss"), series_name("eval_loss"), series_name("eval_dna_loss")
    ('training', 'held out', 'held out, dna')
    """
    kind = key.removeprefix("eval_").removesuffix("loss").strip("_")
    return "training" if key == "loss" else ", ".join(filter(None, ["held out", kind]))
