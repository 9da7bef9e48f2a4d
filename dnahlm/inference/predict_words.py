"""What `dnahlm predict` says before and after: how the probabilities came about, and what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnahlm.inference.answerers import ABSTAIN, VALID
from dnahlm.inference.ensemble import members
from dnahlm.inference.label_sets import scorable
from dnahlm.inference.load import Loaded
from dnahlm.tasks.spec import TaskSpec, has_fixed_answers

if TYPE_CHECKING:
    from dnahlm.inference.predict import PredictConfig


def announce(loaded: Loaded, spec: TaskSpec, ensemble: Sequence[str], config: PredictConfig) -> None:
    """Print what decides the meaning of the numbers: tuned or not, calibrated or not, asked in how many ways."""
    if spec.id not in loaded.tasks:
        print(f"model was not tuned on task {spec.id}: these answers are zero-shot")
    if not scorable(spec):
        print(f"task {spec.id}: kind {spec.kind}, answers as the model writes them; model {config.model}")
        return
    fitted = loaded.calibration.get(spec.id)
    scale = f"calibrated (temperature {fitted.temperature:.2f})" if fitted else "not calibrated"
    ways = "strand as given" if not ensemble else "mean of both strands"
    if set(ensemble) - {"strands"}:
        ways = f"mean of {len(members(spec, ensemble))} ways to ask ({', '.join(ensemble)})"
    if not has_fixed_answers(spec):
        ways = "asked once, each set of labels scored"
    words = ", ".join(spec.labels.values())
    print(f"task {spec.id}: answers {words}; probabilities: {scale}, {ways}; model {config.model}")


def summary(spec: TaskSpec, counts: Counter[str], cut: int, begun: int, seconds: float, config: PredictConfig) -> str:
    """What was answered, in one line."""
    total = counts.total()
    if scorable(spec):
        told = [f"{counts[answer]:,} {answer}" for answer in scorable(spec)]
        if config.min_confidence:
            told.append(f"{counts[ABSTAIN]:,} {ABSTAIN} below {config.min_confidence:g}")
    else:
        told = [f"{counts[word]:,} {word}" for word in VALID.values()]
    earlier = f"{begun:,} of them by an earlier run; " if begun else ""
    return (
        f"answered {total:,} sequences ({', '.join(told)}; {earlier}{cut:,} cut to a window) in {seconds:,.1f} s "
        f"({(total - begun) / max(seconds, 0.01):,.0f} sequences/s) into {config.output}. "
        "Not a clinical or diagnostic tool."
    )
