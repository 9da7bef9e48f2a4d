"""The report's figures as rows of text; terminal, Markdown and HTML show the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rows = list[list[str]]


def count(value: int | None) -> str:
    """A whole number as text.

    >>> count(1234), count(None)
    ('1,234', '-')
    """
    return "-" if value is None else f"{value:,}"


def figure(value: float | None, digits: int = 2) -> str:
    """A figure as text; `-` where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    """A share as text."""
    return "-" if value is None else f"{value:.1%}"


def row(report: dict[str, Any], name: str, n: str, cell: Callable[[dict[str, Any]], str]) -> list[str]:
    """Name, n, and one cell per tokenizer."""
    return [name, n, *(cell(one) for one in report["tokenizers"])]


def tables(report: dict[str, Any]) -> dict[str, Rows]:
    """Title -> rows, header first: name, n (what a figure was measured on), one column per tokenizer."""
    head = ["measured on", *(one["name"] for one in report["tokenizers"])]
    found = {
        "Vocabulary": [["entries", *head], *vocabulary_rows(report)],
        "Bases per token": [["region", *head], *region_rows(report)],
        "English": [["", *head], *english_rows(report)],
        "Prompts of the shipped tasks": [["tokens across a border", *head], *prompt_rows(report)],
        "Stability": [["", *head], *stability_rows(report)],
        "Letters": [["bases per token", *head], *letter_rows(report)],
        "Round trip": [["exact", *head], *round_trip_rows(report)],
    }
    return {title: rows for title, rows in found.items() if len(rows) > 1}


def vocabulary_rows(report: dict[str, Any]) -> Rows:
    """Sizes and shares."""

    def with_proof(one: dict[str, Any]) -> str:
        found = one["unreachable"]
        return f"{found['n']:,} ({found['proved']:,} proved)" if found["n"] else "0"

    def with_share(one: dict[str, Any]) -> str:
        return f"{one['vocabulary']['dna_entries']:,} ({percent(one['vocabulary']['dna_share'])})"

    bases = f"{sum(region['bases'] for region in report['regions']):,} bases"
    return [
        row(report, "in all", "all", lambda t: count(t["vocabulary"]["vocab_size"])),
        row(report, "DNA", "all", with_share),
        row(report, "different tokens used in DNA", bases, lambda t: count(t["dna"]["distinct_tokens"] or None)),
        row(report, "unreachable", "all but special ones", with_proof),
        row(report, "DNA and more", "all", lambda t: count(t["vocabulary"]["mixed_entries"])),
        row(report, "longest DNA entry, bases", "all",
            lambda t: count(max(map(int, t["vocabulary"]["dna_entry_lengths"]), default=None))),
    ]  # fmt: skip


def region_rows(report: dict[str, Any]) -> Rows:
    """One row per region."""
    return [
        row(report, region["name"], f"{region['n']:,} windows, {region['bases']:,} bases",
            lambda t, name=region["name"]: figure(t["regions"][name]["bytes_per_token"]))
        for region in report["regions"]
    ]  # fmt: skip


def english_rows(report: dict[str, Any]) -> Rows:
    """Bytes per token, GPT-2's beside it; none without English."""
    n = max(t["english"]["n"] + t["english"]["refused"] for t in report["tokenizers"])
    if not n:
        return []
    size = max([t["english"]["bytes"] for t in report["tokenizers"]] + [(report["gpt2"] or {}).get("bytes", 0)])
    rows = [row(report, "bytes per token", f"{n:,} documents, {size:,} bytes",
                lambda t: figure(t["english"]["bytes_per_token"]) if t["english"]["n"] else "refused")]  # fmt: skip
    if any(t["english"]["refused"] for t in report["tokenizers"]):
        rows.append(row(report, "documents refused", f"{n:,} documents", lambda t: count(t["english"]["refused"])))
    if any(t["english"]["unknown_tokens"] for t in report["tokenizers"]):
        rows.append(row(report, "unknown tokens", "", lambda t: count(t["english"]["unknown_tokens"])))
    if report["gpt2"]:
        theirs = report["gpt2"]["bytes_per_token"]
        rows.append(row(report, f"of GPT-2's ({figure(theirs)})", "same documents",
                        lambda t: percent((t["english"]["bytes_per_token"] or 0) / theirs)))  # fmt: skip
    return rows


def prompt_rows(report: dict[str, Any]) -> Rows:
    """Borders that a token crosses, and what a question costs."""
    sums = report["tokenizers"][0]["prompts"]
    prompts = f"{sums['prompts']:,} prompts"
    rows = [
        row(report, "first base", f"{max(t['prompts']['sequences'] for t in report['tokenizers']):,} DNA sequences",
            lambda t: count(t["prompts"]["first_base"])),
        row(report, "last base", "same", lambda t: count(t["prompts"]["last_base"])),
        row(report, "answer", f"{max(t['prompts']['answers'] for t in report['tokenizers']):,} answers",
            lambda t: count(t["prompts"]["answer"])),
        row(report, "tokens of a question without its DNA (median)", prompts,
            lambda t: figure(t["prompts"]["question_tokens"], 0)),
    ]  # fmt: skip
    for name, title in (("refused", "prompts refused"), ("altered", "prompts whose DNA the template changed")):
        if any(t["prompts"][name] for t in report["tokenizers"]):
            rows.append(row(report, title, prompts, lambda t, name=name: count(t["prompts"][name])))
    return rows


def stability_rows(report: dict[str, Any]) -> Rows:
    """Variant and shift."""
    n = f"{report['probes']['n']:,} windows"

    def reach(share: float, key: str) -> Callable[[dict[str, Any]], str]:
        def cell(one: dict[str, Any]) -> str:
            place = int(share * (one[key]["n"] - 1))
            ended = one[key]["reach"]
            return "-" if not one[key]["n"] else count(ended[place]) if place < len(ended) else "never"

        return cell

    rows = []
    for key, title in (("variant", "one base changed"), ("shift", "one base later")):
        rows += [
            row(report, f"{title}: tokens changed (mean)", n, lambda t, k=key: figure(t[k]["mean_tokens"], 1)),
            row(report, f"{title}: boundaries moved (mean)", n, lambda t, k=key: figure(t[k]["mean_boundaries"], 1)),
            row(report, f"{title}: no boundary moved", n, lambda t, k=key: percent(t[k]["none"])),
            row(report, f"{title}: reach in bases (median)", n, reach(0.5, key)),
            row(report, f"{title}: reach in bases (95th percentile)", n, reach(0.95, key)),
        ]
    return [*rows, row(report, "one base later: never in step again", n, lambda t: percent(t["shift"]["never"]))]


def letter_rows(report: dict[str, Any]) -> Rows:
    """One row per variant of the letters."""

    def cell(one: dict[str, Any]) -> str:
        unknown = f" ({one['unknown_tokens']:,} unknown)" if one["unknown_tokens"] else ""
        refused = f" ({one['refused']:,} refused)" if one["refused"] else ""
        return "refused" if not one["n"] else f"{figure(one['bases_per_token'])}{unknown}{refused}"

    n = f"{report['probes']['n']:,} windows"
    names = report["tokenizers"][0]["letters"]
    return [row(report, name, n, lambda t, name=name: cell(t["letters"][name])) for name in names]


def round_trip_rows(report: dict[str, Any]) -> Rows:
    """One row per kind of string."""

    def cell(one: dict[str, Any]) -> str:
        refused = f" ({one['refused']:,} refused)" if one["refused"] else ""
        return ("all" if one["exact"] == one["n"] else f"{one['exact']:,} of {one['n']:,}") + refused

    kinds = report["tokenizers"][0]["round_trip"]
    return [
        row(report, kind, f"{max(t['round_trip'][kind]['n'] for t in report['tokenizers']):,} strings",
            lambda t, kind=kind: cell(t["round_trip"][kind]))
        for kind in kinds
    ]  # fmt: skip
