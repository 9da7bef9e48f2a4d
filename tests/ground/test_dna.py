import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.dna import canonical, normalize, reverse_complement
from dnahlm.io import InputError

dna = st.text("ACGTNacgtn")


@given(st.text("ACGTRYSWKMBDHVNacgtryswkmbdhvn"))
def test_reverse_complement_is_its_own_inverse_in_every_case_and_code(sequence):
    assert reverse_complement(reverse_complement(sequence)) == sequence


def test_reverse_complement_keeps_soft_masked_bases():
    assert reverse_complement("ACgtNR") == "YNacGT"


@given(dna)
def test_both_strands_have_one_canonical_name(sequence):
    assert canonical(sequence) == canonical(reverse_complement(sequence))


@given(st.text("ACGTUNRYSWKMBDHVacgtunryswkmbdhv \n"))
def test_normalizing_twice_changes_nothing(sequence):
    once = normalize(sequence, "x").sequence
    assert normalize(once, "x").sequence == once
    assert set(once) <= set("ACGTN")


def test_normalizing_commutes_with_the_other_strand():
    assert normalize(reverse_complement("acgRu"), "x").sequence == reverse_complement(normalize("acgRu", "x").sequence)


def test_a_protein_letter_is_named_with_its_place():
    with pytest.raises(InputError, match=r"a\.fa:2.*'E' at base 5.*protein"):
        normalize("ACGTEFL", "a.fa:2")


@pytest.mark.parametrize("sequence", ["AC-GT", "AC*GT", "AC1GT", "ACЖT"])
def test_gaps_digits_and_foreign_letters_are_refused(sequence):
    with pytest.raises(InputError, match="not a nucleotide"):
        normalize(sequence, "x")
