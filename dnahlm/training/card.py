"""README.md of a checkpoint folder: the model card, written from the manifest, so that no figure is retyped."""

from pathlib import Path
from typing import Any

from dnahlm.training.arguments import how

BIT_NAMES = {"bits_per_base": "DNA, bits per base", "bits_per_byte": "English, bits per byte"}


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `folder/README.md` for a finished training stage."""
    base = manifest["start"]["from"] if "start" in manifest else manifest["inputs"]["checkpoint"]["path"]
    lines = ["---", "library_name: transformers", "tags: [dna, dnahlm]"]
    lines += [] if base == "scratch" else [f"base_model: {base}"]
    lines += ["---", "", f"# {folder.name.removesuffix('.part')}", "", opening(manifest, base), ""]
    lines += ["Not a clinical or diagnostic tool.", "", *data_lines(manifest), *figure_lines(manifest)]
    lines += ["## How it was made", "", *table(how_rows(manifest)), ""]
    lines += ["## Settings that differ from upstream's defaults", "", *table(manifest["config"]["training"]), ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def opening(manifest: dict[str, Any], base: str) -> str:
    """The first sentence: what this is."""
    size = f"{manifest['counts']['parameters'] / 1e6:.2f} M parameters"
    if manifest["stage"] == "pretrain":
        origin = "trained from scratch" if base == "scratch" else f"continued from `{base}`"
        return f"A causal language model of {size} for DNA and English, {origin} by `dnahlm`. It answers no questions."
    return f"A causal language model of {size}, tuned by `dnahlm` from `{base}` to answer questions about DNA."


def data_lines(manifest: dict[str, Any]) -> list[str]:
    """What it was trained on: sources of a corpus, or tasks and rows of the instructions."""
    lines = ["## Data", ""]
    if manifest["stage"] == "pretrain":
        seen = manifest["counts"]["tokens"]
        blocks = manifest["inputs"]["blocks"]["manifest"]
        corpus = blocks["inputs"]["corpus"].get("manifest", {})
        train, copies = blocks["counts"]["train"], blocks["config"]["copies"]
        cuts = f" Each document is among these {copies} times, its DNA in other tokens (BPE-dropout)." * (copies > 1)
        lines += [
            f"{train['bases']:,} bases ({train['dna_tokens']:,} tokens) and {train['english_bytes']:,} bytes of "
            f"English ({train['english_tokens']:,} tokens), seen {seen / train['tokens']:.2f} times.{cuts}",
            "",
            *(f"- {name} ({source['kind']})" for name, source in corpus.get("counts", {}).get("sources", {}).items()),
        ]
    else:
        counts = manifest["inputs"]["instructions"]["manifest"]["counts"]
        rows = {task: entry["train"]["rows"] for task, entry in counts.items() if "train" in entry}
        lines += [f"- {task}: {n:,} train instructions" for task, n in rows.items()]
        made_up = manifest["inputs"]["instructions"]["manifest"].get("simulated")
        lines += ["", f"SIMULATED data, made by a program: {', '.join(made_up)}."] if made_up else []
    return [*lines, ""]


def figure_lines(manifest: dict[str, Any]) -> list[str]:
    """What was measured on validation data, before and after where both are known."""
    lines = ["## Measured on held-out data", ""]
    if manifest["stage"] != "pretrain":
        loss = f"{manifest['validation_loss']:.4f} nats per answer token"
        return [*lines, f"Validation loss {loss}. For scores run `dnahlm evaluate`.", ""]
    before = manifest.get("validation_before") or {}
    lines += ["| | before | after |", "|---|---|---|"]
    for name, value in manifest["validation"].items():
        start = f"{before[name]:.4f}" if name in before else "-"
        lines += [f"| {BIT_NAMES[name]} | {start} | {value:.4f} |"]
    return [*lines, ""]


def how_rows(manifest: dict[str, Any]) -> dict[str, Any]:
    """Facts that let someone make it again."""
    return {
        "made": f"{manifest['created']}, {how(manifest)}",
        "seed": manifest["seed"],
        "steps": f"{manifest['counts']['steps']:,}",
        "tokenizer sha256": manifest["tokenizer_sha256"],
        **{f"input {name}": f"{entry['path']} (sha256 {entry.get('sha256', 'unknown')})"
           for name, entry in manifest["inputs"].items()},
        "versions": ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()),
        "commit": manifest["git_commit"],
    }  # fmt: skip


def table(rows: dict[str, Any]) -> list[str]:
    """A Markdown table of names and values."""
    return ["| | |", "|---|---|", *(f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items())]
