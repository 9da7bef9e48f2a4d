"""How well each task can be answered by one who knows the generator: the ceiling for any model.

The score of a row under a label is its log-probability under the motif matrices, Markov chains and codon usage that the
generator drew from, averaged over what the label leaves open (site place, strand, reading frame, kind of region).
"""

from collections.abc import Iterable

import numpy as np

from dnahlm.tasks.simulate.genes import (
    BRANCH_GAPS,
    DOWNSTREAM_START,
    INITIATOR_START,
    PROMOTER_WINDOW,
    PROXIMAL_SP1_STARTS,
    SP1_SHARE,
    TATA_SHARE,
    TATA_STARTS,
    TRACT_BASES,
    Biology,
)
from dnahlm.tasks.simulate.models import Motif, encode, flip
from dnahlm.tasks.simulate.windows import (
    BINDING_NEGATIVES,
    CODING_NEGATIVES,
    DECOY_SHARE,
    PROMOTER_NEGATIVES,
    SPLICE_BASES,
    SPLICE_NEGATIVES,
    Row,
)


def judge(task: str, rows: list[Row], biology: Biology) -> dict[str, float]:
    """Matthews correlation of the oracle's answers with the labels of `rows`, and how many rows there are."""
    from sklearn.metrics import matthews_corrcoef

    windows = np.stack([encode(row.sequence) for row in rows])
    labels = np.array([row.label for row in rows])
    scores = SCORES[task](windows, biology)
    priors = np.log(np.bincount(labels, minlength=scores.shape[1]) / len(labels) + 1e-12)
    answers = (scores + priors).argmax(axis=1)
    return {"mcc": round(float(matthews_corrcoef(labels, answers)), 4), "n": len(rows)}


def mean(scores: Iterable[np.ndarray], shares: Iterable[float] | None = None) -> np.ndarray:
    """Log of the (weighted) mean probability of alternatives, each a log-probability (N,)."""
    stacked = np.stack(list(scores))
    weights = np.full(len(stacked), 1 / len(stacked)) if shares is None else np.array(list(shares))
    return np.logaddexp.reduce(stacked + np.log(weights)[:, None], axis=0)


def region(kind: str, windows: np.ndarray, biology: Biology, both_strands: bool = False) -> np.ndarray:
    """Log-probability of windows (N, L) lying within a kind of region; (N,)."""
    if both_strands:
        return mean([region(kind, windows, biology), region(kind, flip(windows), biology)])
    if kind == "CDS":
        return mean(biology.codons.log_steps(windows, frame).sum(axis=1) for frame in range(3))
    # Repeat families were drawn from the untranslated chain; the oracle does not know their consensus.
    chain = biology.chains[{"repeat": "untranslated", "intron_body": "intron"}.get(kind, kind)]
    return chain.log_steps(windows).sum(axis=1)


def regions(shares: dict[str, float], windows: np.ndarray, biology: Biology, both_strands: bool) -> np.ndarray:
    """Log-probability of windows (N, L) as negatives of a task; (N,)."""
    return mean((region(kind, windows, biology, both_strands) for kind in shares), shares.values())


def gain(motif: Motif, windows: np.ndarray, steps: np.ndarray, start: int) -> np.ndarray:
    """Log-odds of a site at `start` over the background `steps` (N, L) there; (N,)."""
    return motif.log_probability(windows, start) - steps[:, start : start + motif.width].sum(axis=1)


def promoter(windows: np.ndarray, biology: Biology) -> np.ndarray:
    """Scores (N, 2): initiator at its place, TATA box or downstream element, GC box on either strand, CpG-rich DNA."""
    motifs, tss = biology.motifs, -PROMOTER_WINDOW[0]
    steps = biology.chains["island"].log_steps(windows)
    tata = mean(gain(motifs["tata"], windows, steps, tss + start) for start in TATA_STARTS)
    downstream = gain(motifs["downstream"], windows, steps, tss + DOWNSTREAM_START)
    turned = Motif(motifs["sp1"].probabilities[::-1, ::-1])
    boxes = [gain(m, windows, steps, tss + s) for m in (motifs["sp1"], turned) for s in PROXIMAL_SP1_STARTS]
    positive = steps.sum(axis=1) + gain(motifs["initiator"], windows, steps, tss + INITIATOR_START)
    positive += mean([tata, downstream], [TATA_SHARE, 1 - TATA_SHARE])
    positive += mean([mean(boxes), np.zeros(len(windows))], [SP1_SHARE, 1 - SP1_SHARE])
    return np.stack([regions(PROMOTER_NEGATIVES, windows, biology, True), positive], axis=1)


def splice_site(windows: np.ndarray, biology: Biology) -> np.ndarray:
    """Scores (N, 3): neither, donor, acceptor; the site stands at the middle of the window."""
    half, motifs = SPLICE_BASES // 2, biology.motifs
    intron = biology.chains["intron"].log_steps(windows)
    exon_left, exon_right = region("CDS", windows[:, :half], biology), region("CDS", windows[:, half:], biology)
    plain = np.log(biology.codons.base_frequencies())[windows]
    donor = exon_left + gain(motifs["donor_exon"], windows, plain, half - 3)
    donor += intron[:, half:].sum(axis=1) + gain(motifs["donor_intron"], windows, intron, half)
    acceptor = exon_right + gain(motifs["acceptor_exon"], windows, plain, half)
    end = half - motifs["acceptor_intron"].width
    acceptor += intron[:, :half].sum(axis=1) + gain(motifs["acceptor_intron"], windows, intron, end)
    tract = end - TRACT_BASES
    acceptor += sum(gain(motifs["pyrimidine"], windows, intron, tract + i) for i in range(TRACT_BASES))
    branch = motifs["branch_point"]
    acceptor += mean(gain(branch, windows, intron, tract - gap - branch.width) for gap in BRANCH_GAPS)
    return np.stack([splice_negative(windows, biology), donor, acceptor], axis=1)


def splice_negative(windows: np.ndarray, biology: Biology) -> np.ndarray:
    """Log-probability (N,) as a negative: random windows, and decoys that all have GT or AG where a site has it."""
    half = SPLICE_BASES // 2
    shares = SPLICE_NEGATIVES
    plain = mean(
        (region(kind, windows, biology, both_strands=kind == "intergenic") for kind in shares), shares.values()
    )
    is_gt = (windows[:, half] == 2) & (windows[:, half + 1] == 3)
    is_ag = (windows[:, half - 2] == 0) & (windows[:, half - 1] == 2)
    # About one window in 16 has GT, or AG, at a given place; decoys always do.
    decoy = np.log(16 * (is_gt + is_ag.astype(float)) / 2 * DECOY_SHARE + 1 - DECOY_SHARE)
    return plain + decoy


def coding(windows: np.ndarray, biology: Biology) -> np.ndarray:
    """Scores (N, 2): codon usage in any frame against the regions that negatives come from."""
    shares = CODING_NEGATIVES
    negative = mean((region(kind, windows, biology, both_strands=kind != "intron") for kind in shares), shares.values())
    return np.stack([negative, region("CDS", windows, biology)], axis=1)


def tf_binding(windows: np.ndarray, biology: Biology) -> np.ndarray:
    """Scores (N, 2): the factor's matrix at any place on either strand."""
    motif = biology.motifs["ctcf"]
    steps = biology.chains["intergenic"].log_steps(windows)
    turned = Motif(motif.probabilities[::-1, ::-1])
    places = range(2, windows.shape[1] - motif.width - 1)
    sites = mean(gain(m, windows, steps, start) for m in (motif, turned) for start in places)
    return np.stack([regions(BINDING_NEGATIVES, windows, biology, True), steps.sum(axis=1) + sites], axis=1)


SCORES = {"promoter": promoter, "splice_site": splice_site, "coding": coding, "tf_binding": tf_binding}
