import numpy as np
import pytest

from dnahlm.tasks.simulate.genes import Biology
from dnahlm.tasks.simulate.models import make_chains, make_codons, make_motifs
from dnahlm.tasks.simulate.oracle import SCORES, judge, mean
from dnahlm.tasks.simulate.run import make_chromosomes, make_tables
from dnahlm.tasks.simulate.windows import ROWS, Row


@pytest.fixture(scope="module")
def biology():
    return Biology(make_motifs(), make_chains(), make_codons())


@pytest.fixture(scope="module")
def tables(biology):
    rng = np.random.default_rng(7)
    return make_tables(0.2, make_chromosomes(0.2, rng, biology), rng)


@pytest.mark.parametrize("task", ROWS)
def test_who_knows_the_generator_can_answer(tables, biology, task):
    verdict = judge(task, tables[task]["train"], biology)
    assert verdict["mcc"] >= 0.93 and verdict["n"] == len(tables[task]["train"])


@pytest.mark.parametrize("task", ROWS)
def test_the_oracle_does_not_see_labels(tables, biology, task):
    rows = tables[task]["test"]
    labels = np.random.default_rng(0).permutation([row.label for row in rows])
    shuffled = [Row(row.sequence, int(label)) for row, label in zip(rows, labels, strict=True)]
    assert abs(judge(task, shuffled, biology)["mcc"]) < 0.25


def test_every_table_has_an_oracle():
    assert SCORES.keys() == ROWS.keys()


def test_mean_of_log_probabilities_is_the_log_of_the_mean():
    scores = [np.log([0.2]), np.log([0.6])]
    assert np.exp(mean(scores)) == pytest.approx([0.4])
    assert np.exp(mean(scores, [0.75, 0.25])) == pytest.approx([0.3])
