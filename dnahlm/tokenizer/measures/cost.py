"""What text costs: bases per token, bytes per English token, and how often which length of token is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dnahlm.tokenizer.measures.encoder import Encoder


def cost(encoder: Encoder, texts: Sequence[str]) -> dict[str, Any]:
    """Tokens of N texts against their size.

    Returns:
        `n` texts and `bytes` (bases, for DNA) that could be encoded, `refused` texts, `tokens`, `bytes_per_token` (None
        without tokens), `distinct_tokens`, `unknown_tokens` and `token_lengths`: characters a token covers -> tokens.
    """
    unknown = encoder.tokenizer.unk_token_id
    size = n_tokens = n_refused = n_unknown = 0
    used: set[int] = set()
    lengths: Counter[int] = Counter()
    for text, cut in zip(texts, encoder.cuts(texts), strict=True):
        if cut is None:
            n_refused += 1
            continue
        size += len(text.encode("utf-8"))
        n_tokens += len(cut.ids)
        n_unknown += cut.ids.count(unknown) if unknown is not None else 0
        used.update(cut.ids)
        lengths.update(end - start for start, end in zip(cut.starts, cut.ends, strict=True))
    return {
        "n": len(texts) - n_refused,
        "refused": n_refused,
        "bytes": size,
        "tokens": n_tokens,
        "bytes_per_token": ratio(size, n_tokens),
        "distinct_tokens": len(used),
        "unknown_tokens": n_unknown,
        "token_lengths": {str(length): n for length, n in sorted(lengths.items())},
    }


def ratio(amount: int, n_tokens: int) -> float | None:
    """Amount per token, None when there are no tokens.

    >>> ratio(10, 4), ratio(0, 0)
    (2.5, None)
    """
    return round(amount / n_tokens, 4) if n_tokens else None
