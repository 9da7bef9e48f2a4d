"""The splitter of an extended tokenizer: the base's own, and around it what gives each DNA token a marked piece.

The library's splitters know no "put this in front of that piece", so a few that do a little each stand in a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dnahlm.tokenizer.bpe import LETTERS

MARK = " "  # byte-level and SentencePiece splitters write a blank as Ġ or ▁: their pieces hold none
_ENGLISH = "X"  # no DNA letter; in front of a piece, after the mark, for as long as DNA is being told from the rest


def splitters(state: dict[str, Any], dna: list[str], min_dna_run: int) -> list[dict[str, Any]]:
    """The base's splitters, and around them those that give each DNA token a piece of its own with a mark in front."""
    runs = split(f"[{LETTERS}]{{{min_dna_run},}}", "Isolated")
    base = [state["pre_tokenizer"]] if state["pre_tokenizer"] else []
    # A splitter that puts a blank before a text must see where the text begins, so there DNA is cut out after it.
    base = [*base, runs] if adds_prefix(state["pre_tokenizer"]) else [runs, *base]
    # Here no piece holds a blank. After the next three, each begins with a blank and an X, which only English keeps.
    lead = f"{MARK}{_ENGLISH}"
    return [
        *base,
        put_before(MARK),
        put_before(_ENGLISH),
        put_before(MARK),
        split(rf"\A{lead}(?=[{LETTERS}]{{{min_dna_run}}})|\G{longest_first(dna)}", "Isolated"),
        put_before(MARK),  # only DNA pieces lack it by now
        split(rf"\A{lead}", "Removed"),
    ]


def adds_prefix(splitter: dict[str, Any] | None) -> bool:
    """Whether a splitter puts something before the text: Metaspace usually does, byte-level on request."""
    parts = (splitter or {}).get("pretokenizers", [splitter] if splitter else [])
    return any(p.get("prepend_scheme", "never") != "never" or p.get("add_prefix_space", False) for p in parts)


def split(pattern: str, behavior: str) -> dict[str, Any]:
    """A `Split` of the tokenizers library."""
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False}


def put_before(character: str) -> dict[str, Any]:
    """Put a character before each piece that does not begin with it; it also replaces each blank in the piece."""
    return {"type": "Metaspace", "replacement": character, "prepend_scheme": "always", "split": False}


def longest_first(words: Iterable[str]) -> str:
    """A pattern that matches the longest of the words that begins at a place.

    >>> longest_first(["A", "AC", "ACGT", "T"])
    '(?:A(?:C(?:GT)?)?|T)'
    """
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}

    def pattern(node: dict[str, Any]) -> str:
        branches = [letter + pattern(node[letter]) for letter in sorted(node) if letter]
        if "" in node:
            return f"(?:{'|'.join(branches)})?" if branches else ""
        return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"

    return pattern(tree)
