import itertools

import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id as CODES
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.tasks.pairs.coding_windows import draw_windows
from dnahlm.tasks.pairs.genes import Gene, NotCoding, families, translate, verify
from dnahlm.tasks.pairs.translator import six_frames

CODONS = list(map("".join, itertools.product("ACGT", repeat=3)))
UNIQUE = "MKWVTFISLLFLFSSAYSRG"


@st.composite
def complete_genes(draw):
    """(NCBI code, coding sequence from start to stop, its residues by the code's own table)."""
    code = draw(st.sampled_from(sorted(CODES)))
    table = CODES[code]
    inner = draw(st.lists(st.sampled_from(sorted(table.forward_table)), min_size=1, max_size=30))
    codons = [draw(st.sampled_from(sorted(table.start_codons))), *inner]
    protein = "M" + "".join(table.forward_table[codon] for codon in inner)
    return code, "".join(codons) + draw(st.sampled_from(sorted(table.stop_codons))), protein


@given(complete_genes())
def test_a_complete_gene_of_any_genetic_code_is_verified_with_and_without_its_protein(gene):
    code, cds, protein = gene
    assert verify(cds, None, code) == (cds[:-3], protein)
    assert verify(cds, protein, code) == verify(cds, protein + "*", code) == (cds[:-3], protein)


@given(complete_genes(), st.data())
def test_a_protein_with_one_other_residue_is_never_verified(gene, data):
    code, cds, protein = gene
    place = data.draw(st.integers(0, len(protein) - 1))
    other = data.draw(st.sampled_from(sorted(set("ACDEFGHIKLMNPQRSTVWY") - {protein[place], translate(cds[:3], code)})))
    with pytest.raises(NotCoding, match=f"residue {place + 1} translates to"):
        verify(cds, protein[:place] + other + protein[place + 1 :], code)


def test_codon_for_codon_the_codes_of_yeast_mitochondria_and_bacteria_are_read_as_ncbi_lists_them():
    assert translate("CTATGA", 3) == "TW"
    assert translate("CTATGA", 11) == "L*"


def test_a_partial_gene_that_starts_with_another_start_codon_keeps_its_first_residue():
    assert verify("TTGGCT", "LA", 1) == ("TTGGCT", "LA")
    assert verify("TTGGCT", "MA", 1) == ("TTGGCT", "MA")


@given(st.text("ACGT", min_size=8, max_size=30))
def test_the_six_frames_are_the_codons_of_both_strands(window):
    other = window[::-1].translate(str.maketrans("ACGT", "TGCA"))
    standard = CODES[1].forward_table
    slow = []
    for strand, frame in itertools.product((window, other), range(3)):
        codons = [strand[i : i + 3] for i in range(frame, len(strand) - 2, 3)]
        slow.append("".join(standard.get(codon, "*") for codon in codons))
    assert six_frames(window) == slow


def test_no_window_holds_a_start_codon_that_reads_as_another_residue():
    import random

    gene = Gene("g", "GTG" + "GCTAAACGT" * 40, "M" + "AKR" * 40)
    for seed in range(200):
        for window in draw_windows([gene], 60, 20, random.Random(seed)):
            assert window.start >= 3


def test_genes_that_share_twelve_residues_are_one_family_also_through_a_third():
    first, last = "ACDEFGHIKLMN", "PQRSTVWYACDE"
    genes = [Gene("a", "", UNIQUE + first), Gene("b", "", first + "WW" + last), Gene("c", "", "GG" + last)]
    other = Gene("d", "", "NMLKIHGFEDCA" * 2)
    assert sorted(sorted(g.name for g in f) for f in families([*genes, other])) == [["a", "b", "c"], ["d"]]


def test_a_run_of_one_residue_joins_no_genes():
    genes = [Gene("a", "", UNIQUE[::-1] + "Q" * 30), Gene("b", "", UNIQUE + "Q" * 30)]
    assert len(families(genes)) == 2
