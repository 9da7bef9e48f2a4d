"""Single rows worth a look: the most confidently wrong ones, and those of the worst-calibrated confidence."""

from dataclasses import dataclass

import numpy as np

from dnahlm.evaluation.metrics import bins_of
from dnahlm.evaluation.report.predictions import Rows
from dnahlm.evaluation.report.stats import Bin, confidence_bins
from dnahlm.evaluation.report.tables import Table, number

SHOWN = 5  # rows of each kind
ENDS = 20  # letters of a sequence kept at each end


@dataclass
class Worst:
    """The bin of confidence that adds most to the calibration error."""

    bin: Bin
    gap: float  # share right minus mean confidence; below 0 = too sure
    rows: list[int]


def confidence(rows: Rows, way: str) -> np.ndarray:
    """(N,) the probability of the answer given."""
    return rows.chances[way].max(axis=1)


def confident_mistakes(rows: Rows, way: str) -> list[int]:
    """Numbers of the wrong rows whose answer was the most probable, the surest first."""
    wrong = np.flatnonzero(~rows.hits(way))
    return wrong[np.argsort(-confidence(rows, way)[wrong], kind="stable")][:SHOWN].tolist()


def worst_calibrated(rows: Rows, way: str) -> Worst | None:
    """The bin with the greatest n * |share right - confidence|, and rows of it that make it so; None without a gap."""
    sure, hits = confidence(rows, way), rows.hits(way)
    bins = confidence_bins(sure, hits)
    worst = max(bins, key=lambda b: b.n * abs(b.share - b.x))
    gap = worst.share - worst.x
    inside = bins_of(sure) == bins_of(np.array([worst.x]))
    # Too sure: its wrong rows made it so, the surest first. Not sure enough: its right rows, the least sure first.
    chosen = np.flatnonzero(inside & (~hits if gap < 0 else hits))
    chosen = chosen[np.argsort(-sure[chosen] if gap < 0 else sure[chosen], kind="stable")]
    return Worst(worst, gap, chosen[:SHOWN].tolist()) if gap else None


def row_tables(rows: Rows, way: str) -> list[Table]:
    """Both kinds of rows, in words."""
    if way not in rows.chances:
        return []
    tables = []
    if wrong := confident_mistakes(rows, way):
        note = f"The wrong answers with the highest probability, of {int((~rows.hits(way)).sum()):,} wrong rows."
        tables.append(Table("Most confidently wrong", note, row_lines(rows, way, wrong)))
    worst = worst_calibrated(rows, way)
    if worst and worst.rows:
        b, kind = worst.bin, "too sure" if worst.gap < 0 else "not sure enough"
        note = (
            f"Of the {b.n:,} rows answered with a probability of {b.low:.3f} to {b.high:.3f}, {b.share:.1%} are right "
            f"(mean probability {b.x:.1%}): {kind}. No other bin adds more to the calibration error."
        )
        tables.append(Table("Worst calibrated", note, row_lines(rows, way, worst.rows)))
    return tables


def row_lines(rows: Rows, way: str, numbers: list[int]) -> list[list[str]]:
    """Header and one line per row."""
    texts = rows.texts
    lines = [["row", "right", "said", "probability", *(["wrote"] if texts else []), "bases", "sequence"]]
    for i in numbers:
        lines.append(
            [
                rows.ids[i],
                rows.answers[rows.right[i]],
                rows.answers[rows.predicted[way][i]],
                number(float(rows.chances[way][i].max())),
                *([repr(texts[i][:40]) if texts[i] is not None else "-"] if texts else []),
                f"{int(rows.bases[i]):,}",
                shortened(rows.inputs[i]),
            ]
        )
    return lines


def shortened(input: str) -> str:
    r"""An input with the middle of each long sequence left out, and said how much.

    >>> shortened("ACGT" * 20)
    'ACGTACGTACGTACGTACGT ... 40 left out ... ACGTACGTACGTACGTACGT'
    >>> shortened("Reference: ACGT\nAlternative: ACGA")
    'Reference: ACGT; Alternative: ACGA'
    """
    lines = []
    for line in input.split("\n"):
        name, colon, letters = line.rpartition(": ")
        if len(letters) > 2 * ENDS + 15:  # leaving out fewer would not make it shorter
            letters = f"{letters[:ENDS]} ... {len(letters) - 2 * ENDS:,} left out ... {letters[-ENDS:]}"
        lines.append(name + colon + letters)
    return "; ".join(lines)
