"""The README that lies beside the simulated data: what was made, how much of it, and how well it can be answered."""

from typing import Any

from dnahlm.tasks.simulate.biology import CODON_BIAS
from dnahlm.tasks.simulate.genes import INTRON_BASES, PROMOTER_WINDOW, SP1_SHARE, TATA_SHARE
from dnahlm.tasks.simulate.genome import N_FAMILIES, REPEAT_DIVERGENCE
from dnahlm.tasks.simulate.windows import BINDING_BASES, CODING_BASES, PROMOTER_BASES, SPLICE_BASES

QUESTIONS = {
    "promoter": f"{PROMOTER_BASES} bases, the promoter window or other DNA (0 non-promoter, 1 promoter)",
    "splice_site": f"{SPLICE_BASES} bases, what stands at the middle (0 neither, 1 donor, 2 acceptor); half of the "
    "neither rows have GT or AG just where a site would",
    "coding": f"{CODING_BASES} bases, inside a coding exon in the sense direction, any frame (0 non-coding, 1 coding)",
    "tf_binding": f"{BINDING_BASES} bases, with or without a CTCF-like site on either strand "
    "(0 unbound, 1 bound); rows may hold GATA-like and AP-1-like sites",
}

TEMPLATE = """\
# A simulated organism

Nothing here comes from a living organism. `dnahlm simulate` (seed {seed}, scale {scale:g}) wrote it, so that the whole
pipeline can be tried without a download. A model trained on it knows the textbook signals of the generator and
nothing else; its scores say that the pipeline works, not how it does on real DNA.

| file | what |
|---|---|
| `genome/organism.fa` | {bases:,} bases in {n_chromosomes} chromosomes; repeats in lower case, gaps as N |
| `genome/genes.gff3` | {genes:,} genes on both strands with mRNA, exon and CDS lines (1-based), {introns:,} introns |
| `coding/cds.fa`, `coding/proteins.fa` | coding sequences and their proteins, equal ids, training chromosomes |
| `coding/cds_held_out.fa`, `coding/proteins_held_out.fa` | the same of the held-out chromosomes |
| `english/python_docs.txt` | {paragraphs:,} paragraphs ({characters:,} characters) of Python documentation |
| `simulated/<task>/train.csv`, `dev.csv`, `test.csv` | labelled tables, header `sequence,label` |
| `oracle.json` | the ceiling of each task, see below |

## Chromosomes and splits

held_out: {held_out}

Rows of a table are cut from the genome where the annotation has the feature: those of `train.csv` from the training
chromosomes, those of `dev.csv` and `test.csv` from the held-out ones. Leave the held-out chromosomes (and the two
`_held_out.fa` files) out of pretraining, and no test row is seen there. No row occurs twice, on either strand, in the
tables of a task.

| chromosome | for | bases | genes | soft-masked | N |
|---|---|---|---|---|---|
{chromosome_rows}

## Tasks

| task | question | train, dev, test rows by label | oracle MCC (test) |
|---|---|---|---|
{task_rows}

The oracle answers by likelihood with full knowledge of the generator (motif matrices, Markov chains, codon usage), so
its Matthews correlation on `test.csv` is about the best that any model can reach there.

## What is simulated

- Codons: usage in the style of the human table, synonymous choice sharpened (exponent {codon_bias}) as in highly
  expressed genes; ATG after a Kozak context, a stop at the end, none inside; the standard genetic code.
- Introns: {intron_low} to {intron_high} bases, T-rich. Donor and acceptor consensus, a branch point in the style of
  yeasts and a pyrimidine tract are position weight matrices; introns go where codons fit the exon side (MAG, then G).
- Promoters: CpG-rich DNA, annotated from {promoter_low} to +{promoter_high} around the first transcribed base; an
  initiator in all, a TATA box in {tata:.0%}, a downstream element in the others, a GC box (SP1-like) in {sp1:.0%}.
- Between genes: a first-order Markov chain with depleted CpG; sites of a CTCF-like, a GATA-like and an AP-1-like
  factor, drawn base by base from their matrices, on either strand; CpG islands without a promoter.
- Repeats: {n_families} families, each copy with {divergence:.0%} substitutions of its own, many truncated; and
  microsatellites.

Same seed, same bytes, with the same versions of `dnahlm`, NumPy and Python (`manifest.json` also holds the time).
Licence of the simulated DNA: CC0-1.0. The English is part of Python and under its licence (PSF-2.0).
"""


def readme(seed: int, scale: float, counts: dict[str, Any], oracle: dict[str, dict[str, float]]) -> str:
    """The README's text.

    Args:
        seed: of the generator.
        scale: of genome and tables.
        counts: as `run.count` gives them.
        oracle: task -> {mcc, n}.
    """
    chromosomes = counts["chromosomes"]
    chromosome_rows = [
        f"| {name} | {c['split']} | {c['bases']:,} | {c['genes']:,} | {c['soft_masked']:,} | {c['n']:,} |"
        for name, c in chromosomes.items()
    ]
    task_rows = []
    for task, question in QUESTIONS.items():
        sizes = "; ".join(" + ".join(f"{n:,}" for n in labels) for labels in counts["rows"][task].values())
        task_rows.append(f"| `{task}` | {question} | {sizes} | {oracle[task]['mcc']:.3f} |")
    return TEMPLATE.format(
        seed=seed,
        scale=scale,
        n_chromosomes=len(chromosomes),
        held_out=", ".join(name for name, c in chromosomes.items() if c["split"] != "train"),
        chromosome_rows="\n".join(chromosome_rows),
        task_rows="\n".join(task_rows),
        codon_bias=CODON_BIAS,
        intron_low=INTRON_BASES[0],
        intron_high=INTRON_BASES[1] - 1,
        promoter_low=PROMOTER_WINDOW[0],
        promoter_high=PROMOTER_WINDOW[1],
        tata=TATA_SHARE,
        sp1=SP1_SHARE,
        n_families=N_FAMILIES,
        divergence=REPEAT_DIVERGENCE,
        paragraphs=counts["english_paragraphs"],
        characters=counts["english_characters"],
        **{key: counts[key] for key in ("bases", "genes", "introns")},
    )
