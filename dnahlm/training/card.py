"""README.md of a checkpoint folder: the model card, written from the manifest, so that no figure is retyped."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from dnahlm.corpus.card import licences_of
from dnahlm.model.adapters import AdapterArguments
from dnahlm.training.arguments import how
from dnahlm.training.best import EACH, MEAN, kept_words
from dnahlm.training.curve import FILE_NAME as CURVE
from dnahlm.training.forgetting import ROWS, why_none

BIT_NAMES = {
    "bits_per_base": "DNA, bits per base",
    "bits_per_byte": "English, bits per byte",
    "bits_per_residue": "proteins, bits per residue",
}
USE = {
    "pretrain": "Intended as a start for tuning (`recipes/sft.py`) and for research on how models read DNA beside "
    "English. It answers no questions: it only continues text.",
    "sft": "Intended for research: to ask the questions of the tasks below about a sequence (`dnahlm predict`, "
    "`dnahlm chat`) and to compare models. Answers to other questions mean nothing. Read what `dnahlm evaluate` prints "
    "before you trust one.",
}
DISTILLED = (
    "The targets of train rows are their labels (weight {label_weight:g}) and the probabilities that teachers give "
    "which were not fitted on them; new rows have only those of the teachers (`dnahlm distill`: {kinds}, {folds} of "
    "each kind for each task)."
)
ADAPTER_SETTINGS = {field.name for field in dataclasses.fields(AdapterArguments)}
NOT_CLINICAL = (
    "**Not a clinical or diagnostic tool.** Do not use it for decisions about anyone's health, and not to predict what "
    "a variant does to a person."
)


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `folder/README.md` for a finished training stage."""
    base = manifest["start"]["from"] if "start" in manifest else manifest["inputs"]["checkpoint"]["path"]
    library = "peft" if manifest["config"]["use_peft"] else "transformers"
    lines = ["---", f"library_name: {library}", "tags: [dna, dnahlm]"]
    lines += [] if base == "scratch" else [f"base_model: {base}"]
    lines += ["---", "", f"# {folder.name.removesuffix('.part')}", "", opening(manifest, base), ""]
    lines += ["## Use", "", USE[manifest["stage"]], "", NOT_CLINICAL, "", *data_lines(manifest)]
    lines += [*figure_lines(manifest), *forgetting_lines(manifest, base)]
    lines += ["## How it was made", "", *table(how_rows(manifest)), "", *recipe_lines(manifest)]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def opening(manifest: dict[str, Any], base: str) -> str:
    """The first sentence: what this is."""
    counts = manifest["counts"]
    what = f"causal language model of {counts['parameters'] / 1e6:.2f} M parameters"
    if manifest["config"]["use_peft"]:
        trained = counts["trained_parameters"] / 1e6
        what = f"LoRA adapter ({trained:.2f} M trained parameters) of a {what}"
    if manifest["stage"] == "pretrain":
        origin = "trained from scratch" if base == "scratch" else f"continued from `{base}`"
        return f"A {what} for DNA and English, {origin} by `dnahlm`. It answers no questions."
    return f"A {what}, tuned by `dnahlm` from `{base}` to answer questions about DNA."


def data_lines(manifest: dict[str, Any]) -> list[str]:
    """What it was trained on: sources of a corpus, or tasks and rows of the instructions."""
    lines = ["## Data", ""]
    if manifest["stage"] == "pretrain":
        seen = manifest["counts"]["tokens"]
        blocks = manifest["inputs"]["blocks"]["manifest"]
        corpus = blocks["inputs"]["corpus"].get("manifest", {})
        hashes = {name: entry.get("sha256", "unknown") for name, entry in corpus.get("inputs", {}).items()}
        sources = corpus.get("counts", {}).get("sources", {})
        licences = licences_of(corpus.get("config", {}), list(sources))
        train, copies = blocks["counts"]["train"], blocks["config"]["copies"]
        cuts = f" Each document is among these {copies} times, its DNA in other tokens (BPE-dropout)." * (copies > 1)
        proteins = ""
        if train.get("residues"):
            proteins = f" and {train['residues']:,} residues of proteins ({train['protein_tokens']:,} tokens)"
        lines += [
            f"{train['bases']:,} bases ({train['dna_tokens']:,} tokens) and {train['english_bytes']:,} bytes of "
            f"English ({train['english_tokens']:,} tokens){proteins}, seen {seen / train['tokens']:.2f} times.{cuts}",
            "",
            "| source | kind | licence | sha256 |",
            "|---|---|---|---|",
            *(
                f"| {name} | {source['kind']} | {licences.get(name, 'not stated')} | {hashes.get(name, 'unknown')} |"
                for name, source in sources.items()
            ),
        ]
    else:
        counts = manifest["inputs"]["instructions"]["manifest"]["counts"]
        rows = {task: entry["train"]["rows"] for task, entry in counts.items() if "train" in entry}
        taught = manifest["inputs"].get("distilled", {}).get("manifest", {})
        new = {task: f", {entry['new']:,} new rows" for task, entry in taught.get("counts", {}).items()}
        lines += [f"- {task}: {n:,} train instructions{new.get(task, '')}" for task, n in rows.items()]
        if taught:
            lines += ["", DISTILLED.format(**taught["config"], kinds=" and ".join(taught["config"]["teachers"]))]
        made_up = manifest["inputs"]["instructions"]["manifest"].get("simulated")
        lines += ["", f"SIMULATED data, made by a program: {', '.join(made_up)}."] if made_up else []
    return [*lines, ""]


def figure_lines(manifest: dict[str, Any]) -> list[str]:
    """What was measured on validation data, before and after where both are known, and the curve."""
    lines = ["## Measured on held-out data", ""]
    if manifest["stage"] == "pretrain":
        before = manifest.get("validation_before") or {}
        lines += ["| | before | after |", "|---|---|---|"]
        for name, value in manifest["validation"].items():
            start = f"{before[name]:.4f}" if name in before else "-"
            lines += [f"| {BIT_NAMES[name]} | {start} | {value:.4f} |"]
    else:
        loss = f"{manifest['validation_loss']:.4f} nats per answer token"
        lines += [f"Validation loss {loss}. For scores run `dnahlm evaluate`.", "", *kept_lines(manifest)]
    return [*lines, "", f"![loss curve]({CURVE})", ""]


def kept_lines(manifest: dict[str, Any]) -> list[str]:
    """Which step's weights these are, and what they gave on validation rows; test rows had no part in it."""
    lines = [f"These are the {kept_words(manifest['kept'])}. Test rows had no part in it."]
    if figures := manifest["validation_mcc"]:
        rows = manifest["kept"]["dev_rows"]
        lines += ["", "| task | validation rows | MCC |", "|---|---|---|"]
        lines += [f"| {task} | {n:,} | {figures[EACH + task]:.3f} |" for task, n in rows.items()]
        lines += [f"| mean | | {figures[MEAN]:.3f} |"]
    return lines


def forgetting_lines(manifest: dict[str, Any], base: str) -> list[str]:
    """What became of the English the model knew before."""
    lines, figures = ["## English before and after", ""], manifest["forgetting"]
    if not figures:
        why = why_none(base)
        return [*lines, f"{why[0].upper()}{why[1:]}.", ""]
    lines += ["The same text, in the same windows, each time.", ""]
    lines += [f"| bits per byte on {figures['english_bytes']:,} held-out bytes | |", "|---|---|"]
    lines += [f"| {words} | {figures[key]:.4f} |" for key, words in ROWS.items() if key in figures]
    return [*lines, ""]


def how_rows(manifest: dict[str, Any]) -> dict[str, Any]:
    """Facts that let someone make it again."""
    return {
        "made": f"{manifest['created']}, {how(manifest)}",
        "seed": manifest["seed"],
        **work_rows(manifest),
        "tokenizer sha256": manifest["tokenizer_sha256"],
        **{f"{name} sha256": value for name, value in manifest["weights"].items()},
        **{f"input {name}": f"{entry['path']} (sha256 {entry.get('sha256', 'unknown')})"
           for name, entry in manifest["inputs"].items()},
        "versions": ", ".join(f"{name} {version}" for name, version in manifest["versions"].items()),
        "commit": manifest["git_commit"],
    }  # fmt: skip


def work_rows(manifest: dict[str, Any]) -> dict[str, str]:
    """Steps, tokens of a step, speed and memory, as far as the stage notes them."""
    counts, speed = manifest["counts"], manifest.get("speed")
    per_step = f" of {counts['tokens'] // counts['steps']:,} tokens" if "tokens" in counts else ""
    rows = {"steps": f"{counts['steps']:,}{per_step}"}
    if speed:
        rows["speed"] = (
            f"{speed['tokens_per_second']:,.0f} tokens/s, {speed['mfu']:.1%} of what large matrix products reach here "
            f"({speed['ceiling_flops_per_second'] / 1e12:.3g} TFLOP/s a process)"
        )
        rows["peak memory of a process"] = f"{speed['peak_memory_mb']:,.0f} MB"
    return rows


def recipe_lines(manifest: dict[str, Any]) -> list[str]:
    """Every setting that is not empty, as the file that would give this run again."""
    script = f"recipes/{manifest['stage']}.py"
    settings = {**manifest["config"], **manifest["config"]["training"]}
    chosen = {name: value for name, value in settings.items() if name != "training" and value is not None}
    if not settings["use_peft"]:
        chosen = {name: value for name, value in chosen.items() if name not in ADAPTER_SETTINGS}
    text = yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True).rstrip()
    return ["## Recipe", "", f"`python {script} --config recipe.yaml` with:", "", "```yaml", text, "```", ""]


def table(rows: dict[str, Any]) -> list[str]:
    """A Markdown table of names and values."""
    return ["| | |", "|---|---|", *(f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows.items())]
