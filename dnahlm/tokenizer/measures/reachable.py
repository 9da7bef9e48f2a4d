"""Entries that no text can produce.

A merge tokenizer (BPE) or a Viterbi one (unigram) that gives a span of a word as one token gives it as one token when
the span is the whole word, too: merges that stay inside the span do not depend on what is beside it, and a better split
of the span would be better inside the word as well. So an entry that the model, asked for the entry alone, does not
return as itself is never produced, in any context. The rest is searched for a text whose encoding holds the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.vocabulary import BYTE_ENTRY, EXAMPLES, Entry

RUN = "ACGTTGCAACGT"  # puts an entry inside a DNA run
BESIDE = (
    ("", ""), (" ", ""), ("\n", ""), ("", " "), ("", "\n"), ("a", ""), ("", "a"), ("a", "a"), ("1", ""), ("", "1"),
    ("1", "1"), (".", ""), ("", "."), (".", "."), ("a ", " a"), (". ", " ."), ("\n", "\n"), ("é", "é"), ("中", "中"),
    (RUN, ""), ("", RUN), (RUN, RUN), ("\n", RUN), ("A", ""), ("", "A"), ("'", ""), ("a'", ""),
)  # fmt: skip
CONTEXTS = [*((before, after, 1) for before, after in BESIDE), ("", "", 3)]  # text before and behind, repeats
COMPLETIONS = 256  # texts tried for an entry that is no whole character
NO_TEXT = "no UTF-8 text holds its bytes"
NEVER_BUILT = "the model splits it: other merges or a better split come first"
NOT_NEEDED = "stands in for a byte, and every character with this byte is an entry itself"
CUT_APART = f"cut apart, or joined to its neighbours, in all {len(CONTEXTS)} contexts tried"
FOUR_BYTE_LEAD = 0xF0  # characters without such a byte are all in the first plane, and all of those are tried


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
        cuts = encoder.cuts([before + text * times + after for _, text in whole])
        for (id, _), cut in zip(whole, cuts, strict=True):
            if cut is not None and id in cut.ids:
                del left[id]
    drop_seen(left, encoder)
    reasons: dict[str, list[str]] = {}
    for entry in left.values():
        if reason := why_not(encoder, entry):
            reasons.setdefault(reason, []).append(entry.text)
    counts = {reason: len(texts) for reason, texts in reasons.items()}
    return {
        "n_checked": n_checked,
        "n": sum(counts.values()),
        "proved": sum(n for reason, n in counts.items() if reason != CUT_APART),
        "reasons": counts,
        "examples": {reason: sorted(texts, key=len)[-EXAMPLES:] for reason, texts in reasons.items()},
    }


def why_not(encoder: Encoder, entry: Entry) -> str:
    """Why an entry that was not met so far is never produced; empty when a text that produces it is found."""
    stands_in = BYTE_ENTRY.fullmatch(entry.token)
    if stands_in and entry.content[0] < FOUR_BYTE_LEAD and any(map(bool, completions(entry.content))):
        return NOT_NEEDED
    if not stands_in and not is_built(encoder, entry):
        return NEVER_BUILT
    texts = list(completions(entry.content))
    if any(cut is not None and entry.id in cut.ids for cut in encoder.cuts(texts)):
        return ""
    return CUT_APART if texts else NO_TEXT


def as_text(content: bytes) -> str | None:
    """The text of some bytes, None when they are not whole characters."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def every_character() -> Iterator[str]:
    """Each character of the first two planes of Unicode, and one of every 1,024 beyond."""
    yield from map(chr, (*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 1024)))


def drop_seen(left: dict[int, Entry], encoder: Encoder) -> None:
    """Remove from `left` what every character on its own brings up; asked only for parts of characters."""
    if any(as_text(entry.content) is None or BYTE_ENTRY.fullmatch(entry.token) for entry in left.values()):
        for cut in encoder.cuts(list(every_character())):
            for id in cut.ids if cut else ():
                left.pop(id, None)


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
    n_found = 0
    for before, after in product(leads(start), tails(content)):
        text = as_text(before + content + after)
        if text is not None:
            yield text
            n_found += 1
        if n_found == COMPLETIONS:
            return


CONTINUED = (0x80, 0xBF, 0x90, 0x8F, 0xA0, 0x9F, *range(0x81, 0xBF, 3))


def leads(n_continued: int) -> list[bytes]:
    """What can stand before `n_continued` continuation bytes so that they end a character."""
    if not n_continued:
        return [b""]
    first = range(0xC2, 0xF5)
    return [bytes([lead, *middle]) for n in range(3) for lead in first for middle in product(CONTINUED[:6], repeat=n)]


def tails(content: bytes) -> list[bytes]:
    """What can follow so that the last character is whole."""
    return [bytes(tail) for n in range(4) for tail in product(CONTINUED if n < 2 else CONTINUED[:6], repeat=n)]
