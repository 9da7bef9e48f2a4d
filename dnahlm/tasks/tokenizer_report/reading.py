"""How to read the report, and what should be seen of each tokenizer at a glance."""

from __future__ import annotations

from typing import Any

from dnahlm.tasks.tokenizer_report.words import figure, percent

READING = (
    (
        "bases per token",
        "Higher: fewer tokens for the same DNA, so more DNA in a context. Lower: single bases stay visible. "
        "Regions of short windows look a little dearer, because the last token of a window is seldom a full one: "
        "compare tokenizers within a region before regions with each other.",
    ),
    (
        "bytes per English token",
        "The same for English. A vocabulary that spends its entries on DNA pays here.",
    ),
    (
        "DNA entries",
        "Entries of the letters A, C, G, T, N and nothing else.",
    ),
    (
        "unreachable",
        "Entries that no text can produce, whose embedding rows never train. Proved: the model, asked for the "
        "entry alone, does not return it; or no UTF-8 text holds its bytes; or it stands in for a byte that is "
        "never missing. The others were found in none of the contexts tried. Special tokens are not counted: they "
        "are set by hand.",
    ),
    (
        "DNA and more",
        "Entries that hold a run of DNA together with something else, such as a line break and bases.",
    ),
    (
        "first base, last base",
        "DNA sequences in prompts whose first (last) base shares a token with the text before (behind) it: the "
        "same DNA is then other tokens in another sentence.",
    ),
    (
        "answer",
        "Prompts whose ids are not the first ids of prompt + answer. The answer can then neither be scored alone "
        "nor be the only thing the loss is taken on. Must be 0 for fine-tuning.",
    ),
    (
        "one base changed",
        "A single-nucleotide variant in the middle half of a window. Reach: bases from it to the farthest token "
        "boundary that moved.",
    ),
    (
        "one base later",
        "The same DNA read from its second base on. Reach: bases until both segmentations agree for good; never in "
        "step: they still differ in the last 20 bases of the window. Tokens of fixed length never agree again, so a "
        "model has to learn a motif once for each place in a token.",
    ),
    (
        "letters",
        "What lower case, U, N and IUPAC letters cost as they stand. This package writes DNA in upper case before "
        "it is tokenised; other programs may not.",
    ),
    (
        "round trip",
        "decode(encode(text)) == text, letter for letter; refused: the tokenizer raises an error and loses nothing.",
    ),
)


def remarks(one: dict[str, Any]) -> list[str]:
    """What one tokenizer's figures say that should not be missed; problems first."""
    found = [*of_prompts(one["prompts"]), *of_vocabulary(one), *of_letters(one["letters"])]
    if one["dropout"]:
        found.append(
            f"Its file has BPE-dropout {one['dropout']} on: it was measured with dropout off, but loads with it."
        )
    never, moved = one["shift"]["never"], one["variant"]["mean_tokens"]
    if never is not None and never > 0.5:
        found.append(f"Read one base later, {percent(never)} of the windows are cut otherwise to their end.")
    if moved is not None:
        found.append(f"One changed base changes {figure(moved, 1)} tokens on average.")
    changed = {kind: r["changed"] for kind, r in one["round_trip"].items() if r["changed"]}
    refused = {kind: r["refused"] for kind, r in one["round_trip"].items() if r["refused"]}
    for word, kinds in (("does not come back exactly", changed), ("is refused", refused)):
        if kinds:
            found.append(f"Some text {word}: {', '.join(f'{n:,} of {kind}' for kind, n in kinds.items())}.")
    if not changed and not refused:
        found.append("All text tried comes back exactly.")
    return found


def of_prompts(prompts: dict[str, Any]) -> list[str]:
    """What is wrong at the borders of the prompts."""
    found = []
    for name, n, words in (
        ("answer", "answers", "answers share a token with the prompt: not fit for fine-tuning on answers"),
        ("first_base", "sequences", "DNA sequences in prompts share their first token with the text before them"),
        ("last_base", "sequences", "DNA sequences in prompts share their last token with the text behind them"),
        ("altered", "prompts", "prompts do not hold the DNA as given: the chat template changes it"),
        ("refused", "prompts", "prompts cannot be encoded at all: not fit for questions in English"),
    ):
        if prompts[name]:
            example = next((f", such as {t['example']!r}" for t in prompts["tasks"] if t["example"]), "")
            shown = example if name in ("answer", "first_base", "last_base") else ""
            found.append(f"{prompts[name]:,} of {prompts[n]:,} {words}{shown}.")
    return found or ["No token crosses the borders between question, DNA and answer in the shipped tasks' prompts."]


def of_vocabulary(one: dict[str, Any]) -> list[str]:
    """Entries that are lost or hold too much."""
    found = []
    lost, words = one["unreachable"], one["vocabulary"]
    if lost["n"] > 0.01 * lost["n_checked"]:
        share, why = percent(lost["n"] / lost["n_checked"]), max(lost["reasons"], key=lost["reasons"].get)
        found.append(f"{lost['n']:,} entries ({share}) can never be produced; {lost['reasons'][why]:,} of them: {why}.")
    if words["mixed_entries"]:
        examples = ", ".join(map(repr, words["mixed_examples"][:3]))
        found.append(f"Entries that hold DNA and something else: {words['mixed_entries']:,}, such as {examples}.")
    return found


def of_letters(letters: dict[str, Any]) -> list[str]:
    """Letters that cost at least a half more than plain DNA."""
    found = []
    plain = letters["A C G T"]["bases_per_token"]
    for name, costs in letters.items():
        if not costs["n"]:
            found.append(f"DNA with {name} is refused.")
        elif plain and costs["bases_per_token"] and plain / costs["bases_per_token"] > 1.5:
            found.append(f"{name}: DNA costs {figure(plain / costs['bases_per_token'], 1)} times the tokens.")
        if costs["unknown_tokens"]:
            found.append(f"{name}: {costs['unknown_tokens']:,} letters or words become the unknown token and are lost.")
    return found
