"""Whether text comes back from its ids: random strings of several kinds, and strings known to be hard."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from dnahlm.dna import BASES, IUPAC
from dnahlm.tokenizer.measures.encoder import Encoder

LONGEST = 120  # characters
HARD = (
    "", " ", "  ", "\n", "\r\n", "\t", "\x00", " a", "a ", " . , !", "don't , do n't", "ACGT ", " ACGT", "acgtnnACGT",
    "é", "e\u0301", "ﬁ", "Å", "\u200b", "\ufeffA", "👩‍🔬", "🇪🇺", "中文", "\u202eabc", "<0x41>", "▁", "Ġ", "##a",
)  # fmt: skip


def round_trip(encoder: Encoder, n: int, seed: int) -> dict[str, dict[str, Any]]:
    """Encode and decode `n` random strings of each kind, and the hard ones.

    Args:
        encoder: the tokenizer; its own special tokens, spelt out, are among the hard strings.
        n: strings of a kind.
        seed: draws them; the same for every tokenizer.

    Returns:
        kind -> `n`, `exact`, `changed` and `refused` strings, and `examples` (text, what came back) of changed ones.
    """
    rng = random.Random(seed)
    draws: dict[str, Callable[[], str]] = {
        "DNA": lambda: "".join(rng.choices(BASES, k=rng.randint(1, LONGEST))),
        "DNA, N and IUPAC in either case": lambda: "".join(
            rng.choices(BASES + IUPAC + "N" + (BASES + IUPAC + "N").lower(), k=rng.randint(1, LONGEST))
        ),
        "bytes (Latin-1)": lambda: rng.randbytes(rng.randint(1, LONGEST)).decode("latin-1"),
        "Unicode": lambda: "".join(character(rng) for _ in range(rng.randint(1, LONGEST // 4))),
    }
    texts = {kind: [draw() for _ in range(n)] for kind, draw in draws.items()}
    texts["hard cases"] = [*HARD, *encoder.tokenizer.all_special_tokens]
    return {kind: compare(encoder, strings) for kind, strings in texts.items()}


def character(rng: random.Random) -> str:
    """Any Unicode character but a surrogate, half of the time one below U+0800."""
    code = rng.randrange(0x800) if rng.random() < 0.5 else rng.randrange(0x800, 0x110000 - 0x800)
    return chr(code if code < 0xD800 else code + 0x800)


def compare(encoder: Encoder, texts: list[str]) -> dict[str, Any]:
    """Count the texts that come back exactly."""
    n_refused = 0
    changed = []
    for text, ids in zip(texts, encoder.ids(texts), strict=True):
        if ids is None:
            n_refused += 1
        elif (back := encoder.decode(ids)) != text:
            changed.append((text, back))
    shown = sorted(changed, key=lambda pair: len(pair[0]))[:3]
    return {
        "n": len(texts),
        "exact": len(texts) - n_refused - len(changed),
        "changed": len(changed),
        "refused": n_refused,
        "refusal": encoder.refusal if n_refused else "",
        "examples": [[text, back] for text, back in shown],
    }
