"""Entries that no text can produce.

A merge tokenizer (BPE) or a Viterbi one (unigram) that gives a span of a word as one token gives it as one token when
the span is the whole word, too: merges that stay inside the span do not depend on what is beside it, and a better split
of the span would be better inside the word as well. So an entry that the model, asked for the entry alone, does not
return as itself is never produced, in any context. The rest is searched for a text whose encoding holds the entry.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.vocabulary import BYTE_ENTRY, EXAMPLES, Entry

RUN = "ACGTTGCAACGT"  # puts an entry inside a DNA run
GAP = "N" * 8  # does too, and joins none of its bases
BESIDE = (
    ("", ""), (" ", ""), ("\n", ""), ("", " "), ("", "\n"), ("a", ""), ("", "a"), ("a", "a"), ("1", ""), ("", "1"),
    ("1", "1"), (".", ""), ("", "."), (".", "."), ("a ", " a"), (". ", " ."), ("\n", "\n"), ("é", "é"), ("中", "中"),
    (RUN, ""), ("", RUN), (RUN, RUN), ("\n", RUN), ("", "N" + RUN), ("", "C" + RUN), ("", "G" + RUN), ("", "T" + RUN),
    (GAP, ""), (GAP, GAP), ("A", ""), ("", "A"), ("'", ""), ("a'", ""),
)  # fmt: skip
CONTEXTS = [*((before, after, 1) for before, after in BESIDE), ("", "", 3)]  # text before and behind, repeats
COMPLETIONS, TRIES = 256, 4000  # texts tried for an entry that is no whole character, and draws for them
NO_TEXT = "no UTF-8 text holds its bytes"
NEVER_BUILT = "the model splits it: other merges or a better split come first"
NOT_NEEDED = "stands in for a byte, and every character with this byte is an entry itself"
CUT_APART = f"cut apart, or joined to its neighbours, in all {len(CONTEXTS)} contexts tried"
FOUR_BYTE_LEAD = 0xF0  # from here on a byte starts a character beyond the first plane, of which not all are tried


def unreachable(encoder: Encoder, found: list[Entry]) -> dict[str, Any]:
    """Entries that no text produces, and why.

    Returns:
        `n_checked` entries (special ones are left out), `n` unreachable, `proved` of them whatever the text, `reasons`
        (words -> entries) and `examples` of each reason.
    """
    left = {entry.id: entry for entry in found if not entry.special}
    n_checked = len(left)
    for before, after, times in CONTEXTS:
        whole = [(id, text) for id, entry in left.items() if (text := as_text(entry.content)) is not None]
        encoded = encoder.ids([before + text * times + after for _, text in whole])
        for (id, _), ids in zip(whole, encoded, strict=True):
            if ids is not None and id in ids:
                del left[id]
    reasons: dict[str, list[str]] = {}
    seen: set[int] = set()
    for entry in left.values():
        if not BYTE_ENTRY.fullmatch(entry.token) and not is_built(encoder, entry):
            reasons.setdefault(NEVER_BUILT, []).append(name_of(entry))
            continue
        texts = list(completions(entry.content))
        if not texts:
            reasons.setdefault(NO_TEXT, []).append(name_of(entry))
        elif not any(ids is not None and entry.id in ids for ids in encoder.ids(texts)):
            if as_text(entry.content) is None or is_stand_in(entry):
                seen = seen or ids_of_every_character(encoder)
            if entry.id not in seen:
                reasons.setdefault(NOT_NEEDED if is_stand_in(entry) else CUT_APART, []).append(name_of(entry))
    counts = {reason: len(texts) for reason, texts in reasons.items()}
    return {
        "n_checked": n_checked,
        "n": sum(counts.values()),
        "proved": sum(n for reason, n in counts.items() if reason != CUT_APART),
        "reasons": counts,
        "examples": {reason: sorted(texts, key=len)[-EXAMPLES:] for reason, texts in reasons.items()},
    }


def name_of(entry: Entry) -> str:
    """How a list of entries shows one: its text, or `<0x41>` for one that stands in for a byte, as the A is another."""
    return entry.token if BYTE_ENTRY.fullmatch(entry.token) else entry.text


def as_text(content: bytes) -> str | None:
    """The text of some bytes, None when they are not whole characters."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def ids_of_every_character(encoder: Encoder) -> set[int]:
    """What each character of the first two planes of Unicode, and one of every 1,024 beyond, brings up on its own."""
    codes = (*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 1024))
    return {id for ids in encoder.ids(list(map(chr, codes))) if ids is not None for id in ids}


def is_stand_in(entry: Entry) -> bool:
    """Whether an entry stands for one byte of characters that are no entries, all of which are in the first plane."""
    return BYTE_ENTRY.fullmatch(entry.token) is not None and entry.content[0] < FOUR_BYTE_LEAD


def is_built(encoder: Encoder, entry: Entry) -> bool:
    """Whether the model gives the entry, asked for it alone as one word."""
    try:
        return [token.id for token in encoder.backend.model.tokenize(entry.token)] == [entry.id]
    except Exception as error:  # the Rust library raises the bare class for a word it cannot split
        if type(error) is not Exception:
            raise
        return False


def completions(content: bytes) -> Iterator[str]:
    """Texts that hold these bytes, the first and the last character completed; none when there is no such text.

    >>> next(completions(b"a")), list(completions(bytes([0xFF])))
    ('a', [])
    """
    start = next((i for i, byte in enumerate(content) if byte & 0xC0 != 0x80), len(content))
    befores, afters = leads(start), tails(content)
    found: set[str] = set()
    rng = random.Random(0)
    # At random, for what stands beside an entry decides whether it is joined with that; all of them if none fits.
    drawn = ((rng.choice(befores), rng.choice(afters)) for _ in range(min(TRIES, len(befores) * len(afters))))
    for pairs in (drawn, product(befores, afters)):
        for before, after in pairs:
            text = as_text(before + content + after)
            if text is not None and text not in found:
                found.add(text)
                yield text
            if len(found) == COMPLETIONS:
                return
        if found:
            return


CONTINUED = (0x80, 0xBF, 0x90, 0x8F, 0xA0, 0x9F)  # at the borders of what may follow some lead byte


def leads(n_continued: int) -> list[bytes]:
    """What can stand before `n_continued` continuation bytes so that they end a character."""
    if not n_continued:
        return [b""]
    return [
        bytes([lead, *middle])
        for n in range(3)
        for lead in range(0xC2, 0xF5)
        for middle in product(CONTINUED, repeat=n)
    ]


def tails(content: bytes) -> list[bytes]:
    """What can follow so that the last character is whole: nothing, where it is already."""
    last = next((i for i in range(len(content) - 1, -1, -1) if content[i] & 0xC0 != 0x80), len(content))
    if last == len(content) or as_text(content[last:]) is not None:
        return [b""]
    single = [bytes([byte]) for byte in range(0x80, 0xC0)]
    return [*single, *(bytes(tail) for n in (2, 3) for tail in product(CONTINUED, repeat=n))]
