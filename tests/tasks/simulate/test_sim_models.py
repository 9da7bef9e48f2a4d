import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.tasks.simulate.genes import Feature, Piece
from dnahlm.tasks.simulate.models import decode, encode, flip, make_chains, make_codons, make_motifs

dna = st.text(alphabet="ACGTN", min_size=1, max_size=60)


@given(dna)
def test_decode_undoes_encode(sequence):
    assert decode(encode(sequence)) == sequence


@given(dna)
def test_flip_is_the_reverse_complement(sequence):
    from dnahlm.dna import reverse_complement

    assert decode(flip(encode(sequence))) == reverse_complement(sequence)


@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 30), st.sampled_from("+-"))
def test_a_moved_feature_holds_the_same_bases_on_its_strand(start, width, rest, strand):
    rng = np.random.default_rng(start)
    length = start + width + rest
    piece = Piece(rng.integers(0, 4, length).astype(np.uint8), [Feature("site", start, start + width)])
    chromosome = np.concatenate([np.zeros(7, np.uint8), piece.codes if strand == "+" else flip(piece.codes)])
    moved = piece.features[0].moved(7, length, strand)
    found = chromosome[moved.start : moved.end]
    assert moved.strand == strand
    assert (found if strand == "+" else flip(found)).tolist() == piece.codes[start : start + width].tolist()


@pytest.mark.parametrize("name", sorted(make_motifs()))
def test_drawn_sites_follow_their_matrix(name):
    motif, rng = make_motifs()[name], np.random.default_rng(0)
    sites = np.stack([motif.sample(rng) for _ in range(2000)])
    seen = np.stack([(sites == base).mean(axis=0) for base in range(4)], axis=1)
    assert np.abs(seen - motif.probabilities).max() < 0.06


@pytest.mark.parametrize("name", sorted(make_chains()))
def test_a_chain_keeps_its_base_shares_and_transitions(name):
    chain = make_chains()[name]
    codes = chain.take(np.random.default_rng(0), 200_000)
    assert np.abs(np.bincount(codes, minlength=4) / len(codes) - chain.stationary).max() < 0.01
    after_c = codes[1:][codes[:-1] == 1]
    assert np.abs(np.bincount(after_c, minlength=4) / len(after_c) - chain.transitions[1]).max() < 0.01


def test_dna_between_genes_has_no_preferred_strand():
    chain = make_chains()["intergenic"]
    pairs = chain.stationary[:, None] * chain.transitions
    assert pairs == pytest.approx(pairs.T[::-1, ::-1], abs=1e-9)


def test_transitions_and_codons_are_probabilities():
    for chain in make_chains().values():
        assert chain.transitions.sum(axis=1) == pytest.approx(np.ones(4))
    codons = make_codons()
    assert codons.probabilities.sum() == pytest.approx(1) and codons.stops.sum() == pytest.approx(1)
    assert (codons.probabilities > 0).sum() == 61 and (codons.stops > 0).sum() == 3


def test_codon_score_sees_the_frame():
    codons, rng = make_codons(), np.random.default_rng(0)
    cds = np.stack([codons.sample(rng, 60) for _ in range(50)])[:, 3:-3]
    right, wrong = (codons.log_steps(cds, frame).sum(axis=1) for frame in (0, 1))
    assert (right > wrong).mean() > 0.95
