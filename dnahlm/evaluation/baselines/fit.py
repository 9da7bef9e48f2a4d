"""The suite's baselines for one task: fitted once, on the same splits, for all models of a report."""

from dnahlm.evaluation.asking import decide
from dnahlm.evaluation.baselines.data import Data, hold_back, letters, rows_of
from dnahlm.evaluation.baselines.open import OPEN_BASELINES
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.bootstrap import Answered
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.suite import Suite


def fit_baselines(suite: Suite, rows: TaskRows, seed: int) -> tuple[dict[str, Answered], int]:
    """Predictions of every baseline on the asked rows, and how many train rows they were fitted on.

    An unseen task may have no train rows; then there are no baselines. Where there are no validation rows, or they are
    what is asked, a tenth of the train rows decides what a baseline may choose.
    """
    texts, labels = rows_of(rows.train, suite.baseline_train_rows, seed)
    if not texts or not suite.baselines:
        return {}, len(texts)
    n_train = len(texts)
    asked = [letters(record) for record in rows.asked]
    if not rows.options:
        fitted = {name: OPEN_BASELINES[name] for name in suite.baselines if name in OPEN_BASELINES}
        return {name: Answered(fit(rows.spec, texts, labels, asked)) for name, fit in fitted.items()}, n_train
    validation, validation_labels = rows_of(rows.validation)
    choosing = hold_back(texts, labels, seed) if not validation else (texts, labels, validation, validation_labels)
    found = {}
    for name in suite.baselines:
        # Only the baselines that choose something give rows away for it.
        parts = choosing if name in ("markov", "cnn") else (texts, labels, [], [])
        data = Data(*parts, asked, rows.options, rows.spec.strand_symmetric, seed)
        found[name] = decide(BASELINES[name](data), rows.options)
    return found, n_train
