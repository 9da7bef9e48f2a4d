"""DNA tokens inside another tokenizer, out of reach of its English.

Merges appended to a BPE act wherever their letters stand: one learnt for `CATTAG...` also joins the CAT and TAG of a
word. So here a DNA run is cut into tokens before the model, by the longest that fits, and each such piece reaches the
model with a mark in front. The mark is a character that no piece of the base ever holds, and every new merge begins
with it, so English never meets one. All else (normalizer, splitter, merges, added tokens) stays the base's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import LARGEST_VOCABULARY, LETTERS
from dnahlm.tokenizer.marked_pieces import MARK, splitters

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SAMPLE = "ACGTNACGTTGCAN" * 2
_MARKED = re.compile(f"{MARK}[{LETTERS}]*")


def first_new_id(vocabulary: dict[str, int]) -> int | None:
    """The id of the mark, from which on all tokens are new; None for a tokenizer without grafted DNA."""
    return vocabulary.get(MARK)


def is_dna(token: str) -> bool:
    """Whether an entry is one of the DNA tokens that `graft` adds."""
    return re.fullmatch(f"{MARK}[{LETTERS}]+", token) is not None


def graft(base: Tokenizer, dna_tokens: Iterable[str], limit: int, min_dna_run: int, where: str) -> Tokenizer:
    """A copy of `base` that cuts DNA runs into DNA tokens and everything else as before, with the same ids.

    Args:
        base: a BPE whose pieces hold no blank.
        dna_tokens: strings over A, C, G, T, N, the most wanted first; taken until there are `limit` new tokens.
        limit: DNA tokens to add, the five letters and the stems below included. A token becomes one by merges that
            start from what `base` makes of its letters (AC + GT), so that its stems (AC of ACGT) become tokens too.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        where: what an error message starts with.

    Returns:
        the tokenizer; its new ids follow the highest one of `base`: the mark, then the DNA tokens.

    Raises:
        InputError: not a BPE, or one that already has DNA tokens, clashing ids, or a blank in its vocabulary.
    """
    from tokenizers import Tokenizer

    state = json.loads(base.to_str())
    entries = all_entries(state, where)
    check_base(base, state, entries, where)
    merges = choose(dna_tokens, limit, letters_only(state))
    vocabulary = fill_holes(entries)
    for token in (MARK, *merges):
        vocabulary[token] = len(vocabulary)
    model = state["model"]
    # Added tokens stand in the vocabulary too: else they would get the ids behind it when the file is read.
    model["vocab"] = vocabulary
    model["merges"] += [list(pair) for pair in merges.values()]
    dna = [token.removeprefix(MARK) for token in merges]
    state["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": splitters(state, dna, min_dna_run)}
    unmark = {"type": "Replace", "pattern": {"Regex": rf"\A{MARK}(?=[{LETTERS}]*\z)"}, "content": ""}
    state["decoder"] = {"type": "Sequence", "decoders": [unmark, state["decoder"]]}
    tokenizer = Tokenizer.from_str(json.dumps(state))
    check_use(tokenizer, min_dna_run, where)
    return tokenizer


def check_use(tokenizer: Tokenizer, min_dna_run: int, where: str) -> None:
    """Raise `InputError` for a base that takes DNA apart before the model, so that no DNA token would ever be used."""
    run = SAMPLE * (1 + min_dna_run // len(SAMPLE))
    tokens = tokenizer.encode(run, add_special_tokens=False).tokens
    if "".join(token.removeprefix(MARK) for token in tokens if is_dna(token)) != run:
        raise InputError(
            f"{where}: takes DNA apart before its model sees it (into single characters, say), so no DNA token would "
            "ever be used; it cannot be extended. Train a tokenizer with `dnahlm tokenizer train`."
        )


def all_entries(state: dict[str, Any], where: str) -> dict[str, int]:
    """Token -> id of the model's vocabulary and of the added tokens.

    Raises:
        InputError: an id that two tokens claim, a token with two ids, or an id beyond any vocabulary.
    """
    if state["model"]["type"] != "BPE":
        raise InputError(
            f"{where}: its model is {state['model']['type']}, but DNA tokens can only be added to a BPE (GPT-2, Llama, "
            "Mistral, Qwen and most others). Train a tokenizer of your own with `dnahlm tokenizer train`."
        )
    entries: dict[str, int] = dict(state["model"]["vocab"])
    owners = {number: token for token, number in entries.items()}
    for added in state["added_tokens"]:
        token, number = added["content"], added["id"]
        owner, number_before = owners.setdefault(number, token), entries.setdefault(token, number)
        if owner != token or number_before != number:
            too = f" (which has id {number_before} too)" if number_before != number else ""
            raise InputError(
                f"{where}: id {number} is claimed by {owner!r} and by the reserved token {token!r}{too}. Give each "
                "token of tokenizer.json one id of its own."
            )
    highest = max(owners, default=0)
    if highest >= LARGEST_VOCABULARY:
        raise InputError(
            f"{where}: token {owners[highest]!r} has id {highest:,}; ids must be below {LARGEST_VOCABULARY:,}, as each "
            "up to the highest is a row of the model. Number the tokens of tokenizer.json from 0 on."
        )
    if len(owners) < len(entries):
        raise InputError(f"{where}: {len(entries) - len(owners)} tokens share their id with another one.")
    return entries


def check_base(base: Tokenizer, state: dict[str, Any], entries: dict[str, int], where: str) -> None:
    """Raise `InputError` for a base whose English could not be kept apart from DNA."""
    marked = sorted(token for token in entries if _MARKED.fullmatch(token))
    if marked or f"[{LETTERS}]" in json.dumps(state["pre_tokenizer"]):
        raise InputError(
            f"{where}: already isolates DNA{f' and has tokens for it ({marked[:3]})' if marked else ''}. Extend the "
            "published tokenizer; `dnahlm tokenizer train` and `extend` each write a finished one."
        )
    blank = next((token for token in state["model"]["vocab"] if MARK in token and token not in added(state)), None)
    if blank is not None:
        raise InputError(
            f"{where}: its token {blank!r} holds a blank, so it splits text in another way than byte-level or "
            "SentencePiece BPE does; it cannot be extended."
        )
    for letter in LETTERS:
        if letter not in state["model"]["vocab"]:
            raise InputError(f"{where}: has no token for the letter {letter}; it cannot be extended.")
    # A base with `add_prefix_space` gives the blank back that it put in front.
    if base.decode(base.encode(SAMPLE, add_special_tokens=False).ids).removeprefix(" ") != SAMPLE:
        raise InputError(f"{where}: does not give DNA back as it was (does it lower the case?); it cannot be extended.")


def added(state: dict[str, Any]) -> set[str]:
    """The added tokens, which are cut out of a text before any splitter sees it."""
    return {entry["content"] for entry in state["added_tokens"]}


def fill_holes(entries: dict[str, int]) -> dict[str, int]:
    """The entries by id, with a placeholder for each id that no token has.

    >>> fill_holes({"b": 2, "a": 0})
    {'a': 0, '<|unused_1|>': 1, 'b': 2}
    """
    tokens = {number: token for token, number in entries.items()}
    return {tokens.get(number, f"<|unused_{number}|>"): number for number in range(max(tokens) + 1)}


def letters_only(state: dict[str, Any]) -> Tokenizer:
    """The base's merges alone: no lookup of whole words, no added tokens, no splitting."""
    from tokenizers import Tokenizer

    bare = {**state, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None}
    bare["model"] = {**state["model"], "ignore_merges": False, "dropout": None}
    return Tokenizer.from_str(json.dumps(bare))


def choose(dna_tokens: Iterable[str], limit: int, base: Tokenizer) -> dict[str, tuple[str, str]]:
    """Marked token -> the two parts it is merged from, at most `limit` of them, each after its stems."""
    chosen: dict[str, tuple[str, str]] = {}
    for token in (*LETTERS, *dna_tokens):
        wanted = {stem: parts for stem, parts in stems(token, base).items() if stem not in chosen}
        if len(chosen) + len(wanted) <= limit:
            chosen |= wanted
        if len(chosen) == limit:
            break
    return chosen


def stems(token: str, base: Tokenizer) -> dict[str, tuple[str, str]]:
    """The merges that build one marked token upon what the base makes of its letters, shortest first.

    A stem alone is cut as it is inside the longer token: no merge of the base crosses its end there.
    """
    pieces = [piece.value for piece in base.model.tokenize(token)]
    ends = list(accumulate(pieces, initial=""))
    return {MARK + ends[i + 1]: (MARK + ends[i], piece) for i, piece in enumerate(pieces)}
