"""The report as text for the terminal, as Markdown and as one HTML page that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dnahlm.pages import COLOURS, align, pipes
from dnahlm.tasks.tokenizer_report.plots import figures
from dnahlm.tasks.tokenizer_report.reading import READING, remarks
from dnahlm.tasks.tokenizer_report.words import tables

CLIPPED = 40  # letters of a token or of an example that are shown


def terminal(report: dict[str, Any]) -> str:
    """All tables as aligned text under each other, what a row was measured on at its end, and the remarks."""
    rows, measured_on = [["", *(one["name"] for one in report["tokenizers"])]], [""]
    for title, (_, *body) in tables(report).items():
        rows.append([title, *("" for _ in report["tokenizers"])])
        rows += [[f"  {name}", *cells] for name, _, *cells in body]
        measured_on += ["", *(n for _, n, *_ in body)]
    lines = [f"{'  '.join(row)}  {n}".rstrip() for row, n in zip(align(rows), measured_on, strict=True)]
    for one in report["tokenizers"]:
        lines += ["", f"{one['name']}:", *(f"  {remark}" for remark in remarks(one))]
    return "\n".join([*lines, *notes(report), f"seed {report['seed']}"])


def markdown(report: dict[str, Any], manifest: dict[str, Any]) -> str:
    """The report as Markdown."""
    lines = ["# Tokenizers side by side", ""]
    for one in report["tokenizers"]:
        lines += [f"**{one['name']}** ({one['kind']})", "", *(f"- {remark}" for remark in remarks(one)), ""]
    for title, rows in tables(report).items():
        lines += [f"## {title}", "", *pipes(rows), ""]
    if crossed := crossed_tasks(report):
        lines += ["## Tasks whose borders a token crosses", "", *pipes(crossed), ""]
    for title, rows in example_tables(report).items():
        lines += [f"## {title}", "", *pipes(rows), ""]
    lines += ["## How to read this", "", *(f"- {name}: {text}" for name, text in READING), ""]
    lines += ["## How it was made", "", *(f"- {name}: {text}" for name, text in facts(report, manifest).items()), ""]
    return "\n".join(lines)


def html(report: dict[str, Any], manifest: dict[str, Any]) -> str:
    """The report as one HTML page that needs no other file and no network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.jinja").render(
        tokenizers=report["tokenizers"],
        colours=[COLOURS[i % len(COLOURS)] for i in range(len(report["tokenizers"]))],
        remarks=remarks, tables=tables(report), crossed=crossed_tasks(report), examples=example_tables(report),
        figures=[(title, caption, Markup(figure)) for title, caption, figure in figures(report)],
        reading=READING, facts=facts(report, manifest),
    )  # fmt: skip


def notes(report: dict[str, Any]) -> list[str]:
    """What was not measured, and why."""
    found = []
    if not report["regions"]:
        found.append("No DNA was given: stability and letters are measured on random DNA.")
    if not any(one["english"]["n"] + one["english"]["refused"] for one in report["tokenizers"]):
        found.append("No English was given (--corpus or --text).")
    elif report["gpt2_missing"]:
        found.append(f"No figure of GPT-2 beside it: {report['gpt2_missing']}.")
    return ["", *found] if found else []


def crossed_tasks(report: dict[str, Any]) -> list[list[str]]:
    """Header and one row per tokenizer and task with a crossed border; empty when there is none."""
    rows = [
        [one["name"], task["task"], *(f"{task[a]:,} of {task[b]:,}" for a, b in pairs), shown(task["example"])]
        for one in report["tokenizers"]
        for pairs in [(("first_base", "sequences"), ("last_base", "sequences"), ("answer", "answers"))]
        for task in one["prompts"]["tasks"]
        if any(task[a] for a, _ in pairs)
    ]
    return [["tokenizer", "task", "first base", "last base", "answer", "such as"], *rows] if rows else []


def example_tables(report: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Longest tokens, unreachable entries, and texts that did not come back; title -> rows, header first."""
    longest, lost, changed = [], [], []
    for one in report["tokenizers"]:
        words = one["vocabulary"]
        for kind, key in (("DNA", "longest_dna_tokens"), ("other", "longest_other_tokens"), ("both", "mixed_examples")):
            if words[key]:
                longest.append([one["name"], kind, "  ".join(shown(token) for token in words[key][:6])])
        for reason, texts in one["unreachable"]["examples"].items():
            n = one["unreachable"]["reasons"][reason]
            lost.append([one["name"], reason, f"{n:,}", "  ".join(shown(text) for text in texts[:6])])
        for kind, trip in one["round_trip"].items():
            changed += [[one["name"], kind, shown(text), shown(back)] for text, back in trip["examples"]]
            if trip["refused"]:
                changed.append(
                    [one["name"], kind, f"{trip['refused']:,} of {trip['n']:,}", f"refused: {trip['refusal']}"]
                )
    found = {
        "Longest tokens": [["tokenizer", "letters", "tokens"], *longest],
        "Entries that can never be produced": [["tokenizer", "why", "entries", "such as"], *lost],
        "Texts that do not come back": [["tokenizer", "kind", "text", "comes back as"], *changed],
    }
    return {title: rows for title, rows in found.items() if len(rows) > 1}


def shown(text: str) -> str:
    r"""A token in quotes, its line breaks and other letters without a shape visible, clipped.

    >>> shown("a\n"), shown("A" * 50)[-6:]
    ("'a\\n'", "AAAA'…")
    """
    letters = [c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:CLIPPED]]
    return f"'{''.join(letters)}'" + ("…" if len(text) > CLIPPED else "")


def facts(report: dict[str, Any], manifest: dict[str, Any]) -> dict[str, str]:
    """What was measured, on what; name -> text."""
    config, probes = manifest["config"], report["probes"]
    regions = "; ".join(
        f"{r['name']}: {r['bases']:,} of {r['bases_there']:,} bases, {r['source']}" for r in report["regions"]
    )
    english = [*config["text"], *([f"validation split of {config['corpus']}"] if config["corpus"] else [])]
    found = {
        "tokenizers": "; ".join(
            f"{one['name']} = {path} ({one['kind']}, SHA-256 {sha[:12]})"
            for one, path, sha in zip(
                report["tokenizers"], config["tokenizers"], manifest["tokenizers_sha256"].values(), strict=True
            )
        ),
        "DNA": regions or "none given",
        "English": ", ".join(english) or "none given",
        "GPT-2": report["gpt2_missing"] or "its own tokenizer, on the same documents",
        "variants, shifts, letters": f"{probes['n']:,} windows, {probes['bases']:,} bases, {probes['source']}",
        "prompts": "; ".join(f"{one['name']}: {one['prompts']['template']}" for one in report["tokenizers"]),
        "round trip": f"{config['n_fuzz']:,} random strings of each kind, and hard cases",
        "seed": str(report["seed"]),
        "date": manifest["created"],
        "git commit": manifest["git_commit"] or "installed package",
        "versions": ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()),
    }
    return found
