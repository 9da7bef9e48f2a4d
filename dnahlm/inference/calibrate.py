"""From log-probabilities of answers to probabilities that can be trusted: a temperature, and a bias per answer.

Language models lean towards some words whatever they are asked; the bias takes that lean away (a prior correction), and
the temperature takes over-confidence away. Together: vector scaling with one shared scale (Guo et al. 2017, "On
Calibration of Modern Neural Networks"), fitted on validation rows after tuning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import chi2

from dnahlm.io import InputError
from dnahlm.manifest import read_json
from dnahlm.tasks.spec import TaskSpec, answers

if TYPE_CHECKING:
    from dnahlm.inference.load import Loaded

FILE_NAME = "calibration.json"
LOWEST, HIGHEST = 0.05, 20.0  # temperatures
# Widths of the normal priors, in nats, that keep a small validation split from over-fitting; some hundred rows outweigh
# them. Narrower ones hold back the correction of a badly scaled model, wider ones harm a well scaled one.
SPREAD_LOG_TEMPERATURE, SPREAD_BIAS = 0.7, 0.7
SURE = 0.95  # of a bias; one that some hundred rows show by chance only turns answers that nobody needs turned


@dataclass(frozen=True)
class Calibration:
    """How one task's scores become probabilities: softmax(scores / temperature + bias)."""

    temperature: float = 1.0
    bias: tuple[float, ...] = ()  # nats, one per answer in the order of the task; () = none
    rows: int = field(default=0, repr=False)  # validation rows it was fitted on
    changed_by_bias: int = field(default=0, repr=False)  # how many of them have another likeliest answer without it

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated share of each of K answers, (N, K) log-probabilities -> (N, K); rows sum to 1.

        Raises:
            InputError: the calibration is of a task with another number of answers.

        >>> Calibration(2.0, (0.0, 1.0)).probabilities(np.array([[0.0, -2.0]])).round(3).tolist()
        [[0.5, 0.5]]
        """
        scores = np.asarray(scores, dtype=np.float64)
        if self.bias and len(self.bias) != scores.shape[1]:
            raise InputError(f"a calibration of {len(self.bias)} answers was asked to scale {scores.shape[1]}.")
        return softmax(scores / self.temperature + (np.array(self.bias) if self.bias else 0.0), axis=1)

    def for_options(self, fitted: Sequence[str], options: Sequence[str]) -> Calibration:
        """The same for answers in another order; with words it was not fitted on, the temperature alone.

        >>> Calibration(2.0, (0.0, 1.0)).for_options(["no", "yes"], ["yes", "no"])
        Calibration(temperature=2.0, bias=(1.0, 0.0))
        >>> Calibration(2.0, (0.0, 1.0)).for_options(["no", "yes"], ["low", "high"])
        Calibration(temperature=2.0, bias=())
        """
        if not self.bias or sorted(fitted) != sorted(options):
            return replace(self, bias=(), changed_by_bias=0)
        return replace(self, bias=tuple(self.bias[list(fitted).index(option)] for option in options))


def calibration_of(loaded: Loaded, spec: TaskSpec, options: Sequence[str] | None = None) -> Calibration:
    """The calibration of a task, one that changes nothing when it has none.

    Args:
        loaded: the model and what was fitted for it.
        spec: the task asked.
        options: the words that are scored; None = the task's answers in its order.
    """
    found = loaded.calibration.get(spec.id, Calibration())
    return found if options is None else found.for_options(answers(spec), options)


def calibrated(loaded: Loaded, spec: TaskSpec, scores: np.ndarray, options: Sequence[str] | None = None) -> np.ndarray:
    """Probabilities of a task's answers from the log-probabilities of `score`, (N, K) -> (N, K); rows sum to 1."""
    return calibration_of(loaded, spec, options).probabilities(scores)


def fit_calibration(scores: np.ndarray, label_indices: Sequence[int]) -> Calibration:
    """The temperature (0.05 to 20) and bias that make the true answers of a validation split most probable.

    Minimised by L-BFGS: the rows' log-loss plus normal priors on log temperature and bias, so that few rows change
    little. The bias sums to 0; it is left out where a likelihood-ratio test (K - 1 degrees of freedom) does not reject
    that there is none, so that what a model writes by itself stays what it is said to answer.

    Args:
        scores: (N, K) as `score` gives them.
        label_indices: N column numbers of the true answers.
    """
    scores = np.asarray(scores, dtype=np.float64)
    # Only differences count; without the shift a score of -300 would make the steps of the temperature useless.
    scores = scores - scores.max(axis=1, keepdims=True)
    n_answers = scores.shape[1]
    truth = np.eye(n_answers)[np.asarray(label_indices, dtype=int)]

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        log_temperature, bias = at[0], at[1:]
        scaled = scores * np.exp(-log_temperature)
        log_p = log_softmax(scaled + bias, axis=1)
        off = np.exp(log_p) - truth  # derivative by the scaled scores
        priors = (log_temperature / SPREAD_LOG_TEMPERATURE) ** 2 / 2 + ((bias / SPREAD_BIAS) ** 2).sum() / 2
        slope = np.concatenate([
            [-(off * scaled).sum() + log_temperature / SPREAD_LOG_TEMPERATURE**2],
            off.sum(axis=0) + bias / SPREAD_BIAS**2,
        ])  # fmt: skip
        return -(log_p * truth).sum() + priors, slope

    def least(bias: tuple[float | None, float | None]) -> tuple[float, np.ndarray]:
        bounds = [(np.log(LOWEST), np.log(HIGHEST)), *[bias] * n_answers]
        found = minimize(loss, np.zeros(1 + n_answers), jac=True, method="L-BFGS-B", bounds=bounds)
        return found.fun, found.x

    (plain, without), (biased, best) = least((0.0, 0.0)), least((None, None))
    if n_answers < 2 or 2 * (plain - biased) < chi2.ppf(SURE, n_answers - 1):
        return Calibration(round(float(np.exp(without[0])), 4), rows=len(scores))
    bias = best[1:] - best[1:].mean()
    fit = Calibration(round(float(np.exp(best[0])), 4), tuple(round(float(b), 4) for b in bias), len(scores))
    changed = int((fit.probabilities(scores).argmax(axis=1) != scores.argmax(axis=1)).sum())
    return replace(fit, changed_by_bias=changed)


def read_calibrations(path: Path, tasks: dict[str, TaskSpec]) -> dict[str, Calibration]:
    """Calibration per task, empty when there is no such file.

    Raises:
        InputError: an entry without a temperature above 0 or without one finite bias per answer.
    """
    return {task: parse_calibration(entry, path, task, tasks) for task, entry in (read_json(path) or {}).items()}


def parse_calibration(entry: Any, path: Path, task: str, tasks: dict[str, TaskSpec]) -> Calibration:
    """One entry of calibration.json."""
    again = "Copy the file again from the training output."
    if not isinstance(entry, dict):
        raise InputError(f"{path}: task {task!r}: found {entry!r}; a mapping {{temperature, bias}} is needed. {again}")
    temperature, bias = entry.get("temperature"), entry.get("bias", [])
    if not is_real(temperature) or not 0 < temperature < float("inf"):
        raise InputError(
            f"{path}: task {task!r}: found the temperature {temperature!r}; a number above 0 is needed. {again}"
        )
    n_answers = len(answers(tasks[task])) if task in tasks else None
    if not isinstance(bias, list) or not all(map(is_real, bias)) or not np.isfinite(bias).all():
        raise InputError(f"{path}: task {task!r}: found the bias {bias!r}; a list of finite numbers is needed. {again}")
    if bias and n_answers is not None and len(bias) != n_answers:
        raise InputError(f"{path}: task {task!r}: found {len(bias)} biases; the task has {n_answers} answers. {again}")
    counts = [entry.get(name, 0) for name in ("rows", "changed_by_bias")]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise InputError(
            f"{path}: task {task!r}: found the counts of rows {counts!r}; whole numbers are needed. {again}"
        )
    return Calibration(float(temperature), tuple(map(float, bias)), *counts)


def is_real(value: Any) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
