"""What the simulated organism is made of: codon usage, sequence motifs and base composition, as plain tables.

All numbers are written from general textbook knowledge, in the style of the public tables named beside them; none is a
copy of a database entry. The organism is compact (short introns, about one gene in 1.2 kb) so that a few million bases
hold thousands of genes, and its signals are as strong as those of highly expressed genes, so that a small model can
learn them in minutes.
"""

LETTERS = "ACGT"

# Codons per thousand, in the style of the human table of the Kazusa codon usage database.
CODONS_PER_THOUSAND = {
    "TTT": 17.6, "TTC": 20.3, "TTA": 7.7, "TTG": 12.9, "TCT": 15.2, "TCC": 17.7, "TCA": 12.2, "TCG": 4.4,
    "TAT": 12.2, "TAC": 15.3, "TAA": 1.0, "TAG": 0.8, "TGT": 10.6, "TGC": 12.6, "TGA": 1.6, "TGG": 13.2,
    "CTT": 13.2, "CTC": 19.6, "CTA": 7.2, "CTG": 39.6, "CCT": 17.5, "CCC": 19.8, "CCA": 16.9, "CCG": 6.9,
    "CAT": 10.9, "CAC": 15.1, "CAA": 12.3, "CAG": 34.2, "CGT": 4.5, "CGC": 10.4, "CGA": 6.2, "CGG": 11.4,
    "ATT": 16.0, "ATC": 20.8, "ATA": 7.5, "ATG": 22.0, "ACT": 13.1, "ACC": 18.9, "ACA": 15.1, "ACG": 6.1,
    "AAT": 17.0, "AAC": 19.1, "AAA": 24.4, "AAG": 31.9, "AGT": 12.1, "AGC": 19.5, "AGA": 12.2, "AGG": 12.0,
    "GTT": 11.0, "GTC": 14.5, "GTA": 7.1, "GTG": 28.1, "GCT": 18.4, "GCC": 27.7, "GCA": 15.8, "GCG": 7.4,
    "GAT": 21.8, "GAC": 25.1, "GAA": 29.0, "GAG": 39.6, "GGT": 10.8, "GGC": 22.2, "GGA": 16.5, "GGG": 16.5,
}  # fmt: skip
# The standard genetic code, codons in the order TTT, TTC, TTA, TTG, TCT, ... GGG; * is a stop.
AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
GENETIC_CODE = dict(zip((a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG"), AMINO_ACIDS, strict=True))
# Exponent on the share of a codon among its synonyms: above 1 the favoured codons gain, as in highly expressed genes.
CODON_BIAS = 1.6

# Motifs: one row per position, percent of A, C, G, T.
MOTIFS = {
    # Spliceosome. The last three exon bases cannot be written freely (they are codons): introns go where they fit.
    "donor_exon": [[33, 37, 19, 11], [64, 11, 11, 14], [7, 3, 84, 6]],
    "donor_intron": [[0, 0, 100, 0], [0, 0, 0, 100], [84, 1, 14, 1], [92, 2, 3, 3], [2, 1, 95, 2], [7, 4, 3, 86]],
    "branch_point": [
        [5, 8, 3, 84], [88, 4, 4, 4], [3, 91, 2, 4], [2, 6, 2, 90], [92, 3, 3, 2], [98, 1, 1, 0], [3, 90, 2, 5],
    ],
    "pyrimidine": [[3, 27, 3, 67]],
    "acceptor_intron": [[24, 28, 20, 28], [4, 70, 1, 25], [100, 0, 0, 0], [0, 0, 100, 0]],
    "acceptor_exon": [[24, 13, 51, 12]],
    # Core promoter: TATA box, initiator around the first transcribed base, downstream promoter element.
    "tata": [
        [3, 5, 2, 90], [92, 2, 2, 4], [2, 2, 2, 94], [94, 2, 2, 2], [70, 1, 1, 28], [94, 1, 2, 3], [60, 2, 8, 30],
        [38, 9, 46, 7],
    ],
    "initiator": [[3, 14, 3, 80], [2, 90, 3, 5], [96, 2, 1, 1], [5, 4, 76, 15], [7, 3, 2, 88], [4, 30, 6, 60]],
    "downstream": [[40, 8, 46, 6], [4, 4, 88, 4], [58, 5, 5, 32], [6, 52, 6, 36], [32, 26, 36, 6]],
    "kozak": [[18, 26, 42, 14], [16, 50, 20, 14], [14, 56, 18, 12], [52, 6, 38, 4], [18, 50, 20, 12], [14, 58, 20, 8]],
    "polyadenylation": [
        [94, 2, 2, 2], [94, 2, 2, 2], [3, 2, 2, 93], [96, 1, 1, 2], [95, 2, 1, 2], [96, 1, 1, 2],
    ],
    # Transcription factors, in the style of JASPAR matrices.
    "sp1": [
        [16, 4, 66, 14], [6, 3, 88, 3], [3, 2, 92, 3], [2, 2, 94, 2], [4, 90, 2, 4], [2, 2, 94, 2], [2, 2, 94, 2],
        [6, 3, 82, 9], [10, 4, 80, 6], [5, 78, 7, 10],
    ],
    "ctcf": [
        [3, 3, 90, 4], [3, 93, 2, 2], [1, 97, 1, 1], [96, 1, 2, 1], [2, 76, 20, 2], [1, 96, 1, 2], [98, 1, 1, 0],
        [1, 0, 98, 1], [14, 1, 84, 1], [1, 1, 97, 1], [0, 1, 98, 1], [1, 0, 98, 1], [1, 97, 1, 1], [12, 1, 86, 1],
        [1, 95, 3, 1], [3, 6, 2, 89],
    ],
    "gata": [
        [58, 8, 14, 20], [1, 1, 97, 1], [98, 1, 0, 1], [1, 1, 1, 97], [94, 1, 1, 4], [92, 2, 4, 2], [20, 8, 66, 6],
    ],
    "ap1": [
        [44, 10, 38, 8], [2, 1, 2, 95], [1, 2, 96, 1], [97, 1, 1, 1], [4, 70, 22, 4], [1, 1, 2, 96], [4, 94, 1, 1],
        [96, 1, 2, 1], [8, 38, 8, 46],
    ],
}  # fmt: skip

# Base composition of regions: share of A, C, G, T, and how often a dinucleotide is seen against what is expected.
# CpG is rare in bulk DNA (methylated C mutates to T, hence more TpG and CpA) and not in CpG islands.
DEPLETED = {"CG": 0.22, "TG": 1.2, "CA": 1.2, "TA": 0.75, "AA": 1.12, "TT": 1.12}
COMPOSITIONS = {
    "intergenic": ((0.30, 0.20, 0.20, 0.30), DEPLETED),
    "intron": ((0.28, 0.15, 0.15, 0.42), DEPLETED),
    "island": ((0.17, 0.33, 0.33, 0.17), {"CG": 1.15, "TA": 0.7}),
    "untranslated": ((0.27, 0.23, 0.23, 0.27), {**DEPLETED, "CG": 0.5}),
}
