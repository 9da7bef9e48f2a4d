"""How much of each kind of document stays, so that the kinds have the shares asked for."""

from dnahlm.corpus.settings import KINDS


def budgets(available: dict[str, int], dna_share: float, protein_share: float, max_characters: int) -> dict[str, int]:
    """Characters to keep of each kind: as much as there is while the shares hold and the sum is within the limit.

    Args:
        available: characters per kind.
        dna_share: of all characters; 0.0 leaves all shares as they are. Shares are those among the kinds there are.
        protein_share: the same of protein; English has the rest.
        max_characters: limit on the sum; 0 is none.

    >>> budgets({"dna": 800, "text": 200, "protein": 0}, dna_share=0.5, protein_share=0.1, max_characters=0)
    {'dna': 200, 'text': 200, 'protein': 0}
    >>> budgets({"dna": 800, "text": 200, "protein": 50}, dna_share=0.5, protein_share=0.1, max_characters=0)
    {'dna': 250, 'text': 200, 'protein': 50}
    >>> budgets({"dna": 800, "text": 200, "protein": 0}, dna_share=0.0, protein_share=0.1, max_characters=100)
    {'dna': 80, 'text': 20, 'protein': 0}
    """
    total = sum(available.values())
    protein_share *= available["protein"] > 0
    asked = {"dna": dna_share, "text": max(1 - dna_share - protein_share, 0), "protein": protein_share}
    weights = {kind: asked[kind] * (available[kind] > 0) for kind in KINDS}
    if not dna_share or not sum(weights.values()):
        shares = {kind: available[kind] / total if total else 0.0 for kind in KINDS}
    else:
        shares = {kind: weights[kind] / sum(weights.values()) for kind in KINDS}
        total = min(int(available[kind] / shares[kind]) for kind in KINDS if shares[kind])
    total = min(total, max_characters) if max_characters else total
    return {kind: min(round(total * shares[kind]), available[kind]) for kind in KINDS}
