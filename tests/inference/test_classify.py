import numpy as np
import pytest

from dnahlm.dna import reverse_complement
from dnahlm.inference.classify import bases_that_fit, classify, find_task, require_fits, task_prompt
from dnahlm.inference.scorer import probabilities, score
from dnahlm.io import InputError
from dnahlm.tasks.spec import answers

SEQUENCES = ["ACGT" * 10, "GGGCATTACA" * 5]


def test_an_asymmetric_task_asks_the_given_strand_only(loaded):
    spec = loaded.tasks["splice_site"]
    prompts = [task_prompt(loaded, spec, s) for s in SEQUENCES]
    expected = probabilities(score(loaded.model, loaded.tokenizer, prompts, answers(spec)))
    np.testing.assert_allclose(classify(loaded, spec, SEQUENCES), expected, atol=1e-5)


def test_a_symmetric_task_averages_both_strands_after_calibration(loaded):
    spec = loaded.tasks["core_promoter"]
    expected = 0
    for strand in (SEQUENCES, [reverse_complement(s) for s in SEQUENCES]):
        prompts = [task_prompt(loaded, spec, s) for s in strand]
        scores = score(loaded.model, loaded.tokenizer, prompts, answers(spec))
        expected = expected + loaded.calibration["core_promoter"].probabilities(scores) / 2
    np.testing.assert_allclose(classify(loaded, spec, SEQUENCES), expected, atol=1e-5)
    other_strand = classify(loaded, spec, [reverse_complement(s) for s in SEQUENCES])
    np.testing.assert_allclose(classify(loaded, spec, SEQUENCES), other_strand, atol=1e-5)


def test_the_number_of_bases_that_fit_is_about_right(loaded):
    spec, sequence = loaded.tasks["splice_site"], "GATTACAGGC" * 100
    room = 400

    def tokens(n):
        return len(loaded.tokenizer(task_prompt(loaded, spec, sequence[:n]))["input_ids"])

    fit = bases_that_fit(loaded, lambda dna: task_prompt(loaded, spec, dna), sequence, room)
    assert abs(tokens(fit) - room) < 0.1 * room
    assert bases_that_fit(loaded, lambda dna: task_prompt(loaded, spec, dna), sequence[:50], room) is None


def test_too_long_a_sequence_is_refused_in_bases(loaded):
    with pytest.raises(InputError, match=r"rec1: 4,000 bases .* about [\d,]+ bases fit into its 512 tokens\. Cut it\."):
        require_fits(loaded, loaded.tasks["splice_site"], "ACGT" * 1000, "rec1", "Cut it.")


def test_an_unknown_task_names_the_tuned_ones(loaded):
    with pytest.raises(InputError, match=r"core_promoter, splice_site"):
        find_task(loaded, "core_promotor")
