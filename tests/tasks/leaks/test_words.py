import random

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks.joined import join
from dnahlm.tasks.leaks.words import MASKS, WEIGHT, codes_of, words_of


def words(text, mask=MASKS[0]):
    batch = join([text])
    return words_of(batch, codes_of(batch.letters), mask)


@pytest.mark.parametrize("mask", MASKS)
def test_both_strands_have_the_same_words(mask):
    text = "".join(random.Random(0).choices("ACGT", k=60))
    forward, backward = words(text, mask), words(reverse_complement(text), mask)
    assert forward.words.tolist() == backward.words[::-1].tolist()
    assert forward.minus.tolist() == (~backward.minus[::-1]).tolist()  # no word is its own reverse complement


@pytest.mark.parametrize("mask", MASKS)
def test_masks_are_mirror_images_of_an_odd_weight(mask):
    assert mask == mask[::-1]
    assert mask.count("1") == WEIGHT
    assert WEIGHT % 2


@pytest.mark.parametrize(
    ("text", "windows"),
    [("ACGGTCAGTTCAGGA", 1), ("ACGGTCAGTTCAGG", 0), ("", 0), ("ACGGTCANTTCAGGA", 0), ("A" * 40, 0), ("ACGTGC" * 7, 0)],
)
def test_short_windows_unknown_letters_and_plain_repeats_have_no_word(text, windows):
    assert len(words(text).words) == windows


@pytest.mark.parametrize(("bases", "substitutions"), [(40, 3), (50, 5), (70, 7)])
def test_no_choice_of_so_many_substitutions_spoils_every_word(bases, substitutions):
    """The fewest places that all words of all masks touch, by integer programming, are more."""
    touched = []
    for mask in MASKS:
        ones = np.array([mark == "1" for mark in mask], float)
        for start in range(bases - len(mask) + 1):
            touched.append(np.concatenate([np.zeros(start), ones, np.zeros(bases - len(mask) - start)]))
    every_word = LinearConstraint(np.array(touched), lb=1)
    fewest = milp(np.ones(bases), constraints=every_word, integrality=np.ones(bases), bounds=Bounds(0, 1))
    assert round(fewest.fun) > substitutions
