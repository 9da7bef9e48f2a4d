import re

import pytest

from dnahlm.dna import reverse_complement

# Written out here on purpose: the package's own codon table must not check itself.
CODONS = {
    "A": "GCT GCC GCA GCG", "R": "CGT CGC CGA CGG AGA AGG", "N": "AAT AAC", "D": "GAT GAC", "C": "TGT TGC",
    "Q": "CAA CAG", "E": "GAA GAG", "G": "GGT GGC GGA GGG", "H": "CAT CAC", "I": "ATT ATC ATA",
    "L": "TTA TTG CTT CTC CTA CTG", "K": "AAA AAG", "M": "ATG", "F": "TTT TTC", "P": "CCT CCC CCA CCG",
    "S": "TCT TCC TCA TCG AGT AGC", "T": "ACT ACC ACA ACG", "W": "TGG", "Y": "TAT TAC", "V": "GTT GTC GTA GTG",
    "*": "TAA TAG TGA",
}  # fmt: skip
MEANING = {codon: letter for letter, codons in CODONS.items() for codon in codons.split()}


def codons_of(cds):
    return [cds[i : i + 3] for i in range(0, len(cds), 3)]


@pytest.fixture(scope="module")
def coding(organism, read_records):
    return {
        name: read_records(organism / f"coding/{name}.fa")
        for name in ("cds", "proteins", "cds_held_out", "proteins_held_out")
    }


@pytest.fixture(scope="module")
def annotation(organism):
    """(chromosome, kind, start, end, strand, phase, gene), 0-based half-open, in file order."""
    rows = []
    for line in (organism / "genome/genes.gff3").read_text().splitlines():
        if not line.startswith("#"):
            fields = line.split("\t")
            gene = re.search(r"sim_chr\d+_g\d+", fields[8]).group()
            rows.append((fields[0], fields[2], int(fields[3]) - 1, int(fields[4]), fields[6], fields[7], gene))
    return rows


def test_every_cds_starts_stops_and_has_no_stop_inside(coding):
    for cds in [*coding["cds"].values(), *coding["cds_held_out"].values()]:
        meanings = [MEANING[codon] for codon in codons_of(cds)]
        assert len(cds) % 3 == 0 and cds.startswith("ATG")
        assert meanings[-1] == "*" and "*" not in meanings[:-1]


@pytest.mark.parametrize("suffix", ["", "_held_out"])
def test_proteins_are_the_translation_under_the_same_ids(coding, suffix):
    sequences, proteins = coding[f"cds{suffix}"], coding[f"proteins{suffix}"]
    assert list(sequences) == list(proteins) and sequences
    for name, cds in sequences.items():
        assert proteins[name] + "*" == "".join(MEANING[codon] for codon in codons_of(cds))


def test_biopython_translates_alike(coding):
    seq = pytest.importorskip("Bio.Seq")
    for name, cds in coding["cds"].items():
        assert str(seq.Seq(cds).translate(cds=True)) == coding["proteins"][name]


def test_cds_lines_of_the_annotation_spell_the_cds(annotation, coding, genome):
    sequences = coding["cds"] | coding["cds_held_out"]
    parts = {}
    for chromosome, kind, start, end, strand, _, gene in annotation:
        if kind == "CDS":
            parts.setdefault(gene, []).append(genome[chromosome][start:end])
            parts[gene][-1] = reverse_complement(parts[gene][-1]) if strand == "-" else parts[gene][-1]
    assert {gene: "".join(pieces).upper() for gene, pieces in parts.items()} == sequences


def test_phase_is_the_bases_to_the_next_codon(annotation):
    done = {}
    for _, kind, start, end, _, phase, gene in annotation:
        if kind == "CDS":
            assert (done.get(gene, 0) + int(phase)) % 3 == 0
            done[gene] = done.get(gene, 0) + end - start


def test_every_intron_begins_with_gt_and_ends_with_ag_on_its_strand(annotation, genome):
    exons = {}
    for chromosome, kind, start, end, strand, _, gene in annotation:
        if kind == "exon":
            exons.setdefault((chromosome, strand, gene), []).append((start, end))
    n_introns = 0
    for (chromosome, strand, _), places in exons.items():
        for (_, start), (end, _) in zip(sorted(places), sorted(places)[1:], strict=False):
            intron = genome[chromosome][start:end]
            intron = intron if strand == "+" else reverse_complement(intron)
            assert intron[:2] == "GT" and intron[-2:] == "AG"
            n_introns += 1
    assert n_introns > 100


def test_genes_lie_on_both_strands(annotation):
    strands = [strand for _, kind, *_, strand, _, _ in annotation if kind == "gene"]
    assert 0.35 < strands.count("+") / len(strands) < 0.65


def test_held_out_genes_stay_out_of_the_training_files(coding):
    assert all(re.match(r"sim_chr[123]_", name) for name in coding["cds"])
    assert all(re.match(r"sim_chr[45]_", name) for name in coding["cds_held_out"])


def test_genome_has_soft_masked_repeats_and_runs_of_n(genome):
    for sequence in genome.values():
        masked = sum(map(str.islower, sequence)) / len(sequence)
        assert 0.01 < masked < 0.15
        assert set(sequence) == set("ACGTNacgt") and "N" * 200 in sequence


def test_cpg_is_rare_but_for_islands(genome):
    sequence = genome["chr1"].upper()
    expected = sequence.count("C") * sequence.count("G") / len(sequence)
    assert 0.2 < sequence.count("CG") / expected < 0.75


def test_fasta_lines_are_80_letters(organism):
    lines = (organism / "genome/organism.fa").read_text().splitlines()
    assert max(len(line) for line in lines if not line.startswith(">")) == 80
