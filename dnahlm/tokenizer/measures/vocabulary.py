"""What the entries of a vocabulary are made of: DNA, English, both at once."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NamedTuple

from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.overlapping import AFTER, ANY_AFTER

DNA_ENTRY = re.compile(r"[ACGTN]+")
# A DNA run of four letters beside anything that is no letter, or DNA behind or before a line break.
MIXED_ENTRY = re.compile(r"(?<![A-Za-z])[ACGT]{4,}(?![A-Za-z])|\n[ACGTN]+\Z|\A[ACGTN]+\n")
BYTE_ENTRY = re.compile(r"<0x([0-9A-F]{2})>")
LONGEST_SHOWN = 10
EXAMPLES = 12


class Entry(NamedTuple):
    """One entry of a vocabulary."""

    id: int
    token: str  # as the tokenizer writes it, such as `Ġthe`
    content: bytes  # what it stands for in the text, such as b" the"
    special: bool

    @property
    def text(self) -> str:
        r"""The content as text; bytes that are no whole character show as `\xe2`."""
        return self.content.decode("utf-8", errors="backslashreplace")


def entries(encoder: Encoder) -> list[Entry]:
    """All entries, special ones included, in order of id."""
    state = json.loads(encoder.backend.to_str())
    added = {token["content"]: token["special"] for token in state["added_tokens"]}
    decoders = flatten(state["decoder"])
    vocabulary = sorted(encoder.backend.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    return [
        Entry(id, token, token.encode() if token in added else content_of(token, decoders), added.get(token, False))
        for token, id in vocabulary
    ]


def flatten(decoder: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The decoder's steps in order; none for a tokenizer without one."""
    if decoder is None:
        return []
    return [step for part in decoder["decoders"] for step in flatten(part)] if "decoders" in decoder else [decoder]


def content_of(token: str, decoders: list[dict[str, Any]]) -> bytes:
    r"""The bytes an entry stands for inside a text.

    A DNA token of an extended tokenizer stands for its letters without the mark, an overlapping k-mer for all k bases.

    >>> content_of("Ġthe", [{"type": "ByteLevel"}]), content_of("<0x0A>", [{"type": "ByteFallback"}])
    (b' the', b'\n')
    """
    from tokenizers import Regex
    from tokenizers.decoders import Replace

    for step in decoders:
        kind = step["type"]
        if kind == "ByteLevel" and all(letter in BYTE_OF for letter in token):
            return bytes(BYTE_OF[letter] for letter in token)
        if kind == "ByteFallback" and (found := BYTE_ENTRY.fullmatch(token)):
            return bytes([int(found[1], 16)])
        if kind == "Replace" and "String" in step["pattern"]:
            token = token.replace(step["pattern"]["String"], step["content"])
        elif kind == "Replace" and step["pattern"]["Regex"] == ANY_AFTER:
            token = token.translate(BASE_AFTER)  # decoding leaves these out, since the next token brings them
        elif kind == "Replace":
            # The mark of an extended tokenizer, which leaves nothing when it is alone, is shown as it is.
            token = Replace(Regex(step["pattern"]["Regex"]), step["content"]).decode([token]) or token
        if kind == "Metaspace":
            token = token.replace(step["replacement"], " ")
        if kind == "WordPiece":
            token = token.removeprefix(step["prefix"])
    return token.encode("utf-8")


def byte_alphabet() -> dict[str, int]:
    """Letter -> byte of GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the others for 256 and on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


BYTE_OF = byte_alphabet()
BASE_AFTER = str.maketrans({after: base for base, after in AFTER.items()})


def describe(found: list[Entry]) -> dict[str, Any]:
    """Entries in all, those that are DNA letters only, those that hold DNA and something else, the longest of each."""
    plain = [(entry.text, entry) for entry in found if not entry.special]
    dna = sorted((text for text, _ in plain if DNA_ENTRY.fullmatch(text)), key=lambda t: (-len(t), t))
    other = sorted((text for text, _ in plain if not DNA_ENTRY.fullmatch(text)), key=lambda t: (-len(t), t))
    mixed = [text for text in other if MIXED_ENTRY.search(text)]
    return {
        "vocab_size": len(found),
        "special_entries": len(found) - len(plain),
        "dna_entries": len(dna),
        "dna_share": round(len(dna) / len(found), 4),
        "dna_entry_lengths": {str(size): n for size, n in sorted(Counter(map(len, dna)).items())},  # bases -> entries
        "longest_dna_tokens": dna[:LONGEST_SHOWN],
        "longest_other_tokens": other[:LONGEST_SHOWN],
        "mixed_entries": len(mixed),
        "mixed_examples": mixed[:EXAMPLES],
    }


def kind_of(model_type: str, dna_entry_lengths: dict[str, int]) -> str:
    """What a tokenizer is: k-mers, which the library knows as BPE with words of DNA, or the library's own name.

    Args:
        model_type: the library's.
        dna_entry_lengths: bases -> entries, as `describe` counts them.

    >>> kind_of("BPE", {"1": 5, "3": 64}), kind_of("BPE", {"1": 5, "2": 16, "3": 64}), kind_of("BPE", {"1": 5, "2": 9})
    ('3-mers', 'overlapping 3-mers', 'BPE')
    """
    lengths = {int(bases): n for bases, n in dna_entry_lengths.items() if int(bases) > 1}
    k = max(lengths, default=0)
    if k == 0 or lengths != {bases: 4**bases for bases in lengths}:
        return model_type
    if len(lengths) == 1 and k > 2:
        return f"{k}-mers"
    return f"overlapping {k}-mers" if len(lengths) == k - 1 else model_type
