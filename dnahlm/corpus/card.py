"""README.md of a corpus folder: the corpus card, written from the manifest, so that no figure is retyped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dnahlm.corpus.select import KINDS
from dnahlm.corpus.write import SPLITS

# key of a source's counts -> what the card calls it
LOST = {
    "held_out_bases": "in records held out", "duplicate_bases": "in copies of other records",
    "bases_outside_regions": "outside the regions", "n_bases_dropped": "N, or a IUPAC letter read as N",
    "short_run_bases_dropped": "in runs between N that are shorter than a piece",
}  # fmt: skip
NAMES = {"dna": "DNA", "text": "English"}


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `folder/README.md` for a finished corpus."""
    counts, config = manifest["counts"], manifest["config"]
    lines = [f"# {folder.name.removesuffix('.part')}", "", "A corpus written by `dnahlm corpus build`.", ""]
    lines += ["## What it holds", "", *split_table(counts), "", *how_it_was_cut(config), ""]
    lines += ["## Where it comes from", "", *source_table(manifest), ""]
    lines += ["The licences are those of the sources; this folder adds none.", ""]
    lines += lost_lines(counts["sources"])
    lines += [f"Made {manifest['created']} with seed {manifest['seed']}; every setting is in `manifest.json`.", ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def split_table(counts: dict[str, Any]) -> list[str]:
    """Documents, characters and shares per split and kind."""
    lines = ["| split | kind | documents | characters | words | share of characters | left out by the mix |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for split in SPLITS:
        total = sum(counts[split][kind]["characters"] for kind in KINDS)
        for kind in KINDS:
            found = counts[split][kind]
            words = f"{found['words']:,}" if kind == "text" else "-"
            share = found["characters"] / total if total else 0.0
            lines.append(
                f"| {split} | {NAMES[kind]} | {found['documents']:,} | {found['characters']:,} | {words} | {share:.1%} "
                f"| {found['characters_left_out_by_the_mix']:,} |"
            )
    return lines


def how_it_was_cut(config: dict[str, Any]) -> list[str]:
    """How documents were made and parted, in words."""
    strands = "from a random strand" if config["both_strands"] else "from the forward strand"
    regions = f", inside the intervals of {config['regions']}" if config["regions"] else ""
    return [
        f"DNA: pieces of {config['min_piece']:,} to {config['max_piece']:,} bases, read {strands}{regions}; none "
        "crosses the end of a record or an N. English: as the files part it.",
        f"Validation: whole records (of one long record its end), {config['validation_share']:.1%} of each file or so; "
        "of English the last records of each file. Exact copies, of DNA on either strand, are there once.",
    ]


def source_table(manifest: dict[str, Any]) -> list[str]:
    """One line for each file that was read."""
    lines = ["| source | kind | records | bases or characters | lower case (repeats) | validation records | sha256 |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, source in manifest["counts"]["sources"].items():
        dna = source["kind"] == "dna"
        size = source["bases" if dna else "characters"]
        masked = f"{source['lower_case_bases'] / size:.1%}" if dna and size else "-"
        lines.append(
            f"| {name} | {NAMES[source['kind']]} | {source['records']:,} | {size:,} | {masked} "
            f"| {source['validation_records'] or 'the end of one'} | `{manifest['inputs'][name]['sha256'][:16]}` |"
        )
    return lines


def lost_lines(sources: dict[str, dict[str, Any]]) -> list[str]:
    """What of the sources is in no document, and why."""
    lost = {text: sum(source.get(key, 0) for source in sources.values()) for key, text in LOST.items()}
    bases = sum(source["bases"] for source in sources.values() if source["kind"] == "dna")
    copies = sum(source["duplicate_documents"] for source in sources.values())
    lines = [f"- {n:,} bases ({n / bases:.2%}) {text}" for text, n in lost.items() if n]
    lines += [f"- {copies:,} documents that were copies of others"] if copies else []
    return ["## What was left out", "", *lines, ""] if lines else []
