"""Name -> baseline. To add one, write a function of the same shape and one line here."""

from collections.abc import Callable

import numpy as np

from dnahlm.evaluation.baselines.cnn import cnn
from dnahlm.evaluation.baselines.data import Data, majority
from dnahlm.evaluation.baselines.kmers import kmer_lr
from dnahlm.evaluation.baselines.markov import markov

BASELINES: dict[str, Callable[[Data], np.ndarray]] = {
    "majority": majority,
    "kmer_lr": kmer_lr,
    "markov": markov,
    "cnn": cnn,
}
